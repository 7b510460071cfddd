package zone

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
)

func (z *Zone) vmCommands() []command {
	one := func(name, about, class, event, action string, run func(*Zone, *call, *VM) error, more ...param) command {
		return command{
			name: name, about: about, class: adminClasses + "vm." + class, kind: asyncCommand, instance: "VirtualMachine",
			event: event, eventful: eventAsync, action: action, params: append([]param{{"id", "uuid:vm", true, "The ID of the virtual machine"}}, more...),
			check: checkVM,
			run: func(z *Zone, c *call) (obj, error) {
				vm, err := vmParam(z, c, "id")
				if err != nil {
					return nil, err
				}
				if err := run(z, c, vm); err != nil {
					return nil, err
				}
				return vmResult(z, c, vm), nil
			},
			sync: func(z *Zone, c *call) string { return "vm:" + c.str("id") },
			describe: func(z *Zone, c *call) string {
				return strings.Replace(action, " Vm", " user vm", 1) + ": " + c.str("id")
			},
			detail: func(z *Zone, c *call) string { return "Vm Id: " + c.str("id") },
		}
	}
	return []command{
		deployCommand(),
		{
			name: "listVirtualMachines", about: "List the virtual machines owned by the account.",
			params: listParams(param{"id", "uuid:vm", false, "the ID of the virtual machine"}, param{"ids", "list", false, "the IDs of the virtual machines, mutually exclusive with id"},
				param{"name", "string", false, "name of the virtual machine"}, param{"state", "string", false, "state of the virtual machine"},
				param{"networkid", "uuid:network", false, "list by network id"}, param{"vpcid", "uuid:vpc", false, "list vms by vpc"}, param{"zoneid", "uuid:zone", false, "the availability zone ID"},
				param{"autoscalevmgroupid", "uuid:group", false, "the ID of AutoScaling VM Group"}, param{"details", "list", false, "comma separated list of host details requested"}),
			run: listVMs,
		},
		one("startVirtualMachine", "Starts a virtual machine.", "StartVMCmdByAdmin", "VM.START", "starting Vm", func(z *Zone, c *call, vm *VM) error {
			return z.startVM(c.ctx, vm)
		}),
		one("stopVirtualMachine", "Stops a virtual machine.", "StopVMCmdByAdmin", "VM.STOP", "stopping Vm", func(z *Zone, c *call, vm *VM) error {
			if err := z.computeHooks.guard(vm); err != nil {
				return err
			}
			return z.stopVM(c.ctx, vm)
		}, param{"forced", "boolean", false, "Force stop the VM (vm is marked as Stopped even when command fails to be send to the backend, otherwise a force poweroff is attempted)."}),
		one("rebootVirtualMachine", "Reboots a virtual machine.", "RebootVMCmdByAdmin", "VM.REBOOT", "rebooting Vm", func(z *Zone, c *call, vm *VM) error {
			if vm.State != "Running" {
				return api.Invalid("unable to find a running virtual machine with id %s to reboot", vm.UUID)
			}
			return nil
		}),
		recoverVMCommand(),
		destroyVMCommand(), expungeVMCommand(),
	}
}

func deployCommand() command {
	return command{
		name: "deployVirtualMachine", about: "Creates and automatically starts a virtual machine based on a service offering, disk offering, and template.",
		class: adminClasses + "vm.DeployVMCmdByAdmin", kind: asyncCreate, instance: "VirtualMachine", event: "VM.CREATE", eventful: eventAsync, action: "deploying Vm",
		params: []param{
			{"zoneid", "uuid:zone", true, "availability zone for the virtual machine"}, {"serviceofferingid", "uuid:serviceoffering", true, "the ID of the service offering for the virtual machine"},
			{"templateid", "uuid:template", true, "the ID of the template for the virtual machine"}, {"name", "string", false, "host name for the virtual machine"},
			{"displayname", "string", false, "an optional user generated name for the virtual machine"}, {"networkids", "list:network", false, "list of network ids used by virtual machine"},
			{"ipaddress", "string", false, "the ip address for default vm's network"}, {"startvm", "boolean", false, "true if start vm after creating; defaulted to true if not specified"},
			{"hostid", "uuid:host", false, "destination Host ID to deploy the VM to"}, {"diskofferingid", "uuid:diskoffering", false, "the ID of the disk offering for the virtual machine"},
			{"account", "string", false, "an optional account for the virtual machine. Must be used with domainId."}, {"domainid", "uuid:domain", false, "an optional domainId for the virtual machine."},
			{"userdata", "string", false, "an optional binary data that can be sent to the virtual machine upon a successful deployment"},
		},
		create: createVirtualMachine,
		run: func(z *Zone, c *call) (obj, error) {
			vm := z.vmByUUID(c.target.uuid)
			if c.boolean("startvm", true) {
				if err := z.startVM(c.ctx, vm); err != nil {
					return nil, err
				}
			}
			return vmResult(z, c, vm), nil
		},
		describe: func(z *Zone, c *call) string { return "starting Vm. Vm Id: " + c.target.uuid },
		detail:   func(z *Zone, c *call) string { return "Vm Id: " + c.target.uuid },
	}
}

