package story

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// VPC is a VPC of the scenario, with one virtual router.
type VPC struct {
	owned
	ID         string
	InternalID int64
	Name       string
	number     int
	tiers      int
	router     string
}

// VPC creates a VPC with the range 10.n.0.0/16.
func (a *Account) VPC() *VPC {
	a.vpcs++
	v := &VPC{owned: a.own(), Name: a.t.Unique("vpc"), number: 10 + a.vpcs}
	defer a.t.Step("VPC %s", v.Name)()
	c := a.t.choices()
	name := firstThen(v.Name, func() string {
		a.vpcs++
		v.Name, v.number = a.t.Unique("vpc"), 10+a.vpcs
		return v.Name
	})
	v.ID, v.InternalID, _ = setUp(a, "vpc", name, usageprobe.ObjectVPC,
		func(ctx context.Context, name string) (*cloud.Creating[cloud.VPC], error) {
			return a.Cloud.CreateVPC(ctx, cloud.VPCSpec{Name: name, ZoneID: c.zone, OfferingID: c.vpcOffering,
				CIDR: fmt.Sprintf("10.%d.0.0/16", v.number)})
		})
	return v
}

// Router is the name of the VPC's router (r-3-VM), as the administrator sees it.
func (v *VPC) Router() string {
	if v.router == "" {
		v.router = v.t.routerBy("vpcid", v.ID)
	}
	return v.router
}

// Network is a VPC tier or an isolated network.
type Network struct {
	owned
	VPC        *VPC // nil for an isolated network
	ID         string
	InternalID int64
	Name       string
	shared     *Address // carries the rules that name no address of their own
	scale      *scaling
	shrink     *shrinking // nil: groups keep still
	memberDisk map[string]string
	vms        []*VM
	internal   *internalLB // nil: rules are on public addresses
	ended      bool        // it was deleted, and with it what its router did for it
}

// Tier creates a tier with the range 10.n.m.0/24 and an offering that balances loads.
func (v *VPC) Tier() *Network {
	v.tiers++
	n := &Network{owned: v.owned, VPC: v, Name: v.t.Unique("tier")}
	defer v.t.Step("tier %s", n.Name)()
	c := v.t.choices()
	createNetwork(n, cloud.NetworkSpec{ZoneID: c.zone, OfferingID: c.tierOffering, VPCID: v.ID,
		Gateway: fmt.Sprintf("10.%d.%d.1", v.number, v.tiers), Netmask: "255.255.255.0"})
	return n
}

// Isolated creates an isolated network.
func (a *Account) Isolated() *Network {
	n := &Network{owned: a.own(), Name: a.t.Unique("net")}
	defer a.t.Step("isolated network %s", n.Name)()
	c := a.t.choices()
	createNetwork(n, cloud.NetworkSpec{ZoneID: c.zone, OfferingID: c.isolatedOffering})
	return n
}

func createNetwork(n *Network, spec cloud.NetworkSpec) {
	spec.Name = n.Name
	entry := n.t.intend("network", n.Name, n.Account.Name)
	made, err := n.Account.Cloud.CreateNetwork(n.t.ctx, spec)
	n.t.Must(err, "creating network %s", n.Name)
	n.ID = made.Id
	n.InternalID = n.t.internalID(usageprobe.ObjectNetwork, n.ID)
	n.t.created(entry, n.ID, n.InternalID)
}

// Router is the name of the router that serves the network.
func (n *Network) Router() string {
	if n.internal != nil {
		return balancer(n)
	}
	if n.VPC != nil {
		return n.VPC.Router()
	}
	return n.t.routerBy("networkid", n.ID)
}

// Address is a public address.
type Address struct {
	owned
	ID         string
	InternalID int64
	IP         netip.Addr
	nextPort   int
}

// firstPort is where the public ports of a scenario's rules begin: above the reserved ones and off the statistics port.
const firstPort = 18000

// Address acquires a public address for the network.
func (n *Network) Address() *Address {
	defer n.t.Step("address for %s", n.Name)()
	vpc, network := "", n.ID
	if n.VPC != nil {
		vpc, network = n.VPC.ID, ""
	}
	return acquire(n, func(ctx context.Context) (*cloud.Creating[cloud.PublicIPAddress], error) {
		return n.Account.Cloud.AssociateIPAddress(ctx, n.t.choices().zone, vpc, network, cloud.Owner{})
	})
}

