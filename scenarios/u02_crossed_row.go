package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func crossedRow() harness.Scenario {
	return harness.Scenario{
		ID: "U-02", Title: "deleting an LB rule leaves the usage row of another, live rule alone (ids crossed)",
		Group:  result.GroupUsage,
		Guards: storyA(), Needs: usageNeeds(), KnownBad: helperIDBug(),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UsageCloseTwice},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			tier := account.VPC().Tier()
			rules := t.CrossedRules(tier, 2, 6)
			t.RequireOpen(rules...)
			dies, victim := t.Crossed(rules...)
			dies.Delete()
			t.DrainThrough(1)
			t.ExpectOpen(victim)
			t.ExpectFullWindow(victim)
			t.ExpectClosed(dies)
		}),
	}
}
