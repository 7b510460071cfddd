package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func siblingChange() harness.Scenario {
	return harness.Scenario{
		ID: "L-12", Title: "a sibling's change costs one reload: clients may move once and are sticky again",
		Group: result.GroupLB, Priority: 1,
		Guards: []string{"#6849"}, Needs: routerNeeds(),
		Twins: []release.Knob{fault.RouterTableCleared, fault.RouterReloadTwice, fault.RouterTableTiny,
			fault.RouterExpireShort, fault.PushLostMembers},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, sibling, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("sibling").Assign(vms...),
				tier.LoadBalancer("control").Assign(vms...)
			a.Stick()
			before := t.Homes(control, a)
			reloads := t.Reloads(tier)
			sibling.Assign(tier.NewVM())
			t.ExpectReloads(tier, reloads, 1)
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a)
			t.NoteMoves("a sibling got a member", before, t.Homes(control, a))
		}),
	}
}
