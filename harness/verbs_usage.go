package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// KillUsageInRun kills the first usage server in the middle of the next run that it makes by itself.
func (t *T) KillUsageInRun() {
	defer t.step("first usage server killed in the middle of a run")()
	before := t.lastSuccess()
	t.must(t.site.Tamper.EndUsage(t.ctx, FirstHost, KilledInRun), "killing the usage server")
	t.pass(2 * t.site.Usage.Window())
	if after := t.lastSuccess(); after.After(before) {
		t.Inconclusive("a usage job succeeded up to %s although its server was to be killed in it", stamp(after))
	}
}

// AwaitUsage waits until usage runs again by itself; when it does not, nothing more can be shown.
func (t *T) AwaitUsage(limit time.Duration) {
	defer t.step("until usage runs")()
	from := t.now()
	t.until("a usage run", limit, usageLook, func() (bool, string) {
		end := t.lastSuccess()
		return end.After(from), "the newest successful job ends at " + stamp(end)
	})
}

// networkShutdown is how long the garbage collection of networks may take: twice network.gc.wait and network.gc.interval by
// their defaults.
const networkShutdown = 40 * time.Minute

// AwaitShutdown waits until the network, which has no running VM, is shut down.
func (n *Network) AwaitShutdown() {
	defer n.t.step("until %s is shut down", n.Name)()
	n.t.until("the shutdown of "+n.Name, networkShutdown, time.Minute, func() (bool, string) {
		found, err := n.Cloud.ListNetworks(n.t.ctx, cloud.Params{"id": n.ID})
		n.t.must(err, "listing %s", n.Name)
		if len(found) != 1 {
			return false, "it is not listed"
		}
		return found[0].State == "Allocated", "it is " + found[0].State
	})
}

// InOtherZone gives an account the same address in another zone.
func (a *Address) InOtherZone(owner *Account) Billed {
	defer a.t.step("%s in another zone for %s", a.IP, owner.Name)()
	id, err := a.t.site.Tamper.AddressInOtherZone(a.t.ctx, owner.InternalID, a.IP.String())
	a.t.must(err, "an address in another zone")
	return Billed{a.IP.String() + " in another zone", usageprobe.Ref{Kind: usageprobe.KindIP, ID: id}}
}

// DeleteAtOnce deletes the rule in the second in which it is.
func (r *Rule) DeleteAtOnce() {
	defer r.t.step("delete %s at once", r.Name)()
	r.deleting = r.t.now()
	r.t.must(r.Cloud.DeleteLoadBalancerRule(r.t.ctx, r.ID), "deleting %s", r)
	r.Deleted = r.t.now()
	r.t.must(r.t.removed(r.ID, nil), "noting the removal of %s", r)
}

// FailFirewall makes routers refuse the next count firewall configurations.
func (t *T) FailFirewall(count int) *Fault {
	return t.fail("firewall configurations", "SetFirewallRulesCommand", count)
}

// FailedLoadBalancer creates a rule with a firewall that its router refuses: the rule is there for a moment, and gone.
func (n *Network) FailedLoadBalancer(name string) *Rule {
	t := n.t
	defer t.step("LB rule %s, which fails", name)()
	ip := n.Address()
	r := &Rule{Account: n.Account, Network: n, Address: ip, Name: name, Port: ip.nextPort, Algorithm: "roundrobin"}
	ip.nextPort++
	full, opened := t.unique("lb-"+name), true
	entry := t.intend("lb rule", full, n.Account.Name)
	accepted, err := n.Cloud.CreateLoadBalancerRule(t.ctx, cloud.LoadBalancerRuleSpec{Name: full, Algorithm: r.Algorithm, PublicIPID: ip.ID, NetworkID: n.ID,
		PublicPort: r.Port, PrivatePort: privatePort, OpenFirewall: &opened})
	t.must(err, "creating LB rule %s", name)
	t.created(entry, accepted.ID, 0)
	_, err = accepted.Wait(t.ctx)
	var refusal *cloud.Error
	if !errors.As(err, &refusal) {
		t.Inconclusive("creating LB rule %s was to fail, and ended with %v", name, err)
	}
	t.must(t.removed(accepted.ID, nil), "noting that LB rule %s is gone", name)
	var id int
	t.scan(&id, "SELECT COALESCE(MAX(resource_id), 0) FROM cloud.usage_event WHERE type = 'LB.CREATE' AND account_id = ?", n.Account.InternalID)
	r.ID, r.InternalID = accepted.ID, int64(id)
	t.watch.born(r)
	t.pass(apart)
	return r
}

