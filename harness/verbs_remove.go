package harness

import (
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Rules may die with what they hang on. These verbs delete that, and note the times of the rules that die.

// with deletes something and notes the rules that go with it.
func (t *T) with(dies func(*Rule) bool, what string, remove func() error) {
	defer t.step("%s", what)()
	t.pass(apart)
	began := t.now()
	t.must(remove(), "%s", what)
	for _, r := range t.watch.rules {
		if r.Deleted.IsZero() && dies(r) {
			r.deleting, r.Deleted = began, t.now()
			t.must(t.removed(r.ID, nil), "noting the removal of %s", r)
		}
	}
	t.pass(apart)
}

// Release gives the address back, with all rules on it.
func (a *Address) Release() {
	a.t.with(func(r *Rule) bool { return r.Address == a }, "release of "+a.IP.String(), func() error {
		return a.Cloud.DisassociateIPAddress(a.t.ctx, a.ID)
	})
	a.t.must(a.t.removed(a.ID, nil), "noting the release of %s", a.IP)
}

// Delete deletes the network with its rules.
func (n *Network) Delete() {
	n.t.with(func(r *Rule) bool { return r.Network == n }, "delete "+n.Name, func() error { return n.Cloud.DeleteNetwork(n.t.ctx, n.ID) })
	n.t.must(n.t.removed(n.ID, nil), "noting the removal of %s", n.Name)
}

// DropLB moves a tier to the built-in offering without load balancing, which ends its rules.
func (n *Network) DropLB() {
	offering := n.t.chooseNetworkOffering("tier offering without load balancing", "", noLBOffering, true)
	n.t.with(func(r *Rule) bool { return r.Network == n }, "no load balancing in "+n.Name, func() error {
		_, err := n.Cloud.UpdateNetworkOffering(n.t.ctx, n.ID, offering, true)
		return err
	})
}

// noLBOffering is the tier offering without load balancing (NetworkOffering.java@4.20.0.0).
const noLBOffering = "DefaultIsolatedNetworkOfferingForVpcNetworksNoLB"

// do carries out an asynchronous command that the client has no call for.
func (a *Account) do(command string, p cloud.Params) {
	_, err := a.Cloud.Job(a.t.ctx, command, p, nil)
	a.t.must(err, "%s", command)
}

// Update renames the network, which is what an update without another offering may change.
func (n *Network) Update() {
	defer n.t.step("update of %s", n.Name)()
	n.t.pass(apart)
	n.do("updateNetwork", cloud.Params{"id": n.ID, "displaytext": n.Name + " updated"})
	n.t.pass(apart)
}

// Restart restarts the network.
func (n *Network) Restart(cleanup bool) {
	defer n.t.step("restart of %s", n.Name)()
	n.do("restartNetwork", cloud.Params{"id": n.ID, "cleanup": cleanup})
	n.forgetRouter()
}

// Delete deletes the VPC, whose tiers must be gone.
func (v *VPC) Delete() {
	v.t.with(func(r *Rule) bool { return r.Network.VPC == v }, "delete "+v.Name, func() error { return v.Cloud.DeleteVPC(v.t.ctx, v.ID) })
	v.t.must(v.t.removed(v.ID, nil), "noting the removal of %s", v.Name)
}

// Delete removes the account with all it owns. What cannot be removed at once is by the server's cleanup thread.
func (a *Account) Delete() {
	t := a.t
	t.with(func(r *Rule) bool { return r.Account == a }, "delete account "+a.Name, func() error { return t.site.Cloud.DeleteAccount(t.ctx, a.ID) })
	t.until("the cleanup of account "+a.Name, accountCleanup, usageLook, func() (bool, string) {
		var left int
		t.scan(&left, "SELECT (SELECT COUNT(*) FROM cloud.firewall_rules WHERE account_id = ?) + (SELECT COUNT(*) FROM cloud.vpc WHERE account_id = ? AND removed IS NULL)",
			a.InternalID, a.InternalID)
		return left == 0, fmt.Sprintf("%d rules and VPCs are left", left)
	})
	t.must(t.removed(a.ID, nil), "noting the removal of account %s", a.Name)
}

// accountCleanup is how long the cleanup of an account may take: account.cleanup.interval is a day by default, 20 s on a
// simulator zone; the first try is at once.
const accountCleanup = cleanupTime

// ExpectOneDeleteEvent expects exactly one LB.DELETE usage event of each deleted rule.
func (t *T) ExpectOneDeleteEvent(rules ...*Rule) {
	for _, r := range rules {
		t.watch.checks++
		n := 0
		for _, e := range t.watch.last.Events {
			if e.Type == "LB.DELETE" && e.ResourceID == r.InternalID {
				n++
			}
		}
		if n != 1 {
			t.Fail(fmt.Sprintf("%s was deleted and has %d LB.DELETE usage events, want one", r, n), t.watch.evidence()...)
		}
	}
}

// ExpectNoDeleteEvent expects that a rule that lives has no LB.DELETE usage event.
func (t *T) ExpectNoDeleteEvent(rules ...*Rule) {
	for _, r := range rules {
		t.watch.checks++
		for _, e := range t.watch.last.Events {
			if e.Type == "LB.DELETE" && e.ResourceID == r.InternalID {
				t.Fail(fmt.Sprintf("%s is alive, but cloud.usage_event has an LB.DELETE of it at %s", r, stamp(e.Created)), t.watch.evidence()...)
				break
			}
		}
	}
}

// ExpectGone expects that the API no longer lists the rules.
func (t *T) ExpectGone(rules ...*Rule) {
	for _, r := range rules {
		t.watch.checks++
		found, err := r.Cloud.ListLoadBalancerRules(t.ctx, nil)
		t.must(err, "listing load balancer rules")
		if slices.ContainsFunc(found, func(l *cloud.LoadBalancerRule) bool { return l.Id == r.ID }) {
			t.Fail(fmt.Sprintf("%s was deleted and is still listed", r))
		}
	}
}
