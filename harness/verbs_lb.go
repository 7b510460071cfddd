package harness

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Rule is a load balancer rule.
type Rule struct {
	*Account
	Network    *Network
	Address    *Address
	Name       string
	ID         string
	InternalID int64
	Port       int
	Algorithm  string
	Policy     string // id of the live stickiness policy
	// Deleted is the database time just after the delete job ended, deleting that just before the call; zero while the rule
	// lives.
	Deleted, deleting time.Time
}

// privatePort is where the members listen.
const privatePort = 8080

// String names the rule as verdicts do: name, uuid and the internal id that the usage tables hold.
func (r *Rule) String() string {
	if r.InternalID == 0 {
		return fmt.Sprintf("LB rule %s (%s)", r.Name, r.ID)
	}
	return fmt.Sprintf("LB rule %s (uuid %s, internal id %d)", r.Name, r.ID, r.InternalID)
}

// Section is the name of the rule's listen section in haproxy.cfg.
func (r *Rule) Section() string {
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(r.Address.IP.String(), ".", "_"), r.Port)
}

// Endpoint is where clients reach the rule.
func (r *Rule) Endpoint() netip.AddrPort { return netip.AddrPortFrom(r.Address.IP, uint16(r.Port)) } //nolint:gosec // below 65536

// LoadBalancer creates a round-robin rule on the network's shared address, with the next free public port.
func (n *Network) LoadBalancer(name string) *Rule {
	return n.LoadBalancerOn(n.sharedAddress(), name, "roundrobin")
}

// LoadBalancers creates count rules, named A, B, C, ...
func (n *Network) LoadBalancers(count int) []*Rule {
	defer n.t.step("%d LB rules in %s", count, n.Name)()
	rules := make([]*Rule, count)
	for i := range rules {
		rules[i] = n.LoadBalancer(string(rune('A' + i)))
	}
	return rules
}

// LoadBalancerOn creates a rule on an address with an algorithm, which is passed on as typed.
func (n *Network) LoadBalancerOn(ip *Address, name, algorithm string) *Rule {
	defer n.t.step("LB rule %s", name)()
	r := &Rule{Account: n.Account, Network: n, Address: ip, Name: name, Algorithm: algorithm, Port: ip.nextPort}
	ip.nextPort++
	full := n.t.unique("lb-" + name)
	shut := false
	r.ID, r.InternalID, _ = made(n.Account, "lb rule", full, "cloud.firewall_rules", func(ctx context.Context) (*cloud.Creating[cloud.LoadBalancerRule], error) {
		return n.Cloud.CreateLoadBalancerRule(ctx, cloud.LoadBalancerRuleSpec{Name: full, Algorithm: algorithm, PublicIPID: ip.ID, NetworkID: n.ID,
			PublicPort: r.Port, PrivatePort: privatePort, OpenFirewall: &shut})
	})
	n.t.watch.born(r)
	return r
}

// Assign puts VMs behind the rule.
func (r *Rule) Assign(vms ...*VM) *Rule {
	defer r.t.step("%d VMs behind %s", len(vms), r.Name)()
	ids := make([]string, len(vms))
	for i, vm := range vms {
		ids[i] = vm.ID
	}
	r.t.must(r.Cloud.AssignToLoadBalancerRule(r.t.ctx, r.ID, ids...), "putting VMs behind %s", r)
	return r
}

// sourcePolicy are the parameters of the twin policies. They are given explicitly and are equal on every rule: on a
// router that compares files as sets, only byte-identical policies mask each other (T15, T16).
func sourcePolicy() map[string]string {
	return map[string]string{"tablesize": "200k", "expire": "30m"}
}

// Stick gives the rule the common source stickiness policy.
func (r *Rule) Stick() {
	defer r.t.step("source stickiness on %s", r.Name)()
	_, _, stored := made(r.Account, "stickiness policy", r.Name, "", func(ctx context.Context) (*cloud.Creating[cloud.StickinessPolicies], error) {
		return r.Cloud.CreateStickinessPolicy(ctx, cloud.StickinessSpec{LBRuleID: r.ID, Name: r.t.unique("sticky"), MethodName: "SourceBased", Params: sourcePolicy()})
	})
	live := stored.Policies
	if len(live) == 0 {
		r.t.Inconclusive("createLBStickinessPolicy on %s answered without a policy", r)
	}
	last := live[len(live)-1]
	// A client library that drops parameters would leave policies that do not mask each other (T14).
	if !maps.Equal(last.Params, sourcePolicy()) {
		r.t.Inconclusive("the policy of %s was stored with parameters %v, not those that were sent", r, last.Params)
	}
	r.Policy = last.ID
}

// Unstick deletes the rule's stickiness policy.
func (r *Rule) Unstick() {
	defer r.t.step("no stickiness on %s", r.Name)()
	r.t.must(r.Cloud.DeleteStickinessPolicy(r.t.ctx, r.Policy), "deleting the policy of %s", r)
	r.Policy = ""
}

// Toggle gives the rule the common source stickiness policy, or takes its policy away.
func (r *Rule) Toggle() {
	if r.Policy == "" {
		r.Stick()
	} else {
		r.Unstick()
	}
}

// Delete deletes the rule and notes the database time.
func (r *Rule) Delete() {
	t := r.t
	defer t.step("delete %s", r.Name)()
	t.pass(apart)
	r.deleting = t.now()
	t.must(r.Cloud.DeleteLoadBalancerRule(t.ctx, r.ID), "deleting %s", r)
	r.Deleted = t.now()
	t.must(t.removed(r.ID, nil), "noting the removal of %s", r)
	t.pass(apart)
}

// apart keeps create and delete in different seconds: events of one second are unordered (T6).
const apart = 2 * time.Second

// now is the database's time.
func (t *T) now() time.Time {
	now, err := t.site.Clock.Now(t.ctx)
	t.must(err, "reading the database's time")
	return now
}

// until waits, in the target's time, until the condition holds; the last observation is in the reason if it never does.
func (t *T) until(what string, limit, step time.Duration, holds func() (bool, string)) {
	deadline := t.now().Add(limit)
	for {
		ok, seen := holds()
		if ok {
			return
		}
		if t.now().After(deadline) {
			t.Inconclusive("waited %s for %s; last seen: %s", limit, what, seen)
		}
		t.must(t.site.Clock.Pass(t.ctx, step), "waiting for %s", what)
	}
}
