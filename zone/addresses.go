package zone

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/zone/api"
)

func (z *Zone) addressCommands() []command {
	return []command{
		{
			name: "associateIpAddress", about: "Acquires and associates a public IP to an account.", class: adminClasses + "address.AssociateIPAddrCmdByAdmin",
			kind: asyncCreate, instance: "IpAddress", event: "NET.IPASSIGN", eventful: eventCreateAsync, creating: "allocating Ip", action: "associating Ip",
			params: []param{
				{"zoneid", "uuid:zone", false, "the ID of the availability zone you want to acquire an public IP address from"},
				{"networkid", "uuid:network", false, "The network this IP address should be associated to."},
				{"vpcid", "uuid:vpc", false, "the VPC you want the IP address to be associated with"},
				{"ipaddress", "string", false, "IP Address to be associated"}, {"isportable", "boolean", false, "should be set to true if public IP is required to be transferable across zones"},
				{"fordisplay", "boolean", false, "an optional field, whether to the display the IP to the end user or not"},
				{"account", "string", false, "the account to associate with this IP address"}, {"domainid", "uuid:domain", false, "the ID of the domain to associate with this IP address"},
			},
			create: allocateIP,
			run: func(z *Zone, c *call) (obj, error) {
				return obj{"ipaddress": z.addressAnswer(z.addressByUUID(c.target.uuid))}, nil
			},
			describe: func(z *Zone, c *call) string {
				network := "null"
				if n := z.networkByUUID(c.str("networkid")); n != nil {
					network = fmt.Sprint(n.ID)
				}
				return fmt.Sprintf("associating IP to network ID: %s in zone %d", network, zoneID)
			},
			detail: func(z *Zone, c *call) string {
				switch {
				case c.target.id == 0:
					return ""
				case c.job == nil:
					return fmt.Sprintf("Ip Id: %d", c.target.id)
				}
				return fmt.Sprintf("IP ID: %d", c.target.id)
			},
		},
		{
			name: "disassociateIpAddress", about: "Disassociates an IP address from the account.", class: userClasses + "address.DisassociateIPAddrCmd",
			kind: asyncCommand, instance: "IpAddress", event: "NET.IPRELEASE", eventful: eventAsync, action: "disassociating Ip",
			params: []param{{"id", "uuid:address", false, "the ID of the public IP address to disassociate. Mutually exclusive with the ipaddress parameter"},
				{"ipaddress", "string", false, "IP Address to be disassociated. Mutually exclusive with the id parameter"}},
			check: checkRelease, run: disassociate,
			sync: func(z *Zone, c *call) string { return fmt.Sprintf("address:%d", c.eventResource) },
			describe: func(z *Zone, c *call) string {
				return fmt.Sprintf("Disassociating IP address with ID=%d", c.eventResource)
			},
			detail: func(z *Zone, c *call) string { return fmt.Sprintf("IP ID: %d", c.eventResource) },
		},
		{
			name: "listPublicIpAddresses", about: "Lists all public ip addresses",
			params: listParams(param{"id", "uuid:address", false, "lists IP address by ID"}, param{"ipaddress", "string", false, "lists the specified IP address"},
				param{"vpcid", "uuid:vpc", false, "List IPs belonging to the VPC"}, param{"associatednetworkid", "uuid:network", false, "lists all public IP addresses associated to the network specified"},
				param{"networkid", "string", false, "lists all public IP addresses by source network ID"}, param{"zoneid", "uuid:zone", false, "lists all public IP addresses by zone ID"},
				param{"issourcenat", "boolean", false, "list only source NAT IP addresses"}, param{"isstaticnat", "boolean", false, "list only static NAT IP addresses"},
				param{"allocatedonly", "boolean", false, "limits search results to allocated public IP addresses"}, param{"state", "string", false, "lists all public IP addresses by state"},
				param{"forloadbalancing", "boolean", false, "list only IPs used for load balancing"}, param{"forvirtualnetwork", "boolean", false, "the virtual network for the IP address"}),
			run: listAddresses,
		},
	}
}

