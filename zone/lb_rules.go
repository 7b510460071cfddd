package zone

import (
	"context"
	"slices"
	"time"

	"github.com/stackproof/stackproof/fault"
)

// The rows behind rules. firewall_rules numbers every kind of rule from one sequence; a load balancer or port forwarding
// rule has a second row under the same id (facts: cloudstack.md 1.4).

// insertRule writes the firewall_rules row and gives the rule its id.
func (z *Zone) insertRule(ctx context.Context, r *rule) error {
	r.UUID, r.Created, r.State = z.uuid(), z.now(), stateStaged
	row := obj{
		"uuid": r.UUID, "ip_address_id": nullID(r.Address.ID), "start_port": nullPort(r.StartPort), "end_port": nullPort(r.EndPort), "state": r.State,
		"protocol": r.Protocol, "purpose": r.Purpose, "account_id": r.Account.ID, "domain_id": r.Account.Domain.ID,
		"network_id": r.Network.ID, "xid": z.uuid(), "created": r.Created, "type": "User", "display": 1,
	}
	if r.Related != nil {
		row["related"] = r.Related.ID
	}
	if r.Purpose == purposeFirewall {
		row["traffic_type"] = "Ingress"
	}
	id, err := z.insert(ctx, "cloud.firewall_rules", row)
	r.ID = id
	return err
}

