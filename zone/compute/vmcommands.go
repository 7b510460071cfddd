package compute

import (
	"cmp"
	"context"
	"fmt"
	"github.com/stackproof/stackproof/release"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

func vmCommands() []command {
	one := func(name, about, class, event, action string, run func(*Manager, *kernel.Call, *VM) error,
		more ...param) command {
		return command{
			Name: name, About: about, Class: kernel.AdminClasses + "vm." + class, Kind: kernel.AsyncCommand,
			Instance: "VirtualMachine",
			Event:    event, Eventful: kernel.EventAsync, Action: action,
			Params: append([]param{{Name: "id", Type: "uuid:vm", Required: true,
				About: "The ID of the virtual machine"}}, more...),
			Check: checkVM,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				vm, err := VMParam(mgr, c, "id")
				if err != nil {
					return nil, err
				}
				if err := run(mgr, c, vm); err != nil {
					return nil, err
				}
				return vmResult(mgr, c, vm), nil
			},
			Sync: func(mgr *Manager, c *kernel.Call) string { return "vm:" + c.Str("id") },
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return strings.Replace(action, " Vm", " user vm", 1) + ": " + c.Str("id")
			},
			Detail: func(mgr *Manager, c *kernel.Call) string { return "Vm Id: " + c.Str("id") },
		}
	}
	return []command{
		deployCommand(),
		{
			Name: "listVirtualMachines", About: "List the virtual machines owned by the account.",
			Params: kernel.TaggedParams(param{Name: "id", Type: "uuid:vm", About: "the ID of the virtual machine"},
				param{Name: "ids", Type: "list", About: "the IDs of the virtual machines, mutually exclusive with id"},
				param{Name: "name", Type: "string", About: "name of the virtual machine"},
				param{Name: "state", Type: "string", About: "state of the virtual machine"},
				param{Name: "networkid", Type: "uuid:network", About: "list by network id"},
				param{Name: "vpcid", Type: "uuid:vpc", About: "list vms by vpc"},
				param{Name: "zoneid", Type: "uuid:zone", About: "the availability zone ID"},
				param{Name: "autoscalevmgroupid", Type: "uuid:group", About: "the ID of AutoScaling VM Group"},
				param{Name: "details", Type: "list", About: "comma separated list of host details requested"}),
			Run: listVMs,
		},
		one("startVirtualMachine", "Starts a virtual machine.", "StartVMCmdByAdmin", "VM.START", "starting Vm",
			func(mgr *Manager, c *kernel.Call, vm *VM) error {
				return mgr.StartVM(c.Ctx, vm)
			}),
		one("stopVirtualMachine", "Stops a virtual machine.", "StopVMCmdByAdmin", "VM.STOP", "stopping Vm",
			func(mgr *Manager, c *kernel.Call, vm *VM) error {
				if err := mgr.Hooks.Guard(vm); err != nil {
					return err
				}
				return mgr.stopVM(c.Ctx, vm)
			},
			param{Name: "forced", Type: "boolean", About: "Force stop the VM (vm is marked as Stopped even when " +
				"command fails to be send to the backend, otherwise a force poweroff is attempted)."}),
		one("rebootVirtualMachine", "Reboots a virtual machine.", "RebootVMCmdByAdmin", "VM.REBOOT", "rebooting Vm",
			func(mgr *Manager, c *kernel.Call, vm *VM) error {
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
		Name: "deployVirtualMachine", About: "Creates and automatically starts a virtual machine based on a " +
			"service offering, disk offering, and template.",
		Class: kernel.AdminClasses + "vm.DeployVMCmdByAdmin", Kind: kernel.AsyncCreate, Instance: "VirtualMachine",
		Event: "VM.CREATE", Eventful: kernel.EventAsync, Action: "deploying Vm",
		Params: []param{
			{Name: "zoneid", Type: "uuid:zone", Required: true, About: "availability zone for the virtual machine"},
			{Name: "serviceofferingid", Type: "uuid:serviceoffering", Required: true, About: "the ID of the " +
				"service offering for the virtual machine"},
			{Name: "templateid", Type: "uuid:template", Required: true, About: "the ID of the template for the " +
				"virtual machine"},
			{Name: "name", Type: "string", About: "host name for the virtual machine"},
			{Name: "displayname", Type: "string", About: "an optional user generated name for the virtual machine"},
			{Name: "networkids", Type: "list:network", About: "list of network ids used by virtual machine"},
			{Name: "ipaddress", Type: "string", About: "the ip address for default vm's network"},
			{Name: "startvm", Type: "boolean", About: "true if start vm after creating; defaulted to true if not " +
				"specified"},
			{Name: "hostid", Type: "uuid:host", About: "destination Host ID to deploy the VM to"},
			{Name: "diskofferingid", Type: "uuid:diskoffering", About: "the ID of the disk offering for the " +
				"virtual machine"},
			{Name: "projectid", Type: "uuid:project", About: "the project of the resource"},
			{Name: "account", Type: "string", About: "an optional account for the virtual machine. Must be used " +
				"with domainId."},
			{Name: "domainid", Type: "uuid:domain", About: "an optional domainId for the virtual machine."},
			{Name: "userdata", Type: "string", About: "an optional binary data that can be sent to the virtual " +
				"machine upon a successful deployment"},
			{Name: "details", Type: "map", About: "used to specify the custom parameters."},
			{Name: "group", Type: "string", About: "an optional group for the virtual machine"},
		},
		Create: createVirtualMachine,
		Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
			vm := mgr.VMByUUID(c.Target.UUID)
			if c.Boolean("startvm", true) {
				if err := mgr.StartVM(c.Ctx, vm); err != nil {
					return nil, err
				}
			}
			return vmResult(mgr, c, vm), nil
		},
		Describe: func(mgr *Manager, c *kernel.Call) string { return "starting Vm. Vm Id: " + c.Target.UUID },
		Detail:   func(mgr *Manager, c *kernel.Call) string { return "Vm Id: " + c.Target.UUID },
	}
}

