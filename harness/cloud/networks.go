package cloud

import "context"

// Networks are the calls about VPCs, networks, their addresses, rules and routers.
type Networks struct{ *caller }

// VPCSpec is what createVPC takes.
type VPCSpec struct {
	Owner
	Name, ZoneID, OfferingID, CIDR string // the name is unique for the account
}

// CreateVPC starts the creation of a VPC and its router.
func (c Networks) CreateVPC(ctx context.Context, s VPCSpec) (*Creating[VPC], error) {
	p := s.params(Params{"name": s.Name, "displaytext": s.Name, "zoneid": s.ZoneID, "vpcofferingid": s.OfferingID,
		"cidr": s.CIDR})
	look := lookFor(c.ListVPCs, s.params(Params{"name": s.Name}), func(v *VPC) (string, bool) {
		return v.Id,
			v.Name == s.Name
	})
	return create(ctx, c.caller, "createVPC", p, look, one(c.ListVPCs, "listVPCs", "id"))
}

// RestartVPC restarts a VPC; cleanup makes a new router.
func (c Networks) RestartVPC(ctx context.Context, id string, cleanup bool) error {
	return c.finish(ctx, "restartVPC", id, Params{"cleanup": cleanup})
}

// DeleteVPC deletes a VPC without tiers.
func (c Networks) DeleteVPC(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteVPC", id, nil)
}

// NetworkSpec is what createNetwork takes. A tier has VPCID, Gateway and Netmask.
type NetworkSpec struct {
	Owner
	Name, ZoneID, OfferingID, VPCID, Gateway, Netmask string // the name is unique for the account
}

// CreateNetwork creates a network or a tier. The command is synchronous.
func (c Networks) CreateNetwork(ctx context.Context, s NetworkSpec) (*Network, error) {
	p := s.params(Params{"name": s.Name, "displaytext": s.Name, "zoneid": s.ZoneID, "networkofferingid": s.OfferingID})
	p.set("vpcid", s.VPCID).set("gateway", s.Gateway).set("netmask", s.Netmask)
	look := lookFor(c.ListNetworks, s.params(Params{}.set("vpcid", s.VPCID)),
		func(n *Network) (string, bool) { return n.Id, n.Name == s.Name })
	return createNow(ctx, c.caller, "createNetwork", p, look, one(c.ListNetworks, "listNetworks", "id"))
}

// UpdateNetworkOffering moves a network to another offering.
func (c Networks) UpdateNetworkOffering(ctx context.Context, id, offeringID string, forced bool) (*Network, error) {
	p := Params{"networkofferingid": offeringID}
	if forced {
		p["forced"] = true
	}
	return changed[Network](ctx, c.caller, "updateNetwork", id, p)
}

// DeleteNetwork deletes a network without VMs; VMs that are not expunged yet count.
func (c Networks) DeleteNetwork(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteNetwork", id, nil)
}

// AssociateIPAddress acquires a public address for a VPC or an isolated network (one of the two). Addresses have no
// names: one whose answer was lost is the address there that no answer has told of.
func (c Networks) AssociateIPAddress(ctx context.Context, zoneID, vpcID, networkID string,
	o Owner) (*Creating[PublicIPAddress], error) {
	p := o.params(Params{}.set("zoneid", zoneID).set("vpcid", vpcID).set("networkid", networkID))
	var look Look
	if vpcID != "" || networkID != "" {
		filter := o.params(Params{}.set("vpcid", vpcID))
		if vpcID == "" {
			filter.set("associatednetworkid", networkID)
		}
		look = unseen(c.caller, c.ListPublicIPAddresses, filter, func(a *PublicIPAddress) (string, bool) {
			return a.Id,
				!a.Issourcenat
		})
	}
	return create(ctx, c.caller, "associateIpAddress", p, look,
		one(c.ListPublicIPAddresses, "listPublicIpAddresses", "id"))
}

// AssociatePortableIPAddress acquires an address that may move between zones; the zone must have a range of such
// addresses.
func (c Networks) AssociatePortableIPAddress(ctx context.Context, zoneID, networkID string) (*Creating[PublicIPAddress],
	error) {
	p := Params{"zoneid": zoneID, "networkid": networkID, "isportable": true}
	return create(ctx, c.caller, "associateIpAddress", p, nil,
		one(c.ListPublicIPAddresses, "listPublicIpAddresses", "id"))
}

// DisassociateIPAddress releases an address with all its rules.
func (c Networks) DisassociateIPAddress(ctx context.Context, id string) error {
	return c.finish(ctx, "disassociateIpAddress", id, nil)
}

// PortForwardingSpec is what createPortForwardingRule takes.
type PortForwardingSpec struct {
	IPAddressID, NetworkID, VMID, Protocol string
	PublicPort, PrivatePort                int
}

