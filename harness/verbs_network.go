package harness

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/harness/cloud"
)

// VPC is a VPC of the scenario, with one virtual router.
type VPC struct {
	*Account
	ID     string
	Name   string
	number int
	tiers  int
	router string
}

// VPC creates a VPC with the range 10.n.0.0/16.
func (a *Account) VPC() *VPC {
	a.vpcs++
	v := &VPC{Account: a, Name: a.t.unique("vpc"), number: 10 + a.vpcs}
	defer a.t.step("VPC %s", v.Name)()
	c := a.t.choices()
	v.ID, _ = a.make("vpc", v.Name, "cloud.vpc", "createVPC", cloud.Params{"zoneid": c.zone, "name": v.Name, "displaytext": v.Name,
		"vpcofferingid": c.vpcOffering, "cidr": fmt.Sprintf("10.%d.0.0/16", v.number)})
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
	var list struct {
		Router []struct{ Name, State string }
	}
	t.must(t.site.Cloud.Call(t.ctx, "listRouters", cloud.Params{key: id, "listall": "true"}, &list), "listing the router")
	for _, r := range list.Router {
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
	vms        []*VM
}

// Tier creates a tier with the range 10.n.m.0/24 and an offering that balances loads.
func (v *VPC) Tier() *Network {
	v.tiers++
	n := &Network{Account: v.Account, VPC: v, Name: v.t.unique("tier")}
	defer v.t.step("tier %s", n.Name)()
	c := v.t.choices()
	n.create(cloud.Params{"zoneid": c.zone, "networkofferingid": c.tierOffering, "vpcid": v.ID,
		"gateway": fmt.Sprintf("10.%d.%d.1", v.number, v.tiers), "netmask": "255.255.255.0"})
	return n
}

// Isolated creates an isolated network.
func (a *Account) Isolated() *Network {
	n := &Network{Account: a, Name: a.t.unique("net")}
	defer a.t.step("isolated network %s", n.Name)()
	c := a.t.choices()
	n.create(cloud.Params{"zoneid": c.zone, "networkofferingid": c.isolatedOffering})
	return n
}

func (n *Network) create(p cloud.Params) {
	p["name"], p["displaytext"] = n.Name, n.Name
	entry := n.t.intend("network", n.Name)
	var made struct{ Network struct{ ID string } }
	n.call("createNetwork", p, &made)
	n.t.created(entry, made.Network.ID)
	n.ID = made.Network.ID
	n.InternalID = n.t.internalID("cloud.networks", n.ID)
}

// Router is the name of the router that serves the network.
func (n *Network) Router() string {
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
	p := cloud.Params{"zoneid": n.t.choices().zone}
	if n.VPC != nil {
		p["vpcid"] = n.VPC.ID
	} else {
		p["networkid"] = n.ID
	}
	a := &Address{Account: n.Account, nextPort: firstPort}
	a.ID, a.InternalID = n.make("address", n.Name, "cloud.user_ip_address", "associateIpAddress", p)
	var list struct {
		PublicIPAddress []struct{ IPAddress netip.Addr } `json:"publicipaddress"`
	}
	n.call("listPublicIpAddresses", cloud.Params{"id": a.ID}, &list)
	if len(list.PublicIPAddress) != 1 {
		n.t.Inconclusive("address %s is not listed after it was acquired", a.ID)
	}
	a.IP = list.PublicIPAddress[0].IPAddress
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
	ID   string
	Name string
	IP   netip.Addr
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
	vm.ID, _ = n.make("vm", vm.Name, "cloud.vm_instance", "deployVirtualMachine", cloud.Params{"zoneid": c.zone, "templateid": c.template,
		"serviceofferingid": c.serviceOffering, "networkids": n.ID, "name": vm.Name, "displayname": vm.Name})
	var list struct {
		VirtualMachine []struct {
			State string
			NIC   []struct{ IPAddress netip.Addr }
		}
	}
	n.call("listVirtualMachines", cloud.Params{"id": vm.ID}, &list)
	if len(list.VirtualMachine) != 1 || len(list.VirtualMachine[0].NIC) == 0 {
		n.t.Inconclusive("VM %s has no address after it was deployed", vm.Name)
	}
	vm.IP = list.VirtualMachine[0].NIC[0].IPAddress
	return vm
}
