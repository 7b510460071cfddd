package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func deletedAnswersNoMore() harness.Scenario {
	return harness.Scenario{
		ID: "L-25", Title: "a rule that was deleted, or went with its address, answers no more; the others stay",
		Group: result.GroupLB, Guards: []string{"#9587"}, Needs: routerNeeds(),
		Twins: []release.Knob{fault.PushLostDelete, fault.RouterKeepsDeleted, fault.RouterSecondDoor,
			fault.RevokedUntold, fault.StrangerRevoked, fault.RouterFileStale, fault.RouterReloadSkipped,
			fault.RouterLineDoubled},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("control").Assign(vms...)
			second, third := tier.Address(), tier.Address()
			b := tier.LoadBalancerOn(second, "B", "roundrobin").Assign(vms...)
			c := tier.LoadBalancerOn(third, "C", "roundrobin").Assign(vms...)
			c.Stick()
			t.ExpectFree(control, a, b)
			a.Delete()
			t.ExpectAgreement(tier)
			second.Release()
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, c)
			t.ExpectNobody(tier)
		}),
	}
}
