// Package objects is what stories make through the API, with the verbs that act on it: accounts, domains and projects,
// networks and their routers, addresses, VMs, volumes, rules with their members, policies and certificates, groups.
// What a story then expects is for the rooms beside this one.
//
// Before changing it know that an object keeps the story's cast in an unexported field, so that a scenario acts on
// objects and never on the site. Where an expectation needs something of an object there is a method that names it.
// What is made is noted in the ledger before the call.
package objects

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Cast is what a story has made so far on its stage, and what it makes things of.
type Cast struct {
	*stage.Stage
	Watch     *watch.Watch
	accounts  []*Account
	rules     []*Rule
	chosen    *choices // nil until something is built
	keepAlive []string // ids of the offerings with keep-alive that the story made
}

// Verbs are the groups of verbs that let time go by, make things, and let them fail.
func (t *Cast) Verbs() (Clock, Making, PushFaults) { return Clock{t}, Making{t}, PushFaults{t} }

// NewCast is the empty cast of a story on a stage.
func NewCast(t *stage.Stage) *Cast { return &Cast{Stage: t, Watch: watch.New(t)} }

// PushCount is how many pushes the network's router has had.
func (t *Cast) PushCount(n *Network) int { return len(t.Pushes(n.Router())) }

// Making are the verbs that make what belongs to no other object.
type Making struct{ t *Cast }

// InternalID is the id of an object by its uuid, which must be asked while the object lives.
func (m Making) InternalID(of usageprobe.Object, uuid string) int64 { return m.t.InternalID(of, uuid) }

// Accounts are the story's, projects among them, in the order in which they were made.
func (t *Cast) Accounts() []*Account { return t.accounts }

// AccountIDs are the internal ids of the story's accounts.
func (t *Cast) AccountIDs() []int64 {
	return stage.Each(t.accounts, func(a *Account) int64 { return a.InternalID })
}

// Rules are the story's, the deleted ones too.
func (t *Cast) Rules() []*Rule { return t.rules }

// Take takes accounts that were made.
func (t *Cast) Take(accounts ...*Account) { t.accounts = append(t.accounts, accounts...) }

// born takes a rule that was made.
func (t *Cast) born(r *Rule) {
	t.rules = append(t.rules, r)
	t.Watch.Born(r.Billed(), r.ID)
}

// KeepAlive are the ids of the offerings with keep-alive that the story made.
func (t *Cast) KeepAlive() []string { return t.keepAlive }

// CountPushes notes how many pushes each step sends, for ExpectSent.
type CountPushes struct {
	n    *Network
	last int
}

// CountPushes begins to count the pushes to the network's router.
func (n *Network) CountPushes() *CountPushes { return &CountPushes{n, n.t.PushCount(n)} }

// since is how many pushes came since it was last asked.
func (c *CountPushes) since() int {
	c.n.t.Checked(1)
	now := c.n.t.PushCount(c.n)
	sent := now - c.last
	c.last = now
	return sent
}

// ExpectSent expects exactly so many pushes since it was last asked.
func (c *CountPushes) ExpectSent(what string, want int) {
	if got := c.since(); got != want {
		c.n.t.Fail(result.PushCount, fmt.Sprintf("%s sent %d pushes, want %d", what, got, want))
	}
}

// ExpectNoneWhileDestroyed expects no push since it was last asked, for an instance that is destroyed and not yet
// expunged. A server expunges it by itself after expunge.delay, which a slow one may reach before it is looked at.
func (c *CountPushes) ExpectNoneWhileDestroyed(vm *VM) {
	got, t := c.since(), c.n.t
	if got == 0 {
		return
	}
	found, err := t.Site.Cloud.ListVirtualMachines(t.Ctx, cloud.Params{"id": vm.ID})
	t.Must(err, "listing %s", vm.Name)
	if len(found) == 0 || found[0].State != "Destroyed" {
		t.Inconclusive("the server expunged %s by itself before it was looked at: expunge.delay is too short for "+
			"a server that is so slow", vm.Name)
	}
	t.Fail(result.PushCount, fmt.Sprintf("destroying %s sent %d pushes, want none", vm.Name, got))
}