// recoverVMCommand is synchronous.
func recoverVMCommand() command {
	return command{
		Name: "recoverVirtualMachine", About: "Recovers a virtual machine.", Admin: true, Event: "VM.RECOVER",
		Eventful: kernel.EventSync, Action: "recovering VM",
		Params: []param{{Name: "id", Type: "uuid:vm", Required: true, About: "The ID of the virtual machine"}},
		Check:  checkVM,
		Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
			vm, err := VMParam(mgr, c, "id")
			if err != nil {
				return nil, err
			}
			if vm.State != "Destroyed" {
				return nil, api.Invalid("VM with id %s is not in the right state to be recovered", vm.UUID)
			}
			if err := mgr.vmUsage(c.Ctx, "VM.CREATE", vm); err != nil {
				return nil, err
			}
			if err := mgr.recoverRoot(c.Ctx, vm); err != nil {
				return nil, err
			}
			return obj{"virtualmachine": mgr.VMAnswer(vm)}, mgr.setVM(c.Ctx, vm, "Stopped")
		},
	}
}

func destroyVMCommand() command {
	return command{
		Name: "destroyVirtualMachine", About: "Destroys a virtual machine.",
		Class: kernel.AdminClasses + "vm.DestroyVMCmdByAdmin", Kind: kernel.AsyncCommand,
		Instance: "VirtualMachine", Event: "VM.DESTROY", Eventful: kernel.EventAsync, Action: "destroying Vm",
		Params: []param{{Name: "id", Type: "uuid:vm", Required: true, About: "The ID of the virtual machine"},
			{Name: "expunge", Type: "boolean", About: "If true is passed, the vm is expunged immediately. False " +
				"by default."},
			{Name: "volumeids", Type: "list", About: "Comma separated list of UUIDs for volumes that will be deleted"}},
		Check: checkVM,
		Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
			vm, err := VMParam(mgr, c, "id")
			if err != nil {
				return nil, err
			}
			if err := mgr.Hooks.Guard(vm); err != nil {
				return nil, err
			}
			expunge := c.Boolean("expunge", false)
			if vm.State == "Destroyed" && !expunge {
				return vmResult(mgr, c, vm), nil
			}
			named, err := namedDisks(mgr, c, vm)
			if err != nil {
				return nil, err
			}
			if err := mgr.leaveDisks(c.Ctx, vm); err != nil {
				return nil, err
			}
			if err := mgr.destroyVM(c.Ctx, vm); err != nil {
				return nil, err
			}
			if !expunge {
				return vmResult(mgr, c, vm), mgr.deleteDisks(c.Ctx, named, false)
			}
			if err := mgr.ExpungeVM(c.Ctx, vm); err != nil {
				return nil, err
			}
			return mgr.goneVM(), mgr.deleteDisks(c.Ctx, named, true)
		},
		Sync:     func(mgr *Manager, c *kernel.Call) string { return "vm:" + c.Str("id") },
		Describe: func(mgr *Manager, c *kernel.Call) string { return "destroying vm: " + c.Str("id") },
		Detail:   func(mgr *Manager, c *kernel.Call) string { return "Vm Id: " + c.Str("id") },
	}
}

