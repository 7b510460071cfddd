package zone

import (
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
)

// mayChangeVM lets the owner of the VM that the call names change it; the events are the owner's, about that VM.
func mayChangeVM(z *Zone, c *call) error {
	vm, err := vmParam(z, c, "virtualmachineid")
	if err != nil {
		return err
	}
	c.owner, c.eventResource, c.eventResourceType = vm.Account, vm.ID, "VirtualMachine"
	return mayUse(z, c, vm.Account, "VirtualMachine")
}

// nicCommands add NICs to VMs and take them away again.
func (z *Zone) nicCommands() []command {
	vm := param{"virtualmachineid", "uuid:vm", true, "Virtual Machine ID"}
	change := func(name, about, class, event, action string, run func(*Zone, *call, *VM) error, more param) command {
		return command{
			name: name, about: about, class: adminClasses + "vm." + class, kind: asyncCommand, instance: "VirtualMachine", event: event, eventful: eventAsync,
			action: action, params: []param{vm, more}, sync: func(z *Zone, c *call) string { return "vm:" + c.str("virtualmachineid") },
			check: mayChangeVM,
			run: func(z *Zone, c *call) (obj, error) {
				vm, err := vmParam(z, c, "virtualmachineid")
				if err != nil {
					return nil, err
				}
				if err := run(z, c, vm); err != nil {
					return nil, err
				}
				return vmResult(z, c, vm), nil
			},
		}
	}
	return []command{
		change("addNicToVirtualMachine", "Adds VM to specified network by creating a NIC", "AddNicToVMCmdByAdmin", "NIC.CREATE", "Creating NIC", addNICTo,
			param{"networkid", "uuid:network", true, "Network ID"}),
		change("removeNicFromVirtualMachine", "Removes VM from specified network by deleting a NIC", "RemoveNicFromVMCmdByAdmin", "NIC.DELETE", "Removing NIC", removeNICFrom,
			param{"nicid", "string", true, "NIC ID"}),
	}
}

func addNICTo(z *Zone, c *call, vm *VM) error {
	n, err := networkParam(z, c, "networkid")
	if err != nil {
		return err
	}
	if slices.ContainsFunc(vm.NICs, func(nic *NIC) bool { return nic.Network == n }) {
		return api.Invalid("A NIC already exists for VM:%s in network: %s", vm.InstanceName, n.UUID)
	}
	if err := z.addNIC(c.ctx, vm, n, netip.Addr{}); err != nil {
		return err
	}
	if vm.State != "Running" {
		return nil
	}
	if err := z.implement(c.ctx, n); err != nil {
		return err
	}
	return z.nicUsage(c.ctx, "NETWORK.OFFERING.ASSIGN", vm, vm.NICs[len(vm.NICs)-1])
}

func removeNICFrom(z *Zone, c *call, vm *VM) error {
	i := slices.IndexFunc(vm.NICs, func(nic *NIC) bool { return nic.UUID == c.str("nicid") })
	if i < 0 {
		return c.badEntity("nicid", c.str("nicid"))
	}
	nic := vm.NICs[i]
	if nic.Default {
		return api.Invalid("Unable to remove nic from %s in network %s, nic is default.", vm.InstanceName, nic.Network.UUID)
	}
	if vm.State == "Running" {
		if err := z.nicUsage(c.ctx, "NETWORK.OFFERING.REMOVE", vm, nic); err != nil {
			return err
		}
	}
	vm.NICs = slices.Delete(vm.NICs, i, i+1)
	return z.update(c.ctx, "cloud.nics", nic.ID, obj{"removed": z.now(), "state": "Deallocating"})
}
