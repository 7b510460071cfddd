package push

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

// cause is why a push is sent and for which rule; planted faults choose by it.
type cause struct {
	why  string
	rule *Rule
}

const (
	CauseSticky  = "stickiness"
	CauseUpdate  = "algorithm"
	CauseMembers = "members"
	CauseDelete  = "delete"
	CauseEnable  = "enable"
	CauseDisable = "disable"
)

type causeKey struct{}

func WithCause(ctx context.Context, why string, rule *Rule) context.Context {
	return context.WithValue(ctx, causeKey{}, cause{why, rule})
}

func causeOf(ctx context.Context) cause {
	c, _ := ctx.Value(causeKey{}).(cause)
	return c
}

// swallowed says whether a planted fault loses the push: it is neither logged nor delivered, and counts as done.
func (mgr *Manager) swallowed(c cause) bool {
	switch c.why {
	case CauseSticky:
		return mgr.On(fault.PushLost) || mgr.On(fault.PushLostWhileEnabled) && c.rule.Group != nil && !c.rule.Group.Disabled()
	case CauseUpdate:
		return mgr.On(fault.PushLostUpdate)
	case CauseGroup:
		return mgr.On(fault.GroupCreateWithoutPush)
	case causeStart:
		return mgr.On(fault.StartWithoutPush)
	case CauseDelete:
		return mgr.On(fault.PushLostDelete)
	case CauseMembers:
		return mgr.On(fault.PushLostMembers)
	case CauseEnable:
		return mgr.On(fault.EnableWithoutPush)
	case CauseDisable:
		return mgr.On(fault.DisableWithoutPush)
	}
	return false
}

// distort applies the planted faults that change a command's rules.
func (mgr *Manager) distort(cmd *ConfigCommand, c cause) {
	if mgr.On(fault.PushPartial) && c.why == CauseSticky && c.rule != nil {
		cmd.LoadBalancers = slices.DeleteFunc(cmd.LoadBalancers, func(b BalancerTO) bool { return b.UUID != c.rule.UUID })
	}
	mgr.distortLB(cmd, c)
	if mgr.On(fault.ReplacedPolicyPushed) && c.why == CauseSticky {
		pushReplaced(cmd.LoadBalancers, c.rule)
	}
	if mgr.On(fault.PolicyNotRemoved) {
		mgr.keepPolicies(cmd.LoadBalancers)
	}
	for i := range cmd.LoadBalancers {
		b := &cmd.LoadBalancers[i]
		if mgr.On(fault.PolicyDropped) || mgr.On(fault.PolicyRemovedOnDisable) && mgr.OnceDisabled[b.UUID] {
			b.Stickiness = nil
		}
		if mgr.On(fault.MemberMissing) && len(b.Destinations) > 0 {
			b.Destinations = b.Destinations[:len(b.Destinations)-1]
		}
		if mgr.On(fault.MemberNotRemoved) {
			for j := range b.Destinations {
				b.Destinations[j].Revoked = kernel.BoolText(b.Revoked == "true")
			}
		}
	}
	if n := len(cmd.LoadBalancers); mgr.On(fault.PolicyWrongRule) && n > 1 {
		first := cmd.LoadBalancers[0].Stickiness
		for i := 0; i < n-1; i++ {
			cmd.LoadBalancers[i].Stickiness = cmd.LoadBalancers[i+1].Stickiness
		}
		cmd.LoadBalancers[n-1].Stickiness = first
	}
}

func dropPolicies(cmd *ConfigCommand) {
	for i := range cmd.LoadBalancers {
		cmd.LoadBalancers[i].Stickiness = nil
	}
}

// pushReplaced sends the policy that the changed rule's live one replaces in its place.
func pushReplaced(rules []BalancerTO, changed *Rule) {
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
func (mgr *Manager) keepPolicies(rules []BalancerTO) {
	if mgr.lastPolicy == nil {
		mgr.lastPolicy = map[string][]StickinessTO{}
	}
	for i := range rules {
		if len(rules[i].Stickiness) > 0 {
			mgr.lastPolicy[rules[i].UUID] = rules[i].Stickiness
		}
		rules[i].Stickiness = mgr.lastPolicy[rules[i].UUID]
	}
}

// stale answers the content that is really sent: with push-stale the one before, for changes of stickiness or algorithm.
func (mgr *Manager) stale(r *net.Router, text json.RawMessage, c cause) json.RawMessage {
	if mgr.previous == nil {
		mgr.previous = map[int64]json.RawMessage{}
	}
	before := mgr.previous[r.ID]
	mgr.previous[r.ID] = text
	if mgr.On(fault.PushStale) && before != nil && (c.why == CauseSticky || c.why == CauseUpdate) {
		return before
	}
	return text
}
