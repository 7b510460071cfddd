package harness

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/harness/cloud"
)

// VPC is a VPC of the scenario, with one virtual router.
type VPC struct {
	*Account
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
	v := &VPC{Account: a, Name: a.t.unique("vpc"), number: 10 + a.vpcs}
	defer a.t.step("VPC %s", v.Name)()
	c := a.t.choices()
	v.ID, v.InternalID, _ = made(a, "vpc", v.Name, "cloud.vpc", func(ctx context.Context) (*cloud.Creating[cloud.VPC], error) {
		return a.Cloud.CreateVPC(ctx, cloud.VPCSpec{Name: v.Name, ZoneID: c.zone, OfferingID: c.vpcOffering, CIDR: fmt.Sprintf("10.%d.0.0/16", v.number)})
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

func (t *T) routerBy(key, id string) string {
	routers, err := t.site.Cloud.ListRouters(t.ctx, cloud.Params{key: id})
	t.must(err, "listing the router")
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
	*Account
	VPC        *VPC // nil for an isolated network
	ID         string
	InternalID int64
	Name       string
	shared     *Address // carries the rules that name no address of their own
	scale      *scaling
	shrink     *shrinking // nil: groups keep still
	vms        []*VM
	internal   *internalLB // nil: rules are on public addresses
}

// Tier creates a tier with the range 10.n.m.0/24 and an offering that balances loads.
func (v *VPC) Tier() *Network {
	v.tiers++
	n := &Network{Account: v.Account, VPC: v, Name: v.t.unique("tier")}
	defer v.t.step("tier %s", n.Name)()
	c := v.t.choices()
	n.create(cloud.NetworkSpec{ZoneID: c.zone, OfferingID: c.tierOffering, VPCID: v.ID,
		Gateway: fmt.Sprintf("10.%d.%d.1", v.number, v.tiers), Netmask: "255.255.255.0"})
	return n
}

// Isolated creates an isolated network.
func (a *Account) Isolated() *Network {
	n := &Network{Account: a, Name: a.t.unique("net")}
	defer a.t.step("isolated network %s", n.Name)()
	c := a.t.choices()
	n.create(cloud.NetworkSpec{ZoneID: c.zone, OfferingID: c.isolatedOffering})
	return n
}

func (n *Network) create(spec cloud.NetworkSpec) {
	spec.Name = n.Name
	entry := n.t.intend("network", n.Name, n.Account.Name)
	made, err := n.Cloud.CreateNetwork(n.t.ctx, spec)
	n.t.must(err, "creating network %s", n.Name)
	n.ID = made.Id
	n.InternalID = n.t.internalID("cloud.networks", n.ID)
	n.t.created(entry, n.ID, n.InternalID)
}

// Router is the name of the router that serves the network.
func (n *Network) Router() string {
	if n.internal != nil {
		return n.balancer()
	}
	if n.VPC != nil {
		return n.VPC.Router()
	}
	return n.t.routerBy("networkid", n.ID)
}

// Address is a public address.
type Address struct {
	*Account
	ID         string
	InternalID int64
	IP         netip.Addr
	nextPort   int
}

// firstPort is where the public ports of a scenario's rules begin: above the reserved ones and off the statistics port.
const firstPort = 18000

// Address acquires a public address for the network.
func (n *Network) Address() *Address {
	defer n.t.step("address for %s", n.Name)()
	vpc, network := "", n.ID
	if n.VPC != nil {
		vpc, network = n.VPC.ID, ""
	}
	return n.acquire(func(ctx context.Context) (*cloud.Creating[cloud.PublicIPAddress], error) {
		return n.Cloud.AssociateIPAddress(ctx, n.t.choices().zone, vpc, network, cloud.Owner{})
	})
}

// PortableAddress acquires an address that may move between zones.
func (n *Network) PortableAddress() *Address {
	defer n.t.step("portable address for %s", n.Name)()
	return n.acquire(func(ctx context.Context) (*cloud.Creating[cloud.PublicIPAddress], error) {
		return n.Cloud.AssociatePortableIPAddress(ctx, n.t.choices().zone, n.ID)
	})
}

func (n *Network) acquire(associate func(context.Context) (*cloud.Creating[cloud.PublicIPAddress], error)) *Address {
	a := &Address{Account: n.Account, nextPort: firstPort}
	a.ID, a.InternalID, _ = made(n.Account, "address", n.Name, "cloud.user_ip_address", associate)
	found, err := n.Cloud.ListPublicIPAddresses(n.t.ctx, cloud.Params{"id": a.ID})
	n.t.must(err, "listing address %s", a.ID)
	if len(found) != 1 {
		n.t.Inconclusive("address %s is not listed after it was acquired", a.ID)
	}
	a.IP, err = netip.ParseAddr(found[0].Ipaddress)
	n.t.must(err, "reading address %s", a.ID)
	return a
}

func (n *Network) sharedAddress() *Address {
	if n.shared == nil {
		n.shared = n.Address()
	}
	return n.shared
}

// VM is an instance.
type VM struct {
	*Account
	ID         string
	InternalID int64
	Name       string
	IP         netip.Addr
	snapshots  int
}

// VMs returns count running instances of the network, creating what is missing.
func (n *Network) VMs(count int) []*VM {
	defer n.t.step("%d VMs in %s", count, n.Name)()
	for len(n.vms) < count {
		n.vms = append(n.vms, n.NewVM())
	}
	return slices.Clone(n.vms[:count])
}

// NewVM creates and starts an instance.
func (n *Network) NewVM() *VM {
	c := n.t.choices()
	vm := &VM{Account: n.Account, Name: n.t.unique("vm")}
	defer n.t.step("VM %s", vm.Name)()
	var deployed *cloud.VirtualMachine
	vm.ID, vm.InternalID, deployed = made(n.Account, "vm", vm.Name, "cloud.vm_instance", func(ctx context.Context) (*cloud.Creating[cloud.VirtualMachine], error) {
		return n.Cloud.DeployVirtualMachine(ctx, cloud.VirtualMachineSpec{Name: vm.Name, ZoneID: c.zone, TemplateID: c.template,
			ServiceOfferingID: c.serviceOffering, NetworkIDs: []string{n.ID}})
	})
	if len(deployed.Nic) == 0 {
		n.t.Inconclusive("VM %s has no address after it was deployed", vm.Name)
	}
	ip, err := netip.ParseAddr(deployed.Nic[0].Ipaddress)
	n.t.must(err, "reading the address of VM %s", vm.Name)
	vm.IP = ip
	return vm
}