// PortableAddress acquires an address that may move between zones.
func (n *Network) PortableAddress() *Address {
	defer n.t.Step("portable address for %s", n.Name)()
	return acquire(n, func(ctx context.Context) (*cloud.Creating[cloud.PublicIPAddress], error) {
		return n.Account.Cloud.AssociatePortableIPAddress(ctx, n.t.choices().zone, n.ID)
	})
}

func acquire(n *Network, associate func(context.Context) (*cloud.Creating[cloud.PublicIPAddress], error)) *Address {
	a := &Address{owned: n.owned, nextPort: firstPort}
	name := func() string { return n.Name } // addresses have no names
	a.ID, a.InternalID, _ = setUp(n.Account, "address", name, usageprobe.ObjectAddress,
		func(ctx context.Context, _ string) (*cloud.Creating[cloud.PublicIPAddress], error) {
			return associate(ctx)
		})
	found, err := n.Account.Cloud.ListPublicIPAddresses(n.t.ctx, cloud.Params{"id": a.ID})
	n.t.Must(err, "listing address %s", a.ID)
	if len(found) != 1 {
		n.t.Inconclusive("address %s is not listed after it was acquired", a.ID)
	}
	a.IP, err = netip.ParseAddr(found[0].Ipaddress)
	n.t.Must(err, "reading address %s", a.ID)
	return a
}

func sharedAddress(n *Network) *Address {
	if n.shared == nil {
		n.shared = n.Address()
	}
	return n.shared
}

// Firewall opens a port of the address.
func (a *Address) Firewall(port int) {
	a.t.Must(a.openPort(port), "creating firewall rule %d", port)
}

// Firewalls opens count ports of the address, from one on.
func (a *Address) Firewalls(from, count int) {
	a.t.Must(a.t.together(count, func(i int) error { return a.openPort(from + i) }),
		"creating %d firewall rules", count)
}

func (a *Address) openPort(port int) error {
	_, _, _, err := create(a.Account, "firewall rule", fmt.Sprint(port), "",
		func(ctx context.Context) (*cloud.Creating[cloud.FirewallRule], error) {
			return a.Account.Cloud.CreateFirewallRule(ctx, a.ID, "tcp", port, port, "192.0.2.0/24")
		})
	return err
}

// FirewallCount is how many firewall rules the address has.
func (a *Address) FirewallCount() int {
	rules, err := a.Account.Cloud.ListFirewallRules(a.t.ctx, cloud.Params{"ipaddressid": a.ID})
	a.t.Must(err, "listing the firewall rules of %s", a.IP)
	return len(rules)
}

// InOtherZone gives an account the same address in another zone.
func (a *Address) InOtherZone(owner *Account) Billed {
	defer a.t.Step("%s in another zone for %s", a.IP, owner.Name)()
	id, err := a.t.site.Tamper.AddressInOtherZone(a.t.ctx, owner.InternalID, a.IP.String())
	a.t.Must(err, "an address in another zone")
	return Billed{a.IP.String() + " in another zone", usageprobe.Ref{Kind: usageprobe.KindIP, ID: id}}
}

// choices are the parts of a zone that a scenario builds on.
type choices struct {
	zone, vpcOffering, tierOffering, isolatedOffering, template, serviceOffering string
}

// Names of CloudStack's built-in offerings (NetworkOffering.java, ConfigurationServerImpl.java@4.20.0.0).
const (
	defaultVPCOffering      = "Default VPC offering"
	defaultTierOffering     = "DefaultIsolatedNetworkOfferingForVpcNetworks"
	defaultIsolatedOffering = "DefaultIsolatedNetworkOfferingWithSourceNatService"
)

// pick takes the one that is named (by name or id), else the first that fits, and gives its id.
func pick[O any](t *core, what, named string, all []*O, id, name func(*O) string, fits func(*O) bool) string {
	for _, one := range all {
		if named != "" && (name(one) == named || id(one) == named) || named == "" && fits(one) {
			return id(one)
		}
	}
	if named != "" {
		t.Inconclusive("the zone has no %s %q", what, named)
	}
	t.Inconclusive("the zone has no %s that fits", what)
	return ""
}

