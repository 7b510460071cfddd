package zone

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// zoneID is the only zone's id in the database.
const zoneID = 1

func itoa(n int) string { return strconv.Itoa(n) }

// shown is a domain's path as accounts and jobs show it: ROOT, ROOT/reg.
func (d *Domain) shown() string { return "ROOT" + strings.TrimSuffix(d.Path, "/") }

// owned adds an object's owner to its answer.
func (z *Zone) owned(out obj, a *Account) {
	out["account"], out["domainid"], out["domain"] = a.Name, a.Domain.UUID, a.Domain.Name
	z.domainPath(out, a.Domain.Path)
}

// domainPath adds a path where the release answers it.
func (z *Zone) domainPath(out obj, path string) {
	if !z.knobs[release.NoDomainPath] {
		out["domainpath"] = path
	}
}

// newField adds a field that 4.20 brought.
func (z *Zone) newField(out obj, name string, value any) {
	if !z.knobs[release.AnswerFieldsOld] {
		out[name] = value
	}
}

// laterField adds a field that 4.20.1 brought.
func (z *Zone) laterField(out obj, name string, value any) {
	if z.knobs[release.AnswersAPIKeyAccess] {
		out[name] = value
	}
}

// listParams adds what all list commands take.
func listParams(own ...param) []param {
	return append(own,
		param{"account", "string", false, "list resources by account. Must be used with the domainId parameter."},
		param{"domainid", "uuid:domain", false, "list only resources belonging to the domain specified"},
		param{"listall", "boolean", false, "If set to false, list only resources belonging to the command's caller; if set to true - list resources that the caller is authorized to see."},
		param{"isrecursive", "boolean", false, "defaults to false, but if true, lists all resources from the parent specified by the domainId till leaves."},
		param{"keyword", "string", false, "List by keyword"},
		param{"page", "integer", false, ""}, param{"pagesize", "integer", false, ""},
	)
}

func netmask(p netip.Prefix) string {
	return net.IP(net.CIDRMask(p.Bits(), 32)).String()
}

func (z *Zone) vpcAnswer(v *VPC) obj {
	networks := []obj{}
	for _, n := range z.networks {
		if n.VPC == v && n.Removed.IsZero() {
			networks = append(networks, z.networkAnswer(n))
		}
	}
	out := obj{
		"id": v.UUID, "name": v.Name, "displaytext": v.Text, "state": v.State, "zoneid": z.site.UUID, "zonename": siteName,
		"service": v.Offering.Answer["service"], "cidr": v.CIDR.String(), "vpcofferingid": v.Offering.UUID,
		"vpcofferingname": v.Offering.Name, "created": stamp(v.Created), "network": networks, "restartrequired": false,
		"networkdomain": v.Domain, "tags": []obj{}, "fordisplay": true, "distributedvpcrouter": false, "regionlevelvpc": false,
		"redundantvpcrouter": v.redundant(), "publicmtu": 1500, "hasannotations": false,
	}
	z.owned(out, v.Account)
	return out
}

func (v *VPC) redundant() bool { return strings.HasPrefix(v.Offering.Name, "Redundant") }

func (z *Zone) networkAnswer(n *Network) obj {
	out := obj{
		"id": n.UUID, "name": n.Name, "displaytext": n.Text, "broadcastdomaintype": "Vlan", "traffictype": "Guest",
		"gateway": n.Gateway.String(), "netmask": netmask(n.CIDR), "cidr": n.CIDR.String(), "zoneid": z.site.UUID, "zonename": siteName,
		"networkofferingid": n.Offering.UUID, "networkofferingname": n.Offering.Name,
		"networkofferingdisplaytext": n.Offering.Answer["displaytext"], "networkofferingconservemode": n.Offering.Answer["conservemode"],
		"networkofferingavailability": n.Offering.Answer["availability"], "issystem": false, "state": n.State, "related": n.UUID,
		"dns1": "10.147.28.6", "type": "Isolated", "acltype": "Account", "service": networkServices(n.Offering),
		"networkdomain": z.networkDomain(n), "physicalnetworkid": z.site.PhysicalNetworkUUID, "restartrequired": false,
		"specifyipranges": false, "canusefordeploy": true, "ispersistent": false, "tags": []obj{}, "details": obj{},
		"displaynetwork": true, "strechedl2subnet": false, "redundantrouter": n.VPC != nil && n.VPC.redundant(),
		"supportsvmautoscaling": n.Offering.has("Lb") && n.Offering.lbProvider() == n.Offering.provider(), "created": stamp(n.Created),
		"receivedbytes": 0, "sentbytes": 0, "publicmtu": 1500, "privatemtu": 1500, "hasannotations": false,
	}
	if z.knobs[release.AnswersSpecifyVLAN] {
		out["specifyvlan"] = false
	}
	if n.VLAN != 0 {
		out["vlan"], out["broadcasturi"] = itoa(n.VLAN), "vlan://"+itoa(n.VLAN)
	}
	if n.VPC != nil {
		out["vpcid"], out["vpcname"] = n.VPC.UUID, n.VPC.Name
	} else {
		out["egressdefaultpolicy"] = false
	}
	z.owned(out, n.Account)
	return out
}

