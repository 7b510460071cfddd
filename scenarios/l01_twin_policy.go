package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func twinPolicyApplied() harness.Scenario {
	return harness.Scenario{
		ID: "L-01", Title: "a source policy that equals a sibling's is applied", Group: result.GroupLB,
		Guards: storyB(), Needs: routerNeeds(), KnownBad: setComparison(),
		Twins: []release.Knob{
			fault.PushFieldChanged,
			fault.MemberOrderTurned,
			fault.RouterLineLost,
			fault.RouterLineDoubled,
			fault.RouterLineChanged,
			fault.RouterSecondDoor,
			release.VRCompareAsSet,
			fault.PushLost,
			fault.PushStale,
			fault.PushPartial,
			fault.PolicyDropped,
			fault.PolicyWrongRule,
			fault.MemberMissing,
			fault.StickyListEmpty,
			fault.InstanceListShort,
			fault.PushLostMembers,
			fault.RouterChangeLostOnce,
			fault.RouterFileStale,
			fault.RouterReloadSkipped,
			fault.RouterTableCleared,
			fault.RouterTableTiny,
			fault.RouterExpireShort,
			fault.RouterServerMissing,
			fault.RouterRuleMissing,
			fault.RouterPolicyOnWrongSection,
		},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			a, b, control := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("B").Assign(vms...),
				tier.LoadBalancer("control").Assign(vms...)
			t.ExpectFree(control, a, b)
			t.ExpectAgreement(tier)
			a.Stick()
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a)
			t.ExpectFree(control, b)
			b.Stick()
			t.ExpectAgreement(tier)
			t.ExpectSticky(control, a, b)
			if t.Failed() {
				tier.LoadBalancer("heals").Assign(tier.NewVM())
				t.Diagnose("after a server was added to another rule", control, b)
			}
		}),
	}
}
