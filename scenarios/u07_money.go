package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func recordsStop() harness.Scenario {
	return harness.Scenario{
		ID: "U-07", Title: "usage records stop at the delete, and the window around it is billed in part",
		Group:  result.GroupUsage,
		Guards: storyA(), Needs: usageNeeds(), KnownBad: helperIDBug(result.BilledAfterEnd, result.NotBilled),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UsageRecordAfterClose, fault.UsageRecordTooLong,
			fault.UsageRecordMissing, fault.UsageRecordRounded},
		APIOnly: story.Of(listedBilling),
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			account.Skew(20)
			rules := account.VPC().Tier().LoadBalancers(2)
			t.DrainThrough(2) // in part, in full, in full
			t.RequireOpen(rules...)
			t.RequireApart(rules...)
			t.PassHalfWindow()
			rules[0].Delete()
			t.DrainThrough(2) // in part, and not at all: a run's first window may be twice as long as the range
			t.ExpectClosed(rules[0])
			t.ExpectBilledFor(rules[0])
			t.ExpectOpen(rules[1])
			t.ExpectFullWindow(rules[1])
			t.RequireWindowAfter(rules[0], rules[1])
		}),
	}
}