func allocateIP(z *Zone, c *call) (created, error) {
	owner, err := ownerAccount(z, c)
	if err != nil {
		return created{}, err
	}
	var v *VPC
	var n *Network
	switch {
	case c.has("vpcid"):
		v = z.vpcByUUID(c.str("vpcid"))
		owner = v.Account
	case c.has("networkid"):
		n = z.networkByUUID(c.str("networkid"))
		owner, v = n.Account, n.VPC
		if v != nil {
			n = nil
		}
	case !c.has("zoneid"):
		return created{}, api.Invalid("Please specify either 'zoneId' or 'networkId' or 'vpcId'")
	default:
		return created{}, api.Invalid("Please specify network ID or vpc ID: zone %s has no network of account %s to use", siteName, owner.Name)
	}
	if v != nil && !v.Removed.IsZero() || n != nil && !n.Removed.IsZero() {
		return created{}, api.Invalid("Unable to find the network or VPC to associate the address with")
	}
	if err := mayUse(z, c, owner, "network"); err != nil {
		return created{}, err
	}
	if err := z.checkLimit(owner, limitIP); err != nil {
		return created{}, err
	}
	var wanted netip.Addr
	if c.has("ipaddress") {
		if wanted, err = netip.ParseAddr(c.str("ipaddress")); err != nil {
			return created{}, c.badValue("ipaddress", c.str("ipaddress"))
		}
	}
	a, err := z.allocate(c.ctx, owner, wanted, func(a *Address) {
		a.VPC, a.Network, a.Portable = v, n, c.boolean("isportable", false)
		// The first address of an isolated network becomes its source NAT address, also before the network has a router
		// (IpAddressManagerImpl.java@4.20.0.0, isSourceNatAvailableForNetwork).
		a.SourceNAT = v == nil && n.Offering.has("SourceNat") && z.sourceIP(nil, n) == nil
	})
	if err != nil {
		return created{}, err
	}
	c.owner, c.eventResource, c.eventResourceType = owner, a.ID, "IpAddress"
	return created{uuid: a.UUID, id: a.ID}, nil
}

// allocate takes a free public address, the lowest when none is wanted; the range grows when it is used up. A freed
// address keeps its row, id and uuid.
func (z *Zone) allocate(ctx context.Context, owner *Account, wanted netip.Addr, set func(*Address)) (*Address, error) {
	i := slices.IndexFunc(z.addresses, func(a *Address) bool { return a.State == "Free" && (!wanted.IsValid() || a.IP == wanted) })
	if i < 0 && wanted.IsValid() {
		return nil, api.Invalid("Requested IP address %s is not free in the zone", wanted)
	}
	if i < 0 {
		if err := z.growRange(ctx); err != nil {
			return nil, err
		}
		i = len(z.addresses) - 1
	}
	a := z.addresses[i]
	a.Account, a.State, a.Allocated = owner, "Allocated", z.now()
	set(a)
	row := obj{"account_id": owner.ID, "domain_id": owner.Domain.ID, "state": a.State, "allocated": a.Allocated, "source_nat": a.SourceNAT, "is_portable": a.Portable, "vpc_id": nil, "network_id": nil}
	if a.VPC != nil {
		row["vpc_id"] = a.VPC.ID
	}
	if a.Network != nil {
		row["network_id"] = a.Network.ID
	}
	if err := z.update(ctx, "cloud.user_ip_address", a.ID, row); err != nil {
		return nil, err
	}
	return a, z.addressUsage(ctx, "NET.IPASSIGN", a)
}

// growRange adds one address after the last: 192.168.3.1 and on when 192.168.2.200 is taken.
func (z *Zone) growRange(ctx context.Context) error {
	ip := z.addresses[len(z.addresses)-1].IP.Next()
	if ip == netip.AddrFrom4([4]byte{192, 168, 2, publicLast + 1}) {
		ip = netip.AddrFrom4([4]byte{192, 168, 3, 1})
	}
	a := &Address{UUID: z.uuid(), IP: ip, State: "Free"}
	id, err := z.insert(ctx, "cloud.user_ip_address", obj{
		"uuid": a.UUID, "public_ip_address": ip.String(), "data_center_id": zoneID, "vlan_db_id": 1, "state": a.State, "mac_address": len(z.addresses) + 1,
		"source_network_id": z.site.PublicNetwork.ID, "physical_network_id": 1, "created": z.now(),
	})
	if err != nil {
		return err
	}
	a.ID = id
	z.addresses = append(z.addresses, a)
	return nil
}

func (z *Zone) addressUsage(ctx context.Context, typ string, a *Address) error {
	source := 0
	if a.SourceNAT {
		source = 1
	}
	if a.Portable {
		return z.portableUsage(ctx, typ, a)
	}
	return z.usageEvent(ctx, typ, a.Account, zoneID, a.ID, obj{"resource_name": a.IP.String(), "template_id": 0, "size": source, "resource_type": "VirtualNetwork"})
}