// recoverVMCommand is synchronous.
func recoverVMCommand() command {
	return command{
		name: "recoverVirtualMachine", about: "Recovers a virtual machine.", admin: true, event: "VM.RECOVER", eventful: eventSync, action: "recovering VM",
		params: []param{{"id", "uuid:vm", true, "The ID of the virtual machine"}}, check: checkVM,
		run: func(z *Zone, c *call) (obj, error) {
			vm, err := vmParam(z, c, "id")
			if err != nil {
				return nil, err
			}
			if vm.State != "Destroyed" {
				return nil, api.Invalid("VM with id %s is not in the right state to be recovered", vm.UUID)
			}
			if err := z.vmUsage(c.ctx, "VM.CREATE", vm); err != nil {
				return nil, err
			}
			if err := z.recoverRoot(c.ctx, vm); err != nil {
				return nil, err
			}
			return obj{"virtualmachine": z.vmAnswer(vm)}, z.setVM(c.ctx, vm, "Stopped")
		},
	}
}

func destroyVMCommand() command {
	return command{
		name: "destroyVirtualMachine", about: "Destroys a virtual machine.", class: adminClasses + "vm.DestroyVMCmdByAdmin", kind: asyncCommand,
		instance: "VirtualMachine", event: "VM.DESTROY", eventful: eventAsync, action: "destroying Vm",
		params: []param{{"id", "uuid:vm", true, "The ID of the virtual machine"}, {"expunge", "boolean", false, "If true is passed, the vm is expunged immediately. False by default."},
			{"volumeids", "list", false, "Comma separated list of UUIDs for volumes that will be deleted"}},
		check: checkVM,
		run: func(z *Zone, c *call) (obj, error) {
			vm, err := vmParam(z, c, "id")
			if err != nil {
				return nil, err
			}
			if err := z.computeHooks.guard(vm); err != nil {
				return nil, err
			}
			if err := z.destroyVM(c.ctx, vm); err != nil {
				return nil, err
			}
			if !c.boolean("expunge", false) {
				return vmResult(z, c, vm), nil
			}
			if err := z.expungeVM(c.ctx, vm); err != nil {
				return nil, err
			}
			return z.goneVM(), nil
		},
		sync:     func(z *Zone, c *call) string { return "vm:" + c.str("id") },
		describe: func(z *Zone, c *call) string { return "destroying vm: " + c.str("id") },
		detail:   func(z *Zone, c *call) string { return "Vm Id: " + c.str("id") },
	}
}

func expungeVMCommand() command {
	return command{
		name: "expungeVirtualMachine", about: "Expunge a virtual machine. Once expunged, it cannot be recoverd.", class: adminClasses + "vm.ExpungeVMCmd", kind: asyncCommand,
		instance: "VirtualMachine", event: "VM.EXPUNGE", eventful: eventAsync, action: "expunging Vm", params: []param{{"id", "uuid:vm", true, "The ID of the virtual machine"}},
		check: checkVM,
		run: func(z *Zone, c *call) (obj, error) {
			vm, err := vmParam(z, c, "id")
			if err != nil {
				return nil, err
			}
			if vm.State != "Destroyed" {
				return nil, api.Invalid("Please destroy vm with specified vmId before expunge")
			}
			return obj{"success": true}, z.expungeVM(c.ctx, vm)
		},
		sync:     func(z *Zone, c *call) string { return "vm:" + c.str("id") },
		describe: func(z *Zone, c *call) string { return "Expunging vm: " + c.str("id") },
		detail:   func(z *Zone, c *call) string { return "Vm Id: " + c.str("id") },
	}
}

