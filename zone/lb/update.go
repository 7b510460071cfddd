package lb

import (
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// updateRule changes a rule. It pushes only when the algorithm is another text than the stored one, upper and lower
// case apart; a new protocol waits for the next push (facts: cloudstack.md 2.5).
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
	if r.Algorithm == before.Algorithm {
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
		r.Name, r.Algorithm = before.Name, before.Algorithm
		if before.Text != "" {
			r.Text = before.Text
		}
		if err := mgr.firewall.SetRuleState(ctx, &r.Rule, state); err != nil {
			return nil, err
		}
		if err := mgr.saveRule(c, r); err != nil {
			return nil, err
		}
		return nil, api.Internal("Failed to update load balancer rule: %d", r.ID)
	case err != nil:
		return nil, err
	}
	return obj{"loadbalancer": answer}, nil
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
	if mgr.supported(r) != nil {
		return api.Invalid("Modifications in lb rule %d are not supported.", r.ID)
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
		"lb_protocol": kernel.NullText(r.LBProtocol),
	})
}
