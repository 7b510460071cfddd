package net

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

func addressCommands() []command {
	return []command{
		{
			Name: "associateIpAddress", About: "Acquires and associates a public IP to an account.",
			Class: kernel.AdminClasses + "address.AssociateIPAddrCmdByAdmin",
			Kind:  kernel.AsyncCreate, Instance: "IpAddress", Event: "NET.IPASSIGN", Eventful: kernel.EventCreateAsync,
			Creating: "allocating Ip", Action: "associating Ip",
			Params: []param{
				{Name: "zoneid", Type: "uuid:zone", About: "the ID of the availability zone you want to acquire " +
					"an public IP address from"},
				{Name: "networkid", Type: "uuid:network", About: "The network this IP address should be " +
					"associated to."},
				{Name: "vpcid", Type: "uuid:vpc", About: "the VPC you want the IP address to be associated with"},
				{Name: "ipaddress", Type: "string", About: "IP Address to be associated"},
				{Name: "isportable", Type: "boolean", About: "should be set to true if public IP is required to " +
					"be transferable across zones"},
				{Name: "fordisplay", Type: "boolean", About: "an optional field, whether to the display the IP " +
					"to the end user or not"},
				{Name: "projectid", Type: "uuid:project", About: "the project of the resource"},
				{Name: "account", Type: "string", About: "the account to associate with this IP address"},
				{Name: "domainid", Type: "uuid:domain", About: "the ID of the domain to associate with this IP " +
					"address"},
			},
			Create: allocateIP,
			Run:    associated,
			Describe: func(mgr *Manager, c *kernel.Call) string {
				network := "null"
				if n := mgr.NetworkByUUID(c.Str("networkid")); n != nil {
					network = fmt.Sprint(n.ID)
				}
				return fmt.Sprintf("associating IP to network ID: %s in zone %d", network, kernel.ZoneID)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string {
				switch {
				case c.Target.ID == 0:
					return ""
				case c.Job == nil:
					return fmt.Sprintf("Ip Id: %d", c.Target.ID)
				}
				return fmt.Sprintf("IP ID: %d", c.Target.ID)
			},
		},
		{
			Name: "disassociateIpAddress", About: "Disassociates an IP address from the account.",
			Class: kernel.UserClasses + "address.DisassociateIPAddrCmd",
			Kind:  kernel.AsyncCommand, Instance: "IpAddress", Event: "NET.IPRELEASE", Eventful: kernel.EventAsync,
			Action: "disassociating Ip",
			Params: []param{{Name: "id", Type: "uuid:address", About: "the ID of the public IP address to " +
				"disassociate. Mutually exclusive with the ipaddress parameter"},
				{Name: "ipaddress", Type: "string", About: "IP Address to be disassociated. Mutually exclusive " +
					"with the id parameter"}},
			Check: checkRelease, Run: disassociate,
			Sync: func(mgr *Manager, c *kernel.Call) string { return fmt.Sprintf("address:%d", c.EventResource) },
			Describe: func(mgr *Manager, c *kernel.Call) string {
				return fmt.Sprintf("Disassociating IP address with ID=%d", c.EventResource)
			},
			Detail: func(mgr *Manager, c *kernel.Call) string { return fmt.Sprintf("IP ID: %d", c.EventResource) },
		},
		{
			Name: "listPublicIpAddresses", About: "Lists all public ip addresses",
			Params: kernel.TaggedParams(param{Name: "id", Type: "uuid:address", About: "lists IP address by ID"},
				param{Name: "ipaddress", Type: "string", About: "lists the specified IP address"},
				param{Name: "vpcid", Type: "uuid:vpc", About: "List IPs belonging to the VPC"},
				param{Name: "associatednetworkid", Type: "uuid:network", About: "lists all public IP addresses " +
					"associated to the network specified"},
				param{Name: "networkid", Type: "string", About: "lists all public IP addresses by source network ID"},
				param{Name: "zoneid", Type: "uuid:zone", About: "lists all public IP addresses by zone ID"},
				param{Name: "issourcenat", Type: "boolean", About: "list only source NAT IP addresses"},
				param{Name: "isstaticnat", Type: "boolean", About: "list only static NAT IP addresses"},
				param{Name: "allocatedonly", Type: "boolean", About: "limits search results to allocated public " +
					"IP addresses"},
				param{Name: "state", Type: "string", About: "lists all public IP addresses by state"},
				param{Name: "forloadbalancing", Type: "boolean", About: "list only IPs used for load balancing"},
				param{Name: "forvirtualnetwork", Type: "boolean", About: "the virtual network for the IP address"}),
			Run: listAddresses,
		},
	}
}

func allocateIP(mgr *Manager, c *kernel.Call) (kernel.Created, error) {
	owner, err := tenancy.OwnerAccount(mgr.tenancy, c)
	if err != nil {
		return kernel.Created{}, err
	}
	var v *VPC
	var n *Network
	switch {
	case c.Has("vpcid"):
		v = mgr.VPCByUUID(c.Str("vpcid"))
		owner = v.Account
	case c.Has("networkid"):
		n = mgr.NetworkByUUID(c.Str("networkid"))
		owner, v = n.Account, n.VPC
		if v != nil {
			n = nil
		}
	case !c.Has("zoneid"):
		return kernel.Created{}, api.Invalid("Please specify either 'zoneId' or 'networkId' or 'vpcId'")
	default:
		if n, err = onlyNetwork(mgr, owner); err != nil {
			return kernel.Created{}, err
		}
	}
	if v != nil && !v.Removed.IsZero() || n != nil && !n.Removed.IsZero() {
		return kernel.Created{}, api.Invalid("Unable to find the network or VPC to associate the address with")
	}
	if err := tenancy.MayUse(mgr.tenancy, c, owner, "network"); err != nil {
		return kernel.Created{}, err
	}
	if err := mgr.tenancy.CheckLimit(owner, tenancy.LimitIP); err != nil {
		return kernel.Created{}, err
	}
	var wanted netip.Addr
	if c.Has("ipaddress") {
		if wanted, err = netip.ParseAddr(c.Str("ipaddress")); err != nil {
			return kernel.Created{}, c.BadValue("ipaddress", c.Str("ipaddress"))
		}
	}
	a, err := mgr.allocate(c.Ctx, owner, wanted, func(a *Address) {
		a.VPC, a.Network, a.Portable = v, n, c.Boolean("isportable", false)
		// The first address of an isolated network becomes its source NAT address, also before the network has a router
		// (IpAddressManagerImpl.java@4.20.0.0, isSourceNatAvailableForNetwork).
		a.SourceNAT = v == nil && n.Offering.Has("SourceNat") && sourceIP(mgr, nil, n) == nil
	})
	if err != nil {
		return kernel.Created{}, err
	}
	c.Owner, c.EventResource, c.EventResourceType = owner, a.ID, "IpAddress"
	return kernel.Created{UUID: a.UUID, ID: a.ID}, nil
}

// associated answers the address. From #10568 on that of an isolated network is read before it is marked as allocated
// (IpAddressManagerImpl.java@4.20.1.0, associateIPToGuestNetwork); confirmed in the recorded run of 4.22.1.0.
func associated(mgr *Manager, c *kernel.Call) (obj, error) {
	a := mgr.AddressByUUID(c.Target.UUID)
	out := addressAnswer(mgr, a)
	if a.Network != nil && a.VPC == nil && mgr.On(release.AddressAnsweredAllocating) {
		out["state"] = "Allocating"
	}
	return obj{"ipaddress": out}, nil
}

// onlyNetwork is where an address goes for which only a zone was named: the account's isolated network, if it has just
// one (AssociateIPAddrCmd.java@4.20.1.0).
func onlyNetwork(mgr *Manager, owner *tenancy.Account) (*Network, error) {
	var own []*Network
	for _, n := range mgr.Networks.All() {
		if n.Account == owner && n.VPC == nil && n.Removed.IsZero() {
			own = append(own, n)
		}
	}
	switch len(own) {
	case 0:
		return nil, api.Invalid("Account Account [%s] doesn't have any networks in Zone=%d", owner.Name, kernel.ZoneID)
	case 1:
		return own[0], nil
	}
	return nil, api.Invalid("Account has more than one Isolated network in the zone, please specify networkId")
}

// allocate takes a free public address, the lowest when none is wanted; the range grows when it is used up. A freed
// address keeps its row, id and uuid.
func (mgr *Manager) allocate(ctx context.Context, owner *tenancy.Account, wanted netip.Addr,
	set func(*Address)) (*Address, error) {
	i := slices.IndexFunc(mgr.Addresses.All(), func(a *Address) bool {
		return a.State == "Free" &&
			(!wanted.IsValid() || a.IP == wanted)
	})
	if i < 0 && wanted.IsValid() {
		return nil, api.Invalid("Requested IP address %s is not free in the zone", wanted)
	}
	if i < 0 {
		if err := mgr.growRange(ctx); err != nil {
			return nil, err
		}
		i = len(mgr.Addresses.All()) - 1
	}
	a := mgr.Addresses.All()[i]
	a.Account, a.State, a.Allocated = owner, "Allocated", mgr.Now()
	set(a)
	row := obj{"account_id": owner.ID, "domain_id": owner.Domain.ID, "state": a.State, "allocated": a.Allocated,
		"source_nat": a.SourceNAT, "is_portable": a.Portable, "vpc_id": nil, "network_id": nil}
	if a.VPC != nil {
		row["vpc_id"] = a.VPC.ID
	}
	if a.Network != nil {
		row["network_id"] = a.Network.ID
	}
	if err := mgr.Update(ctx, "cloud.user_ip_address", a.ID, row); err != nil {
		return nil, err
	}
	return a, addressUsage(mgr, ctx, "NET.IPASSIGN", a)
}

// growRange adds one address after the last: 192.168.3.1 and on when 192.168.2.200 is taken.
func (mgr *Manager) growRange(ctx context.Context) error {
	ip := mgr.Addresses.All()[len(mgr.Addresses.All())-1].IP.Next()
	if ip == netip.AddrFrom4([4]byte{192, 168, 2, PublicLast + 1}) {
		ip = netip.AddrFrom4([4]byte{192, 168, 3, 1})
	}
	a := &Address{UUID: mgr.UUID(), IP: ip, State: "Free"}
	id, err := mgr.Insert(ctx, "cloud.user_ip_address", obj{
		"uuid": a.UUID, "public_ip_address": ip.String(), "data_center_id": kernel.ZoneID, "vlan_db_id": 1,
		"state": a.State, "mac_address": len(mgr.Addresses.All()) + 1,
		"source_network_id": mgr.Site.PublicNetwork.ID, "physical_network_id": 1, "created": mgr.Now(),
	})
	if err != nil {
		return err
	}
	a.ID = id
	mgr.Addresses.Add(a)
	return nil
}

func addressUsage(mgr *Manager, ctx context.Context, typ string, a *Address) error {
	source := 0
	if a.SourceNAT {
		source = 1
	}
	if a.Portable {
		return portableUsage(mgr, ctx, typ, a)
	}
	return mgr.UsageEvent(ctx, typ, a.Account, kernel.ZoneID, a.ID, obj{"resource_name": a.IP.String(),
		"template_id": 0, "size": source, "resource_type": "VirtualNetwork"})
}

// portableUsage are the events of a portable address, which nothing meters. That of its allocation carries the
// address's id where the account's belongs (IpAddressManagerImpl.java@4.20.0.0).
func portableUsage(mgr *Manager, ctx context.Context, typ string, a *Address) error {
	owner := a.Account
	if typ == "NET.IPASSIGN" {
		owner = &tenancy.Account{ID: a.ID}
	}
	return mgr.UsageEvent(ctx, strings.Replace(typ, "NET.", "PORTABLE.", 1), owner, kernel.ZoneID, a.ID,
		obj{"resource_name": a.IP.String(), "template_id": 0,
			"resource_type": "VirtualNetwork"})
}

func checkRelease(mgr *Manager, c *kernel.Call) error {
	var a *Address
	switch {
	case c.Has("id") == c.Has("ipaddress"):
		return api.Invalid("Please specify either IP address or IP address ID")
	case c.Has("id"):
		a = mgr.AddressByUUID(c.Str("id"))
	default:
		for _, one := range mgr.Addresses.All() {
			if one.IP.String() == c.Str("ipaddress") {
				a = one
			}
		}
	}
	if a == nil || a.Account == nil {
		return api.Invalid("Unable to find IP address by %s", c.Str("id")+c.Str("ipaddress"))
	}
	c.Owner, c.EventResource, c.EventResourceType = a.Account, a.ID, "IpAddress"
	c.Target = kernel.Created{UUID: a.UUID, ID: a.ID}
	return tenancy.MayUse(mgr.tenancy, c, a.Account, "IpAddress")
}

func disassociate(mgr *Manager, c *kernel.Call) (obj, error) {
	a := mgr.AddressByUUID(c.Target.UUID)
	if a == nil || a.State == "Free" {
		return nil, api.Invalid("Unable to find ip address by id")
	}
	if a.SourceNAT && (a.VPC != nil || a.Network != nil && a.Network.State == "Implemented") {
		return nil, api.Invalid("ip address is used for source nat purposes and can not be disassociated.")
	}
	return obj{"success": true}, mgr.Release(c.Ctx, a)
}

// Release gives an address back after everything on it is gone. A rule with an autoscale group stops it half-way, in
// every release (facts: cloudstack.md 1.3).
func (mgr *Manager) Release(ctx context.Context, a *Address) error {
	broken := mgr.Hooks.ReleaseAddress(ctx, a)
	if broken != nil && !kernel.Unavailable(broken) {
		return broken
	}
	if a.State == "Free" {
		return nil
	}
	if a.State != "Releasing" {
		if err := addressUsage(mgr, ctx, "NET.IPRELEASE", a); err != nil {
			return err
		}
	}
	if broken != nil { // a router that cannot be reached leaves the address, no longer billed, with its revoked rules
		a.State = "Releasing"
		if err := mgr.Update(ctx, "cloud.user_ip_address", a.ID, obj{"state": a.State}); err != nil {
			return err
		}
		return fmt.Errorf("%w: %w", api.Internal("Failed to disassociate IP address"), broken)
	}
	if a.VPC != nil && a.VPC.SourceIP == a {
		a.VPC.SourceIP = nil
	}
	mgr.tenancy.DropTags(a.UUID)
	*a = Address{ID: a.ID, UUID: a.UUID, IP: a.IP, State: "Free"}
	return mgr.Update(ctx, "cloud.user_ip_address", a.ID, obj{
		"account_id": nil, "domain_id": nil, "state": a.State, "allocated": time.Time{}, "source_nat": 0,
		"is_portable": 0, "one_to_one_nat": 0, "vm_id": nil,
		"vpc_id": nil, "network_id": nil, "dnat_vmip": nil,
	})
}

func listAddresses(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, a := range mgr.Addresses.All() {
		if a.Account == nil || a.State == "Free" || a.Account == mgr.tenancy.System.Account &&
			tenancy.Caller(c) != mgr.tenancy.System || !tenancy.Visible(mgr.tenancy, c, a.Account) ||
			c.Has("id") && c.Str("id") != a.UUID || c.Has("ipaddress") && c.Str("ipaddress") != a.IP.String() ||
			c.Has("vpcid") && (a.VPC == nil || a.VPC.UUID != c.Str("vpcid")) || c.Has("state") &&
			c.Str("state") != a.State ||
			c.Has("associatednetworkid") && (a.Network == nil || a.Network.UUID != c.Str("associatednetworkid")) ||
			c.Has("issourcenat") && c.Boolean("issourcenat", false) != a.SourceNAT || c.Has("isstaticnat") &&
			c.Boolean("isstaticnat", false) != a.StaticNAT ||
			!kernel.Matches(c.Str("keyword"), a.IP.String()) {
			continue
		}
		if c.Boolean("forloadbalancing", false) && !mgr.Hooks.Balanced(a) {
			continue
		}
		out = append(out, addressAnswer(mgr, a))
	}
	return c.Page("publicipaddress", out), nil
}
