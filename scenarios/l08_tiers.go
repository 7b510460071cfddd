package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func restartKeepsTiers() harness.Scenario {
	return harness.Scenario{
		ID: "L-08", Title: "a VPC restart with cleanup keeps the rules of all tiers", Group: result.GroupLB,
		Guards: []string{"#8745", "#8881"}, Needs: routerNeeds(),
		KnownBad: harness.Known{Releases: release.Where(release.RestartRendersOneTier),
			Why:     "#8745: each tier's push overwrites the others'; fixed by #8881 in 4.18.2 and 4.19.1",
			Classes: []result.Class{result.PushContent}},
		Twins: []release.Knob{release.RestartRendersOneTier, fault.StartWithoutPush, fault.PushOtherTiersLost,
			fault.RouterRuleMissing, fault.PolicyDropped},
		Run: story.Of(func(t *story.T) {
			vpc := t.NewAccount().VPC()
			first, second := vpc.Tier(), vpc.Tier()
			vpc.Tier() // one without rules
			a, ac := first.LoadBalancer("A").Assign(first.VMs(2)...),
				first.LoadBalancer("control A").Assign(first.VMs(2)...)
			b, bc := second.LoadBalancer("B").Assign(second.VMs(2)...),
				second.LoadBalancer("control B").Assign(second.VMs(2)...)
			b.Stick()
			t.ExpectAgreement(first)
			old := vpc.Router()
			vpc.Restart(true)
			t.RequireNewRouter(first, old)
			t.ExpectAgreement(first)
			t.ExpectFree(ac, a)
			t.ExpectSticky(bc, b)
		}),
	}
}
