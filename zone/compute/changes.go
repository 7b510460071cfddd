package compute

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Detail is a key and its value on an instance.
type Detail struct{ Key, Value string }

// Details are an instance's, by key. They live in memory.
type Details map[string]string

// Sorted are the details in the order of their keys.
func (d Details) Sorted() []Detail {
	var out []Detail
	for k, v := range d {
		out = append(out, Detail{k, v})
	}
	slices.SortFunc(out, func(a, b Detail) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// answer are the details as a VM's answer has them.
func (d Details) answer() obj {
	out := obj{}
	for k, v := range d {
		out[k] = v
	}
	return out
}

// detailsOf reads "details[0].key=value".
func detailsOf(c *kernel.Call) Details {
	out := Details{}
	for _, e := range c.Entries("details") {
		for k, v := range e {
			out[k] = v
		}
	}
	return out
}

// changeCommands change what instances and volumes are called, and list NICs.
func changeCommands() []command {
	return []command{
		{
			Name: "updateVirtualMachine", About: "Updates properties of a virtual machine.",
			Class: kernel.AdminClasses + "vm.UpdateVMCmdByAdmin", Event: "VM.UPDATE", Eventful: kernel.EventSync,
			Action: "updating Vm",
			Params: []param{
				{Name: "id", Type: "uuid:vm", Required: true, About: "The ID of the virtual machine"},
				{Name: "displayname", Type: "string", About: "user generated name"},
				{Name: "name", Type: "string", About: "new host name of the vm. The VM has to be stopped/started for " +
					"this update to take affect"},
				{Name: "group", Type: "string", About: "group of the virtual machine"},
				{Name: "userdata", Type: "string", About: "an optional binary data that can be sent to the virtual " +
					"machine upon a successful deployment"},
				{Name: "details", Type: "map", About: "Details in key/value pairs."},
			},
			Check: checkVM, Run: updateVM,
			Detail: func(_ *Manager, c *kernel.Call) string { return "Vm Id: " + c.Str("id") },
		},
		{
			Name: "updateVolume", About: "Updates the volume.",
			Class: kernel.AdminClasses + "volume.UpdateVolumeCmdByAdmin",
			Kind:  kernel.AsyncCommand, Instance: "Volume", Event: "VOLUME.UPDATE", Eventful: kernel.EventAsync,
			Action: "updating volume",
			Params: []param{{Name: "id", Type: "uuid:volume", Required: true, About: "the ID of the disk volume"},
				{Name: "name", Type: "string", About: "new name of the volume"}},
			Check: checkVolume,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				v, err := volumeParam(mgr, c, "id")
				if err != nil {
					return nil, err
				}
				v.Name = cmp.Or(c.Str("name"), v.Name)
				return obj{"volume": mgr.volumeAnswer(v)}, nil
			},
			Describe: func(_ *Manager, c *kernel.Call) string { return "updating volume: " + c.Str("id") },
		},
		{
			Name: "listNics", About: "list the vm nics  IP to NIC",
			Params: kernel.ListParams(
				param{Name: "virtualmachineid", Type: "uuid:vm", Required: true, About: "the ID of the vm"},
				param{Name: "nicid", Type: "string", About: "the ID of the nic to list IPs"},
				param{Name: "networkid", Type: "uuid:network", About: "list nic of the specific vm's network"}),
			Run: listNICs,
		},
	}
}

func updateVM(mgr *Manager, c *kernel.Call) (obj, error) {
	vm, err := VMParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	if name := c.Str("name"); name != "" && name != vm.Name {
		if strings.ContainsAny(name, " _.") {
			return nil, api.Invalid("Invalid name. Vm name can contain ASCII letters 'a' through 'z', the digits '0' " +
				"through '9', and the hyphen ('-'), must be between 1 and 63 characters long, and can't start or end " +
				"with " +
				"\"-\" and can't start with digit")
		}
		vm.Name = name
	}
	vm.DisplayName, vm.GroupName = cmp.Or(c.Str("displayname"), vm.DisplayName), cmp.Or(c.Str("group"), vm.GroupName)
	if c.HasMap("details") {
		vm.Details = detailsOf(c)
	}
	return obj{"virtualmachine": mgr.VMAnswer(vm)}, mgr.Update(c.Ctx, "cloud.vm_instance", vm.ID,
		obj{"name": vm.Name, "display_name": vm.DisplayName, "host_name": vm.Name})
}

func listNICs(mgr *Manager, c *kernel.Call) (obj, error) {
	vm, err := VMParam(mgr, c, "virtualmachineid")
	if err != nil {
		return nil, err
	}
	if err := tenancy.MayUse(mgr.tenancy, c, vm.Account, "VirtualMachine"); err != nil {
		return nil, err
	}
	var out []obj
	for i, n := range vm.NICs {
		if c.Has("nicid") && c.Str("nicid") != n.UUID || c.Has("networkid") && c.Str("networkid") != n.Network.UUID {
			continue
		}
		one := mgr.nicAnswer(n, i, vm.State == "Running")
		one["virtualmachineid"] = vm.UUID
		out = append(out, one)
	}
	return c.Page("nic", out), nil
}

// deployNetwork is where an instance goes for which no network was named: the account's isolated network, or a new one
// of the offering that is required; which of several is not guessed (UserVmManagerImpl.java@4.20.1.0).
func deployNetwork(mgr *Manager, c *kernel.Call, owner *tenancy.Account) (*net.Network, error) {
	var own []*net.Network
	for _, n := range mgr.net.Networks.All() {
		if n.Account == owner && n.Removed.IsZero() && n.VPC == nil {
			own = append(own, n)
		}
	}
	switch len(own) {
	case 0:
		return net.RequiredNetwork(mgr.net, c, owner)
	case 1:
		return own[0], nil
	}
	return nil, api.Invalid("Error, more than 1 default Isolated networks are found for account Account [%s]; please "+
		"specify networkIds", owner.Name)
}
