package scenarios

import (
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func memberLeaves() harness.Scenario {
	return harness.Scenario{
		ID: "A-07", Title: "the member that leaves its rule is the one that is destroyed, after its grace period; a " +
			"group that is disabled meanwhile stays so",
		Group: result.GroupAutoscale, Guards: []string{"#9587"}, Needs: []harness.Capability{harness.API,
			harness.PushLog, harness.TimeTravel},
		Twins: []release.Knob{fault.ScalingForgetsDisable, fault.WrongMemberDestroyed, fault.GraceIgnored},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			tier.Shrink(10 * time.Minute)
			g := tier.Group("group", 3)
			t.AwaitMembers(g)
			members := g.VMs()
			g.Disable()
			g.Resize(1, 3)
			g.Enable()
			left := t.AwaitLeaver(g, members)
			t.ExpectInGrace(g, members...)
			g.Disable()
			t.PassGrace()
			t.ExpectDestroyed("it left its rule, and its grace period is over", left)
			for _, vm := range members {
				if vm != left {
					t.ExpectRunning("it is a member", vm)
				}
			}
			t.ExpectState(g, "DISABLED")
			t.ExpectContent(tier)
		}),
	}
}
