package zone

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
)

// loadBalancerCommand is the class name that the management server's log shows.
const loadBalancerCommand = "com.cloud.agent.api.routing.LoadBalancerConfigCommand"

// boolText, intText and longText are how the agent protocol's JSON writes booleans and numbers: every scalar is text
// (facts: confirmed.md 7).
func boolText(b bool) string  { return strconv.FormatBool(b) }
func intText(n int) string    { return strconv.Itoa(n) }
func longText(n int64) string { return strconv.FormatInt(n, 10) }

// The order of the fields below is the order of the recorded lines.

type configCommand struct {
	LoadBalancers  []balancerTO  `json:"loadBalancers"`
	Visibility     string        `json:"lbStatsVisibility"`
	PublicIP       string        `json:"lbStatsPublicIP"`
	PrivateIP      string        `json:"lbStatsPrivateIP"`
	GuestIP        string        `json:"lbStatsGuestIP"`
	Port           string        `json:"lbStatsPort"`
	SrcCIDRs       string        `json:"lbStatsSrcCidrs"`
	Auth           string        `json:"lbStatsAuth"`
	URI            string        `json:"lbStatsUri"`
	MaxConn        string        `json:"maxconn"`
	KeepAlive      string        `json:"keepAliveEnabled"`
	NIC            nicTO         `json:"nic"`
	VPC            string        `json:"vpcId,omitempty"`
	Access         accessDetails `json:"accessDetails"`
	Wait           string        `json:"wait"`
	BypassHostMode string        `json:"bypassHostMaintenance"`
}

type balancerTO struct {
	UUID         string          `json:"uuid"`
	SrcIP        string          `json:"srcIp"`
	SrcPort      string          `json:"srcPort"`
	Protocol     string          `json:"protocol"`
	LBProtocol   string          `json:"lbProtocol,omitempty"`
	Algorithm    string          `json:"algorithm"`
	Revoked      string          `json:"revoked"`
	AlreadyAdded string          `json:"alreadyAdded"`
	Inline       string          `json:"inline"`
	Destinations []destinationTO `json:"destinations"`
	Stickiness   []stickinessTO  `json:"stickinessPolicies,omitempty"`
	CIDRs        string          `json:"cidrList,omitempty"`
}

type destinationTO struct {
	IP           string `json:"destIp"`
	Port         string `json:"destPort"`
	Revoked      string `json:"revoked"`
	AlreadyAdded string `json:"alreadyAdded"`
}

type stickinessTO struct {
	Method string   `json:"methodName"`
	Params []pairTO `json:"params"`
}

type pairTO struct {
	First  string `json:"t"`
	Second string `json:"u"`
}

type nicTO struct {
	Device       string          `json:"deviceId"`
	Rate         string          `json:"networkRateMbps"`
	Default      string          `json:"defaultNic"`
	PXEDisable   string          `json:"pxeDisable"`
	NICUUID      string          `json:"nicUuid"`
	Details      json.RawMessage `json:"details"`
	DPDK         string          `json:"dpdkEnabled"`
	NetworkID    string          `json:"networkId,omitempty"`
	Segment      string          `json:"networkSegmentName,omitempty"`
	UUID         string          `json:"uuid"`
	IP           string          `json:"ip"`
	Netmask      string          `json:"netmask"`
	Gateway      string          `json:"gateway,omitempty"`
	MAC          string          `json:"mac"`
	Broadcast    string          `json:"broadcastType"`
	Type         string          `json:"type"`
	BroadcastURI string          `json:"broadcastUri"`
	IsolationURI string          `json:"isolationUri"`
	SecurityGrp  string          `json:"isSecurityGroupEnabled"`
}

type accessDetails struct {
	Router  string `json:"router.name"`
	GuestIP string `json:"router.guest.ip"`
	IP      string `json:"router.ip"`
	Zone    string `json:"zone.network.type"`
}

// routerNIC is a router's interface in a guest network.
type routerNIC struct {
	uuid, mac string
	device    int
}

// guestNIC is the router's interface in n, plugged when first asked for. A VPC's router has control and public interfaces
// before the tiers'.
func (z *Zone) guestNIC(r *Router, n *Network) routerNIC {
	if z.nics == nil {
		z.nics = map[nicKey]routerNIC{}
	}
	key := nicKey{r.ID, n.ID}
	if have, ok := z.nics[key]; ok {
		return have
	}
	nic := routerNIC{uuid: z.uuid(), mac: fmt.Sprintf("02:03:00:%02x:00:02", n.ID&0xff)}
	if r.VPC != nil {
		nic.device = 2
		for other := range z.nics {
			if other.router == r.ID {
				nic.device++
			}
		}
	}
	z.nics[key] = nic
	return nic
}

type nicKey struct{ router, network int64 }

// nicDetails are in the order of the release's map.
func (z *Zone) nicDetails() json.RawMessage {
	if z.knobs[release.NICNamesSegment] {
		return json.RawMessage(`{"PromiscuousMode":"false","MacAddressChanges":"true","ForgedTransmits":"true","MacLearning":"false"}`)
	}
	return json.RawMessage(`{"MacAddressChanges":"true","MacLearning":"false","ForgedTransmits":"true","PromiscuousMode":"false"}`)
}

