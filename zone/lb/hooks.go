package lb

import (
	"context"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/push"
)

// Change is what a rule's autoscale group may forbid.
type Change int

const (
	Delete Change = iota // of the rule
	Assign               // of members
)

// Scaled says whether a rule has an autoscale group, which forbids any Change.
func Scaled(r *push.Rule, _ Change) bool { return r.Group != nil }

// Replaced are the policies of a rule that a new one takes the place of: all that are not revoked.
func Replaced(r *push.Rule, by *push.Policy) []*push.Policy {
	return slices.DeleteFunc(slices.Clone(r.Policies), func(p *push.Policy) bool { return p == by || p.Revoke })
}

// Hooks are what load balancing asks of autoscale, and of who plants faults.
type Hooks struct {
	// Replaced says which policies of a rule a new one takes the place of.
	Replaced func(r *push.Rule, by *push.Policy) []*push.Policy
	// Bound says whether an autoscale group forbids a change of its rule.
	Bound func(r *push.Rule, c Change) bool
	// Guard refuses to unmap a member of a group that scales.
	Guard func(vm *compute.VM) error
	// Left tells that a VM left a rule.
	Left func(ctx context.Context, r *push.Rule, vm *compute.VM)
}

// BalancedOn lists the load balancer rules of an address.
func (mgr *Manager) BalancedOn(a *net.Address) []*firewall.Rule {
	var rules []*firewall.Rule
	for _, r := range mgr.push.LBRules.All() {
		if r.Address == a {
			rules = append(rules, &r.Rule)
		}
	}
	return rules
}

// HoldsAddress says whether a rule holds an address of an instance; one that looks at former members, too, refuses more
// than it should.
func (mgr *Manager) HoldsAddress(vm *compute.VM, ip netip.Addr) bool {
	return slices.ContainsFunc(mgr.push.LBRules.All(), func(r *push.Rule) bool {
		return slices.ContainsFunc(mgr.joined(r), func(m *push.Member) bool { return m.VM == vm && m.IP == ip })
	})
}

// joined are a rule's members as the queries of the release join them.
func (mgr *Manager) joined(r *push.Rule) []*push.Member {
	if mgr.On(release.SoftDeleteJoinBlind) {
		return append(slices.Clone(r.Members), r.Former...)
	}
	return r.Members
}

// Balances says whether a network has a load balancer rule.
func (mgr *Manager) Balances(n *net.Network) bool {
	return slices.ContainsFunc(mgr.push.LBRules.All(), func(r *push.Rule) bool { return r.Network == n })
}

// DropBalancing deletes all load balancer rules of a network that loses the service.
func (mgr *Manager) DropBalancing(ctx context.Context, n *net.Network) error {
	return mgr.revokeLB(ctx, rulesWhere(mgr.push.LBRules.All(), func(r *push.Rule) bool { return r.Network == n }))
}

// InternalAddresses are the addresses of internal load balancer rules in a network.
func (mgr *Manager) InternalAddresses(n *net.Network) []netip.Addr {
	var taken []netip.Addr
	for _, r := range mgr.push.LBRules.All() {
		if r.Internal && r.Network == n {
			taken = append(taken, r.Address.IP)
		}
	}
	return taken
}