// nullID leaves out the id of an internal address, which is none of the zone's public ones.
func nullID(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// nullPort leaves out the ports of rules without any (ICMP).
func nullPort(p int) any {
	if p == 0 {
		return nil
	}
	return p
}

func (z *Zone) setRuleState(ctx context.Context, r *rule, state string) error {
	if r.State == state {
		return nil
	}
	r.State = state
	return z.update(ctx, "cloud.firewall_rules", r.ID, obj{"state": state})
}

// removeLBRule deletes the rule for good, with its mappings and policies; a related firewall rule goes with its row.
func (z *Zone) removeLBRule(ctx context.Context, r *LBRule) error {
	if !slices.Contains(z.lbRules, r) {
		return nil
	}
	for _, m := range r.Members {
		if err := z.remove(ctx, "cloud.load_balancer_vm_map", m.ID); err != nil {
			return err
		}
	}
	for _, p := range r.Policies {
		if err := z.remove(ctx, "cloud.load_balancer_stickiness_policies", p.ID); err != nil {
			return err
		}
	}
	for _, fw := range slices.Clone(z.fwRules) {
		if fw.Related == &r.rule {
			if err := z.removeFWRule(ctx, fw); err != nil {
				return err
			}
		}
	}
	if err := z.remove(ctx, "cloud.load_balancing_rules", r.ID); err != nil {
		return err
	}
	if err := z.remove(ctx, "cloud.firewall_rules", r.ID); err != nil {
		return err
	}
	z.lbRules = slices.DeleteFunc(z.lbRules, func(o *LBRule) bool { return o == r })
	if z.knobs[fault.RuleListedAfterDelete] {
		z.ghosts = append(z.ghosts, r)
	}
	return nil
}

// removeMember deletes a mapping.
func (z *Zone) removeMember(ctx context.Context, r *LBRule, m *Member) error {
	r.Members = slices.DeleteFunc(r.Members, func(o *Member) bool { return o == m })
	return z.remove(ctx, "cloud.load_balancer_vm_map", m.ID)
}

func (z *Zone) setMemberRevoke(ctx context.Context, m *Member, revoke bool) error {
	if m.Revoke == revoke {
		return nil
	}
	m.Revoke = revoke
	return z.update(ctx, "cloud.load_balancer_vm_map", m.ID, obj{"revoke": revoke})
}

func (z *Zone) setPolicyRevoke(ctx context.Context, p *Policy, revoke bool) error {
	if p.Revoke == revoke {
		return nil
	}
	p.Revoke = revoke
	return z.update(ctx, "cloud.load_balancer_stickiness_policies", p.ID, obj{"revoke": revoke})
}

func (z *Zone) removePolicy(ctx context.Context, r *LBRule, p *Policy) error {
	r.Policies = slices.DeleteFunc(r.Policies, func(o *Policy) bool { return o == p })
	return z.remove(ctx, "cloud.load_balancer_stickiness_policies", p.ID)
}

// applyRule pushes the configuration of the rule's network and carries out what a good push ends.
func (z *Zone) applyRule(ctx context.Context, r *LBRule) error {
	if err := z.pushNetwork(ctx, r.Network); err != nil {
		return err
	}
	return z.afterPush(ctx, r)
}

// afterPush is the state of a rule once the router has it: Revoke goes away, Add becomes Active, revoked mappings and
// policies are deleted, and a rule without mappings is back in Add. A VPC's address whose last rule went is untied from
// its tier (LoadBalancingRulesManagerImpl.applyLoadBalancerRules@4.20.0.0).
func (z *Zone) afterPush(ctx context.Context, r *LBRule) error {
	switch r.State {
	case stateRevoke:
		if err := z.removeLBRule(ctx, r); err != nil {
			return err
		}
		return z.untieAddress(ctx, r.Address)
	case stateAdd:
		if err := z.setRuleState(ctx, &r.rule, stateActive); err != nil {
			return err
		}
	}
	for _, m := range slices.Clone(r.Members) {
		if m.Revoke {
			if err := z.removeMember(ctx, r, m); err != nil {
				return err
			}
		}
	}
	if len(r.Members) == 0 {
		if err := z.setRuleState(ctx, &r.rule, stateAdd); err != nil {
			return err
		}
	}
	for _, p := range slices.Clone(r.Policies) {
		if p.Revoke {
			if err := z.removePolicy(ctx, r, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// tieAddress ties a VPC's free address to the tier that its first rule names.
func (z *Zone) tieAddress(ctx context.Context, a *Address, n *Network) error {
	if a.Network != nil || a.VPC == nil || n == nil || n.VPC != a.VPC {
		return nil
	}
	a.Network = n
	return z.update(ctx, "cloud.user_ip_address", a.ID, obj{"network_id": n.ID})
}

// untieAddress unties a VPC's address from its tier when no rule is left on it.
func (z *Zone) untieAddress(ctx context.Context, a *Address) error {
	if a.VPC == nil || a.Network == nil || a.StaticNAT || z.netHooks.ruled(a) {
		return nil
	}
	a.Network = nil
	return z.update(ctx, "cloud.user_ip_address", a.ID, obj{"network_id": nil})
}

// rulesOnAddress lists the rules of every kind on an address, in the order of their ids.
func (z *Zone) rulesOnAddress(a *Address) []*rule {
	var rules []*rule
	rules = append(rules, z.firewallHooks.balanced(a)...)
	for _, r := range z.pfRules {
		rules = append(rules, &r.rule)
	}
	rules = append(rules, z.fwRules...)
	rules = slices.DeleteFunc(rules, func(r *rule) bool { return r.Address != a })
	slices.SortFunc(rules, func(x, y *rule) int { return int(x.ID - y.ID) })
	return rules
}

// lbUsage writes LB.CREATE or LB.DELETE for a rule.
func (z *Zone) lbUsage(ctx context.Context, typ string, r *LBRule) error {
	id, times := r.ID, 1
	if typ == "LB.CREATE" {
		if z.knobs[fault.CreateEventLost] {
			return nil
		}
		return z.usageEvent(ctx, typ, r.Account, z.site.ID, id, nil)
	}
	switch {
	case z.knobs[fault.DeleteEventLost], z.knobs[fault.ReleaseEventLost] && releasing(ctx):
		return nil
	case z.knobs[fault.DeleteEventTwice]:
		times = 2
	case z.knobs[fault.DeleteEventWrongRule]:
		for _, other := range z.lbRules {
			if other != r && other.Account == r.Account {
				id = other.ID
			}
		}
	case z.knobs[fault.DeleteEventLate]:
		account := r.Account
		z.at(z.now().Add(eventShift), "a late LB.DELETE", func(ctx context.Context) {
			if err := z.usageEvent(ctx, typ, account, z.site.ID, id, nil); err != nil {
				z.log.Error("writing a late usage event", "err", err)
			}
		})
		return nil
	case z.knobs[fault.DeleteEventEarly]:
		return z.usageEvent(ctx, typ, r.Account, z.site.ID, id, obj{"created": z.now().Add(-eventShift)})
	}
	for range times {
		if err := z.usageEvent(ctx, typ, r.Account, z.site.ID, id, nil); err != nil {
			return err
		}
	}
	return nil
}

// eventShift is how far the planted faults move a usage event in time.
const eventShift = 10 * time.Minute
