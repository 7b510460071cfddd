package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// formerMember: the controls are the same list and the same removal while the VM is a member.
func formerMember() harness.Scenario {
	return harness.Scenario{
		ID: "L-47", Title: "a VM that left a rule is not listed with it, and its address can be removed",
		Group: result.GroupLB, Priority: 1, Guards: []string{"#13015"}, Needs: pushNeeds(),
		KnownBad: known(release.SoftDeleteJoinBlind,
			"#13015: lists and guards join members that were taken away",
			result.FormerMember),
		Cures: []release.Knob{release.SoftDeleteJoinBlind.Off()},
		Twins: []release.Knob{release.SoftDeleteJoinBlind, fault.PushLostMembers},
		Run: story.Of(func(t *story.T) {
			t.JudgesPushesItself()
			tier := t.NewAccount().VPC().Tier()
			vm, other := tier.NewVM(), tier.NewVM()
			second := vm.SecondAddress()
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}).Assign(vm, other)
			t.ExpectCarriedOut(r.TryAssignAddress(second), "putting the second address behind A")
			t.ExpectListedFor(vm, r, 1)
			t.ExpectRefusal(second.TryRemove(), 431, "removing an address that is behind a rule from its NIC")
			t.ExpectCarriedOut(r.TryRemoveAddress(second), "taking the second address from A")
			t.ExpectLeavesNIC(second)
			t.PassSeconds(2)
			r.Remove(vm)
			t.ExpectListedFor(vm, r, 0)
			t.PassSeconds(2)
			r.Assign(vm)
			t.ExpectListedFor(vm, r, 1)
			t.ExpectListedFor(other, r, 1)
			t.ExpectContent(tier)
		}),
	}
}

// deleteKeepsPolicy: the control is the rule's policy before the delete that fails.
func deleteKeepsPolicy() harness.Scenario {
	return harness.Scenario{
		ID: "L-48", Title: "a rule whose delete fails keeps its stickiness policy", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#13015"}, Needs: []harness.Capability{harness.API, harness.PushLog, harness.PushFault},
		KnownBad: known(release.FailedDeleteDropsPolicy,
			"#13015: a delete that fails leaves the policies revoked, and they go with the next push",
			result.WrongPolicies),
		Cures: []release.Knob{release.FailedDeleteDropsPolicy.Off()},
		Twins: []release.Knob{release.FailedDeleteDropsPolicy, fault.FailedPushSucceeds},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}).Assign(tier.VMs(1)...)
			r.Stick()
			t.ExpectPolicies(r, "SourceBased")
			fails := t.FailPushes(1)
			t.ExpectError(r.TryDelete(), "deleting A while its router does not answer")
			fails.RequireMet(1)
			fails.End()
			t.ExpectListed(r)
			t.ExpectPolicies(r, "SourceBased")
		}),
	}
}
