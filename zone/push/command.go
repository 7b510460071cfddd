package push

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// LoadBalancerCommand is the class name that the management server's log shows.
const LoadBalancerCommand = "com.cloud.agent.api.routing.LoadBalancerConfigCommand"

// The order of the fields below is the order of the recorded lines.

// ConfigCommand is a LoadBalancerConfigCommand.
type ConfigCommand struct {
	LoadBalancers  []BalancerTO  `json:"loadBalancers"`
	Visibility     string        `json:"lbStatsVisibility"`
	PublicIP       string        `json:"lbStatsPublicIP"`
	PrivateIP      string        `json:"lbStatsPrivateIP"`
	GuestIP        string        `json:"lbStatsGuestIP"`
	Port           string        `json:"lbStatsPort"`
	SrcCIDRs       string        `json:"lbStatsSrcCidrs"`
	Auth           string        `json:"lbStatsAuth"`
	URI            string        `json:"lbStatsUri"`
	MaxConn        string        `json:"maxconn"`
	IdleTimeout    string        `json:"idleTimeout,omitempty"`
	KeepAlive      string        `json:"keepAliveEnabled"`
	NIC            nicTO         `json:"nic"`
	VPC            string        `json:"vpcId,omitempty"`
	Access         accessDetails `json:"accessDetails"`
	Wait           string        `json:"wait"`
	BypassHostMode string        `json:"bypassHostMaintenance"`
}

// BalancerTO is a rule in a command.
type BalancerTO struct {
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
	Stickiness   []StickinessTO  `json:"stickinessPolicies,omitempty"`
	Certificate  *certificateTO  `json:"sslCert,omitempty"`
	CIDRs        string          `json:"cidrList,omitempty"`
}

type destinationTO struct {
	IP           string `json:"destIp"`
	Port         string `json:"destPort"`
	Revoked      string `json:"revoked"`
	AlreadyAdded string `json:"alreadyAdded"`
}

// StickinessTO is a policy in a command.
type StickinessTO struct {
	Method string   `json:"methodName"`
	Params []PairTO `json:"params"`
}

// PairTO is a parameter of a policy.
type PairTO struct {
	First  string `json:"t"`
	Second string `json:"u"`
}

// certificateTO is a certificate in a command, with its private key (LoadBalancingRule.LbSslCert@4.22.0.0).
type certificateTO struct {
	Cert        string `json:"cert"`
	Key         string `json:"key"`
	Chain       string `json:"chain,omitempty"`
	Fingerprint string `json:"fingerprint"`
	Revoked     string `json:"revoked"`
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
	OldSecurity  string          `json:"isSecurityGroupEnabled,omitempty"`
	Security     string          `json:"securityGroupEnabled,omitempty"`
}

type accessDetails struct {
	Router  string `json:"router.name"`
	GuestIP string `json:"router.guest.ip"`
	IP      string `json:"router.ip"`
	Zone    string `json:"zone.network.type"`
}

// nicDetails are in the order of the release's map.
func nicDetails(mgr *Manager) json.RawMessage {
	if mgr.On(release.NICNamesSegment) {
		return json.RawMessage(`{"PromiscuousMode":"false","MacAddressChanges":"true",` +
			`"ForgedTransmits":"true","MacLearning":"false"}`)
	}
	return json.RawMessage(`{"MacAddressChanges":"true","MacLearning":"false",` +
		`"ForgedTransmits":"true","PromiscuousMode":"false"}`)
}

func (mgr *Manager) nicTO(r *net.Router, n *net.Network) nicTO {
	nic := mgr.net.GuestNIC(r, n)
	vlan := fmt.Sprintf("vlan://%d", n.VLAN)
	to := nicTO{
		Device: kernel.IntText(nic.Device), Rate: "200", Default: "false", PXEDisable: "true", NICUUID: nic.UUID,
		Details: nicDetails(mgr), DPDK: "false", UUID: n.UUID, IP: net.GuestIP(r, n), Netmask: net.Netmask(n.CIDR),
		MAC: nic.Mac, Broadcast: "Vlan", Type: "Guest", BroadcastURI: vlan, IsolationURI: vlan,
	}
	if mgr.On(release.NICSecurityGroupNamed) {
		to.Security = "false"
	} else {
		to.OldSecurity = "false"
	}
	if r.VPC != nil {
		to.Gateway = n.Gateway.String()
	}
	if mgr.On(release.NICNamesSegment) {
		to.NetworkID = kernel.LongText(n.ID)
		to.Segment = segmentName(n, mgr.net.Site.ID)
	}
	return to
}

// segmentName is D<domain>-A<account>-Z<zone>[-V<vpc>]-S<network>.
func segmentName(n *net.Network, zone int64) string {
	name := fmt.Sprintf("D%d-A%d-Z%d", n.Account.Domain.ID, n.Account.ID, zone)
	if n.VPC != nil {
		name += fmt.Sprintf("-V%d", n.VPC.ID)
	}
	return name + fmt.Sprintf("-S%d", n.ID)
}

