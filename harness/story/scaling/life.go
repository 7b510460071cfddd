package scaling

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	"github.com/stackproof/stackproof/release"
)

// ExpectBoundsJudged changes the bounds of a group that is not disabled: the release must refuse it, or take it.
func (t Scaling) ExpectBoundsJudged(g *objects.Group, members int) {
	defer t.Step("size of group %s to %d, while it is enabled", g.Name, members)()
	_, err := g.Account.Cloud.UpdateAutoScaleVMGroup(t.ctx, g.GroupID, cloud.Params{"minmembers": members,
		"maxmembers": members})
	refusal := t.on.Refusal(err, "resizing group %s", g.Name)
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

// What groups are seen by: how many VMs are behind a rule and how many of them run, and minutes between two steps.
const (
	SeenMembers = "members"
	SeenGap     = "gap"
)

// ExpectMembers expects that the group counts its members, and that they, and nobody else, are behind its rule.
func (t Scaling) ExpectMembers(g *objects.Group) {
	defer t.Step("members of %s", g.Name)()
	t.Checked(1)
	behind, err := g.Account.Cloud.ListLoadBalancerRuleInstances(t.ctx, g.ID)
	t.Must(err, "listing the members of %s", g.Rule)
	states := stage.Each(behind, func(vm *cloud.VirtualMachine) string { return vm.Name + " " + vm.State })
	if n := g.Count(); n != g.Members {
		t.Fail(result.WrongMembers, fmt.Sprintf("group %s counts %d members, want %d", g.Name, n, g.Members))
	}
	running := slices.DeleteFunc(slices.Clone(states), func(s string) bool { return !strings.HasSuffix(s, " Running") })
	if len(behind) != g.Members || len(running) != g.Members {
		t.on.FailAs(result.WrongMembers, result.Seen{What: SeenMembers, Number: float64(len(behind)),
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
func (t Scaling) WhileScaling(g *objects.Group, work func()) {
	deadline := t.on.Now().Add(objects.MembersWait)
	t.clock.WhileTimePasses(scaleStep, func() {
		for done := false; !done; work() {
			done = g.Count() == g.Members
			if !done && t.on.Now().After(deadline) {
				t.Inconclusive("group %s counts %d members after %s, want %d", g.Name, g.Count(), objects.MembersWait,
					g.Members)
			}
		}
	})
	t.clock.PassSeconds(2 * t.on.Grace()) // what is under way ends
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
			"of it is in force there, too; the count of groups is the point")
	}
	if !t.Failed() && t.FewestTwins(counts) == 0 {
		t.Inconclusive("with one group alone nothing is shown: no other rule of the router has the same policy " +
			"(T15); the count of groups is the point")
	}
}

// FewestTwins is the least of the counts with which a rule has a sibling; 0 without one.
func (Scaling) FewestTwins(counts []int) int {
	fewest := 0
	for _, n := range counts {
		if n > 1 && (fewest == 0 || n < fewest) {
			fewest = n
		}
	}
	return fewest
}

// NoteMembers reports that a group which should have no members yet has some: its rule's policy is then nothing new.
func (t Scaling) NoteMembers(g *objects.Group) {
	if n := g.Count(); n > 0 {
		t.Note("a group without members", "group %s had %d members before it was disabled", g.Name, n)
	}
}

// shrinkStep is how often a shrinking group is looked at: policies are evaluated once a minute.
const shrinkStep = 30 * time.Second

// ExpectShrink expects that the group goes from its members down to one, with at least the quiet time between two
// steps.
func (t Scaling) ExpectShrink(g *objects.Group, from int, quiet time.Duration) {
	defer t.Step("group %s shrinks", g.Name)()
	t.Checked(1)
	var times []time.Time
	count := from
	for end := t.on.Now().Add(time.Duration(from+1) * (quiet + 5*time.Minute)); count > 1 && t.on.Now().Before(end); {
		t.Must(t.site.Clock.Pass(t.ctx, shrinkStep), "waiting for a group to shrink")
		if n := g.Count(); n < count {
			times, count = append(times, t.on.Now()), n
		}
	}
	if count > 1 {
		t.Fail(result.WrongMembers, fmt.Sprintf("group %s still counts %d members", g.Name, count))
		return
	}
	for i := 1; i < len(times); i++ {
		if gap := times[i].Sub(times[i-1]); gap < quiet-shrinkStep {
			t.on.FailAs(result.QuietTime, result.Seen{What: SeenGap, Number: gap.Minutes(), Want: quiet.Minutes()},
				fmt.Sprintf("group %s lost members %s apart, its scale-down policy has a quiet "+
					"time of %s", g.Name, gap, quiet))
			return
		}
	}
}
