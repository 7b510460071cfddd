package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func upgradeAcrossFix() harness.Scenario {
	return harness.Scenario{
		ID: "U-11", Title: "an upgrade across the fix neither heals nor adds damage, rules that lived through it " +
			"close properly, a repair ends it",
		Group:  result.GroupUsage,
		Guards: storyA(), Needs: append(usageNeeds(), harness.Upgrade),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UpgradeReopensRows, fault.UpgradeReplaysEvents,
			fault.RepairDatesNow, fault.RepairWholeAccount},
		Run: story.Of(func(t *story.T) {
			from, to := t.UpgradePath()
			t.SwitchRelease(from)
			tier := t.NewAccount().VPC().Tier()
			rules := t.CrossedRules(tier, 2, 6)
			dies, victim := t.Crossed(rules...)
			lives := tier.LoadBalancers(2)
			released := tier.Address()
			leaked := tier.LoadBalancerOn(released, "leaked", "roundrobin")
			t.Drain()
			t.RequireOpen(append(lives, leaked, dies, victim)...)
			dies.Delete()
			released.Release()
			t.DrainUnjudged()
			damage := t.Audit()
			t.RequireDamage(damage, dies, victim, leaked)

			t.SwitchRelease(to)
			t.Drain()
			for _, rule := range lives {
				rule.Delete()
			}
			t.Drain()
			t.Drains(1)
			t.ExpectClosed(lives...)
			for _, rule := range lives {
				t.ExpectBilledFor(rule)
			}
			t.ExpectSameDamage(damage)

			dead := []*story.Rule{dies, leaked}
			plan := t.PlanRepair()
			t.ExpectPlan(plan, dead, []*story.Rule{victim})
			repaired := t.Repair(plan)
			t.DrainUnjudged()
			t.DrainUnjudged()
			t.ExpectNoDamage()
			t.ExpectUnbilledSince(repaired, dead...)
			t.ExpectOpen(victim)
			t.ExpectFullWindow(victim)
		}),
	}
}
