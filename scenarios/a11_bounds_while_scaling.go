package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// boundsWhileScaling: the control is the number of members in the end, which is that of the bounds that were taken.
func boundsWhileScaling() harness.Scenario {
	return harness.Scenario{
		ID: "A-11", Title: "bounds that change while members start are refused, or the group comes to have them",
		Group: result.GroupAutoscale, Priority: 1, Guards: []string{"#13148"},
		Needs: []harness.Capability{harness.API, harness.PushLog},
		Twins: []release.Knob{fault.EnabledUpdateAllowed, fault.PushLostMembers},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			g := tier.Group("group", 2)
			asked := false
			t.WhileScaling(g, func() {
				if !asked && g.Count() > 0 {
					asked = true
					t.ExpectBoundsJudged(g, 3)
				}
			})
			if !asked {
				t.Inconclusive("the group had all its members before it could be changed")
			}
			g.Settle()
			t.ExpectMembers(g)
			t.ExpectContent(tier, g.Rule)
		}),
	}
}
