package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func stoppedRouter() harness.Scenario {
	return harness.Scenario{
		ID: "L-15", Title: "a change while the router is stopped is in force after its start", Group: result.GroupLB,
		Priority: 1,
		Guards:   []string{"#9587"}, Needs: routerNeeds(),
		Twins: []release.Knob{fault.StartWithoutPush, fault.RouterStartEmpty, fault.PolicyDropped},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...),
				tier.LoadBalancer("control").Assign(vms...)
			b.Stick()
			t.ExpectSticky(control, b)
			name := tier.Router()
			pushes := tier.CountPushes()
			tier.StopRouter(name)
			a.Stick()
			b.Unstick()
			t.ExpectPolicies(a, "SourceBased")
			t.ExpectPolicies(b)
			tier.StartRouter(name)
			pushes.ExpectSent("two changes on a stopped router and its start", 1)
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a)
			t.ExpectFree(control, b)
		}),
	}
}