// portableUsage are the events of a portable address, which nothing meters. That of its allocation carries the address's id
// where the account's belongs (IpAddressManagerImpl.java@4.20.0.0).
func (z *Zone) portableUsage(ctx context.Context, typ string, a *Address) error {
	owner := a.Account
	if typ == "NET.IPASSIGN" {
		owner = &Account{ID: a.ID}
	}
	return z.usageEvent(ctx, strings.Replace(typ, "NET.", "PORTABLE.", 1), owner, zoneID, a.ID, obj{"resource_name": a.IP.String(), "template_id": 0,
		"resource_type": "VirtualNetwork"})
}

func checkRelease(z *Zone, c *call) error {
	var a *Address
	switch {
	case c.has("id") == c.has("ipaddress"):
		return api.Invalid("Please specify either IP address or IP address ID")
	case c.has("id"):
		a = z.addressByUUID(c.str("id"))
	default:
		for _, one := range z.addresses {
			if one.IP.String() == c.str("ipaddress") {
				a = one
			}
		}
	}
	if a == nil || a.Account == nil {
		return api.Invalid("Unable to find IP address by %s", c.str("id")+c.str("ipaddress"))
	}
	c.owner, c.eventResource, c.eventResourceType = a.Account, a.ID, "IpAddress"
	c.target = created{uuid: a.UUID, id: a.ID}
	return mayUse(z, c, a.Account, "IpAddress")
}

func disassociate(z *Zone, c *call) (obj, error) {
	a := z.addressByUUID(c.target.uuid)
	if a == nil || a.State == "Free" {
		return nil, api.Invalid("Unable to find ip address by id")
	}
	if a.SourceNAT && (a.VPC != nil || a.Network != nil && a.Network.State == "Implemented") {
		return nil, api.Invalid("ip address is used for source nat purposes and can not be disassociated.")
	}
	return obj{"success": true}, z.release(c.ctx, a)
}

// release gives an address back after everything on it is gone. A rule with an autoscale group stops it half-way, in
// every release (facts: cloudstack.md 1.3).
func (z *Zone) release(ctx context.Context, a *Address) error {
	broken := z.netHooks.releaseAddress(ctx, a)
	if broken != nil && !unavailable(broken) {
		return broken
	}
	if a.State == "Free" {
		return nil
	}
	if a.State != "Releasing" {
		if err := z.addressUsage(ctx, "NET.IPRELEASE", a); err != nil {
			return err
		}
	}
	if broken != nil { // a router that cannot be reached leaves the address, no longer billed, with its revoked rules
		a.State = "Releasing"
		if err := z.update(ctx, "cloud.user_ip_address", a.ID, obj{"state": a.State}); err != nil {
			return err
		}
		return fmt.Errorf("%w: %w", api.Internal("Failed to disassociate IP address"), broken)
	}
	if a.VPC != nil && a.VPC.SourceIP == a {
		a.VPC.SourceIP = nil
	}
	*a = Address{ID: a.ID, UUID: a.UUID, IP: a.IP, State: "Free"}
	return z.update(ctx, "cloud.user_ip_address", a.ID, obj{
		"account_id": nil, "domain_id": nil, "state": a.State, "allocated": time.Time{}, "source_nat": 0, "is_portable": 0, "one_to_one_nat": 0, "vm_id": nil,
		"vpc_id": nil, "network_id": nil, "dnat_vmip": nil,
	})
}

func listAddresses(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, a := range z.addresses {
		if a.Account == nil || a.State == "Free" || a.Account == z.system.Account && callerOf(c) != z.system || !visible(z, c, a.Account) ||
			c.has("id") && c.str("id") != a.UUID || c.has("ipaddress") && c.str("ipaddress") != a.IP.String() ||
			c.has("vpcid") && (a.VPC == nil || a.VPC.UUID != c.str("vpcid")) || c.has("state") && c.str("state") != a.State ||
			c.has("associatednetworkid") && (a.Network == nil || a.Network.UUID != c.str("associatednetworkid")) ||
			c.has("issourcenat") && c.boolean("issourcenat", false) != a.SourceNAT || c.has("isstaticnat") && c.boolean("isstaticnat", false) != a.StaticNAT ||
			!matches(c.str("keyword"), a.IP.String()) {
			continue
		}
		if c.boolean("forloadbalancing", false) && !z.netHooks.balanced(a) {
			continue
		}
		out = append(out, z.addressAnswer(a))
	}
	return c.page("publicipaddress", out), nil
}
