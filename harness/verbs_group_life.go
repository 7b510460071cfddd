package harness

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
)

// shrinking is a scale-down policy that always holds on the simulator, whose CPU is at 10 %, with its quiet time.
type shrinking struct{ quiet int }

// Shrink has the groups that are made from now on scale down, one member after each quiet time.
func (n *Network) Shrink(quiet time.Duration) { n.shrink = &shrinking{int(quiet.Seconds())} }

func (*shrinking) operator() string { return "LT" }

func (s *shrinking) threshold() int64 {
	if s == nil {
		return 1
	}
	return 50
}

func (s *shrinking) seconds() *int {
	if s == nil {
		return nil
	}
	return &s.quiet
}

// Resize changes the bounds of the group, which must be disabled.
func (g *Group) Resize(least, most int) {
	defer g.t.step("size of group %s to %d..%d", g.Name, least, most)()
	_, err := g.Cloud.UpdateAutoScaleVMGroup(g.t.ctx, g.GroupID, cloud.Params{"minmembers": least, "maxmembers": most})
	g.t.must(err, "resizing group %s", g.Name)
	g.Members = least
}

// DeleteGroup deletes the group with its members; the rule stays.
func (g *Group) DeleteGroup() {
	defer g.t.step("delete group %s", g.Name)()
	g.t.must(g.Cloud.DeleteAutoScaleVMGroup(g.t.ctx, g.GroupID, true), "deleting group %s", g.Name)
}

// Count is how many members the group counts.
func (g *Group) Count() int {
	now, err := g.Cloud.AutoScaleVMGroup(g.t.ctx, g.GroupID)
	g.t.must(err, "reading group %s", g.Name)
	return now.Availablevirtualmachinecount
}

// Settle lets monitor intervals pass until the group counts its members, or some more have passed: what it then counts is
// for an expectation.
func (g *Group) Settle() {
	defer g.t.step("group %s settles", g.Name)()
	limit := 3
	if !g.t.site.Disposable {
		limit = int(membersWait / groupInterval) // instances of a real zone take their time
	}
	for range limit {
		g.t.must(g.t.site.Clock.Pass(g.t.ctx, groupInterval), "waiting for the group's monitor")
		if g.Count() == g.Members {
			return
		}
	}
}

// ExpectMembers expects that the group counts its members, and that they, and nobody else, are behind its rule.
func (t *T) ExpectMembers(g *Group) {
	defer t.step("members of %s", g.Name)()
	t.watch.checks++
	behind, err := g.Cloud.ListLoadBalancerRuleInstances(t.ctx, g.ID)
	t.must(err, "listing the members of %s", g.Rule)
	var states []string
	for _, vm := range behind {
		states = append(states, vm.Name+" "+vm.State)
	}
	if n := g.Count(); n != g.Members {
		t.Fail(fmt.Sprintf("group %s counts %d members, want %d", g.Name, n, g.Members))
	}
	running := slices.DeleteFunc(slices.Clone(states), func(s string) bool { return !strings.HasSuffix(s, " Running") })
	if len(behind) != g.Members || len(running) != g.Members {
		t.Fail(fmt.Sprintf("%d VMs are behind %s, %d of them running; its group has %d members", len(behind), g.Rule, len(running), g.Members),
			result.Evidence{Kind: result.KindNote, Title: "behind " + g.Name, Text: strings.Join(states, "\n")})
	}
}

// CountPushes notes how many pushes each step sends, for ExpectSent.
type CountPushes struct {
	n    *Network
	last int
}

// CountPushes begins to count the pushes to the network's router.
func (n *Network) CountPushes() *CountPushes { return &CountPushes{n, n.t.PushCount(n)} }

// ExpectSent expects exactly so many pushes since it was last asked.
func (c *CountPushes) ExpectSent(what string, want int) {
	t := c.n.t
	t.watch.checks++
	now := t.PushCount(c.n)
	if got := now - c.last; got != want {
		t.Fail(fmt.Sprintf("%s sent %d pushes, want %d", what, got, want))
	}
	c.last = now
}

const clockPace = 5 * time.Millisecond

// scaleStep is how much of the target's time goes by at once while a group scales: short against its interval, so that
// much work fits in between.
const scaleStep = 250 * time.Millisecond

// WhileScaling does the work again and again until the group counts its members, and once more: the push of the last
// member may then be on its way still. Nothing is pushed after it.
func (t *T) WhileScaling(g *Group, work func()) {
	deadline := t.now().Add(membersWait)
	t.WhileTimePasses(scaleStep, func() {
		for done := false; !done; work() {
			done = g.Count() == g.Members
			if !done && t.now().After(deadline) {
				t.Inconclusive("group %s counts %d members after %s, want %d", g.Name, g.Count(), membersWait, g.Members)
			}
		}
	})
	t.PassSeconds(2 * expungeGrace) // what is under way ends
}

// WhileTimePasses lets the target's time go by, step after step, for as long as the work takes: what the server does by
// itself then happens between the calls of the work.
func (t *T) WhileTimePasses(step time.Duration, work func()) {
	end, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		// A clock that jumps is paced, so that it leaves the server time for the work's calls. A jump is never cut short: what
		// the server does in it would be left half done.
		pace := time.NewTicker(clockPace)
		defer pace.Stop()
		for {
			select {
			case <-end:
				ended <- nil
				return
			case <-pace.C:
			}
			if err := t.site.Clock.Pass(t.ctx, step); err != nil {
				ended <- err
				return
			}
		}
	}()
	stop := sync.OnceValue(func() error {
		close(end)
		return <-ended
	})
	defer func() { _ = stop() }() // the work unwound: its reason stands
	work()
	t.must(stop(), "letting time pass")
}