// choices chooses zone, offerings and template once per site.
func (t *core) choices() choices {
	if t.chosen == nil {
		c := chooser{t}.choose()
		t.chosen = &c
	}
	return *t.chosen
}

// chooser looks for what objects are made of: offerings and a template.
type chooser struct{ *core }

func (t chooser) choose() (c choices) {
	n := t.site.Named
	zones, err := t.site.Cloud.ListZones(t.ctx, nil)
	t.Must(err, "listing zones")
	c.zone = pick(t.core, "enabled advanced zone", n.Zone, zones, func(z *cloud.Zone) string { return z.Id },
		func(z *cloud.Zone) string { return z.Name },
		func(z *cloud.Zone) bool {
			return z.Networktype == "Advanced" && z.Allocationstate == "Enabled" && !z.Securitygroupsenabled
		})
	c.vpcOffering = t.chooseVPCOffering(n.VPCOffering)
	c.tierOffering = t.chooseNetworkOffering("tier offering", n.TierOffering, defaultTierOffering, true)
	c.isolatedOffering = t.chooseNetworkOffering("isolated network offering", n.IsolatedOffering,
		defaultIsolatedOffering, false)
	c.template = t.chooseTemplate(n.Template, c.zone)
	c.serviceOffering = t.chooseServiceOffering(n.ServiceOffering, c.zone)
	return c
}

func (t chooser) chooseVPCOffering(named string) string {
	all, err := t.site.Cloud.ListVPCOfferings(t.ctx, cloud.Params{"state": "Enabled"})
	t.Must(err, "listing VPC offerings")
	return pick(t.core, "VPC offering", named, all, func(o *cloud.VPCOffering) string { return o.Id },
		func(o *cloud.VPCOffering) string { return o.Name },
		func(o *cloud.VPCOffering) bool { return o.Name == defaultVPCOffering })
}

func (t chooser) chooseNetworkOffering(what, named, builtIn string, forVPC bool) string {
	all, err := t.site.Cloud.ListNetworkOfferings(t.ctx, cloud.Params{"forvpc": forVPC, "state": "Enabled"})
	t.Must(err, "listing network offerings")
	return pick(t.core, what, named, all, func(o *cloud.NetworkOffering) string { return o.Id },
		func(o *cloud.NetworkOffering) string { return o.Name },
		func(o *cloud.NetworkOffering) bool { return o.Name == builtIn })
}

func (t chooser) chooseTemplate(named, zone string) string {
	all, err := t.site.Cloud.ListTemplates(t.ctx, "all", cloud.Params{"zoneid": zone})
	t.Must(err, "listing templates")
	return pick(t.core, "ready user template", named, all, func(o *cloud.Template) string { return o.Id },
		func(o *cloud.Template) string { return o.Name },
		func(o *cloud.Template) bool {
			return o.Isready && o.Ispublic && o.Templatetype != "SYSTEM" && o.Templatetype != "ROUTING"
		})
}

// chooseServiceOffering takes the smallest that is not customised and that any account may use on any host of the zone.
func (t chooser) chooseServiceOffering(named, zone string) string {
	all, err := t.site.Cloud.ListServiceOfferings(t.ctx, nil)
	t.Must(err, "listing service offerings")
	slices.SortStableFunc(all, func(a, b *cloud.ServiceOffering) int {
		return cmp.Or(cmp.Compare(a.Memory, b.Memory), cmp.Compare(a.Cpunumber*a.Cpuspeed, b.Cpunumber*b.Cpuspeed))
	})
	return pick(t.core, "service offering", named, all, func(o *cloud.ServiceOffering) string { return o.Id },
		func(o *cloud.ServiceOffering) string { return o.Name },
		func(o *cloud.ServiceOffering) bool { return anybodys(o, zone) })
}

// anybodys says whether an account of a new domain may use the offering, on any host and storage of the zone. An
// administrator is shown those of other domains and zones too.
func anybodys(o *cloud.ServiceOffering, zone string) bool {
	return !o.Iscustomized && !o.Issystem && o.Domainid == "" && o.Hosttags == "" && o.Storagetags == "" &&
		(o.Zoneid == "" || strings.Contains(o.Zoneid, zone))
}