// CreatePortForwardingRule starts the creation of a rule.
func (c Networks) CreatePortForwardingRule(ctx context.Context, s PortForwardingSpec) (*Creating[PortForwardingRule],
	error) {
	p := Params{"ipaddressid": s.IPAddressID, "virtualmachineid": s.VMID, "protocol": s.Protocol,
		"publicport": s.PublicPort, "privateport": s.PrivatePort}
	p.set("networkid", s.NetworkID)
	port, err := p.values()
	if err != nil {
		return nil, err
	}
	look := lookFor(c.ListPortForwardingRules, Params{"ipaddressid": s.IPAddressID},
		func(r *PortForwardingRule) (string, bool) {
			return r.Id, r.Publicport == port["publicport"] && r.Protocol == s.Protocol
		})
	return create(ctx, c.caller, "createPortForwardingRule", p, look,
		one(c.ListPortForwardingRules, "listPortForwardingRules", "id"))
}

// DeletePortForwardingRule deletes a rule.
func (c Networks) DeletePortForwardingRule(ctx context.Context, id string) error {
	return c.finish(ctx, "deletePortForwardingRule", id, nil)
}

// CreateFirewallRule opens ports of an isolated network's address.
func (c Networks) CreateFirewallRule(ctx context.Context, ipAddressID, protocol string, from, to int,
	cidrs ...string) (*Creating[FirewallRule], error) {
	p := Params{"ipaddressid": ipAddressID, "protocol": protocol, "startport": from, "endport": to}.set("cidrlist",
		cidrs)
	look := lookFor(c.ListFirewallRules, Params{"ipaddressid": ipAddressID}, func(r *FirewallRule) (string, bool) {
		return r.Id, r.Protocol == protocol && r.Startport == from && r.Endport == to
	})
	return create(ctx, c.caller, "createFirewallRule", p, look, one(c.ListFirewallRules, "listFirewallRules", "id"))
}

// DeleteFirewallRule deletes a rule.
func (c Networks) DeleteFirewallRule(ctx context.Context, id string) error {
	return c.finish(ctx, "deleteFirewallRule", id, nil)
}

// EnableStaticNAT binds an address to a VM. The command is synchronous.
func (c Networks) EnableStaticNAT(ctx context.Context, ipAddressID, vmID, networkID string) error {
	return c.succeed(ctx, "enableStaticNat", Params{"ipaddressid": ipAddressID,
		"virtualmachineid": vmID}.set("networkid", networkID))
}

// DisableStaticNAT undoes EnableStaticNAT.
func (c Networks) DisableStaticNAT(ctx context.Context, ipAddressID string) error {
	_, err := c.Job(ctx, "disableStaticNat", Params{"ipaddressid": ipAddressID}, nil)
	return err
}

// StopRouter stops a virtual router: pushes are then answered with success and do nothing.
func (c Networks) StopRouter(ctx context.Context, id string) (*Router, error) {
	return changed[Router](ctx, c.caller, "stopRouter", id, nil)
}

// StartRouter starts a virtual router, which gets its whole configuration in one push.
func (c Networks) StartRouter(ctx context.Context, id string) (*Router, error) {
	return changed[Router](ctx, c.caller, "startRouter", id, nil)
}

// ListVPCs calls listVPCs.
func (c Networks) ListVPCs(ctx context.Context, filter Params) ([]*VPC, error) {
	return list[VPC](ctx, c.caller, "listVPCs", "vpc", everywhere(filter))
}

// ListNetworks calls listNetworks.
func (c Networks) ListNetworks(ctx context.Context, filter Params) ([]*Network, error) {
	return list[Network](ctx, c.caller, "listNetworks", "network", everywhere(filter))
}

// ListPublicIPAddresses calls listPublicIpAddresses.
func (c Networks) ListPublicIPAddresses(ctx context.Context, filter Params) ([]*PublicIPAddress, error) {
	return list[PublicIPAddress](ctx, c.caller, "listPublicIpAddresses", "publicipaddress", everywhere(filter))
}

// ListPortForwardingRules calls listPortForwardingRules.
func (c Networks) ListPortForwardingRules(ctx context.Context, filter Params) ([]*PortForwardingRule, error) {
	return list[PortForwardingRule](ctx, c.caller, "listPortForwardingRules", "portforwardingrule", everywhere(filter))
}

// ListFirewallRules calls listFirewallRules.
func (c Networks) ListFirewallRules(ctx context.Context, filter Params) ([]*FirewallRule, error) {
	return list[FirewallRule](ctx, c.caller, "listFirewallRules", "firewallrule", everywhere(filter))
}

// ListRouters calls listRouters.
func (c Networks) ListRouters(ctx context.Context, filter Params) ([]*Router, error) {
	return list[Router](ctx, c.caller, "listRouters", "router", everywhere(filter))
}