func expungeVMCommand() command {
	return command{
		Name: "expungeVirtualMachine", About: "Expunge a virtual machine. Once expunged, it cannot be recoverd.",
		Class: kernel.AdminClasses + "vm.ExpungeVMCmd", Kind: kernel.AsyncCommand,
		Instance: "VirtualMachine", Event: "VM.EXPUNGE", Eventful: kernel.EventAsync, Action: "expunging Vm",
		Params: []param{{Name: "id", Type: "uuid:vm", Required: true, About: "The ID of the virtual machine"}},
		Check:  checkVM,
		Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
			vm, err := VMParam(mgr, c, "id")
			if err != nil {
				return nil, err
			}
			if vm.State != "Destroyed" {
				return nil, api.Invalid("Please destroy vm with specified vmId before expunge")
			}
			return obj{"success": true}, mgr.ExpungeVM(c.Ctx, vm)
		},
		Sync:     func(mgr *Manager, c *kernel.Call) string { return "vm:" + c.Str("id") },
		Describe: func(mgr *Manager, c *kernel.Call) string { return "Expunging vm: " + c.Str("id") },
		Detail:   func(mgr *Manager, c *kernel.Call) string { return "Vm Id: " + c.Str("id") },
	}
}

// goneVM is what is left of an expunged VM in the answer.
func (mgr *Manager) goneVM() obj {
	empty := obj{"securitygroup": []obj{}, "nic": []obj{}, "affinitygroup": []obj{}, "tags": []obj{}}
	mgr.NewField(empty, "deleteprotection", false)
	if mgr.On(release.DestroyAnswersNull) {
		return obj{"null": empty}
	}
	return obj{"virtualmachine": empty}
}

func vmResult(mgr *Manager, c *kernel.Call, vm *VM) obj {
	out := mgr.VMAnswer(vm)
	out["jobid"], out["jobstatus"] = c.Job.UUID, 0
	return obj{"virtualmachine": out}
}

func checkVM(mgr *Manager, c *kernel.Call) error {
	vm, err := VMParam(mgr, c, "id")
	if err != nil {
		return err
	}
	if !vm.Removed.IsZero() {
		return api.Invalid("Unable to find UUID for id [%d] of type [VirtualMachine]", vm.ID)
	}
	c.Owner, c.EventResource, c.EventResourceType = vm.Account, vm.ID, "VirtualMachine"
	return tenancy.MayUse(mgr.tenancy, c, vm.Account, "VirtualMachine")
}

