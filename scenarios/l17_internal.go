package scenarios

import (
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
)

func internalBalancer() harness.Scenario {
	return harness.Scenario{
		ID: "L-17", Title: "a source policy of an internal load balancer is in force on its VM, and on it alone", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#7266"}, Needs: routerNeeds(), KnownBad: setComparison(),
		Twins: []string{"internal-policies-dropped", "internal-rules-on-router", "vr-compare-as-set", "push-lost", "push-stale", "push-lost-members",
			"router-reload-skipped", "router-file-stale"},
		Run: story.Of(func(t *story.T) {
			vpc := t.NewAccount().VPC()
			public, tier := vpc.Tier(), vpc.InternalTier()
			vms := tier.VMs(2)
			a, b, control := tier.InternalLoadBalancer("A"), tier.InternalLoadBalancer("B"), tier.InternalLoadBalancer("control")
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
			t.Note("source lists", "createLoadBalancer takes none, in no release seen: the list half of this story waits for a call that gives an internal rule one")
		}),
	}
}
