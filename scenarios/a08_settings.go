package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// groupSettings: on the simulator CPU is at 10 %, and memory has no data, so that a condition on it never holds.
func groupSettings() harness.Scenario {
	return harness.Scenario{
		ID: "A-08", Title: "a group's new bounds and its profile's new offering reach the next member; a policy of " +
			"two conditions waits for both",
		Group: result.GroupAutoscale, Guards: []string{"#9587"}, Needs: []harness.Capability{harness.API,
			harness.PushLog, harness.TimeTravel},
		Twins: []release.Knob{fault.ProfileUpdateIgnored, fault.PolicyFirstCondition, fault.MonitorOldBounds,
			fault.EnabledUnwatched},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			g := tier.Group("group", 1)
			t.AwaitMembers(g)
			first := g.VMs()
			g.Disable()
			offering := tier.OtherOffering()
			tier.ChangeProfile(offering)
			g.Resize(2, 2)
			g.Enable()
			g.Settle()
			t.ExpectMembers(g)
			t.ExpectNewOffering(g, first, offering)
			low, unknown := story.When{Source: "CPU", Operator: "LT", Threshold: 50},
				story.When{Source: "MEMORY", Operator: "LT", Threshold: 100}
			one, both := tier.GroupOf("one", 1, low), tier.GroupOf("both", 1, low, unknown)
			t.AwaitMembers(one, both)
			t.PassSeconds(10 * 60) // the quiet time after the first member, and some
			one.Members++
			t.ExpectMembers(one)
			t.ExpectMembers(both)
			t.ExpectContent(tier)
		}),
	}
}
