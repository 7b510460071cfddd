package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
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
	defer g.t.Step("size of group %s to %d..%d", g.Name, least, most)()
	_, err := g.Account.Cloud.UpdateAutoScaleVMGroup(g.t.ctx, g.GroupID, cloud.Params{"minmembers": least,
		"maxmembers": most})
	g.t.Must(err, "resizing group %s", g.Name)
	g.Members = least
}

// ExpectBoundsJudged changes the bounds of a group that is not disabled: the release must refuse it, or take it.
func (t Scaling) ExpectBoundsJudged(g *Group, members int) {
	defer t.Step("size of group %s to %d, while it is enabled", g.Name, members)()
	_, err := g.Account.Cloud.UpdateAutoScaleVMGroup(t.ctx, g.GroupID, cloud.Params{"minmembers": members,
		"maxmembers": members})
	refusal := t.refusal(err, "resizing group %s", g.Name)
	t.Checked(1)
	switch taken := release.Where(release.EnabledMinMaxUpdate).Contains(t.site.Release); {
	case taken && refusal != nil:
		t.Fail(result.WrongRefusal, fmt.Sprintf("new bounds of enabled group %s were refused with %d (%s)", g.Name,
			refusal.Code, refusal.Text))
	case taken:
		g.Members = members
	case refusal == nil:
		t.Fail(result.NotRefused, fmt.Sprintf("new bounds of enabled group %s were taken", g.Name))
	case refusal.Code != 431:
		t.Fail(result.WrongRefusal, fmt.Sprintf("new bounds of enabled group %s were refused with %d (%s), want 431",
			g.Name, refusal.Code, refusal.Text))
	}
}

// DeleteGroup deletes the group with its members; the rule stays.
func (g *Group) DeleteGroup() {
	defer g.t.Step("delete group %s", g.Name)()
	g.t.Must(g.Account.Cloud.DeleteAutoScaleVMGroup(g.t.ctx, g.GroupID, true), "deleting group %s", g.Name)
}

// Count is how many members the group counts.
func (g *Group) Count() int {
	now, err := g.Account.Cloud.AutoScaleVMGroup(g.t.ctx, g.GroupID)
	g.t.Must(err, "reading group %s", g.Name)
	return now.Availablevirtualmachinecount
}

// Settle lets monitor intervals pass until the group counts its members, or some more have passed: what it then counts
// is for an expectation.
func (g *Group) Settle() {
	defer g.t.Step("group %s settles", g.Name)()
	limit := 3
	if !g.t.site.Disposable {
		limit = int(membersWait / groupInterval) // instances of a real zone take their time
	}
	for range limit {
		g.t.Must(g.t.site.Clock.Pass(g.t.ctx, groupInterval), "waiting for the group's monitor")
		if g.Count() == g.Members {
			return
		}
	}
}

// What groups are seen by: how many VMs are behind a rule and how many of them run, and minutes between two steps.
const (
	SeenMembers = "members"
	SeenGap     = "gap"
)

// ExpectMembers expects that the group counts its members, and that they, and nobody else, are behind its rule.
func (t Scaling) ExpectMembers(g *Group) {
	defer t.Step("members of %s", g.Name)()
	t.Checked(1)
	behind, err := g.Account.Cloud.ListLoadBalancerRuleInstances(t.ctx, g.ID)
	t.Must(err, "listing the members of %s", g.Rule)
	var states []string
	for _, vm := range behind {
		states = append(states, vm.Name+" "+vm.State)
	}
	if n := g.Count(); n != g.Members {
		t.Fail(result.WrongMembers, fmt.Sprintf("group %s counts %d members, want %d", g.Name, n, g.Members))
	}
	running := slices.DeleteFunc(slices.Clone(states), func(s string) bool { return !strings.HasSuffix(s, " Running") })
	if len(behind) != g.Members || len(running) != g.Members {
		t.failAs(result.WrongMembers, result.Seen{What: SeenMembers, Number: float64(len(behind)),
			Want: float64(len(running))},
			fmt.Sprintf("%d VMs are behind %s, %d of them running; its group has %d members",
				len(behind), g.Rule, len(running), g.Members),
			result.Evidence{Kind: result.KindNote, Title: "behind " + g.Name, Text: strings.Join(states, "\n")})
	}
}

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
				t.Inconclusive("group %s counts %d members after %s, want %d", g.Name, g.Count(), membersWait,
					g.Members)
			}
		}
	})
	t.PassSeconds(2 * t.grace()) // what is under way ends
}

// GroupCounts are the numbers of groups that the target has room for.
func (t Scaling) GroupCounts(counts ...int) []int {
	if t.site.Groups == nil {
		return counts
	}
	return t.site.Groups
}

// RequireTwinPolicies ends a story of groups as inconclusive when it was told with one group at a time only. With one
// group the comparison of sets of lines swallows nothing: each change is the first, or the last, of its kind on the
// router. The count is the point, as different ids are in usage (T1, T15).
func (t Scaling) RequireTwinPolicies(counts []int) {
	if slices.Contains(counts, 1) {
		t.Note("one group alone", "shows nothing of a router that compares its files as sets of lines: every change "+
			"of it is in force there, too; "+
			"the count of groups is the point")
	}
	if !t.Failed() && FewestTwins(counts) == 0 {
		t.Inconclusive("with one group alone nothing is shown: no other rule of the router has the same policy " +
			"(T15); the count of groups is the point")
	}
}

// FewestTwins is the least of the counts with which a rule has a sibling; 0 without one.
func FewestTwins(counts []int) int {
	fewest := 0
	for _, n := range counts {
		if n > 1 && (fewest == 0 || n < fewest) {
			fewest = n
		}
	}
	return fewest
}

// NoteMembers reports that a group which should have no members yet has some: its rule's policy is then nothing new.
func (t Scaling) NoteMembers(g *Group) {
	if n := g.Count(); n > 0 {
		t.Note("a group without members", "group %s had %d members before it was disabled", g.Name, n)
	}
}

// shrinkStep is how often a shrinking group is looked at: policies are evaluated once a minute.
const shrinkStep = 30 * time.Second

// ExpectShrink expects that the group goes from its members down to one, with at least the quiet time between two
// steps.
func (t Scaling) ExpectShrink(g *Group, from int, quiet time.Duration) {
	defer t.Step("group %s shrinks", g.Name)()
	t.Checked(1)
	var times []time.Time
	count := from
	for end := t.now().Add(time.Duration(from+1) * (quiet + 5*time.Minute)); count > 1 && t.now().Before(end); {
		t.Must(t.site.Clock.Pass(t.ctx, shrinkStep), "waiting for a group to shrink")
		if n := g.Count(); n < count {
			times, count = append(times, t.now()), n
		}
	}
	if count > 1 {
		t.Fail(result.WrongMembers, fmt.Sprintf("group %s still counts %d members", g.Name, count))
		return
	}
	for i := 1; i < len(times); i++ {
		if gap := times[i].Sub(times[i-1]); gap < quiet-shrinkStep {
			t.failAs(result.QuietTime, result.Seen{What: SeenGap, Number: gap.Minutes(), Want: quiet.Minutes()},
				fmt.Sprintf("group %s lost members %s apart, its scale-down policy has a quiet "+
					"time of %s", g.Name, gap, quiet))
			return
		}
	}
}
