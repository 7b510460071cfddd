package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func algorithmChanged() harness.Scenario {
	return harness.Scenario{
		ID: "L-03", Title: "an algorithm change is applied although both algorithms are in use elsewhere",
		Group:  result.GroupLB,
		Guards: storyB(), Needs: routerNeeds(), KnownBad: setComparison(),
		Twins: []release.Knob{release.VRCompareAsSet, fault.PushStale, fault.PushLostUpdate,
			fault.AlgorithmUpdateIgnored, fault.RouterAlgorithmIgnored,
			fault.RouterReloadSkipped, fault.RouterFileStale},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			// A rule with a protocol: what becomes of one without is L-35's story.
			b, control := tier.LoadBalancerAs("B", story.Form{Protocol: "tcp"}).Assign(vms...),
				tier.LoadBalancer("control").Assign(vms...)
			tier.LoadBalancerOn(b.Address, "C", "source").Assign(vms...)
			t.ExpectFree(control, b)
			pushes := t.PushCount(tier)
			b.SetAlgorithm("source")
			t.ExpectPushes(tier, pushes, 1)
			t.ExpectAgreement(tier)
			t.ExpectBySource(control, b)
			b.SetAlgorithm("roundrobin")
			t.ExpectAgreement(tier)
			t.ExpectFree(control, b)
		}),
	}
}
