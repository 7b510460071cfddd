package zone

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
)

// updateRule changes a rule. It pushes only when the algorithm is another text than the stored one, upper and lower case
// apart; a new protocol waits for the next push (facts: cloudstack.md 2.5).
func updateRule(z *Zone, c *call) (obj, error) {
	ctx := c.ctx
	r, err := lbRuleParam(z, c, "id")
	if err != nil {
		return nil, err
	}
	before := *r
	if err := changeRule(z, c, r); err != nil {
		*r = before
		return nil, err
	}
	if r.Algorithm == before.Algorithm {
		return obj{"loadbalancer": z.ruleAnswer(r)}, nil
	}
	state := r.State
	if err := z.setRuleState(ctx, &r.rule, stateAdd); err != nil {
		return nil, err
	}
	answer := z.ruleAnswer(r) // the release answers with the rule as it was before the push
	err = z.applyRule(withCause(ctx, causeUpdate, r), r)
	switch {
	case unavailable(err):
		r.Name, r.Algorithm = before.Name, before.Algorithm
		if before.Text != "" {
			r.Text = before.Text
		}
		if err := z.setRuleState(ctx, &r.rule, state); err != nil {
			return nil, err
		}
		if err := z.saveRule(c, r); err != nil {
			return nil, err
		}
		return nil, api.Internal("Failed to update load balancer rule: %d", r.ID)
	case err != nil:
		return nil, err
	}
	return obj{"loadbalancer": answer}, nil
}

// changeRule takes over what the call names, after the checks that the release makes.
func changeRule(z *Zone, c *call, r *LBRule) error {
	if v := c.str("name"); v != "" {
		r.Name = v
	}
	if c.has("description") {
		r.Text = c.str("description")
	}
	if v := c.str("algorithm"); v != "" && !z.knobs[fault.AlgorithmUpdateIgnored] {
		r.Algorithm = v // unlike at creation, no release looks at what it says
	}
	if v := c.str("protocol"); v != "" {
		r.LBProtocol = v
	}
	if v := c.str("customid"); v != "" && callerOf(c).Account.Type == 1 {
		r.UUID = v
	}
	r.Display = c.boolean("fordisplay", r.Display)
	if z.supported(r) != nil {
		return api.Invalid("Modifications in lb rule %d are not supported.", r.ID)
	}
	return z.saveRule(c, r)
}

// saveRule mirrors what an update may change.
func (z *Zone) saveRule(c *call, r *LBRule) error {
	if err := z.update(c.ctx, "cloud.firewall_rules", r.ID, obj{"uuid": r.UUID, "display": r.Display}); err != nil {
		return err
	}
	return z.update(c.ctx, "cloud.load_balancing_rules", r.ID, obj{
		"name": r.Name, "description": nullText(r.Text), "algorithm": r.Algorithm, "lb_protocol": nullText(r.LBProtocol),
	})
}
