package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func membersFollow() harness.Scenario {
	return harness.Scenario{
		ID: "L-16", Title: "members that are assigned, removed or expunged: list, push, file and clients agree",
		Group:  result.GroupLB,
		Guards: []string{"#7174", "#7892", "#9306"}, Needs: routerNeeds(),
		KnownBad: harness.Known{Releases: release.RevokedMembersListed(),
			Why: "#7174: the list shows revoked members; fixed in 4.19.0", Classes: []result.Class{result.PushContent}},
		Twins: []release.Knob{fault.MemberOrderTurned, fault.RevokedUntold,
			fault.PushLostMembers, fault.MemberMissing, fault.MemberNotRemoved,
			fault.InstanceListShort, fault.ExpungeWithoutPush,
			fault.PolicyLostWithMembers, fault.RouterServerMissing, fault.RouterBackendDown,
			fault.RouterChangeLostOnce},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(4)
			a, control := tier.LoadBalancer("A").Assign(vms[:2]...), tier.LoadBalancer("control").Assign(vms...)
			t.ExpectBackends(control, a, vms[:2]...)
			a.Stick()
			a.Assign(vms[2:]...)
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a)
			t.ExpectBackends(control, a, vms...)
			a.Remove(vms[3])
			t.ExpectAgreement(tier)
			t.ExpectBackends(control, a, vms[:3]...)
			pushes := tier.CountPushes()
			vms[2].Destroy() // it stays a backend until it is expunged (AS-9)
			pushes.ExpectNoneWhileDestroyed(vms[2])
			vms[2].Expunge()
			pushes.ExpectSent("expunging a member of two rules", 2)
			t.ExpectAgreement(tier)
			t.ExpectBackends(control, a, vms[:2]...)
		}),
	}
}