// goneVM is what is left of an expunged VM in the answer: an object under the key null, as recorded.
func (z *Zone) goneVM() obj {
	empty := obj{"securitygroup": []obj{}, "nic": []obj{}, "affinitygroup": []obj{}, "tags": []obj{}}
	z.newField(empty, "deleteprotection", false)
	return obj{"null": empty}
}

func vmResult(z *Zone, c *call, vm *VM) obj {
	out := z.vmAnswer(vm)
	out["jobid"], out["jobstatus"] = c.job.uuid, 0
	return obj{"virtualmachine": out}
}

func checkVM(z *Zone, c *call) error {
	vm, err := vmParam(z, c, "id")
	if err != nil {
		return err
	}
	if !vm.Removed.IsZero() {
		return api.Invalid("Unable to find UUID for id [%d] of type [VirtualMachine]", vm.ID)
	}
	c.owner, c.eventResource, c.eventResourceType = vm.Account, vm.ID, "VirtualMachine"
	return mayUse(z, c, vm.Account, "VirtualMachine")
}

func createVirtualMachine(z *Zone, c *call) (created, error) {
	owner, err := ownerAccount(z, c)
	if err != nil {
		return created{}, err
	}
	s := vmSpec{Name: c.str("name"), DisplayName: c.str("displayname"), Account: owner, User: z.vmUser(callerOf(c), owner),
		Offering: offeringByUUID(z.serviceOfferings, c.str("serviceofferingid")), Template: offeringByUUID(z.templates, c.str("templateid"))}
	for _, u := range c.list("networkids") {
		n := z.networkByUUID(u)
		if n == nil || !n.Removed.IsZero() {
			return created{}, api.Invalid("Unable to find network by id %s", u)
		}
		if err := mayUse(z, c, n.Account, "Network"); err != nil {
			return created{}, err
		}
		s.Networks = append(s.Networks, n)
	}
	if len(s.Networks) == 0 {
		i := slices.IndexFunc(z.networks, func(n *Network) bool { return n.Account == owner && n.Removed.IsZero() && n.VPC == nil })
		if i < 0 {
			return created{}, api.Invalid("Please specify at least one network: account %s has no isolated network", owner.Name)
		}
		s.Networks = append(s.Networks, z.networks[i])
	}
	if !c.has("account") && len(s.Networks) > 0 && callerOf(c).Account.Type != 1 {
		s.Account = owner
	}
	if s.Name != "" && slices.ContainsFunc(z.vms, func(vm *VM) bool {
		return vm.Removed.IsZero() && vm.Name == s.Name && slices.ContainsFunc(vm.NICs, func(n *NIC) bool { return slices.Contains(s.Networks, n.Network) })
	}) {
		return created{}, api.Invalid("The vm with hostName %s already exists in the network domain: %s; network=%s", s.Name, z.networkDomain(s.Networks[0]), s.Networks[0].UUID)
	}
	if c.has("ipaddress") {
		if s.IP, err = netip.ParseAddr(c.str("ipaddress")); err != nil {
			return created{}, c.badValue("ipaddress", c.str("ipaddress"))
		}
	}
	if err := z.checkVMLimits(owner, s.Offering); err != nil {
		return created{}, err
	}
	vm, err := z.createVM(c.ctx, s)
	if err != nil {
		return created{}, err
	}
	if h := z.hostByUUID(c.str("hostid")); h != nil {
		vm.Host = h
	}
	if err := z.deployDisk(c, vm); err != nil {
		return created{}, err
	}
	c.owner, c.eventResource, c.eventResourceType = owner, vm.ID, "VirtualMachine"
	return created{uuid: vm.UUID, id: vm.ID}, nil
}

// deployDisk adds the data disk that a deployment may ask for.
func (z *Zone) deployDisk(c *call, vm *VM) error {
	o := offeringByUUID(z.diskOfferings, c.str("diskofferingid"))
	if o == nil {
		return nil
	}
	gb, _ := o.Answer["disksize"].(int)
	_, err := z.createVolume(c.ctx, &Volume{Name: fmt.Sprintf("DATA-%d", vm.ID), Size: int64(gb) << 30, VM: vm, Account: vm.Account, Offering: o, State: "Ready", Device: 1}, callerOf(c))
	return err
}

// vmUser is the user that a VM is said to belong to: the caller, or the owner's first user when another owns it.
func (z *Zone) vmUser(caller *User, owner *Account) *User {
	if caller.Account == owner {
		return caller
	}
	return z.userOf(owner)
}
