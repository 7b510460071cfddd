package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// assignedAgain needs a zone that is thrown away: nothing but SQL helps a rule that is stuck. The control is the same
// change of a rule beside it.
func assignedAgain() harness.Scenario {
	return harness.Scenario{
		ID: "L-51", Title: "a rule goes on after an address was assigned again whose removal had failed",
		Group: result.GroupLB, Priority: 1, Guards: []string{"#13015"},
		Needs: []harness.Capability{harness.API, harness.PushLog, harness.PushFault, harness.TimeTravel},
		KnownBad: known(release.MappingTwiceStuck,
			"#13015: an address is mapped twice, and its rows cannot be removed with one date",
			result.RuleStuck, result.ServerException),
		Cures: []release.Knob{release.MappingTwiceStuck.Off()},
		Twins: []release.Knob{release.MappingTwiceStuck, fault.FailedPushSucceeds},
		Run: story.Of(func(t *story.T) {
			t.JudgesPushesItself() // the failed removal is in no push, and yet the next one drops the member
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			second := vms[0].SecondAddress()
			r := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}).Assign(vms...)
			sibling := tier.LoadBalancerAs("sibling", story.Form{Protocol: "tcp"}).Assign(vms...)
			t.ExpectCarriedOut(r.TryAssignAddress(second), "putting a second address behind A")
			fails := t.FailPushes(1)
			t.ExpectError(r.TryRemoveAddress(second), "taking it from A while its router does not answer")
			fails.RequireMet(1)
			fails.End()
			again := r.TryAssignAddress(second) // refused, or carried out: releases differ, and both are sound
			t.ExpectChangeable(sibling, nil)
			t.ExpectChangeable(r, again)
		}),
	}
}
