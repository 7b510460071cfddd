package scenarios

import (
	"fmt"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
)

func groupsSticky() harness.Scenario {
	return harness.Scenario{
		ID: "L-04", Title: "story B: stickiness changed while one of many autoscale groups is disabled is in force after it is enabled",
		Group: result.GroupLB, Weight: 10,
		Guards: storyB(), Needs: routerNeeds(), KnownBad: setComparison(), Twins: []string{"vr-compare-as-set"},
		Run: func(t *harness.T) {
			for _, count := range t.GroupCounts(2, 10, 50) {
				stickyWhileDisabled(t, count)
			}
		},
	}
}

// stickyWhileDisabled has count groups on one router, all but the last with the same source policy; the last gets it, and
// later loses it, while it is disabled. The control is a rule without a policy in front of the same members.
func stickyWhileDisabled(t *harness.T, count int) {
	tier := t.NewAccount().VPC().Tier()
	groups := make([]*harness.Group, count)
	for i := range groups {
		groups[i] = tier.Group(fmt.Sprintf("group %d of %d", i+1, count), 2)
	}
	t.AwaitMembers(groups...)
	changed, others := groups[count-1], groups[:count-1]
	control := tier.LoadBalancer("control").Assign(append(changed.VMs(), others[0].VMs()...)...)
	for _, g := range others {
		g.Stick()
	}
	t.ExpectSticky(control, others[0].Rule)
	t.ExpectFree(control, changed.Rule)

	pushes := t.PushCount(tier)
	changed.Disable()
	changed.Stick()
	changed.Enable()
	t.ExpectPushes(tier, pushes, 3)
	t.ExpectSticky(control, changed.Rule)

	changed.Disable()
	changed.Unstick()
	changed.Enable()
	t.ExpectFree(control, changed.Rule)
}
