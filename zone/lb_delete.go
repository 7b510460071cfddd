package zone

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
)

// deleteRule is the job of deleteLoadBalancerRule: the firewall rule that was opened with it goes first.
func deleteRule(z *Zone, c *call) (obj, error) {
	r, err := lbRuleParam(z, c, "id")
	if err != nil {
		return nil, err
	}
	if err := z.revokeRelated(c.ctx, &r.rule); err != nil {
		return nil, err
	}
	if err := z.deleteLB(c.ctx, r, true); err != nil {
		return nil, err
	}
	c.eventResource, c.target.uuid = 0, "" // the event's resource is gone by then
	return obj{"success": true}, nil
}

// groupGuard refuses what would take the rule from its autoscale group, whatever the group's state.
func (z *Zone) groupGuard(r *LBRule) error {
	if r.Group == nil || z.knobs[fault.GuardMissing] {
		return nil
	}
	return api.Internal("Cannot delete load balancer rule %d because it is being used by 1 Autoscale VM group.", r.ID)
}

// deleteLB is the delete of facts cloudstack.md 1.3: the LB.DELETE usage row and the mappings' revoke flags are written
// before the push; a push that fails gives the rule its state back, but neither of those.
func (z *Zone) deleteLB(ctx context.Context, r *LBRule, rollback bool) error {
	if err := z.groupGuard(r); err != nil {
		return err
	}
	state, early := r.State, z.knobs[release.DeleteEventBeforePush]
	if state != stateRevoke {
		if state != stateStaged {
			if err := z.setRuleState(ctx, &r.rule, stateRevoke); err != nil {
				return err
			}
		}
		if err := z.markRule(ctx, r); err != nil {
			return err
		}
		if early {
			if err := z.lbUsage(ctx, "LB.DELETE", r); err != nil {
				return err
			}
		}
	}
	err := z.applyRule(withCause(ctx, causeDelete, r), r)
	if err == nil && !early {
		err = z.lbUsage(ctx, "LB.DELETE", r)
	}
	if !unavailable(err) {
		if err == nil && r.State != stateRevoke {
			err = z.removeLBRule(ctx, r) // was only staged
		}
		return err
	}
	if rollback {
		if err := errors.Join(z.setRuleState(ctx, &r.rule, state), z.restoreMembers(ctx, r)); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: %w", api.Internal("Unable to remove load balancer rule %d", r.ID), err)
}

// markRule sets the revoke flag of a dying rule's mappings. Its policies keep theirs: the recorded pushes of revoked rules
// still carry them.
func (z *Zone) markRule(ctx context.Context, r *LBRule) error {
	for _, m := range r.Members {
		if err := z.setMemberRevoke(ctx, m, true); err != nil {
			return err
		}
	}
	return nil
}

// revokeLB deletes rules for good without rollback, one push a rule: address release, network and account removal. The
// first that fails stops.
func (z *Zone) revokeLB(ctx context.Context, rules []*LBRule) error {
	for _, r := range rules {
		if err := z.deleteLB(ctx, r, false); err != nil {
			return err
		}
	}
	return nil
}

// releaseAddressRules takes every rule off an address that is being released: firewall rules, then port forwarding and
// static NAT, then load balancer rules. A rule with an autoscale group stops it, in every release after the others are
// gone (facts: cloudstack.md 1.3).
func (z *Zone) releaseAddressRules(ctx context.Context, a *Address) error {
	rules := rulesWhere(z.lbRules, func(r *LBRule) bool { return r.Address == a })
	if !z.knobs[release.AddressReleaseGuardLate] {
		for _, r := range rules {
			if err := z.groupGuard(r); err != nil {
				return err
			}
		}
	}
	for _, fw := range slices.Clone(z.fwRules) {
		if fw.Address == a {
			if err := z.removeFWRule(ctx, fw); err != nil {
				return err
			}
		}
	}
	for _, pf := range slices.Clone(z.pfRules) {
		if pf.Address == a {
			if err := z.removePFRule(ctx, pf); err != nil {
				return err
			}
		}
	}
	if err := z.dropStaticNAT(ctx, a); err != nil {
		return err
	}
	return z.revokeLB(withRelease(ctx), rules)
}

// releaseNetworkRules deletes all rules of a network that goes: load balancer and port forwarding rules with their usage
// events, and firewall rules. The shutdown before it pushes once, with the rules as they stand; after that the network has
// no router, and deleting the rules pushes nothing.
func (z *Zone) releaseNetworkRules(ctx context.Context, n *Network) error {
	rules := rulesWhere(z.lbRules, func(r *LBRule) bool { return r.Network == n && r.State != stateRevoke })
	if n.State == "Implemented" {
		if len(rules) > 0 {
			if err := z.pushNetwork(ctx, n); err != nil {
				z.log.Warn("shutting a network down", "network", n.ID, "err", err)
			}
		}
		n.State = "Shutdown"
		if err := z.update(ctx, "cloud.networks", n.ID, obj{"state": n.State}); err != nil {
			return err
		}
	}
	for _, pf := range slices.Clone(z.pfRules) {
		if pf.Network == n {
			if err := z.removePFRule(ctx, pf); err != nil {
				return err
			}
		}
	}
	for _, fw := range slices.Clone(z.fwRules) {
		if fw.Network == n {
			if err := z.removeFWRule(ctx, fw); err != nil {
				return err
			}
		}
	}
	return z.revokeLB(withRelease(ctx), rules)
}

func rulesWhere(rules []*LBRule, keep func(*LBRule) bool) []*LBRule {
	var out []*LBRule
	for _, r := range rules {
		if keep(r) {
			out = append(out, r)
		}
	}
	return out
}

type releaseKey struct{}

// withRelease marks deletes that come with an address, network or account, for the planted fault that loses their events.
func withRelease(ctx context.Context) context.Context {
	return context.WithValue(ctx, releaseKey{}, true)
}

func releasing(ctx context.Context) bool { return ctx.Value(releaseKey{}) != nil }
