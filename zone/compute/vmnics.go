package compute

import (
	gonet "net"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// mayChangeVM lets the owner of the VM that the call names change it; the events are the owner's, about that VM.
func mayChangeVM(mgr *Manager, c *kernel.Call) error {
	vm, err := VMParam(mgr, c, "virtualmachineid")
	if err != nil {
		return err
	}
	c.Owner, c.EventResource, c.EventResourceType = vm.Account, vm.ID, "VirtualMachine"
	return tenancy.MayUse(mgr.tenancy, c, vm.Account, "VirtualMachine")
}

// nicCommands add NICs to VMs and take them away again.
func nicCommands() []command {
	vm := param{Name: "virtualmachineid", Type: "uuid:vm", Required: true, About: "Virtual Machine ID"}
	change := func(name, about, class, event, action string, run func(*Manager, *kernel.Call, *VM) error,
		more ...param) command {
		return command{
			Name: name, About: about, Class: kernel.AdminClasses + "vm." + class, Kind: kernel.AsyncCommand,
			Instance: "VirtualMachine", Event: event, Eventful: kernel.EventAsync,
			Action: action, Params: append([]param{vm}, more...), Sync: func(mgr *Manager,
				c *kernel.Call) string {
				return "vm:" + c.Str("virtualmachineid")
			},
			Check: mayChangeVM,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				vm, err := VMParam(mgr, c, "virtualmachineid")
				if err != nil {
					return nil, err
				}
				if err := run(mgr, c, vm); err != nil {
					return nil, err
				}
				return vmResult(mgr, c, vm), nil
			},
		}
	}
	return []command{
		change("addNicToVirtualMachine", "Adds VM to specified network by creating a NIC", "AddNicToVMCmdByAdmin",
			"NIC.CREATE", "Creating NIC", addNICTo,
			param{Name: "networkid", Type: "uuid:network", Required: true, About: "Network ID"},
			param{Name: "ipaddress", Type: "string", About: "IP Address for the new network"},
			param{Name: "macaddress", Type: "string", About: "Mac Address for the new network"}),
		change("removeNicFromVirtualMachine", "Removes VM from specified network by deleting a NIC",
			"RemoveNicFromVMCmdByAdmin", "NIC.DELETE", "Removing NIC", removeNICFrom,
			param{Name: "nicid", Type: "string", Required: true, About: "NIC ID"}),
	}
}

func addNICTo(mgr *Manager, c *kernel.Call, vm *VM) error {
	n, err := net.NetworkParam(mgr.net, c, "networkid")
	if err != nil {
		return err
	}
	if slices.ContainsFunc(vm.NICs, func(nic *NIC) bool { return nic.Network == n }) {
		return api.Invalid("A NIC already exists for VM:%s in network: %s", vm.InstanceName, n.UUID)
	}
	var wanted netip.Addr
	if c.Str("ipaddress") != "" {
		if wanted, err = netip.ParseAddr(c.Str("ipaddress")); err != nil {
			return api.Invalid("Invalid IPv4 IP Address %s", c.Str("ipaddress"))
		}
	}
	if err := mgr.addNIC(c.Ctx, vm, n, wanted); err != nil {
		return err
	}
	if err := mgr.setMAC(c, vm.NICs[len(vm.NICs)-1]); err != nil {
		return err
	}
	if vm.State != "Running" {
		return nil
	}
	if err := mgr.net.Implement(c.Ctx, n); err != nil {
		return err
	}
	return mgr.nicUsage(c.Ctx, "NETWORK.OFFERING.ASSIGN", vm, vm.NICs[len(vm.NICs)-1])
}

// setMAC gives a new NIC the address that a call wants.
func (mgr *Manager) setMAC(c *kernel.Call, nic *NIC) error {
	wanted := c.Str("macaddress")
	if wanted == "" {
		return nil
	}
	mac, err := gonet.ParseMAC(wanted)
	if err != nil || len(mac) != 6 {
		return api.Invalid("Invalid MAC address %s", wanted)
	}
	nic.MAC = mac.String()
	return mgr.Update(c.Ctx, "cloud.nics", nic.ID, obj{"mac_address": nic.MAC})
}

func removeNICFrom(mgr *Manager, c *kernel.Call, vm *VM) error {
	i := slices.IndexFunc(vm.NICs, func(nic *NIC) bool { return nic.UUID == c.Str("nicid") })
	if i < 0 {
		return c.BadEntity("nicid", c.Str("nicid"))
	}
	nic := vm.NICs[i]
	if nic.Default {
		return api.Invalid("Unable to remove nic from %s in network %s, nic is default.", vm.InstanceName,
			nic.Network.UUID)
	}
	if vm.State == "Running" {
		if err := mgr.nicUsage(c.Ctx, "NETWORK.OFFERING.REMOVE", vm, nic); err != nil {
			return err
		}
	}
	vm.NICs = slices.Delete(vm.NICs, i, i+1)
	return mgr.Update(c.Ctx, "cloud.nics", nic.ID, obj{"removed": mgr.Now(), "state": "Deallocating"})
}
