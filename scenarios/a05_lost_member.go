package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func lostMember() harness.Scenario {
	return harness.Scenario{
		ID: "A-05", Title: "a group that lost a member has its size again, without the lost one",
		Group: result.GroupAutoscale, Priority: 1,
		Guards: []string{"#14185", "#9145", "#9336"}, Needs: []harness.Capability{harness.API, harness.PushLog},
		KnownBad: always(release.StoppedMemberStays,
			"#14185: a stopped member is replaced and stays behind the rule",
			result.WrongMembers),
		Cures: []release.Knob{release.StoppedMemberStays.Off()},
		Twins: []release.Knob{fault.MonitorBlind, fault.PushLostMembers, fault.InstanceListShort},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			g := tier.Group("group", 2)
			g.Settle()
			t.ExpectMembers(g)
			g.Disable()
			t.Foreshow(release.StoppedMemberStays, story.Billed{}, story.Shows{Class: result.WrongMembers,
				What: story.SeenMembers, Holds: story.CountOf(3, 2), Most: 1})
			g.VMs()[0].Stop()
			g.Enable()
			g.Settle()
			t.ExpectMembers(g)
			t.ExpectContent(tier, g.Rule)
			tier.LoadBalancer("sibling").Assign(tier.VMs(1)...) // a push after the loss goes through
			t.ExpectContent(tier)
		}),
	}
}
