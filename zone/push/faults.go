package push

import (
	"encoding/json"
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

// Cause is why a push is sent and for which rule. The zero value is a push for no rule in particular.
type Cause struct {
	Why  string
	Rule *Rule
}

// Why pushes are sent.
const (
	Sticky  = "stickiness"
	Update  = "algorithm"
	Members = "members"
	Delete  = "delete"
	Enable  = "enable"
	Disable = "disable"
	Certify = "certificate"
)

// swallowed says whether a planted fault loses the push: it is neither logged nor delivered, and counts as done.
func (mgr *Manager) swallowed(c Cause) bool {
	switch c.Why {
	case Sticky:
		return mgr.On(fault.PushLost) || mgr.On(fault.PushLostWhileEnabled) && c.Rule.Group != nil &&
			!c.Rule.Group.Disabled()
	case Update:
		return mgr.On(fault.PushLostUpdate)
	case ForGroup:
		return mgr.On(fault.GroupCreateWithoutPush)
	case Start:
		return mgr.On(fault.StartWithoutPush)
	case Delete:
		return mgr.On(fault.PushLostDelete)
	case Members:
		return mgr.On(fault.PushLostMembers)
	case Enable:
		return mgr.On(fault.EnableWithoutPush)
	case Disable:
		return mgr.On(fault.DisableWithoutPush)
	}
	return false
}

// distort applies the planted faults that change a command's rules.
func (mgr *Manager) distort(cmd *ConfigCommand, c Cause) {
	if mgr.On(fault.PushPartial) && c.Why == Sticky && c.Rule != nil {
		cmd.LoadBalancers = slices.DeleteFunc(cmd.LoadBalancers,
			func(b BalancerTO) bool { return b.UUID != c.Rule.UUID })
	}
	mgr.distortLB(cmd, c)
	mgr.distortMembers(cmd)
	if mgr.On(fault.ReplacedPolicyPushed) && c.Why == Sticky {
		pushReplaced(cmd.LoadBalancers, c.Rule)
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

// stale answers the content that is really sent: with push-stale the one before, for changes of stickiness or
// algorithm.
func (mgr *Manager) stale(r *net.Router, text json.RawMessage, c Cause) json.RawMessage {
	if mgr.previous == nil {
		mgr.previous = map[int64]json.RawMessage{}
	}
	before := mgr.previous[r.ID]
	mgr.previous[r.ID] = text
	if mgr.On(fault.PushStale) && before != nil && (c.Why == Sticky || c.Why == Update) {
		return before
	}
	return text
}
