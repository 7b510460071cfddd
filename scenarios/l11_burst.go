package scenarios

import (
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func burst() harness.Scenario {
	return harness.Scenario{
		ID: "L-11", Title: "of a burst of changes the last one wins", Group: result.GroupLB, Priority: 1, Weight: 6,
		Guards: storyB(), Needs: routerNeeds(), KnownBad: setComparison(),
		Twins: []release.Knob{fault.PushLost, fault.PushStale, fault.PolicyWrongRule, fault.RouterFileStale,
			fault.RouterReloadSkipped, fault.RouterReloadsOverlap},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			control, rules := tier.LoadBalancer("control").Assign(vms...), tier.LoadBalancers(4)
			for _, r := range rules {
				r.Assign(vms...)
			}
			last := rules[len(rules)-1]
			t.ExpectFree(control, last)
			for _, spacing := range []time.Duration{0, 50, 100, 200, 500} {
				spacing *= time.Millisecond
				t.Trial("changes "+spacing.String()+" apart", func() {
					t.StickTogether(spacing, rules...)
					t.ExpectAgreement(tier)
					t.ExpectSticky(control, last)
				})
				t.Trial("changes "+spacing.String()+" apart", func() {
					t.UnstickTogether(spacing, rules...)
					t.ExpectAgreement(tier)
					t.ExpectFree(control, last)
				})
			}
		}),
	}
}
