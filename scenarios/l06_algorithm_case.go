package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func algorithmCase() harness.Scenario {
	return harness.Scenario{
		ID: "L-06", Title: "an algorithm in mixed case works, and harms no sibling", Group: result.GroupLB,
		Guards: []string{"#9698"}, Needs: routerNeeds(),
		KnownBad: harness.Known{Releases: release.Where(release.AlgorithmVerbatim),
			Why:     "#9698: the algorithm is written as the user typed it; fixed in 4.19.2.0 and 4.20.0.0",
			Classes: []result.Class{result.RouterFrozen, result.NotSticky}},
		Twins: []release.Knob{release.AlgorithmVerbatim, fault.PushStale, fault.PushLostUpdate,
			fault.RouterAlgorithmIgnored, fault.RouterReloadSkipped,
			fault.RouterRuleMissing},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			t.ExpectFree(control, a)
			// A rule with a protocol: what becomes of one without is L-35's story.
			b := tier.LoadBalancerAs("B", story.Form{Algorithm: "Source", Protocol: "tcp"}).Assign(vms...)
			t.ExpectValidFile(tier)
			t.ExpectBySource(control, b)
			a.Stick()
			t.ExpectSticky(control, a)
			// The stored text differs by case only: that is a change, and pushed.
			pushes := t.PushCount(tier)
			b.SetAlgorithm("source")
			t.ExpectPushes(tier, pushes, 1)
			t.ExpectBySource(control, b)
			t.ExpectAgreement(tier)
		}),
	}
}
