package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// failedChanges: each change is tried where no release has a defect, so that a known one hides nothing: a first policy,
// a member that was not there, a removal by the VM. The controls are the same changes when their push succeeds.
func failedChanges() harness.Scenario {
	return harness.Scenario{
		ID: "L-82", Title: "a change whose push fails changes nothing, one that cannot be is refused, and an address " +
			"without rules is free again", Group: result.GroupLB, Guards: []string{"#9587", "#9583"},
		Needs: faultNeeds(),
		Twins: []release.Knob{fault.FailedPushSucceeds, fault.FailedAssignStays, fault.FailedPolicyStays,
			fault.FailedRemovalStays, fault.AssignedAgain, fault.AddressStaysTied},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}).Assign(vms[0])
			fresh := tier.LoadBalancerAs("fresh", story.Form{Protocol: "tcp"})
			failing := func(what string, change func() *cloud.Error) {
				fails := t.FailPushes(1)
				t.ExpectError(change(), what+" while the router does not answer")
				fails.RequireMet(1)
				fails.End()
			}
			failing("a first member", func() *cloud.Error { return fresh.TryAssign(vms[1]) })
			t.ExpectMemberAddresses(fresh, result.HalfChanged)
			failing("a first policy", a.TryToggle)
			t.ExpectPolicies(a)
			a.Stick()
			failing("the removal of a policy", a.TryToggle)
			t.ExpectPolicies(a, "SourceBased")
			failing("the removal of a member", func() *cloud.Error { return a.TryRemove(vms[0]) })
			t.ExpectMemberAddresses(a, result.HalfChanged, vms[0].IP)
			before := a.Listed()
			failing("another algorithm", func() *cloud.Error {
				return a.TryUpdate(cloud.Params{"algorithm": "source", "protocol": "tcp"})
			})
			t.ExpectUnchanged(before, a)
			fresh.Assign(vms[1]) // brings what the failed changes left to the router
			t.ExpectAgreement(tier)
			t.ExpectMemberAddresses(a, result.HalfChanged, vms[0].IP)
			t.ExpectPolicies(a, "SourceBased")
			t.ExpectRefusal(fresh.TryAssign(vms[1]), 530, "putting a VM behind the rule that has it")
			t.ExpectMemberAddresses(fresh, result.HalfChanged, vms[1].IP)
			lone := tier.LoadBalancerAs("lone", story.Form{On: tier.Address()}).Assign(vms[0])
			lone.Delete()
			t.ExpectUntied(lone.Address)
			t.ExpectAgreement(tier)
		}),
	}
}