func (z *Zone) networkDomain(n *Network) string {
	if n.VPC != nil {
		return n.VPC.Domain
	}
	return accountDomain(n.Account)
}

func accountDomain(a *Account) string { return fmt.Sprintf("cs%xcloud.internal", a.ID) }

func (z *Zone) addressAnswer(a *Address) obj {
	out := obj{
		"id": a.UUID, "ipaddress": a.IP.String(), "zoneid": z.site.UUID, "zonename": siteName, "issourcenat": a.SourceNAT,
		"forvirtualnetwork": true, "vlanid": z.site.VLANUUID, "vlanname": "vlan://50", "isstaticnat": a.StaticNAT, "issystem": false,
		"networkid": z.site.PublicNetwork.UUID, "state": a.State, "physicalnetworkid": z.site.PhysicalNetworkUUID, "tags": []obj{},
		"isportable": a.Portable, "fordisplay": true, "hasrules": z.netHooks.ruled(a), "hasannotations": false,
	}
	if !a.Allocated.IsZero() {
		out["allocated"] = stamp(a.Allocated)
	}
	z.newField(out, "forsystemvms", false)
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
		z.owned(out, a.Account)
	}
	return out
}

func (z *Zone) nicAnswer(n *NIC, index int, running bool) obj {
	out := obj{
		"id": n.UUID, "networkid": n.Network.UUID, "networkname": n.Network.Name, "netmask": netmask(n.Network.CIDR),
		"gateway": n.Network.Gateway.String(), "ipaddress": n.IP.String(), "traffictype": "Guest", "type": "Isolated",
		"isdefault": n.Default, "macaddress": n.MAC, "secondaryip": []obj{}, "extradhcpoption": []obj{}, "deviceid": itoa(index),
	}
	if running && n.Network.VLAN != 0 {
		uri := "vlan://" + itoa(n.Network.VLAN)
		out["isolationuri"], out["broadcasturi"] = uri, uri
	}
	if v := n.Network.VPC; v != nil {
		out["vpcid"], out["vpcname"] = v.UUID, v.Name
	}
	return out
}

// vmAnswer is a VM as list and job answers show it.
func (z *Zone) vmAnswer(vm *VM) obj {
	running := vm.State == "Running"
	nics := []obj{}
	for i, n := range vm.NICs {
		nics = append(nics, z.nicAnswer(n, i, running))
	}
	out := obj{
		"id": vm.UUID, "name": vm.Name, "displayname": vm.DisplayName, "created": stamp(vm.Created), "lastupdated": stamp(vm.Updated),
		"state": vm.State, "haenable": false, "zoneid": z.site.UUID, "zonename": siteName, "templateid": vm.Template.UUID,
		"templatename": vm.Template.Name, "templatetype": vm.Template.Answer["templatetype"], "templateformat": vm.Template.Answer["format"],
		"templatedisplaytext": vm.Template.Answer["displaytext"], "passwordenabled": false, "serviceofferingid": vm.Offering.UUID,
		"serviceofferingname": vm.Offering.Name, "cpunumber": vm.Offering.Answer["cpunumber"], "cpuspeed": vm.Offering.Answer["cpuspeed"],
		"memory": vm.Offering.Answer["memory"], "guestosid": vm.Template.Answer["ostypeid"], "ostypeid": vm.Template.Answer["ostypeid"],
		"osdisplayname": vm.Template.Answer["ostypename"], "rootdeviceid": 0, "rootdevicetype": "ROOT", "securitygroup": []obj{},
		"nic": nics, "hypervisor": "Simulator", "instancename": vm.InstanceName, "details": obj{}, "affinitygroup": []obj{},
		"displayvm": true, "isdynamicallyscalable": false, "pooltype": "NetworkFilesystem", "receivedbytes": 0, "sentbytes": 0,
		"tags": []obj{}, "hasannotations": false,
	}
	if len(vm.NICs) > 0 {
		out["ipaddress"] = vm.NICs[0].IP.String()
	}
	if running {
		out["hostid"], out["hostname"], out["hostcontrolstate"] = vm.Host.UUID, vm.Host.Name, "Enabled"
		out["bootmode"], out["boottype"] = "legacy", "Bios"
	}
	for _, u := range z.users {
		if u.ID == vm.UserID {
			out["userid"], out["username"] = u.UUID, u.Username
		}
	}
	if vm.Group != nil {
		if uuid, name, live := vm.Group.Identity(); live {
			out["autoscalevmgroupid"], out["autoscalevmgroupname"] = uuid, name
		}
	}
	z.newField(out, "deleteprotection", false)
	z.laterField(out, "arch", "x86_64")
	z.owned(out, vm.Account)
	return out
}

