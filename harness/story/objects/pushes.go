package objects

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
)

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
