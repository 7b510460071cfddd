package compute

import (
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Secondary is a further address of a NIC. The lab's tables have none of its kind, so that it lives in memory only.
type Secondary struct {
	UUID string
	IP   netip.Addr
}

// addresses are all of a NIC, the primary one first.
func (n *NIC) addresses() []netip.Addr {
	all := []netip.Addr{n.IP}
	for _, s := range n.Secondary {
		all = append(all, s.IP)
	}
	return all
}

// Owns says whether an address is one of the NIC's.
func (n *NIC) Owns(ip netip.Addr) bool { return slices.Contains(n.addresses(), ip) }

func secondaryCommands() []command {
	return []command{
		{
			Name:     "addIpToNic",
			About:    "Assigns secondary IP to NIC",
			Root:     "addiptovmnicresponse",
			Class:    kernel.UserClasses + "vm.AddIpToVmNicCmd",
			Kind:     kernel.AsyncCreate,
			Event:    "NIC.SECONDARY.IP.ASSIGN",
			Eventful: kernel.EventAsync,
			Action:   "assigning secondary ip to nic",
			Params: []param{
				{Name: "nicid", Type: "string", Required: true, About: "the ID of the nic to which you want " +
					"to assign private IP"},
				{Name: "ipaddress", Type: "string", About: "Secondary IP Address"},
			},
			Create: addSecondary,
			Run:    secondaryResult,
		},
		{
			Name:     "removeIpFromNic",
			About:    "Removes secondary IP from the NIC.",
			Class:    kernel.UserClasses + "vm.RemoveIpFromVmNicCmd",
			Kind:     kernel.AsyncCommand,
			Event:    "NIC.SECONDARY.IP.UNASSIGN",
			Eventful: kernel.EventAsync,
			Action:   "removing secondary ip from nic",
			Params: []param{
				{Name: "id", Type: "string", Required: true, About: "the ID of the secondary ip address to " +
					"nic"},
			},
			Run: removeSecondary,
		},
	}
}

// nicByUUID finds a NIC with its VM.
func (mgr *Manager) nicByUUID(uuid string) (*VM, *NIC) {
	for _, vm := range mgr.VMs.All() {
		for _, nic := range vm.NICs {
			if nic.UUID == uuid && vm.Removed.IsZero() {
				return vm, nic
			}
		}
	}
	return nil, nil
}

func addSecondary(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	vm, nic := mgr.nicByUUID(c.Str("nicid"))
	if vm == nil {
		return kernel.Created{}, c.BadEntity("nicid", c.Str("nicid"))
	}
	if err := tenancy.MayUse(mgr.tenancy, c, vm.Account, "VirtualMachine"); err != nil {
		return kernel.Created{}, err
	}
	var wanted netip.Addr
	if text := c.Str("ipaddress"); text != "" {
		var err error
		if wanted, err = netip.ParseAddr(text); err != nil {
			return kernel.Created{}, api.Invalid("Invalid ip address %s", text)
		}
	}
	ip, err := mgr.GuestAddress(nic.Network, wanted)
	if err != nil {
		return kernel.Created{}, err
	}
	one := &Secondary{UUID: mgr.UUID(), IP: ip}
	nic.Secondary = append(nic.Secondary, one)
	return kernel.Created{UUID: one.UUID}, nil
}

// secondaryByUUID finds a secondary address with its NIC and VM.
func (mgr *Manager) secondaryByUUID(uuid string) (*VM, *NIC, *Secondary) {
	for _, vm := range mgr.VMs.All() {
		for _, nic := range vm.NICs {
			if one, ok := kernel.Find(nic.Secondary, uuid, func(s *Secondary) string { return s.UUID }); ok {
				return vm, nic, one
			}
		}
	}
	return nil, nil, nil
}

func secondaryResult(mgr *Manager, c *kernel.Call) (obj, error) {
	vm, nic, one := mgr.secondaryByUUID(c.Target.UUID)
	if one == nil {
		return nil, api.Internal("Failed to allocate secondary ip")
	}
	return obj{"nicsecondaryip": obj{"id": one.UUID, "ipaddress": one.IP.String(), "nicid": nic.UUID,
		"networkid": nic.Network.UUID, "virtualmachineid": vm.UUID}}, nil
}

func removeSecondary(mgr *Manager, c *kernel.Call) (obj, error) {
	vm, nic, one := mgr.secondaryByUUID(c.Str("id"))
	if one == nil {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	if err := tenancy.MayUse(mgr.tenancy, c, vm.Account, "VirtualMachine"); err != nil {
		return nil, err
	}
	if mgr.Hooks.Balanced(vm, one.IP) {
		return nil, api.Invalid("Can' remove the ip %s is associate with static NAT rule public IP address id or "+
			"mapped to load balancing rule", one.IP)
	}
	nic.Secondary = slices.DeleteFunc(nic.Secondary, func(o *Secondary) bool { return o == one })
	return obj{"success": true}, nil
}

func secondaryAnswers(n *NIC) []obj {
	out := []obj{}
	for _, s := range n.Secondary {
		out = append(out, obj{"id": s.UUID, "ipaddress": s.IP.String()})
	}
	return out
}
