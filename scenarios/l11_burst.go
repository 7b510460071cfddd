package scenarios

import (
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
)

func burst() harness.Scenario {
	return harness.Scenario{
		ID: "L-11", Title: "of a burst of changes the last one wins", Group: result.GroupLB, Priority: 1, Weight: 3,
		Guards: storyB(), Needs: routerNeeds(), KnownBad: setComparison(),
		Twins: []string{"push-lost", "push-stale", "policy-wrong-rule", "router-file-stale", "router-reload-skipped"},
		Run: func(t *harness.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			control := tier.LoadBalancer("control").Assign(vms...)
			for _, spacing := range []time.Duration{0, 50 * time.Millisecond, 100 * time.Millisecond} {
				rules := tier.LoadBalancers(4)
				for _, r := range rules {
					r.Assign(vms...)
				}
				t.ExpectFree(control, rules[3])
				t.StickTogether(spacing, rules...)
				t.ExpectAgreement(tier)
				t.ExpectSticky(control, rules[3])
			}
		},
	}
}
