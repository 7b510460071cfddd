package witness

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// member is a VM behind a rule, as the API lists it.
type member struct{ ip, vm string }

// ruleState is what the API says of one rule.
type ruleState struct {
	id, name, network, state string
	srcIP, srcPort, dstPort  string
	algorithm, protocol      string
	cidrs                    string
	internal                 bool // on an address of its own tier
	members                  []member
	policies                 []cloud.StickinessPolicy
	unread                   bool   // members and policies are not those of now
	certificate              string // see certificateName
}

// leaves are what a push is to say of the rule.
func (r *ruleState) leaves() Leaves {
	at := rulePath(r.id)
	l := Leaves{at: "there", at + "/srcIp": r.srcIP, at + "/srcPort": r.srcPort, at + "/protocol": "tcp",
		at + "/algorithm": r.algorithm, at + "/revoked": "false", at + "/alreadyAdded": "false",
		at + "/inline": "false"}
	if r.protocol != "" {
		l[at+"/lbProtocol"] = r.protocol
	}
	if r.cidrs != "" {
		l[at+"/cidrList"] = r.cidrs
	}
	if r.certificate != "" {
		l[at+"/certificate"] = r.certificate
	}
	for _, m := range r.members {
		path := l.free(memberPath(at, m.ip))
		l[path], l[path+"/destPort"], l[path+"/revoked"], l[path+"/alreadyAdded"] = "there", r.dstPort, "false", "false"
	}
	n := 0
	for _, p := range r.policies {
		if p.State == "Revoked" {
			continue
		}
		n++
		path := at + "/policy " + strconv.Itoa(n)
		l[path] = p.MethodName
		for name, value := range p.Params {
			l[path+"/"+strings.ToLower(name)] = value
		}
	}
	return l
}

// routerState is what the API says of one router, or of the VM that balances one internal address.
type routerState struct {
	name     string
	internal string   // the address that it balances; empty for a router
	networks []string // whose rules it carries out
	frames   []Leaves // what is around the rules, for each of its NICs
}

// of says whether a rule is carried out by the router.
func (s *routerState) of(r *ruleState) bool {
	if s.internal != "" {
		return r.internal && r.srcIP == s.internal
	}
	return !r.internal && slices.Contains(s.networks, r.network)
}

// nic is a router's NIC as listRouters shows it; cloudstack-go leaves most of it out.
type nic struct {
	ID, NetworkID, Netmask, Gateway, IPAddress, MacAddress, TrafficType string
}

type routerAnswer struct {
	ID, Name, VPCID, PublicIP, LinkLocalIP, Account, DomainID string
	NIC                                                       []nic
}

// routers reads a router with all that a push to it is to say beside its rules.
func (w *Witness) router(ctx context.Context, name string) (*routerState, error) {
	var answer struct{ Router []routerAnswer }
	if err := w.o.Cloud.Call(ctx, "listRouters", cloud.Params{"name": name, "listall": true}, &answer); err != nil {
		return nil, err
	}
	for _, r := range answer.Router {
		if r.Name == name {
			return w.routerOf(ctx, r)
		}
	}
	return w.balancer(ctx, name)
}

func (w *Witness) balancer(ctx context.Context, name string) (*routerState, error) {
	var answer struct {
		VMs []struct{ Name, GuestIPAddress string } `json:"internalloadbalancervm"`
	}
	if err := w.o.Cloud.Call(ctx, "listInternalLoadBalancerVMs", cloud.Params{"listall": true}, &answer); err != nil {
		return nil, err
	}
	for _, vm := range answer.VMs {
		if vm.Name == name {
			return &routerState{name: name, internal: vm.GuestIPAddress}, nil
		}
	}
	return nil, nil // it is gone
}

func (w *Witness) routerOf(ctx context.Context, r routerAnswer) (*routerState, error) {
	s := &routerState{name: r.Name}
	filter := cloud.Params{"id": ""}
	if r.VPCID != "" {
		filter = cloud.Params{"vpcid": r.VPCID}
	}
	for _, n := range r.NIC {
		if r.VPCID == "" && n.TrafficType == "Guest" {
			filter["id"] = n.NetworkID
		}
	}
	networks, err := w.o.Cloud.ListNetworks(ctx, filter)
	if err != nil {
		return nil, err
	}
	for _, n := range networks {
		s.networks = append(s.networks, n.Id)
	}
	if w.o.IDs == nil {
		return s, nil
	}
	for _, n := range networks {
		for _, plug := range r.NIC {
			if plug.NetworkID != n.Id {
				continue
			}
			frame, err := w.frame(ctx, r, plug, n)
			if err != nil {
				return nil, err
			}
			s.frames = append(s.frames, frame)
		}
	}
	return s, nil
}