func (z *Zone) nicTO(r *Router, n *Network) nicTO {
	nic := z.guestNIC(r, n)
	vlan := fmt.Sprintf("vlan://%d", n.VLAN)
	to := nicTO{
		Device: intText(nic.device), Rate: "200", Default: "false", PXEDisable: "true", NICUUID: nic.uuid,
		Details: z.nicDetails(), DPDK: "false", UUID: n.UUID, IP: guestIP(r, n), Netmask: netmask(n.CIDR),
		MAC: nic.mac, Broadcast: "Vlan", Type: "Guest", BroadcastURI: vlan, IsolationURI: vlan, SecurityGrp: "false",
	}
	if r.VPC != nil {
		to.Gateway = n.Gateway.String()
	}
	if z.knobs[release.NICNamesSegment] {
		to.NetworkID = longText(n.ID)
		to.Segment = segmentName(n, z.site.ID)
	}
	return to
}

// segmentName is D<domain>-A<account>-Z<zone>[-V<vpc>]-S<network>.
func segmentName(n *Network, zone int64) string {
	name := fmt.Sprintf("D%d-A%d-Z%d", n.Account.Domain.ID, n.Account.ID, zone)
	if n.VPC != nil {
		name += fmt.Sprintf("-V%d", n.VPC.ID)
	}
	return name + fmt.Sprintf("-S%d", n.ID)
}

// guestIP is the router's address in n: the gateway, but for redundant routers, which share it.
func guestIP(r *Router, n *Network) string {
	if (r.Redundant != "" || r.Internal) && r.GuestIP.IsValid() && n.CIDR.Contains(r.GuestIP) {
		return r.GuestIP.String()
	}
	return n.Gateway.String()
}

// buildCommand is the LoadBalancerConfigCommand of a router for a network: all public rules of the network, for a tier
// those of all tiers of its VPC, revoked ones included (facts: cloudstack.md 3.1).
func (z *Zone) buildCommand(r *Router, n *Network) configCommand {
	rules := z.rulesOnRouter(r, n)
	to := make([]balancerTO, 0, len(rules))
	for _, rule := range rules {
		to = append(to, balancerTOOf(rule))
	}
	maxConn := n.Offering.MaxConn
	if maxConn == 0 {
		maxConn = 4096 // network.loadbalancer.haproxy.max.conn
	}
	cmd := configCommand{
		LoadBalancers: to, Visibility: "global", PublicIP: r.PublicIP.String(), PrivateIP: r.LinkIP.String(), GuestIP: guestIP(r, n),
		Port: "8081", SrcCIDRs: "0/0", Auth: "admin1:AdMiN123", URI: "/admin?stats", MaxConn: intText(maxConn),
		KeepAlive: boolText(n.Offering.KeepAlive), NIC: z.nicTO(r, n),
		Access: accessDetails{Router: r.Name, GuestIP: guestIP(r, n), IP: r.LinkIP.String(), Zone: "Advanced"},
		Wait:   "0", BypassHostMode: "false",
	}
	if r.VPC != nil {
		cmd.VPC = longText(r.VPC.ID)
	}
	return cmd
}

// rulesOnRouter lists the rules that a push for n carries, in the order of their ids.
func (z *Zone) rulesOnRouter(r *Router, n *Network) []*LBRule {
	var rules []*LBRule
	for _, rule := range z.lbRules {
		switch {
		case r.Internal && rule.Internal && rule.Network == n && rule.Address.IP == r.GuestIP:
			rules = append(rules, rule)
			continue
		case r.Internal, rule.Internal && !z.knobs[fault.InternalRulesOnRouter]:
			continue
		}
		if rule.Network == n || n.VPC != nil && rule.Network.VPC == n.VPC {
			rules = append(rules, rule)
		}
	}
	return rules
}

func balancerTOOf(rule *LBRule) balancerTO {
	to := balancerTO{
		UUID: rule.UUID, SrcIP: rule.Address.IP.String(), SrcPort: intText(rule.StartPort), Protocol: rule.Protocol,
		LBProtocol: rule.LBProtocol, Algorithm: rule.Algorithm, Revoked: boolText(rule.State == stateRevoke), AlreadyAdded: "false",
		Inline: "false", Destinations: []destinationTO{}, CIDRs: joinCIDRs(rule.CIDRs),
	}
	for _, m := range rule.Members {
		to.Destinations = append(to.Destinations, destinationTO{
			IP: m.IP.String(), Port: intText(rule.PrivateStart), Revoked: boolText(m.Revoke), AlreadyAdded: "false",
		})
	}
	if p := livePolicy(rule); p != nil {
		to.Stickiness = stickinessTOOf(p)
	}
	return to
}

func stickinessTOOf(p *Policy) []stickinessTO {
	params := []pairTO{}
	for _, kv := range p.Params {
		params = append(params, pairTO{kv[0], kv[1]})
	}
	return []stickinessTO{{Method: p.Method, Params: params}}
}

// livePolicy is the one policy that a push carries: the last that is not revoked.
func livePolicy(rule *LBRule) *Policy {
	for i := len(rule.Policies) - 1; i >= 0; i-- {
		if !rule.Policies[i].Revoke {
			return rule.Policies[i]
		}
	}
	return nil
}

// encode writes the command under its class name, as it stands in the log and goes to the router.
func (c configCommand) encode() (json.RawMessage, error) {
	text, err := json.Marshal(map[string]configCommand{loadBalancerCommand: c})
	if err != nil {
		return nil, fmt.Errorf("writing a LoadBalancerConfigCommand: %w", err)
	}
	return text, nil
}
