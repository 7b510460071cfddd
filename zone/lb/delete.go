package lb

import (
	"context"
	"errors"
	"fmt"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
)

// deleteRule is the job of deleteLoadBalancerRule: the firewall rule that was opened with it goes first.
func deleteRule(mgr *Manager, c *kernel.Call) (obj, error) {
	r, err := LBRuleParam(mgr, c, "id")
	if err != nil {
		return nil, err
	}
	if err := mgr.firewall.RevokeRelated(c.Ctx, &r.Rule); err != nil {
		return nil, err
	}
	if err := mgr.deleteLB(c.Ctx, r, asked); err != nil {
		return nil, err
	}
	c.EventResource, c.Target.UUID = 0, "" // the event's resource is gone by then
	return obj{"success": true}, nil
}

// groupGuard refuses what would take the rule from its autoscale group, whatever the group's state.
func (mgr *Manager) groupGuard(r *push.Rule) error {
	if !mgr.Hooks.Bound(r, Delete) {
		return nil
	}
	return api.Internal("Cannot delete load balancer rule %d because it is being used by 1 Autoscale VM group.", r.ID)
}

// deletion is how a rule comes to be deleted. Only one that was asked for is rolled back when its push fails.
type deletion string

const (
	asked    deletion = ""
	undone   deletion = kernel.WhyUndone   // its creation failed
	released deletion = kernel.WhyReleased // with its address, network or account
)

// deleteLB is the delete of facts cloudstack.md 1.3: the LB.DELETE usage row and the mappings' revoke flags are written
// before the push; a push that fails gives the rule its state back, but neither of those.
func (mgr *Manager) deleteLB(ctx context.Context, r *push.Rule, how deletion) error {
	if err := mgr.groupGuard(r); err != nil {
		return err
	}
	former := r.Certificate
	if former != nil { // goes by a push of its own
		if err := mgr.unbind(ctx, r); err != nil {
			return err
		}
	}
	text := mgr.RuleText(r, kernel.LongText(r.ID))
	state, early := r.State, mgr.On(release.DeleteEventBeforePush)
	if state != firewall.StateRevoke {
		if state != firewall.StateStaged {
			if err := mgr.firewall.SetRuleState(ctx, &r.Rule, firewall.StateRevoke); err != nil {
				return err
			}
		}
		if err := mgr.markRule(ctx, r); err != nil {
			return err
		}
		if early {
			if err := mgr.LBUsage(ctx, "LB.DELETE", r, string(how)); err != nil {
				return err
			}
		}
	}
	err := mgr.applyRule(ctx, r, push.Delete)
	if err == nil && !early {
		err = mgr.LBUsage(ctx, "LB.DELETE", r, string(how))
	}
	if !kernel.Unavailable(err) {
		if err == nil && r.State != firewall.StateRevoke {
			err = mgr.removeLBRule(ctx, r) // was only staged
		}
		return err
	}
	if how == asked {
		mgr.restoreCertificate(r, former)
		if err := errors.Join(mgr.firewall.SetRuleState(ctx, &r.Rule, state), mgr.restoreMembers(ctx, r),
			mgr.forgetPolicies(ctx, r)); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: %w", api.Internal("Unable to remove load balancer rule %s", text), err)
}

// markRule sets the revoke flag of a dying rule's mappings. Its policies keep theirs: the recorded pushes of
// revoked rules still carry them.
func (mgr *Manager) markRule(ctx context.Context, r *push.Rule) error {
	for _, m := range r.Members {
		if err := mgr.setMemberRevoke(ctx, m, true); err != nil {
			return err
		}
	}
	return nil
}

// revokeLB deletes rules for good without rollback, one push a rule: address release, network and account removal. The
// first that fails stops.
func (mgr *Manager) revokeLB(ctx context.Context, rules []*push.Rule) error {
	for _, r := range rules {
		if err := mgr.deleteLB(ctx, r, released); err != nil {
			return err
		}
	}
	return nil
}

// ReleaseAddressRules takes every rule off an address that is being released: firewall rules, then port forwarding and
// static NAT, then load balancer rules. A rule with an autoscale group stops it, in every release after the others are
// gone (facts: cloudstack.md 1.3).
func (mgr *Manager) ReleaseAddressRules(ctx context.Context, a *net.Address) error {
	rules := rulesWhere(mgr.push.LBRules.All(), func(r *push.Rule) bool { return r.Address == a })
	if !mgr.On(release.AddressReleaseGuardLate) {
		for _, r := range rules {
			if err := mgr.groupGuard(r); err != nil {
				return err
			}
		}
	}
	for _, fw := range mgr.firewall.FWRules.All() {
		if fw.Address == a {
			if err := mgr.firewall.RemoveFWRule(ctx, fw); err != nil {
				return err
			}
		}
	}
	for _, pf := range mgr.firewall.PFRules.All() {
		if pf.Address == a {
			if err := mgr.firewall.RemovePFRule(ctx, pf); err != nil {
				return err
			}
		}
	}
	if err := mgr.firewall.DropStaticNAT(ctx, a); err != nil {
		return err
	}
	return mgr.revokeLB(ctx, rules)
}

// ReleaseNetworkRules deletes all rules of a network that goes: load balancer and port forwarding rules with their
// usage events, and firewall rules. The shutdown before it pushes once, with the rules as they stand; after that
// the network has no router, and deleting the rules pushes nothing.
func (mgr *Manager) ReleaseNetworkRules(ctx context.Context, n *net.Network) error {
	rules := rulesWhere(mgr.push.LBRules.All(), func(r *push.Rule) bool {
		return r.Network == n &&
			r.State != firewall.StateRevoke
	})
	if n.State == "Implemented" {
		if len(rules) > 0 {
			if err := mgr.push.PushNetwork(ctx, n, push.Cause{}); err != nil {
				mgr.Log.Warn("shutting a network down", "network", n.ID, "err", err)
			}
		}
		if err := mgr.net.ShutNetwork(ctx, n); err != nil {
			return err
		}
	}
	for _, pf := range mgr.firewall.PFRules.All() {
		if pf.Network == n {
			if err := mgr.firewall.RemovePFRule(ctx, pf); err != nil {
				return err
			}
		}
	}
	for _, fw := range mgr.firewall.FWRules.All() {
		if fw.Network == n {
			if err := mgr.firewall.RemoveFWRule(ctx, fw); err != nil {
				return err
			}
		}
	}
	if err := mgr.firewall.DropEgress(ctx, n); err != nil {
		return err
	}
	return mgr.revokeLB(ctx, rules)
}

func rulesWhere(rules []*push.Rule, keep func(*push.Rule) bool) []*push.Rule {
	var out []*push.Rule
	for _, r := range rules {
		if keep(r) {
			out = append(out, r)
		}
	}
	return out
}
