package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func twoAccounts() harness.Scenario {
	return harness.Scenario{
		ID: "U-04", Title: "deleting one account's LB rule leaves the usage row of another account's rule alone " +
			"(ids crossed)", Group: result.GroupUsage,
		Guards: storyA(), Needs: usageNeeds(), KnownBad: helperIDBug(),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UsageCloseAnyAccount},
		Run: story.Of(func(t *story.T) {
			rules := t.CrossedAccounts(t.NewAccount().VPC().Tier(), t.NewAccount().VPC().Tier(), 3)
			t.RequireOpen(rules...)
			dies, victim := t.CrossedBetween(rules...)
			dies.Delete()
			t.DrainThrough(1)
			t.ExpectOpen(victim)
			t.ExpectFullWindow(victim)
			t.ExpectClosed(dies)
		}),
	}
}