// statistics are what list answers add to a running VM; the simulator always says the same.
func statistics(out obj) obj {
	maps.Copy(out, obj{
		"cpuused": "10%", "networkkbsread": 32768, "networkkbswrite": 16384, "diskkbsread": 0, "diskkbswrite": 0, "memorykbs": 0,
		"memoryintfreekbs": 0, "memorytargetkbs": 0, "diskioread": 0, "diskiowrite": 0,
	})
	return out
}

func (z *Zone) routerAnswer(r *Router) obj {
	owner, domain, redundant := z.routerOwner(r), "", "UNKNOWN"
	if r.Redundant != "" {
		redundant = r.Redundant
	}
	out := obj{
		"id": r.UUID, "zoneid": z.site.UUID, "zonename": siteName, "dns1": "10.147.28.6", "gateway": "192.168.2.1", "name": r.Name,
		"podid": z.site.PodUUID, "podname": "POD0", "hypervisor": "Simulator", "linklocalnetworkid": z.site.ControlNetwork.UUID,
		"publicip": r.PublicIP.String(), "publicmacaddress": r.publicMAC(), "publicnetmask": "255.255.255.0",
		"publicnetworkid": z.site.PublicNetwork.UUID, "templateid": z.site.RouterTemplate.UUID, "templatename": z.site.RouterTemplate.Name,
		"created": stamp(r.Created), "state": r.State, "serviceofferingid": z.site.RouterOffering.UUID,
		"serviceofferingname": z.site.RouterOffering.Name, "isredundantrouter": r.Redundant != "", "redundantstate": redundant,
		"version": "4.10.0", "scriptsversion": r.NICUUID, "role": "VIRTUAL_ROUTER", "nic": z.routerNICs(r), "requiresupgrade": false,
		"healthchecksfailed": false, "softwareversion": z.Version(), "hasannotations": false,
	}
	if r.State == "Running" {
		out["hostid"], out["hostname"], out["hostcontrolstate"] = r.Host.UUID, r.Host.Name, "Enabled"
		out["linklocalip"], out["linklocalmacaddress"], out["linklocalnetmask"] = r.LinkIP.String(), r.linkMAC(), "255.255.0.0"
	}
	if r.VPC != nil {
		out["vpcid"], out["vpcname"], domain = r.VPC.UUID, r.VPC.Name, r.VPC.Domain
	} else {
		domain = z.networkDomain(r.Network)
	}
	out["networkdomain"] = domain
	for _, n := range z.implemented(r) {
		nic := z.guestNIC(r, n)
		out["guestipaddress"], out["guestmacaddress"], out["guestnetmask"] = guestIP(r, n), nic.mac, netmask(n.CIDR)
		out["guestnetworkid"], out["guestnetworkname"] = n.UUID, n.Name
		break
	}
	z.laterField(out, "arch", "x86_64")
	z.owned(out, owner)
	return out
}

func (z *Zone) routerOwner(r *Router) *Account {
	if r.VPC != nil {
		return r.VPC.Account
	}
	return r.Network.Account
}

// implemented lists the networks that a router is plugged into.
func (z *Zone) implemented(r *Router) []*Network {
	var out []*Network
	for _, n := range z.networks {
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

func (z *Zone) routerNICs(r *Router) []obj {
	link := obj{"id": r.NICUUID, "networkid": z.site.ControlNetwork.UUID, "traffictype": "Control", "isdefault": false}
	if r.State == "Running" {
		link["netmask"], link["gateway"], link["ipaddress"], link["macaddress"] = "255.255.0.0", "169.254.0.1", r.LinkIP.String(), r.linkMAC()
	}
	out := []obj{link, {
		"id": r.UUID, "networkid": z.site.PublicNetwork.UUID, "netmask": "255.255.255.0", "gateway": "192.168.2.1",
		"ipaddress": r.PublicIP.String(), "isolationuri": "vlan://50", "broadcasturi": "vlan://50", "traffictype": "Public",
		"isdefault": true, "macaddress": r.publicMAC(), "mtu": 1500,
	}}
	for _, n := range z.implemented(r) {
		nic := z.guestNIC(r, n)
		out = append(out, obj{
			"id": nic.uuid, "networkid": n.UUID, "networkname": n.Name, "netmask": netmask(n.CIDR), "gateway": n.Gateway.String(),
			"ipaddress": guestIP(r, n), "traffictype": "Guest", "type": "Isolated", "isdefault": false, "macaddress": nic.mac, "mtu": 1500,
		})
	}
	return out
}
