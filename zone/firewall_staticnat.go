package zone

import (
	"context"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/zone/api"
)

const natClasses = "org.apache.cloudstack.api.command.user.nat."

func staticNATCommands() []command {
	return []command{
		{
			name: "enableStaticNat", about: "Enables static NAT for given IP address", class: natClasses + "EnableStaticNatCmd",
			event: "STATICNAT.ENABLE", eventful: eventSync, action: "enabling static nat",
			params: []param{
				{"ipaddressid", "uuid:address", true, "the public IP address ID for which static NAT feature is being enabled"},
				{"virtualmachineid", "uuid:vm", true, "the ID of the virtual machine for enabling static NAT feature"},
				{"networkid", "uuid:network", false, "The network of the VM the static NAT will be enabled for. Required when public IP address is not associated with any guest network yet (VPC case)"},
				{"vmguestip", "string", false, "VM guest NIC secondary IP address for the port forwarding rule"},
			},
			run: enableStaticNAT,
			detail: func(z *Zone, c *call) string {
				if vm := z.vmByUUID(c.str("virtualmachineid")); vm != nil {
					c.eventResourceType, c.eventResource, c.target = "VirtualMachine", vm.ID, created{vm.UUID, vm.ID}
				}
				if a := z.addressByUUID(c.str("ipaddressid")); a != nil {
					return fmt.Sprintf("Ip Id: %d", a.ID)
				}
				return ""
			},
		},
		{
			name: "disableStaticNat", about: "Disables static rule for given IP address", class: natClasses + "DisableStaticNatCmd",
			kind: asyncCommand, event: "STATICNAT.DISABLE", eventful: eventAsync, action: "disabling static nat",
			params: []param{{"ipaddressid", "uuid:address", true, "the public IP address ID for which static NAT feature is being disabled"}},
			run:    disableStaticNAT,
			describe: func(z *Zone, c *call) string {
				if a := z.addressByUUID(c.str("ipaddressid")); a != nil {
					c.concerns("IpAddress", a.ID, a.UUID, a.Account)
				}
				return fmt.Sprintf("Disabling static NAT for IP ID=%d", c.target.id)
			},
			detail: func(z *Zone, c *call) string { return fmt.Sprintf("Ip Id: %d", c.target.id) },
		},
	}
}

func enableStaticNAT(z *Zone, c *call) (obj, error) {
	ctx := c.ctx
	a, err := addressParam(z, c, "ipaddressid")
	if err != nil {
		return nil, err
	}
	vm, err := vmParam(z, c, "virtualmachineid")
	if err != nil {
		return nil, err
	}
	if err := mayUse(z, c, a.Account, "ip address"); err != nil {
		return nil, err
	}
	n := a.Network
	if n == nil && c.has("networkid") {
		if n, err = networkParam(z, c, "networkid"); err != nil {
			return nil, err
		}
	}
	if err := z.checkStaticNAT(a, vm, n); err != nil {
		return nil, err
	}
	if err := z.tieAddress(ctx, a, n); err != nil {
		return nil, err
	}
	a.StaticNAT, a.StaticVM, a.StaticIP = true, vm, nicIn(vm, n).IP
	if err := z.update(ctx, "cloud.user_ip_address", a.ID, obj{"one_to_one_nat": 1, "vm_id": vm.ID, "dnat_vmip": a.StaticIP.String()}); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

func (z *Zone) checkStaticNAT(a *Address, vm *VM, n *Network) error {
	name := fmt.Sprintf("Ip[%s-%d]", a.IP, z.site.ID)
	switch {
	case n == nil:
		return api.Invalid("Unable to find network by id")
	case nicIn(vm, n) == nil:
		return api.Invalid("Vm doesn't belong to the network with specified id")
	case !slices.Contains(n.Offering.Services, "StaticNat"):
		return api.Invalid("Unable to create static nat rule; StaticNat service is not supported in network with specified id")
	case a.SourceNAT:
		return api.Invalid("Can't enable static, ip address %s is a sourceNat ip address", name)
	case a.StaticNAT && a.StaticVM != vm:
		return api.Conflict("Failed to enable static for the ip address %s and vm id=%d as it's already assigned to antoher vm", name, vm.ID)
	}
	for _, purpose := range []string{purposePF, purposeLB} {
		if slices.ContainsFunc(z.rulesOnAddress(a), func(r *rule) bool { return r.Purpose == purpose && r.State != stateRevoke }) && !a.StaticNAT {
			return api.Conflict("Failed to enable static nat for the ip address %s as it already has %s rules assigned", name, purpose)
		}
	}
	for _, other := range z.addresses {
		if other != a && other.StaticNAT && other.StaticVM == vm {
			return api.Invalid("Failed to enable static nat on the  ip %s with Id %s as the vm %s with Id %s is already associated with another public ip %s with id %s",
				a.IP, a.UUID, vm.InstanceName, vm.UUID, other.IP, other.UUID)
		}
	}
	return nil
}

func disableStaticNAT(z *Zone, c *call) (obj, error) {
	a, err := addressParam(z, c, "ipaddressid")
	if err != nil {
		return nil, err
	}
	if err := mayUse(z, c, a.Account, "ip address"); err != nil {
		return nil, err
	}
	if !a.StaticNAT {
		return nil, api.Invalid("Specified IP address id is not associated with any vm Id")
	}
	if err := z.dropStaticNAT(c.ctx, a); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

// dropStaticNAT ends static NAT on an address that has it.
func (z *Zone) dropStaticNAT(ctx context.Context, a *Address) error {
	if !a.StaticNAT {
		return nil
	}
	a.StaticNAT, a.StaticVM = false, nil
	if err := z.update(ctx, "cloud.user_ip_address", a.ID, obj{"one_to_one_nat": 0, "vm_id": nil, "dnat_vmip": nil}); err != nil {
		return err
	}
	return z.untieAddress(ctx, a)
}
