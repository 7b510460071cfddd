package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func failedDelete() harness.Scenario {
	return harness.Scenario{
		ID: "L-10", Title: "a rule whose delete fails keeps its members", Group: result.GroupLB, Priority: 1,
		Guards: []string{"#9587"}, Needs: faultNeeds(),
		KnownBad: always(release.FailedDeleteDropsMembers, "the members' mappings stay revoked and go with the "+
			"next push, LoadBalancingRulesManagerImpl.java@4.20.0.0", result.PushContent, result.WrongBackends).
			Or(always(release.FailedRemoveDropsMember, "so does that of a member that is removed by address",
				result.PushContent, result.WrongBackends)),
		Cures: []release.Knob{release.FailedDeleteDropsMembers.Off(), release.FailedRemoveDropsMember.Off()},
		Twins: []release.Knob{fault.FailedPushSucceeds, fault.MemberMissing, fault.InstanceListShort,
			fault.RouterServerMissing},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...),
				tier.LoadBalancer("control").Assign(vms...)
			t.ExpectBackends(control, a, vms...)
			t.Foreshow(release.FailedDeleteDropsMembers, story.Billed{}, story.Shows{Class: result.PushContent,
				What: story.SeenContent, Holds: story.Says(t.PushesOnly(a)), Most: 1})
			t.Foreshow(release.FailedDeleteDropsMembers, a.Billed(), story.Shows{Class: result.WrongBackends,
				What: story.SeenBackends, Holds: story.Says(""), Most: 1})
			t.Foreshow(release.FailedRemoveDropsMember, b.Billed(), story.Shows{Class: result.WrongBackends,
				What: story.SeenBackends, Holds: story.Says(vms[0].IP.String()), Most: 1})
			t.Foreshow(release.FailedRemoveDropsMember, story.Billed{}, story.Shows{Class: result.PushContent,
				What: story.SeenContent, Holds: story.Says(t.PushesOnly(b, vms[0])), Most: 1})
			fault := t.FailPushes(2)
			refusal := a.TryDelete()
			t.ExpectError(refusal, "deleting A while its router does not answer")
			t.ExpectListed(a)
			refusal = b.TryRemoveByAddress(vms[1])
			t.ExpectError(refusal, "taking a VM from B while its router does not answer")
			fault.RequireMet(2)
			tier.LoadBalancer("unrelated").Assign(vms...)
			t.ExpectAgreement(tier)
			t.ExpectBackends(control, a, vms...)
			t.ExpectBackends(control, b, vms...)
		}),
	}
}
