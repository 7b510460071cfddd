package net

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Netmask is the mask of a network.
func Netmask(p netip.Prefix) string {
	return net.IP(net.CIDRMask(p.Bits(), 32)).String()
}

func vpcAnswer(mgr *Manager, v *VPC) obj {
	networks := []obj{}
	for _, n := range mgr.Networks.All() {
		if n.VPC == v && n.Removed.IsZero() {
			networks = append(networks, networkAnswer(mgr, n))
		}
	}
	out := obj{
		"id": v.UUID, "name": v.Name, "displaytext": v.Text, "state": v.State, "zoneid": mgr.Site.UUID,
		"zonename": SiteName,
		"service":  v.Offering.Answer["service"], "cidr": v.CIDR.String(), "vpcofferingid": v.Offering.UUID,
		"vpcofferingname": v.Offering.Name, "created": kernel.Stamp(v.Created), "network": networks,
		"restartrequired": false,
		"networkdomain":   v.Domain, "tags": mgr.tenancy.Tagged(v.UUID), "fordisplay": true,
		"distributedvpcrouter": false,
		"regionlevelvpc":       false,
		"redundantvpcrouter":   v.redundant(), "publicmtu": 1500, "hasannotations": false,
	}
	mgr.MainField(out, "vpcofferingconservemode", v.Conserves())
	mgr.MainField(out, "keepmacaddressonpublicnic", true)
	mgr.tenancy.Owned(out, v.Account)
	return out
}

func (v *VPC) redundant() bool { return strings.HasPrefix(v.Offering.Name, "Redundant") }

func networkAnswer(mgr *Manager, n *Network) obj {
	out := obj{
		"id": n.UUID, "name": n.Name, "displaytext": n.Text, "broadcastdomaintype": "Vlan", "traffictype": "Guest",
		"gateway": n.Gateway.String(), "netmask": Netmask(n.CIDR), "cidr": n.CIDR.String(), "zoneid": mgr.Site.UUID,
		"zonename":          SiteName,
		"networkofferingid": n.Offering.UUID, "networkofferingname": n.Offering.Name,
		"networkofferingdisplaytext":  n.Offering.Answer["displaytext"],
		"networkofferingconservemode": n.Offering.Answer["conservemode"],
		"networkofferingavailability": n.Offering.Answer["availability"], "issystem": false, "state": n.State,
		"related": n.UUID,
		"dns1":    "10.147.28.6", "type": "Isolated", "acltype": "Account",
		"service":       networkServices(n.Offering, mgr.On(release.SSLOffload)),
		"networkdomain": mgr.NetworkDomain(n), "physicalnetworkid": mgr.Site.PhysicalNetworkUUID,
		"restartrequired": false,
		"specifyipranges": false, "canusefordeploy": true, "ispersistent": false, "tags": mgr.tenancy.Tagged(n.UUID),
		"details":        obj{},
		"displaynetwork": true, "strechedl2subnet": false, "redundantrouter": n.VPC != nil && n.VPC.redundant(),
		"supportsvmautoscaling": n.Offering.Has("Lb") && n.Offering.LBProvider() == n.Offering.Provider(),
		"created":               kernel.Stamp(n.Created),
		"receivedbytes":         0, "sentbytes": 0, "publicmtu": 1500, "privatemtu": 1500, "hasannotations": false,
	}
	if mgr.On(release.AnswersSpecifyVLAN) {
		out["specifyvlan"] = false
	}
	if n.VLAN != 0 {
		out["vlan"], out["broadcasturi"] = kernel.Itoa(n.VLAN), "vlan://"+kernel.Itoa(n.VLAN)
	}
	if n.VPC != nil {
		out["vpcid"], out["vpcname"] = n.VPC.UUID, n.VPC.Name
	} else {
		out["egressdefaultpolicy"] = false
	}
	if l := mgr.ACLByUUID(n.ACL); l != nil {
		out["aclid"], out["aclname"] = l.UUID, l.Name
	}
	mgr.MainField(out, "keepmacaddressonpublicnic", true)
	mgr.tenancy.Owned(out, n.Account)
	return out
}

