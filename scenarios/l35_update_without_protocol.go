package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// updateWithoutProtocol: the control is a rule with a protocol, whose update must succeed and be pushed.
func updateWithoutProtocol() harness.Scenario {
	return harness.Scenario{
		ID: "L-35", Title: "a rule that was made without a protocol can be changed", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#11468"}, Needs: pushNeeds(),
		KnownBad: harness.Known{
			Releases: release.Where(release.UpdateWithoutProtocolFails),
			Why: "updateLoadBalancerRule stores and pushes the change of a rule without a protocol, and then fails " +
				"with " +
				"a null pointer (docs/findings/update-without-protocol.md)",
			Classes: []result.Class{result.ServerException, result.HalfChanged},
		},
		Twins: []release.Knob{release.UpdateWithoutProtocolFails, fault.AlgorithmUpdateIgnored, fault.PushLostUpdate},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			for name, protocol := range map[string]string{"control": "tcp", "plain": ""} {
				r := tier.LoadBalancerAs(name, story.Form{Protocol: protocol}).Assign(vms...)
				before := r.Listed()
				refusal := r.TryUpdate(cloud.Params{"algorithm": "source"})
				t.ExpectCarriedOut(refusal, "a new algorithm of "+name)
				if refusal != nil {
					t.ExpectUnchanged(before, r)
				}
				t.ExpectContent(tier)
				t.ExpectAlgorithm(r, refusal, "source")
			}
		}),
	}
}
