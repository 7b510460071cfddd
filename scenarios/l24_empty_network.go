package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func emptyNetwork() harness.Scenario {
	return harness.Scenario{
		ID: "L-24", Title: "rule and policy of a network that does not exist yet come with its first member",
		Group: result.GroupLB, Priority: 2,
		Guards: []string{"#9587"}, Needs: routerNeeds(),
		Twins: []release.Knob{fault.PolicyLostWithMembers, fault.PushLostMembers, fault.PolicyDropped,
			fault.RouterPolicyOnWrongSection},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			tier := account.VPC().Tier()
			a, control := tier.LoadBalancer("A"), tier.LoadBalancer("control")
			a.Stick()
			pushes := tier.CountPushes()
			pushes.ExpectSent("a policy on an empty rule of an empty tier", 0)
			vms := tier.VMs(2)
			control.Assign(vms...)
			a.Assign(vms...)
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a)
			// The statistics port is refused once there is a router.
			t.ExpectRefused(431, "createLoadBalancerRule", account, cloud.Params{"publicipid": a.Address.ID,
				"networkid": tier.ID,
				"name":      "stats", "algorithm": "roundrobin", "openfirewall": "false", "publicport": "8081",
				"privateport": "8080"})
		}),
	}
}