// VPNUser is a user of an account's remote access VPN.
type VPNUser struct {
	*Account
	name       string
	internalID int64
}

// VPNUser adds a VPN user.
func (a *Account) VPNUser(name string) *VPNUser {
	u := &VPNUser{Account: a, name: a.t.unique(name)}
	defer a.t.step("VPN user %s", u.name)()
	entry := a.t.intend("vpn user", u.name, a.Name)
	pending, err := a.Cloud.Create(a.t.ctx, "addVpnUser", cloud.Params{"username": u.name, "password": a.t.secret()}, nil)
	a.t.must(err, "adding VPN user %s", u.name)
	a.t.created(entry, pending.ID, 0)
	_, err = pending.Wait(a.t.ctx, nil)
	a.t.must(err, "adding VPN user %s", u.name)
	a.t.onRemove("VPN user "+u.name, func(ctx context.Context) error {
		_, err := a.Cloud.Job(ctx, "removeVpnUser", cloud.Params{"username": u.name}, nil)
		if refusal := (*cloud.Error)(nil); errors.As(err, &refusal) {
			return nil // it is gone
		}
		return err
	})
	u.internalID = a.t.named("VPN.USER", u.name)
	return u
}

// Remove removes the user.
func (u *VPNUser) Remove() {
	defer u.t.step("VPN user %s away", u.name)()
	u.t.pass(apart)
	u.do("removeVpnUser", cloud.Params{"username": u.name})
	u.t.pass(apart)
}

// Billed is the user as it is billed.
func (u *VPNUser) Billed() Billed {
	return Billed{u.name, usageprobe.Ref{Kind: usageprobe.KindVPNUser, ID: u.internalID}}
}

// RequireOneWindow makes sure that no usage job ended between the rule's creation and its delete.
func (t *T) RequireOneWindow(r *Rule) {
	born, died := t.createEventOf(r), t.endOf(r.Billed())
	if died == nil {
		return // an expectation says so
	}
	for _, j := range t.watch.last.Jobs {
		if j.Success && !j.End.Before(born) && j.End.Before(*died) {
			t.Inconclusive("a usage job ended at %s, between the creation of %s and its delete", stamp(j.End), r)
		}
	}
}

// ExpectClosedAt expects that the last usage row of something was closed at the time of its newest event of a type.
func (t *T) ExpectClosedAt(b Billed, eventType string) {
	t.watch.checks++
	var at time.Time
	for _, e := range t.watch.last.Events {
		if e.Type == eventType && e.ResourceID == b.Ref.ID {
			at = e.Created
		}
	}
	rows := t.watch.rows(b)
	if at.IsZero() || len(rows) == 0 || rows[len(rows)-1].Open() || !rows[len(rows)-1].Closed.Equal(at) {
		t.Fail(fmt.Sprintf("the last usage row of %s was not closed at its %s of %s", b, eventType, stamp(at)), t.watch.evidence()...)
	}
}

// ExpectRecordsNow expects that the newest window has exactly count records of something.
func (t *T) ExpectRecordsNow(count int, b Billed) {
	t.watch.checks++
	if n := t.recordsNow(b); n != count {
		t.Fail(fmt.Sprintf("the newest usage window has %d records of %s, want %d", n, b, count), t.watch.evidence()...)
	}
}
