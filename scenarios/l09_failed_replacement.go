package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func failedReplacement() harness.Scenario {
	return harness.Scenario{
		ID: "L-09", Title: "a policy whose replacement fails stays", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#9583"}, Needs: faultNeeds(),
		KnownBad: always(release.ReplacedPolicyLost, "the replaced policy stays revoked and goes with the next "+
			"push, LoadBalancingRulesManagerImpl.java@4.20.0.0", result.WrongPolicies,
			result.NotSticky).Or(setComparison()),
		Cures: []release.Knob{release.ReplacedPolicyLost.Off()},
		Twins: []release.Knob{fault.FailedPushSucceeds, fault.PolicyDropped, fault.RouterReloadSkipped,
			fault.PolicyWrongRule},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...),
				tier.LoadBalancer("control").Assign(vms...)
			a.Stick()
			t.ExpectSticky(control, a)
			fault := t.FailPushes(1)
			refusal := a.TryGive(story.SourcePolicy("100k", "10m"))
			fault.RequireMet(1)
			t.ExpectError(refusal, "replacing the policy of A while its router does not answer")
			t.ExpectPolicies(a, "SourceBased")
			t.Foreshow(release.ReplacedPolicyLost, a.Billed(), story.Shows{Class: result.WrongPolicies,
				What: story.SeenPolicies, Holds: story.Says(""), Most: 2})
			if !t.Meets(release.VRCompareAsSet) { // else the router goes on with the lost policy
				t.Foreshow(release.ReplacedPolicyLost, a.Billed(), story.Shows{Class: result.NotSticky,
					What: story.SeenWay, Holds: story.Way(false, false, false, false), Most: 1})
			}
			b.Stick() // an unrelated push that succeeds
			t.ExpectPolicies(a, "SourceBased")
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a, b)
		}),
	}
}
