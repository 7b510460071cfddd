package scenarios

import (
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func billedAfterFailedDelete() harness.Scenario {
	return harness.Scenario{
		ID: "U-09", Title: "an LB rule whose delete failed lives on, is billed on and keeps its members",
		Group:  result.GroupUsage,
		Guards: []string{"#9587"}, Needs: append(usageNeeds(), harness.PushFault, harness.PushLog),
		KnownBad: always(release.DeleteEventBeforePush, "LoadBalancingRulesManagerImpl.java@4.20.0.0 writes "+
			"LB.DELETE before the push and does not take it back", result.RolledBackDelete, result.WrongClose,
			result.WrongEvent).Or(always(release.FailedDeleteDropsMembers,
			"it revokes the members before the push, too", result.PushContent)),
		Cures: []release.Knob{release.DeleteEventBeforePush.Off(), release.FailedDeleteDropsMembers.Off()},
		Twins: []release.Knob{release.DeleteEventBeforePush, release.FailedDeleteDropsMembers},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			rule, sibling := tier.LoadBalancer("A").Assign(vms...), tier.LoadBalancer("sibling").Assign(vms[0])
			t.Drain()
			t.RequireOpen(rule)
			t.Foreshow(release.DeleteEventBeforePush, rule.Billed(),
				story.Shows{Class: result.RolledBackDelete, What: "I2", Holds: t.AtFirst("LB.DELETE", rule.Billed())},
				story.Shows{Class: result.RolledBackDelete, What: story.SeenDeletes,
					Holds: t.AtFirst("LB.DELETE", rule.Billed()), Most: 1},
				story.Shows{Class: result.WrongClose, What: story.SeenClosed,
					Holds: t.AtFirst("LB.DELETE", rule.Billed()), Most: 1},
				story.Shows{Class: result.WrongEvent, What: story.SeenDeletes, Holds: story.Count(2), Most: 1})
			t.Foreshow(release.FailedDeleteDropsMembers, story.Billed{}, story.Shows{Class: result.PushContent,
				What: story.SeenContent, Holds: story.Says(t.PushesOnly(rule)), Most: 1})
			fault := t.FailPushes(1)
			t.ExpectRefused(530, "deleteLoadBalancerRule", rule.Account, cloud.Params{"id": rule.ID})
			fault.RequireMet(1)
			t.ExpectListed(rule)
			sibling.Assign(vms[1])
			t.DrainThrough(1)
			t.ExpectNoDeleteEvent(rule)
			t.ExpectOpen(rule)
			t.ExpectContent(tier)
			rule.Delete()
			t.Drain()
			t.ExpectOneDeleteEvent(rule)
		}),
	}
}
