package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func longConnections() harness.Scenario {
	return harness.Scenario{
		ID: "L-13", Title: "connections outlive a change, new ones follow it", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#9583"}, Needs: routerNeeds(),
		Twins: []release.Knob{fault.RouterOldWorkerStays, fault.RouterReloadSkipped, fault.RouterFileStale,
			fault.PushLost, fault.PolicyDropped},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			t.ExpectFree(control, a)
			lines := t.OpenLines(a, 20)
			a.Stick()
			lines.ExpectStay()
			t.ExpectWorkers(tier, 2)
			t.ExpectSticky(control, a)
			lines.ExpectStay()
			lines.Close()
			t.ExpectWorkers(tier, 1)
			t.ExpectAgreement(tier)
		}),
	}
}
