package lb

import (
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// updateRule changes a rule and pushes what changed. When the push fails, the rule is as it was, but for its protocol.
func updateRule(mgr *Manager, c *kernel.Call) (obj, error) {
	ctx := c.Ctx
	r, err := LBRuleParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	before := *r
	if err := changeRule(mgr, c, r); err != nil {
		*r = before
		return nil, err
	}
	if !mgr.pushes(c, &before, r) {
		return obj{"loadbalancer": RuleAnswer(mgr, r)}, nil
	}
	state := r.State
	if err := mgr.firewall.SetRuleState(ctx, &r.Rule, firewall.StateAdd); err != nil {
		return nil, err
	}
	answer := RuleAnswer(mgr, r) // the release answers with the rule as it was before the push
	err = mgr.applyRule(ctx, r, push.Update)
	switch {
	case kernel.Unavailable(err):
		return nil, mgr.rollBack(c, r, &before, state)
	case err != nil:
		return nil, err
	case r.LBProtocol == "" && mgr.On(release.UpdateWithoutProtocolFails):
		return nil, api.Internal(`Cannot invoke "String.equals(Object)" because the return value of ` +
			`"com.cloud.network.dao.LoadBalancerVO.getLbProtocol()" is null`)
	}
	return obj{"loadbalancer": answer}, nil
}

// pushes says whether an update is pushed: up to 4.21 when the algorithm is another text than the stored one, upper and
// lower case apart; a new protocol waits for the next push (facts: cloudstack.md 2.5). From 4.22 on algorithm and
// protocol as given are held against the stored ones, and what is not given is another text.
func (mgr *Manager) pushes(c *kernel.Call, before, r *push.Rule) bool {
	if !mgr.On(release.UpdatePushesAlways) {
		return r.Algorithm != before.Algorithm || r.SourceList() != before.SourceList()
	}
	return c.Str("algorithm") != before.Algorithm || c.Str("protocol") != before.LBProtocol ||
		r.SourceList() != before.SourceList()
}

// rollBack undoes an update that could not be pushed, and is the call's error.
func (mgr *Manager) rollBack(c *kernel.Call, r, before *push.Rule, state string) error {
	r.Name, r.Algorithm, r.CIDRs, r.CommaCIDRs = before.Name, before.Algorithm, before.CIDRs, before.CommaCIDRs
	if before.Text != "" {
		r.Text = before.Text
	}
	if !mgr.On(release.UpdateProtocolNotRestored) {
		r.LBProtocol = before.LBProtocol
	}
	if err := mgr.firewall.SetRuleState(c.Ctx, &r.Rule, state); err != nil {
		return err
	}
	if err := mgr.saveRule(c, r); err != nil {
		return err
	}
	return api.Internal("Failed to update load balancer rule: %s", mgr.RuleText(r, kernel.LongText(r.ID)))
}

// changeRule takes over what the call names, after the checks that the release makes.
func changeRule(mgr *Manager, c *kernel.Call, r *push.Rule) error {
	if v := c.Str("name"); v != "" {
		r.Name = v
	}
	if c.Has("description") {
		r.Text = c.Str("description")
	}
	if v := c.Str("algorithm"); v != "" {
		r.Algorithm = v // unlike at creation, no release looks at what it says
	}
	if v := c.Str("protocol"); v != "" {
		r.LBProtocol = v
	}
	if v := c.Str("customid"); v != "" && tenancy.Caller(c).Account.Type == 1 {
		r.UUID = v
	}
	r.Display = c.Boolean("fordisplay", r.Display)
	if c.Has("cidrlist") {
		cidrs, err := sourceList(mgr, c)
		if err != nil {
			return api.Invalid("Invalid CIDR list: %s", strings.Join(c.List("cidrlist"), ","))
		}
		r.CIDRs, r.CommaCIDRs = cidrs, true
	}
	if err := mgr.knownProtocol(r); err != nil && len(mgr.net.RoutersOf(r.Network)) > 0 {
		return err
	}
	if mgr.supported(r) != nil {
		return api.Invalid("Modifications in lb rule %s are not supported.", mgr.RuleText(r, kernel.LongText(r.ID)))
	}
	return mgr.saveRule(c, r)
}

// saveRule mirrors what an update may change.
func (mgr *Manager) saveRule(c *kernel.Call, r *push.Rule) error {
	if err := mgr.Update(c.Ctx, "cloud.firewall_rules", r.ID, obj{"uuid": r.UUID, "display": r.Display}); err != nil {
		return err
	}
	return mgr.Update(c.Ctx, "cloud.load_balancing_rules", r.ID, obj{
		"name": r.Name, "description": kernel.NullText(r.Text), "algorithm": r.Algorithm,
		"lb_protocol": kernel.NullText(r.LBProtocol), "cidr_list": kernel.NullText(r.SourceList()),
	})
}