// NetworkDomain is the DNS domain of a network.
func (mgr *Manager) NetworkDomain(n *Network) string {
	if n.VPC != nil {
		return n.VPC.Domain
	}
	return tenancy.AccountDomain(n.Account)
}

func addressAnswer(mgr *Manager, a *Address) obj {
	out := obj{
		"id": a.UUID, "ipaddress": a.IP.String(), "zoneid": mgr.Site.UUID, "zonename": SiteName,
		"issourcenat":       a.SourceNAT,
		"forvirtualnetwork": true, "vlanid": mgr.Site.VLANUUID, "vlanname": "vlan://50", "isstaticnat": a.StaticNAT,
		"issystem":  false,
		"networkid": mgr.Site.PublicNetwork.UUID, "state": a.State, "physicalnetworkid": mgr.Site.PhysicalNetworkUUID,
		"tags":       mgr.tenancy.Tagged(a.UUID),
		"isportable": a.Portable, "fordisplay": true, "hasrules": mgr.Hooks.Ruled(a), "hasannotations": false,
	}
	if !a.Allocated.IsZero() {
		out["allocated"] = kernel.Stamp(a.Allocated)
	}
	mgr.NewField(out, "forsystemvms", false)
	if mgr.On(release.NetrisProvider) {
		out["forprovider"] = false
	}
	if a.VPC != nil {
		out["vpcid"], out["vpcname"] = a.VPC.UUID, a.VPC.Name
	}
	if a.Network != nil {
		out["associatednetworkid"], out["associatednetworkname"] = a.Network.UUID, a.Network.Name
	}
	if a.StaticVM != nil {
		out["virtualmachineid"], out["virtualmachinename"], out["virtualmachinedisplayname"] = a.StaticVM.Names()
		out["vmipaddress"] = a.StaticIP.String()
	}
	if a.Account != nil {
		mgr.tenancy.Owned(out, a.Account)
	}
	return out
}

// AddressText names an address (IPAddressVO@4.20.1.0); before says how texts did until then.
func (mgr *Manager) AddressText(a *Address, before string) string {
	return mgr.ObjectText(before, "IPAddress", "address", a.IP.String(), "dataCenterId", mgr.Site.ID, "id", a.ID,
		"uuid", a.UUID)
}

// OldAddressText is an address as texts name it as an object up to 4.20.0.
func OldAddressText(a *Address) string { return fmt.Sprintf("Ip[%s-%d]", a.IP, kernel.ZoneID) }

// NetworkText names a network as an object, alike in all releases.
func NetworkText(n *Network) string {
	return fmt.Sprintf(`Network {"id": %d, "name": %q, "uuid": %q, "networkofferingid": %d}`, n.ID, n.Name, n.UUID,
		n.Offering.ID)
}

