package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// harmlessActions does to live things all that changes them and ends none. CloudStack writes LB.CREATE and LB.DELETE
// where a rule is created and removed and nowhere else (LoadBalancingRulesManagerImpl.java@4.20.0.0).
func harmlessActions() harness.Scenario {
	return harness.Scenario{
		ID: "U-39", Title: "updates, stickiness, members, a disabled group, stops and restarts leave usage rows as " +
			"they are", Group: result.GroupUsage,
		Guards: []string{"#10789", "#9587"}, Needs: usageNeeds(),
		KnownBad: known(release.UsageVolumeKeyNarrow,
			"#13399: a duplicate key blocks the usage run, and no row is opened any more",
			result.StalledRun),
		Twins: []release.Knob{release.UsageVolumeKeyNarrow, fault.UpdateCreatesAgain, fault.StickEndsRule,
			fault.RemoveEndsSibling, fault.DisableEndsRule, fault.RestartRenewsRules, fault.StopEndsForwards,
			fault.RebootEndsVolumes, fault.ResizeCreatesVolume},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			vpc := account.VPC()
			tier := vpc.Tier()
			vms := tier.VMs(2)
			// With a protocol: what becomes of the update of one without is L-35's story.
			rule := tier.LoadBalancerAs("A", story.Form{Protocol: "tcp"}).Assign(vms[0])
			sibling := tier.LoadBalancer("B")
			group := tier.Group("group", 1)
			forward := tier.PortForward(tier.Address(), "P", vms[0])
			root, data := vms[0].RootVolume(), account.NewVolume()
			data.Attach(vms[0])
			t.Drain()
			t.AwaitMembers(group)
			stands := t.Standing(rule.Billed(), sibling.Billed(), group.Billed(), forward.Billed(),
				rule.Address.Billed(), root.Billed(), data.Billed(), vms[0].Allocated(), tier.Billed(), vpc.Billed())
			rule.Update(cloud.Params{"name": t.Unique("renamed"), "algorithm": "leastconn"})
			rule.Assign(vms[1])
			rule.Stick()
			rule.Remove(vms[1])
			rule.Unstick()
			group.Disable()
			group.Enable()
			data.Resize(30)
			vms[0].Reboot()
			vms[0].Stop()
			vms[0].Start()
			tier.Update()
			tier.Restart(false)
			vpc.Restart(true)
			t.Drain()
			t.Drains(1)
			t.ExpectStanding(stands)
		}),
	}
}
