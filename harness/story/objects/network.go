package objects

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
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

func (t *Cast) routerBy(key, id string) string {
	routers, err := t.Site.Cloud.ListRouters(t.Ctx, cloud.Params{key: id})
	t.Must(err, "listing the router")
	for _, r := range routers {
		if r.State == "Running" {
			return r.Name
		}
	}
	t.Inconclusive("no running router for %s %s: a push to it would count as success and show nothing (T25)", key, id)
	return ""
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
func (v *VPC) Tier() *Network { return v.TierOf(v.t.choices().tierOffering) }

// TierOf creates a tier with an offering of one's own.
func (v *VPC) TierOf(offering string) *Network {
	v.tiers++
	n := &Network{owned: v.owned, VPC: v, Name: v.t.Unique("tier")}
	defer v.t.Step("tier %s", n.Name)()
	createNetwork(n, cloud.NetworkSpec{ZoneID: v.t.choices().zone, OfferingID: offering, VPCID: v.ID,
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
	made, err := n.Account.Cloud.CreateNetwork(n.t.Ctx, spec)
	n.t.Must(err, "creating network %s", n.Name)
	n.ID = made.Id
	n.InternalID = n.t.InternalID(usageprobe.ObjectNetwork, n.ID)
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
	found, err := n.Account.Cloud.ListPublicIPAddresses(n.t.Ctx, cloud.Params{"id": a.ID})
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
	rules, err := a.Account.Cloud.ListFirewallRules(a.t.Ctx, cloud.Params{"ipaddressid": a.ID})
	a.t.Must(err, "listing the firewall rules of %s", a.IP)
	return len(rules)
}

// InOtherZone gives an account the same address in another zone.
func (a *Address) InOtherZone(owner *Account) watch.Billed {
	defer a.t.Step("%s in another zone for %s", a.IP, owner.Name)()
	id, err := a.t.Site.Tamper.AddressInOtherZone(a.t.Ctx, owner.InternalID, a.IP.String())
	a.t.Must(err, "an address in another zone")
	return billed(usageprobe.KindIP, id, a.IP.String()+" in another zone")
}

// Conserves says whether the network's offering lets an address carry rules of several services, as the API lists it.
func (n *Network) Conserves() bool { return listed(n).Networkofferingconservemode }

// Offering is the id of the network's offering.
func (n *Network) Offering() string { return listed(n).Networkofferingid }

// listed is the network as the API lists it.
func listed(n *Network) *cloud.Network {
	found, err := n.Account.Cloud.ListNetworks(n.t.Ctx, cloud.Params{"id": n.ID})
	n.t.Must(err, "listing %s", n.Name)
	if len(found) != 1 {
		n.t.Inconclusive("%s is not listed", n.Name)
	}
	return found[0]
}
