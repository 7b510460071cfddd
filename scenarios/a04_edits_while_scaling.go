package scenarios

import (
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
)

func editsWhileScaling() harness.Scenario {
	return harness.Scenario{
		ID: "A-04", Title: "changes of rules while groups scale are not lost", Group: result.GroupAutoscale, Priority: 1, Weight: 5,
		Guards: []string{"#9587"}, Needs: append(routerNeeds(), harness.TimeTravel),
		// Not push-lost: the next step of the group sends everything once more, which is what users saw heal it.
		Twins: []string{"policy-not-removed", "policy-wrong-rule", "router-file-stale", "router-reload-skipped"},
		Run: func(t *harness.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			g := tier.Group("group", 2)
			t.AwaitMembers(g)
			t.ExpectFree(control, a, b)
			const rounds = 6
			t.WhileTimePasses(time.Second, func() {
				for i := range rounds {
					g.Disable()
					g.Resize(2+i%2, 2+i%2)
					g.Enable()
					a.Stick()
					b.Stick()
					b.Unstick()
					if i < rounds-1 {
						a.Unstick()
					}
				}
			})
			t.PassSeconds(120) // what is under way ends
			t.ExpectAgreement(tier)
			t.ExpectMembers(g)
			t.ExpectSticky(control, a)
			t.ExpectFree(control, b)
		},
	}
}
