package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func internalBalancer() harness.Scenario {
	return harness.Scenario{
		ID: "L-17", Title: "a source policy of an internal load balancer is in force on its VM, and on it alone",
		Group: result.GroupLB, Priority: 1,
		Guards: []string{"#7266"}, Needs: routerNeeds(), KnownBad: setComparison(),
		Twins: []release.Knob{fault.InternalPoliciesDropped, fault.InternalRulesOnRouter, release.VRCompareAsSet,
			fault.PushLost, fault.PushStale, fault.PushLostMembers,
			fault.RouterReloadSkipped, fault.RouterFileStale},
		Run: story.Of(func(t *story.T) {
			vpc := t.NewAccount().VPC()
			public, tier := vpc.Tier(), vpc.InternalTier()
			vms := tier.VMs(2)
			a, b, control := tier.InternalLoadBalancer("A"), tier.InternalLoadBalancer("B"),
				tier.InternalLoadBalancer("control")
			for _, r := range []*story.Rule{a, b, control} {
				r.Assign(vms...)
			}
			t.ExpectFree(control, a, b)
			a.Stick()
			b.Stick()
			t.ExpectValidFile(tier)
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a, b)
			public.LoadBalancer("public").Assign(public.VMs(1)...)
			t.ExpectAgreement(public)
			t.ExpectAgreement(tier)
			b.Unstick()
			t.ExpectAgreement(tier)
			t.ExpectFree(control, b)
			t.ExpectSticky(control, a)
			t.Note("source lists", "createLoadBalancer takes none, in no release seen: the list half of this story "+
				"waits for a call that gives an internal rule one")
		}),
	}
}