func createVirtualMachine(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	owner, err := tenancy.OwnerAccount(mgr.tenancy, c)
	if err != nil {
		return kernel.Created{}, err
	}
	s := VMSpec{Name: c.Str("name"), DisplayName: c.Str("displayname"), Account: owner,
		User:     mgr.vmUser(tenancy.Caller(c), owner),
		Offering: net.OfferingByUUID(mgr.net.ServiceOfferings, c.Str("serviceofferingid")),
		Template: net.OfferingByUUID(mgr.net.Templates, c.Str("templateid"))}
	for _, u := range c.List("networkids") {
		n := mgr.net.NetworkByUUID(u)
		if n == nil || !n.Removed.IsZero() {
			return kernel.Created{}, api.Invalid("Unable to find network by id %s", u)
		}
		if err := tenancy.MayUse(mgr.tenancy, c, n.Account, "Network"); err != nil {
			return kernel.Created{}, err
		}
		s.Networks = append(s.Networks, n)
	}
	if len(s.Networks) == 0 {
		n, err := deployNetwork(mgr, c, owner)
		if err != nil {
			return kernel.Created{}, err
		}
		s.Networks = append(s.Networks, n)
	}
	if !c.Has("account") && len(s.Networks) > 0 && tenancy.Caller(c).Account.Type != 1 {
		s.Account = owner
	}
	if s.Name != "" && slices.ContainsFunc(mgr.VMs.All(), func(vm *VM) bool {
		return vm.Removed.IsZero() && vm.Name == s.Name && slices.ContainsFunc(vm.NICs,
			func(n *NIC) bool { return slices.Contains(s.Networks, n.Network) })
	}) {
		return kernel.Created{}, api.Invalid("The vm with hostName %s already exists in the network domain: %s; "+
			"network=%s", s.Name, mgr.net.NetworkDomain(s.Networks[0]), s.Networks[0].UUID)
	}
	if c.Has("ipaddress") {
		if s.IP, err = netip.ParseAddr(c.Str("ipaddress")); err != nil {
			return kernel.Created{}, c.BadValue("ipaddress", c.Str("ipaddress"))
		}
	}
	if err := mgr.CheckVMLimits(owner, s.Offering); err != nil {
		return kernel.Created{}, err
	}
	vm, err := mgr.CreateVM(c.Ctx, s)
	if err != nil {
		return kernel.Created{}, err
	}
	vm.GroupName, vm.Details = c.Str("group"), detailsOf(c)
	if h := mgr.net.HostByUUID(c.Str("hostid")); h != nil {
		vm.Host = h
	}
	if err := mgr.deployDisk(c, vm); err != nil {
		return kernel.Created{}, err
	}
	c.Owner, c.EventResource, c.EventResourceType = owner, vm.ID, "VirtualMachine"
	return kernel.Created{UUID: vm.UUID, ID: vm.ID}, nil
}

// deployDisk adds the data disk that a deployment may ask for.
func (mgr *Manager) deployDisk(c *kernel.Call, vm *VM) error {
	return mgr.AddDisk(c.Ctx, vm, c.Str("diskofferingid"), tenancy.Caller(c))
}

// AddDisk gives a new VM the data disk of an offering; of none, none. Without a user it is the owner's first.
func (mgr *Manager) AddDisk(ctx context.Context, vm *VM, offering string, user *tenancy.User) error {
	o := net.OfferingByUUID(mgr.net.DiskOfferings, offering)
	if o == nil {
		return nil
	}
	gb, _ := o.Answer["disksize"].(int)
	_, err := mgr.createVolume(ctx, &Volume{Name: fmt.Sprintf("DATA-%d", vm.ID), Size: int64(gb) << 30, VM: vm,
		Account: vm.Account, Offering: o, State: "Ready", Device: 1}, cmp.Or(user, mgr.tenancy.UserOf(vm.Account)))
	return err
}

// DisksOf are the data disks of a VM.
func (mgr *Manager) DisksOf(vm *VM) []*Volume {
	var disks []*Volume
	for _, v := range mgr.Volumes.All() {
		if v.VM == vm && v.Device != 0 && v.Removed.IsZero() {
			disks = append(disks, v)
		}
	}
	return disks
}

// vmUser is the user that a VM is said to belong to: the caller, or the owner's first user when another owns it.
func (mgr *Manager) vmUser(caller *tenancy.User, owner *tenancy.Account) *tenancy.User {
	if caller.Account == owner {
		return caller
	}
	return mgr.tenancy.UserOf(owner)
}
