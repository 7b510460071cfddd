package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func ownRow() harness.Scenario {
	return harness.Scenario{
		ID: "U-01", Title: "a deleted LB rule's own usage row is closed (ids apart)", Group: result.GroupUsage,
		Guards: storyA(), Needs: usageNeeds(), KnownBad: helperIDBug(result.BilledAfterEnd, result.NotBilled),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UsageCloseNothing, fault.UsageRowVanishes,
			fault.UsageCreateRowTwice, fault.CreateEventLost, fault.DeleteEventLost,
			fault.DeleteEventWrongRule, fault.RuleListedAfterDelete},
		APIOnly: story.Of(listedBilling),
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			account.Skew(20)
			rules := account.VPC().Tier().LoadBalancers(3)
			t.Drain()
			t.RequireOpen(rules...)
			t.RequireApart(rules...)
			rules[1].Delete()
			t.DrainThrough(1)
			t.ExpectGone(rules[1])
			t.ExpectClosed(rules[1])
			t.ExpectOpen(rules[0], rules[2])
			t.ExpectFullWindow(rules[0], rules[2])
			t.ExpectBilledFor(rules[1])
		}),
	}
}
