package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func twinPolicyRemoved() harness.Scenario {
	return harness.Scenario{
		ID: "L-02", Title: "a source policy is removed although a sibling keeps an equal one", Group: result.GroupLB,
		Guards: storyB(), Needs: routerNeeds(), KnownBad: setComparison(),
		Twins: []release.Knob{release.VRCompareAsSet, fault.PushLost, fault.PushStale, fault.PolicyNotRemoved,
			fault.StickyDeleteIgnored, fault.RouterFileStale,
			fault.RouterReloadSkipped, fault.PolicyWrongRule, fault.PolicyDropped},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...),
				tier.LoadBalancer("control").Assign(vms...)
			a.Stick()
			b.Stick()
			// A change that no comparison swallows brings both policies live also on a router with the defect.
			tier.LoadBalancer("first server").Assign(tier.NewVM())
			t.ExpectContent(tier)
			t.RequireSticky(control, a, b)
			t.ExpectAgreement(tier)
			b.Unstick()
			t.ExpectPolicies(a, "SourceBased")
			t.ExpectPolicies(b)
			t.ExpectAgreement(tier)
			t.ExpectFree(control, b)
			t.ExpectSticky(control, a)
		}),
	}
}
