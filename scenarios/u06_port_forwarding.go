package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func portForwarding() harness.Scenario {
	return harness.Scenario{
		ID: "U-06", Title: "a deleted port forwarding rule closes its own usage row and no other (ids apart and crossed)", Group: result.GroupUsage,
		Guards: storyA(), Needs: usageNeeds(), KnownBad: helperIDBug(),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UsagePFCloseNothing, fault.UsagePFCloseTwice, fault.PFDeleteEventLost, fault.UsageCloseInZone},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			rules := t.CrossedPortForwards(tier, tier.NewVM(), 2, 6)
			billed := story.BilledAll(rules...)
			t.RequireRowOpen(billed...)
			dies, victim := t.CrossedPair(billed...)
			last := len(rules) - 1
			for last == dies || last == victim {
				last--
			}
			t.RequireIDApart(billed[last])
			rules[dies].Delete()
			rules[last].Delete()
			t.DrainThrough(1)
			t.ExpectRowClosed(billed[dies], billed[last])
			for i, rule := range billed {
				if i != dies && i != last {
					t.ExpectRowOpen(rule)
				}
			}
			t.ExpectBilledNow(billed[victim])
			t.ExpectNotBilledNow(billed[dies], billed[last])
		}),
	}
}
