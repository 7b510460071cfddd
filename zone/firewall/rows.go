package firewall

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

const (
	PurposeLB       = "LoadBalancing"
	purposePF       = "PortForwarding"
	purposeFirewall = "Firewall"
)

// ShownState is the state's name in answers.
func ShownState(s string) string {
	if s == StateRevoke {
		return "Deleting"
	}
	return s
}

// JoinCIDRs writes a source list as rows and pushes have it.
func JoinCIDRs(cidrs []string) string { return strings.Join(cidrs, " ") }

// Conflict compares a new rule with the live ones of its address (FirewallManagerImpl.detectRulesConflict@4.20.0.0).
func (mgr *Manager) Conflict(r *Rule) error {
	for _, o := range mgr.RulesOnAddress(r.Address) {
		if o == r || o.State == StateRevoke {
			continue
		}
		bothFirewall := o.Purpose == purposeFirewall && r.Purpose == purposeFirewall
		if o.Network != r.Network && mgr.apart(o, r) {
			return api.Conflict("New rule is for a different network than what's specified in rule %s%s", o.UUID,
				mgr.notConserved(r.Network.VPC))
		}
		oneFirewall := (o.Purpose == purposeFirewall || r.Purpose == purposeFirewall) &&
			(o.Purpose != r.Purpose || !strings.EqualFold(o.Protocol, r.Protocol))
		if oneFirewall || bothFirewall && !shareCIDR(o.CIDRs, r.CIDRs) {
			continue
		}
		if o.StartPort == 0 || r.StartPort == 0 || o.StartPort > r.EndPort || o.EndPort < r.StartPort {
			continue
		}
		if o.Purpose == purposePF && r.Purpose == purposePF && !strings.EqualFold(o.Protocol, r.Protocol) {
			continue
		}
		return api.Conflict("The range specified, %d-%d, conflicts with rule %s which has %d-%d", r.StartPort,
			r.EndPort, mgr.ruleText(o), o.StartPort, o.EndPort)
	}
	return nil
}

// apart says whether a new rule may not stand beside one of another network. By the defect of a release to come that
// is also one of the VPC's firewall, which has no network (FirewallManagerImpl.detectRulesConflict@main).
func (mgr *Manager) apart(o, r *Rule) bool {
	if r.ofVPC() || r.Network.VPC.Conserves() {
		return false
	}
	return !o.ofVPC() || mgr.On(release.VPCFirewallBarsRules)
}

// notConserved is what the text of a conflict adds for a VPC (FirewallManagerImpl.java@main).
func (mgr *Manager) notConserved(v *net.VPC) string {
	if v == nil || !mgr.On(release.VPCConserveMode) {
		return ""
	}
	return fmt.Sprintf(" - VPC id=%s is not using conserve mode", v.UUID)
}

// ofVPC says whether a rule belongs to a VPC and to none of its tiers.
func (r *Rule) ofVPC() bool { return r.VPC != nil }

// networkID is nothing for a rule of a VPC.
func (r *Rule) networkID() any {
	if r.ofVPC() {
		return nil
	}
	return r.Network.ID
}

// ruleText names a rule of any kind (FirewallRuleVO@4.20.1.0).
func (mgr *Manager) ruleText(r *Rule) string {
	return mgr.ObjectText(kernel.LongText(r.ID), "FirewallRule", "id", r.ID, "networkId", r.networkID(), "purpose",
		r.Purpose, "state", r.State, "uuid", r.UUID)
}

func shareCIDR(a, b []string) bool {
	return slices.ContainsFunc(a, func(one string) bool { return slices.Contains(b, one) })
}

// The rows behind rules. firewall_rules numbers every kind of rule from one sequence; a load balancer or port
// forwarding rule has a second row under the same id (facts: cloudstack.md 1.4).

// InsertRule writes the firewall_rules row and gives the rule its id.
func (mgr *Manager) InsertRule(ctx context.Context, r *Rule) error {
	r.UUID, r.Created, r.State = mgr.UUID(), mgr.Now(), StateStaged
	row := obj{
		"uuid": r.UUID, "ip_address_id": r.addressID(), "start_port": nullPort(r.StartPort),
		"end_port": nullPort(r.EndPort), "state": r.State,
		"protocol": r.Protocol, "purpose": r.Purpose, "account_id": r.Account.ID, "domain_id": r.Account.Domain.ID,
		"network_id": r.networkID(), "xid": mgr.UUID(), "created": r.Created, "type": "User", "display": 1,
	}
	if r.ofVPC() {
		row["vpc_id"] = r.VPC.ID
	}
	if r.Related != nil {
		row["related"] = r.Related.ID
	}
	if r.Purpose == purposeFirewall {
		row["traffic_type"] = cmp.Or(r.Traffic, "Ingress")
	}
	id, err := mgr.Insert(ctx, "cloud.firewall_rules", row)
	r.ID = id
	return err
}

// addressID leaves out the id of an internal address, which is none of the zone's public ones, and of no address.
func (r *Rule) addressID() any {
	if r.Address == nil || r.Address.ID == 0 {
		return nil
	}
	return r.Address.ID
}

// nullPort leaves out the ports of rules without any (ICMP).
func nullPort(p int) any {
	if p == 0 {
		return nil
	}
	return p
}

// SetRuleState changes the state of a rule and its row.
func (mgr *Manager) SetRuleState(ctx context.Context, r *Rule, state string) error {
	if r.State == state {
		return nil
	}
	r.State = state
	return mgr.Update(ctx, "cloud.firewall_rules", r.ID, obj{"state": state})
}

// RulesOnAddress lists the rules of every kind on an address, in the order of their ids.
func (mgr *Manager) RulesOnAddress(a *net.Address) []*Rule {
	var rules []*Rule
	rules = append(rules, mgr.Hooks.Balanced(a)...)
	for _, r := range mgr.PFRules.All() {
		rules = append(rules, &r.Rule)
	}
	rules = append(rules, mgr.FWRules.All()...)
	rules = slices.DeleteFunc(rules, func(r *Rule) bool { return r.Address != a })
	slices.SortFunc(rules, func(x, y *Rule) int { return int(x.ID - y.ID) })
	return rules
}

// Rule states of cloud.firewall_rules.
const (
	StateStaged = "Staged"
	StateAdd    = "Add"
	StateActive = "Active"
	StateRevoke = "Revoke"
)
