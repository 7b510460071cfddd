package zone

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/stackproof/stackproof/fault"
)

// cause is why a push is sent and for which rule; planted faults choose by it.
type cause struct {
	why  string
	rule *LBRule
}

const (
	causeSticky  = "stickiness"
	causeUpdate  = "algorithm"
	causeMembers = "members"
	causeDelete  = "delete"
	causeEnable  = "enable"
	causeDisable = "disable"
)

type causeKey struct{}

func withCause(ctx context.Context, why string, rule *LBRule) context.Context {
	return context.WithValue(ctx, causeKey{}, cause{why, rule})
}

func causeOf(ctx context.Context) cause {
	c, _ := ctx.Value(causeKey{}).(cause)
	return c
}

// swallowed says whether a planted fault loses the push: it is neither logged nor delivered, and counts as done.
func (z *Zone) swallowed(c cause) bool {
	switch c.why {
	case causeSticky:
		return z.knobs[fault.PushLost] || z.knobs[fault.PushLostWhileEnabled] && c.rule.Group != nil && !c.rule.Group.Disabled()
	case causeUpdate:
		return z.knobs[fault.PushLostUpdate]
	case causeGroup:
		return z.knobs[fault.GroupCreateWithoutPush]
	case causeStart:
		return z.knobs[fault.StartWithoutPush]
	case causeDelete:
		return z.knobs[fault.PushLostDelete]
	case causeMembers:
		return z.knobs[fault.PushLostMembers]
	case causeEnable:
		return z.knobs[fault.EnableWithoutPush]
	case causeDisable:
		return z.knobs[fault.DisableWithoutPush]
	}
	return false
}

// distort applies the planted faults that change a command's rules.
func (z *Zone) distort(cmd *configCommand, c cause) {
	if z.knobs[fault.PushPartial] && c.why == causeSticky && c.rule != nil {
		cmd.LoadBalancers = slices.DeleteFunc(cmd.LoadBalancers, func(b balancerTO) bool { return b.UUID != c.rule.UUID })
	}
	z.distortLB(cmd, c)
	if z.knobs[fault.ReplacedPolicyPushed] && c.why == causeSticky {
		pushReplaced(cmd.LoadBalancers, c.rule)
	}
	if z.knobs[fault.PolicyNotRemoved] {
		z.keepPolicies(cmd.LoadBalancers)
	}
	for i := range cmd.LoadBalancers {
		b := &cmd.LoadBalancers[i]
		if z.knobs[fault.PolicyDropped] || z.knobs[fault.PolicyRemovedOnDisable] && z.onceDisabled[b.UUID] {
			b.Stickiness = nil
		}
		if z.knobs[fault.MemberMissing] && len(b.Destinations) > 0 {
			b.Destinations = b.Destinations[:len(b.Destinations)-1]
		}
		if z.knobs[fault.MemberNotRemoved] {
			for j := range b.Destinations {
				b.Destinations[j].Revoked = boolText(b.Revoked == "true")
			}
		}
	}
	if n := len(cmd.LoadBalancers); z.knobs[fault.PolicyWrongRule] && n > 1 {
		first := cmd.LoadBalancers[0].Stickiness
		for i := 0; i < n-1; i++ {
			cmd.LoadBalancers[i].Stickiness = cmd.LoadBalancers[i+1].Stickiness
		}
		cmd.LoadBalancers[n-1].Stickiness = first
	}
}

func dropPolicies(cmd *configCommand) {
	for i := range cmd.LoadBalancers {
		cmd.LoadBalancers[i].Stickiness = nil
	}
}

// pushReplaced sends the policy that the changed rule's live one replaces in its place.
func pushReplaced(rules []balancerTO, changed *LBRule) {
	if changed == nil || livePolicy(changed) == nil {
		return
	}
	for _, p := range changed.Policies {
		for i := range rules {
			if p.Revoke && rules[i].UUID == changed.UUID {
				rules[i].Stickiness = stickinessTOOf(p)
			}
		}
	}
}

// keepPolicies brings back the last policy that each rule was pushed with.
func (z *Zone) keepPolicies(rules []balancerTO) {
	if z.lastPolicy == nil {
		z.lastPolicy = map[string][]stickinessTO{}
	}
	for i := range rules {
		if len(rules[i].Stickiness) > 0 {
			z.lastPolicy[rules[i].UUID] = rules[i].Stickiness
		}
		rules[i].Stickiness = z.lastPolicy[rules[i].UUID]
	}
}

// stale answers the content that is really sent: with push-stale the one before, for changes of stickiness or algorithm.
func (z *Zone) stale(r *Router, text json.RawMessage, c cause) json.RawMessage {
	if z.previous == nil {
		z.previous = map[int64]json.RawMessage{}
	}
	before := z.previous[r.ID]
	z.previous[r.ID] = text
	if z.knobs[fault.PushStale] && before != nil && (c.why == causeSticky || c.why == causeUpdate) {
		return before
	}
	return text
}
