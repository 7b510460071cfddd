package firewall

import (
	"context"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

const natClasses = "org.apache.cloudstack.api.command.user.nat."

func staticNATCommands() []command {
	return []command{
		{
			Name: "enableStaticNat", About: "Enables static NAT for given IP address",
			Class: natClasses + "EnableStaticNatCmd",
			Event: "STATICNAT.ENABLE", Eventful: kernel.EventSync, Action: "enabling static nat",
			Params: []param{
				{Name: "ipaddressid", Type: "uuid:address", Required: true, About: "the public IP address ID for " +
					"which static NAT feature is being enabled"},
				{Name: "virtualmachineid", Type: "uuid:vm", Required: true, About: "the ID of the virtual " +
					"machine for enabling static NAT feature"},
				{Name: "networkid", Type: "uuid:network", About: "The network of the VM the static NAT will be " +
					"enabled for. Required when public IP address is not associated with any guest network yet " +
					"(VPC case)"},
				{Name: "vmguestip", Type: "string", About: "VM guest NIC secondary IP address for the port " +
					"forwarding rule"},
			},
			Run: enableStaticNAT,
			Subject: func(mgr *Manager, c *kernel.Call) kernel.Subject {
				if vm := mgr.compute.VMByUUID(c.Str("virtualmachineid")); vm != nil {
					return kernel.Named("VirtualMachine", vm.ID, vm.UUID, nil)
				}
				return kernel.Subject{}
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				if a := mgr.net.AddressByUUID(c.Str("ipaddressid")); a != nil {
					return fmt.Sprintf("Ip Id: %d", a.ID)
				}
				return ""
			},
		},
		{
			Name: "disableStaticNat", About: "Disables static rule for given IP address",
			Class: natClasses + "DisableStaticNatCmd",
			Kind:  kernel.AsyncCommand, Event: "STATICNAT.DISABLE", Eventful: kernel.EventAsync,
			Action: "disabling static nat",
			Params: []param{
				{Name: "ipaddressid", Type: "uuid:address", Required: true, About: "the public IP address ID for " +
					"which static NAT feature is being disabled"},
			},
			Run: disableStaticNAT,
			Subject: func(mgr *Manager, c *kernel.Call) kernel.Subject {
				a := mgr.net.AddressByUUID(c.Str("ipaddressid"))
				if a == nil || a.Account == nil {
					return kernel.Subject{}
				}
				return kernel.Named("IpAddress", a.ID, a.UUID, a.Account)
			},
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Disabling static NAT for IP ID=%d", c.Target.ID)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string { return fmt.Sprintf("Ip Id: %d", c.Target.ID) },
		},
	}
}

func enableStaticNAT(mgr *Manager, c *kernel.Call) (obj, error) {
	ctx := c.Ctx
	a, err := net.AddressParam(mgr.net, c, "ipaddressid")
	if err != nil {
		return nil, err
	}
	vm, err := compute.VMParam(mgr.compute, c, "virtualmachineid")
	if err != nil {
		return nil, err
	}
	if err := tenancy.MayUse(mgr.tenancy, c, a.Account, "ip address"); err != nil {
		return nil, err
	}
	n := a.Network
	if n == nil && c.Has("networkid") {
		if n, err = net.NetworkParam(mgr.net, c, "networkid"); err != nil {
			return nil, err
		}
	}
	if err := mgr.checkStaticNAT(a, vm, n); err != nil {
		return nil, err
	}
	if err := mgr.net.TieAddress(ctx, a, n); err != nil {
		return nil, err
	}
	a.StaticNAT, a.StaticVM, a.StaticIP = true, vm, compute.NICIn(vm, n).IP
	if err := mgr.Update(ctx, "cloud.user_ip_address", a.ID, obj{"one_to_one_nat": 1, "vm_id": vm.ID,
		"dnat_vmip": a.StaticIP.String()}); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

func (mgr *Manager) checkStaticNAT(a *net.Address, vm *compute.VM, n *net.Network) error {
	name := fmt.Sprintf("Ip[%s-%d]", a.IP, mgr.net.Site.ID)
	switch {
	case n == nil:
		return api.Invalid("Unable to find network by id")
	case compute.NICIn(vm, n) == nil:
		return api.Invalid("Vm doesn't belong to the network with specified id")
	case !slices.Contains(n.Offering.Services, "StaticNat"):
		return api.Invalid("Unable to create static nat rule; StaticNat service is not supported in network with " +
			"specified id")
	case a.SourceNAT:
		return api.Invalid("Can't enable static, ip address %s is a sourceNat ip address", name)
	case a.StaticNAT && a.StaticVM != vm:
		return api.Conflict("Failed to enable static for the ip address %s and vm id=%d as it's already assigned "+
			"to antoher vm", name, vm.ID)
	}
	for _, purpose := range []string{purposePF, PurposeLB} {
		if slices.ContainsFunc(mgr.RulesOnAddress(a), func(r *Rule) bool {
			return r.Purpose == purpose &&
				r.State != StateRevoke
		}) && !a.StaticNAT {
			return api.Conflict("Failed to enable static nat for the ip address %s as it already has %s rules "+
				"assigned", name, purpose)
		}
	}
	for _, other := range mgr.net.Addresses.All() {
		if other != a && other.StaticNAT && other.StaticVM == vm {
			return api.Invalid("Failed to enable static nat on the  ip %s with Id %s as the vm %s with Id %s is "+
				"already associated with another public ip %s with id %s",
				a.IP, a.UUID, vm.InstanceName, vm.UUID, other.IP, other.UUID)
		}
	}
	return nil
}

func disableStaticNAT(mgr *Manager, c *kernel.Call) (obj, error) {
	a, err := net.AddressParam(mgr.net, c, "ipaddressid")
	if err != nil {
		return nil, err
	}
	if err := tenancy.MayUse(mgr.tenancy, c, a.Account, "ip address"); err != nil {
		return nil, err
	}
	if !a.StaticNAT {
		return nil, api.Invalid("Specified IP address id is not associated with any vm Id")
	}
	if err := mgr.DropStaticNAT(c.Ctx, a); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

// DropStaticNAT ends static NAT on an address that has it.
func (mgr *Manager) DropStaticNAT(ctx context.Context, a *net.Address) error {
	if !a.StaticNAT {
		return nil
	}
	a.StaticNAT, a.StaticVM = false, nil
	if err := mgr.Update(ctx, "cloud.user_ip_address", a.ID, obj{"one_to_one_nat": 0, "vm_id": nil,
		"dnat_vmip": nil}); err != nil {
		return err
	}
	return mgr.net.UntieAddress(ctx, a)
}
