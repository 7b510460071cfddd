package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// sharedAddress: the control is a port that an address without balancing forwards. From 4.21 on the default offering of
// tiers is in conserve mode.
func sharedAddress() harness.Scenario {
	return harness.Scenario{
		ID:    "L-70",
		Title: "an address of a tier balances load and forwards ports where its offering is in conserve mode",
		Group: result.GroupLB, Priority: 2, Guards: []string{"#8309"}, Needs: pushNeeds(),
		Twins: []release.Knob{fault.AddressSharedAnyway, fault.PushLostMembers},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vm := tier.NewVM()
			balances, plain := tier.Address(), tier.Address()
			r := tier.LoadBalancerOn(balances, "A", "roundrobin").Assign(vm)
			t.ExpectCarriedOut(plain.TryForward(tier, vm), "a port forwarding rule on an address of its own")
			t.ExpectShared(tier, balances, balances.TryForward(tier, vm))
			t.ExpectListed(r)
			t.ExpectContent(tier)
		}),
	}
}
