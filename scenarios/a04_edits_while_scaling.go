package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func editsWhileScaling() harness.Scenario {
	return harness.Scenario{
		ID: "A-04", Title: "changes of rules while groups scale are not lost", Group: result.GroupAutoscale,
		Priority: 1, Weight: 5,
		Guards: []string{"#9587"}, Needs: append(routerNeeds(), harness.TimeTravel), KnownBad: setComparison(),
		Twins: []release.Knob{fault.PushOvertaken, fault.PushLost, fault.PolicyNotRemoved, fault.PolicyWrongRule,
			fault.RouterFileStale, fault.RouterReloadSkipped},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...),
				tier.LoadBalancer("control").Assign(vms...)
			b.Stick()
			g := tier.Group("group", 2)
			t.AwaitMembers(g)
			changes := 0
			for _, size := range []int{3, 2, 3, 2, 3, 2} {
				g.Disable()
				g.Resize(size, size)
				g.Enable()
				// one change at a time: a second one would bring what the first one's push lost
				t.WhileScaling(g, func() {
					changes++
					[]*story.Rule{a, b}[changes%2].Toggle()
				})
				// nothing is pushed any more that would heal a state that an older push brought back
				t.ExpectContent(tier)
			}
			t.Note("changes", "%d while the group scaled", changes)
			t.ExpectMembers(g)
			t.ExpectAsListed(control, a, b)
			t.ExpectAgreement(tier)
			a.Toggle()
			b.Toggle()
			t.ExpectAsListed(control, a, b)
		}),
	}
}
