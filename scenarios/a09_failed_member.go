package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// memberNotPushed: the control is that the failing push was met, and that the sibling is served as before.
func memberNotPushed() harness.Scenario {
	return harness.Scenario{
		ID: "A-09", Title: "a group whose new member could not be pushed has its members behind the rule in the end",
		Group: result.GroupAutoscale, Priority: 1, Guards: []string{"#9587"}, Needs: append(faultNeeds(),
			harness.TimeTravel),
		KnownBad: always(release.UnassignedMemberStays, "a member whose push fails stays in its group and is never "+
			"behind the rule (docs/findings/unassigned-member-stays.md)", result.WrongMembers),
		Cures: []release.Knob{release.UnassignedMemberStays.Off()},
		Twins: []release.Knob{release.UnassignedMemberStays, fault.FailedPushSucceeds},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			sibling := tier.LoadBalancer("sibling").Assign(tier.VMs(1)...)
			g := tier.Group("group", 1)
			t.AwaitMembers(g)
			t.Foreshow(release.UnassignedMemberStays, story.Billed{}, story.Shows{Class: result.WrongMembers,
				What: story.SeenMembers, Holds: story.CountOf(1, 1), Most: 1})
			g.Disable()
			g.Resize(2, 2)
			g.Enable()
			fails := t.FailPushes(1)
			g.Settle()
			fails.RequireMet(1)
			fails.End()
			g.Settle()
			t.ExpectMembers(g)
			t.ExpectListed(sibling)
			t.ExpectAgreement(tier)
		}),
	}
}