func routerAnswer(mgr *Manager, r *Router) obj {
	owner, domain, redundant := routerOwner(mgr, r), "", "UNKNOWN"
	if r.Redundant != "" {
		redundant = r.Redundant
	}
	out := obj{
		"id": r.UUID, "zoneid": mgr.Site.UUID, "zonename": SiteName, "dns1": "10.147.28.6", "gateway": "192.168.2.1",
		"name":  r.Name,
		"podid": mgr.Site.PodUUID, "podname": "POD0", "hypervisor": "Simulator",
		"linklocalnetworkid": mgr.Site.ControlNetwork.UUID,
		"publicip":           r.PublicIP.String(), "publicmacaddress": r.publicMAC(), "publicnetmask": "255.255.255.0",
		"publicnetworkid": mgr.Site.PublicNetwork.UUID, "templateid": mgr.Site.RouterTemplate.UUID,
		"templatename": mgr.Site.RouterTemplate.Name,
		"created":      kernel.Stamp(r.Created), "state": r.State, "serviceofferingid": mgr.Site.RouterOffering.UUID,
		"serviceofferingname": mgr.Site.RouterOffering.Name, "isredundantrouter": r.Redundant != "",
		"redundantstate": redundant,
		"version":        "4.10.0", "scriptsversion": r.NICUUID, "role": "VIRTUAL_ROUTER", "nic": routerNICs(mgr, r),
		"requiresupgrade":    false,
		"healthchecksfailed": false, "softwareversion": mgr.Version(), "hasannotations": false,
	}
	if r.State == "Running" {
		out["hostid"], out["hostname"], out["hostcontrolstate"] = r.Host.UUID, r.Host.Name, "Enabled"
		out["linklocalip"], out["linklocalmacaddress"], out["linklocalnetmask"] = r.LinkIP.String(), r.linkMAC(),
			"255.255.0.0"
	}
	if r.VPC != nil {
		out["vpcid"], out["vpcname"], domain = r.VPC.UUID, r.VPC.Name, r.VPC.Domain
	} else {
		domain = mgr.NetworkDomain(r.Network)
	}
	out["networkdomain"] = domain
	for _, n := range mgr.Implemented(r) {
		nic := mgr.GuestNIC(r, n)
		out["guestipaddress"], out["guestmacaddress"], out["guestnetmask"] = GuestIP(r, n), nic.Mac, Netmask(n.CIDR)
		out["guestnetworkid"], out["guestnetworkname"] = n.UUID, n.Name
		break
	}
	mgr.LaterField(out, "arch", "x86_64")
	mgr.tenancy.Owned(out, owner)
	return out
}

func routerOwner(mgr *Manager, r *Router) *tenancy.Account {
	if r.VPC != nil {
		return r.VPC.Account
	}
	return r.Network.Account
}

// Implemented lists the networks that a router is plugged into.
func (mgr *Manager) Implemented(r *Router) []*Network {
	var out []*Network
	for _, n := range mgr.Networks.All() {
		if n.Removed.IsZero() && n.State == "Implemented" && (r.Network == n || r.VPC != nil && n.VPC == r.VPC) {
			out = append(out, n)
		}
	}
	return out
}

func (r *Router) linkMAC() string {
	b := r.LinkIP.As4()
	return fmt.Sprintf("0e:00:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3])
}

func (r *Router) publicMAC() string {
	return fmt.Sprintf("1e:00:%02x:00:%02x:%02x", r.ID&0xff, r.ID>>8&0xff, r.ID&0xff)
}

func routerNICs(mgr *Manager, r *Router) []obj {
	link := obj{"id": r.NICUUID, "networkid": mgr.Site.ControlNetwork.UUID, "traffictype": "Control",
		"isdefault": false}
	if r.State == "Running" {
		link["netmask"], link["gateway"], link["ipaddress"], link["macaddress"] = "255.255.0.0", "169.254.0.1",
			r.LinkIP.String(), r.linkMAC()
	}
	out := []obj{link, {
		"id": r.UUID, "networkid": mgr.Site.PublicNetwork.UUID, "netmask": "255.255.255.0", "gateway": "192.168.2.1",
		"ipaddress": r.PublicIP.String(), "isolationuri": "vlan://50", "broadcasturi": "vlan://50",
		"traffictype": "Public",
		"isdefault":   true, "macaddress": r.publicMAC(), "mtu": 1500,
	}}
	for _, n := range mgr.Implemented(r) {
		nic := mgr.GuestNIC(r, n)
		out = append(out, obj{
			"id": nic.UUID, "networkid": n.UUID, "networkname": n.Name, "netmask": Netmask(n.CIDR),
			"gateway":   n.Gateway.String(),
			"ipaddress": GuestIP(r, n), "traffictype": "Guest", "type": "Isolated", "isdefault": false,
			"macaddress": nic.Mac, "mtu": 1500,
		})
	}
	return out
}