// buildCommand is the LoadBalancerConfigCommand of a router for a network: all public rules of the network, for a tier
// those of all tiers of its VPC, revoked ones included (facts: cloudstack.md 3.1).
func buildCommand(mgr *Manager, r *net.Router, n *net.Network) ConfigCommand {
	rules := mgr.RulesOnRouter(r, n)
	to := make([]BalancerTO, 0, len(rules))
	for _, rule := range rules {
		b := balancerTOOf(rule)
		if mgr.On(fault.OtherTierNotPushed) {
			b.Destinations = slices.DeleteFunc(b.Destinations, func(d destinationTO) bool {
				ip, err := netip.ParseAddr(d.IP)
				return err == nil && !rule.Network.CIDR.Contains(ip)
			})
		}
		to = append(to, b)
	}
	maxConn := n.Offering.MaxConn
	if maxConn == 0 {
		maxConn = 4096 // network.loadbalancer.haproxy.max.conn
	}
	cmd := ConfigCommand{
		LoadBalancers: to, Visibility: "global", PublicIP: r.PublicIP.String(), PrivateIP: r.LinkIP.String(),
		GuestIP: net.GuestIP(r, n),
		Port:    "8081", SrcCIDRs: "0/0", Auth: "admin1:AdMiN123", URI: "/admin?stats",
		MaxConn:   kernel.IntText(maxConn),
		KeepAlive: kernel.BoolText(n.Offering.KeepAlive), NIC: mgr.nicTO(r, n),
		Access: accessDetails{Router: r.Name, GuestIP: net.GuestIP(r, n), IP: r.LinkIP.String(), Zone: "Advanced"},
		Wait:   "0", BypassHostMode: "false",
	}
	if mgr.On(release.IdleTimeout) {
		cmd.IdleTimeout = mgr.tenancy.Setting(tenancy.IdleTimeout)
		if mgr.On(fault.IdleTimeoutUnread) {
			cmd.IdleTimeout = "50000"
		}
	}
	if r.VPC != nil {
		cmd.VPC = kernel.LongText(r.VPC.ID)
	}
	return cmd
}

// RulesOnRouter lists the rules that a push for n carries, in the order of their ids.
func (mgr *Manager) RulesOnRouter(r *net.Router, n *net.Network) []*Rule {
	var rules []*Rule
	for _, rule := range mgr.LBRules.All() {
		switch {
		case r.Internal && rule.Internal && rule.Network == n && rule.Address.IP == r.GuestIP:
			rules = append(rules, rule)
			continue
		case r.Internal, rule.Internal && !mgr.On(fault.InternalRulesOnRouter):
			continue
		}
		if rule.Network == n || n.VPC != nil && rule.Network.VPC == n.VPC {
			rules = append(rules, rule)
		}
	}
	return rules
}

func balancerTOOf(rule *Rule) BalancerTO {
	to := BalancerTO{
		UUID: rule.UUID, SrcIP: rule.Address.IP.String(), SrcPort: kernel.IntText(rule.StartPort),
		Protocol:   rule.Protocol,
		LBProtocol: rule.LBProtocol, Algorithm: rule.Algorithm,
		Revoked: kernel.BoolText(rule.State == firewall.StateRevoke), AlreadyAdded: "false",
		Inline: "false", Destinations: []destinationTO{}, CIDRs: firewall.JoinCIDRs(rule.CIDRs),
	}
	for _, m := range rule.Members {
		to.Destinations = append(to.Destinations, destinationTO{
			IP: m.IP.String(), Port: kernel.IntText(rule.PrivateStart), Revoked: kernel.BoolText(m.Revoke),
			AlreadyAdded: "false",
		})
	}
	if p := livePolicy(rule); p != nil {
		to.Stickiness = stickinessTOOf(p)
	}
	if b := rule.Certificate; b != nil {
		to.Certificate = &certificateTO{Cert: b.Text, Key: b.Key, Chain: b.Chain,
			Fingerprint: b.Fingerprint(), Revoked: kernel.BoolText(b.Revoke)}
	}
	return to
}

func stickinessTOOf(p *Policy) []StickinessTO {
	params := []PairTO{}
	for _, kv := range p.Params {
		params = append(params, PairTO{kv[0], kv[1]})
	}
	return []StickinessTO{{Method: p.Method, Params: params}}
}

// livePolicy is the one policy that a push carries: the last that is not revoked.
func livePolicy(rule *Rule) *Policy {
	for i := len(rule.Policies) - 1; i >= 0; i-- {
		if !rule.Policies[i].Revoke {
			return rule.Policies[i]
		}
	}
	return nil
}

// encode writes the command under its class name, as it stands in the log and goes to the router.
func (c ConfigCommand) encode() (json.RawMessage, error) {
	text, err := json.Marshal(map[string]ConfigCommand{LoadBalancerCommand: c})
	if err != nil {
		return nil, fmt.Errorf("writing a LoadBalancerConfigCommand: %w", err)
	}
	return text, nil
}
