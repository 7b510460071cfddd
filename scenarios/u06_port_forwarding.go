package scenarios

import (
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func portForwarding() harness.Scenario {
	return harness.Scenario{
		ID: "U-06", Title: "a deleted port forwarding rule closes its own usage row and no other (ids apart and " +
			"crossed)", Group: result.GroupUsage,
		Guards: storyA(), Needs: usageNeeds(), KnownBad: helperIDBug().Or(stalledByVM()),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UsagePFCloseNothing, fault.UsagePFCloseTwice,
			fault.PFDeleteEventLost, fault.UsageCloseInZone, fault.UsagePFClosesBalancer},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vm := tier.NewVM() // first: what is made before a VM is not metered where runs stall (#13399)
			balancer := tier.LoadBalancer("beside")
			rules, crossed := t.CrossedPortForwards(tier, vm, 2, 6)
			billed := story.BilledAll(rules...)
			t.RequireRowOpen(billed...)
			deleted, last := []int{}, len(rules)-1
			if crossed {
				dies, victim := t.CrossedPair(billed...)
				deleted = append(deleted, dies)
				for last == dies || last == victim {
					last--
				}
			}
			t.RequireIDApart(billed[last])
			deleted = append(deleted, last)
			for _, i := range deleted {
				rules[i].Delete()
			}
			t.DrainThrough(1)
			t.ExpectOpen(balancer)
			t.ExpectBilledNow(balancer.Billed())
			for i, rule := range billed {
				if slices.Contains(deleted, i) {
					t.ExpectRowClosed(rule)
					t.ExpectNotBilledNow(rule)
				} else {
					t.ExpectRowOpen(rule)
					t.ExpectBilledNow(rule)
				}
			}
		}),
	}
}
