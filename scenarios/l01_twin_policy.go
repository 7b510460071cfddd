package scenarios

import (
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
)

func twinPolicyApplied() harness.Scenario {
	return harness.Scenario{
		ID: "L-01", Title: "a source policy that equals a sibling's is applied", Group: result.GroupLB,
		Guards: storyB(), Needs: routerNeeds(), KnownBad: setComparison(), Twins: []string{"vr-compare-as-set"},
		Run: func(t *harness.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			t.ExpectFree(control, a, b)
			a.Stick()
			t.ExpectSticky(control, a)
			t.ExpectFree(control, b)
			b.Stick()
			t.ExpectSticky(control, a, b)
			if t.Failed() {
				tier.LoadBalancer("heals").Assign(tier.NewVM())
				t.Diagnose("after a server was added to another rule", control, b)
			}
		},
	}
}