// frame is what a push that is sent because of a network says around its rules. What no list shows is as it was
// recorded of releases (LoadBalancerConfigCommand.java, NicTO.java@4.20.0.0).
func (w *Witness) frame(ctx context.Context, r routerAnswer, plug nic, n *cloud.Network) (Leaves, error) {
	settings, err := w.settings(ctx)
	if err != nil {
		return nil, err
	}
	l := maps.Clone(settings)
	offering, err := w.offering(ctx, n.Networkofferingid)
	if err != nil {
		return nil, err
	}
	maps.Copy(l, offering)
	maps.Copy(l, Leaves{
		"lbStatsPublicIP": r.PublicIP, "lbStatsPrivateIP": r.LinkLocalIP, "lbStatsGuestIP": plug.IPAddress,
		"lbStatsSrcCidrs": "0/0", "wait": "0", "bypassHostMaintenance": "false",
		"accessDetails.router.name": r.Name, "accessDetails.router.ip": r.LinkLocalIP,
		"accessDetails.router.guest.ip": plug.IPAddress, "accessDetails.zone.network.type": "Advanced",
		"nic.defaultNic": "false", "nic.pxeDisable": "true", "nic.dpdkEnabled": "false",
		"nic.isSecurityGroupEnabled": "false", "nic.type": "Guest", "nic.broadcastType": "Vlan",
		"nic.details.PromiscuousMode": "false", "nic.details.MacAddressChanges": "true",
		"nic.details.ForgedTransmits": "true", "nic.details.MacLearning": "false",
		"nic.nicUuid": plug.ID, "nic.uuid": n.Id, "nic.ip": plug.IPAddress, "nic.netmask": plug.Netmask,
		"nic.mac": plug.MacAddress, "nic.broadcastUri": n.Broadcasturi, "nic.isolationUri": n.Broadcasturi,
		"nic.deviceId": "0",
	})
	segment, err := w.segment(ctx, r, n)
	if err != nil {
		return nil, err
	}
	maps.Copy(l, segment)
	if r.VPCID != "" {
		l["nic.gateway"] = n.Gateway
		delete(l, "nic.deviceId") // tiers count from 2 in the order in which they were plugged: see Witness.devices
	}
	return l, nil
}

// segment are the internal ids in a push.
func (w *Witness) segment(ctx context.Context, r routerAnswer, n *cloud.Network) (Leaves, error) {
	accounts, err := w.o.Cloud.ListAccounts(ctx, cloud.Params{"name": n.Account, "domainid": n.Domainid})
	if err != nil {
		return nil, err
	}
	if len(accounts) != 1 {
		return nil, fmt.Errorf("account %s is listed %d times", n.Account, len(accounts))
	}
	l, name := Leaves{}, ""
	for _, one := range []struct {
		before, uuid string
		of           usageprobe.Object
	}{{"D", n.Domainid, usageprobe.ObjectDomain}, {"-A", accounts[0].Id, usageprobe.ObjectAccount},
		{"-Z", n.Zoneid, usageprobe.ObjectZone}, {"-V", r.VPCID, usageprobe.ObjectVPC},
		{"-S", n.Id, usageprobe.ObjectNetwork}} {
		if one.uuid == "" {
			continue
		}
		id, err := w.o.IDs(ctx, one.of, one.uuid)
		if err != nil {
			return nil, err
		}
		number := strconv.FormatInt(id, 10)
		name += one.before + number
		switch one.of {
		case usageprobe.ObjectVPC:
			l["vpcId"] = number
		case usageprobe.ObjectNetwork:
			l["nic.networkId"] = number
		}
	}
	l["nic.networkSegmentName"] = name
	if !release.Where(release.NICNamesSegment).Contains(w.o.Release) {
		delete(l, "nic.networkSegmentName")
		delete(l, "nic.networkId")
	}
	return l, nil
}

// settings are the fields that the site's configuration decides, read once.
func (w *Witness) settings(ctx context.Context) (Leaves, error) {
	if w.configured != nil {
		return w.configured, nil
	}
	const prefix = "network.loadbalancer.haproxy.stats."
	all, err := w.o.Cloud.ListConfigurations(ctx, cloud.Params{"keyword": prefix})
	if err != nil {
		return nil, err
	}
	l := Leaves{}
	for _, c := range all {
		field := map[string]string{"visibility": "lbStatsVisibility", "port": "lbStatsPort", "auth": "lbStatsAuth",
			"uri": "lbStatsUri"}[strings.TrimPrefix(c.Name, prefix)]
		if field != "" {
			l[field] = c.Value
		}
	}
	w.configured = l
	return l, nil
}

// offering are the fields that a network's offering decides.
func (w *Witness) offering(ctx context.Context, id string) (Leaves, error) {
	if l := w.offerings[id]; l != nil {
		return l, nil
	}
	var answer struct {
		All []struct {
			NetworkRate, MaxConnections int
		} `json:"networkoffering"`
	}
	if err := w.o.Cloud.Call(ctx, "listNetworkOfferings", cloud.Params{"id": id}, &answer); err != nil {
		return nil, err
	}
	if len(answer.All) != 1 {
		return nil, fmt.Errorf("network offering %s is listed %d times", id, len(answer.All))
	}
	connections := answer.All[0].MaxConnections
	if connections == 0 {
		connections = defaultConnections
	}
	l := Leaves{"nic.networkRateMbps": strconv.Itoa(answer.All[0].NetworkRate),
		"maxconn": strconv.Itoa(connections), "keepAliveEnabled": strconv.FormatBool(w.o.KeepAlive(id))}
	w.offerings[id] = l
	return l, nil
}

// defaultConnections is network.loadbalancer.haproxy.max.conn, which counts where an offering names no number.
const defaultConnections = 4096
