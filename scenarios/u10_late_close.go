package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func lateClose() harness.Scenario {
	return harness.Scenario{
		ID: "U-10", Title: "a usage row is closed at its own rule's delete, not by a later one (dates, not nullness)",
		Group:  result.GroupUsage,
		Guards: storyA(), Needs: usageNeeds(), KnownBad: helperIDBug(),
		Twins: []release.Knob{release.UsageCloseByHelperID, fault.UsageCloseWrongDate, fault.UsageCloseHourOff,
			fault.UsageCloseOnMinute, fault.DeleteEventLate, fault.DeleteEventEarly},
		Run: story.Of(func(t *story.T) {
			rules := t.CrossedRules(t.NewAccount().VPC().Tier(), 2, 6)
			t.RequireOpen(rules...)
			second, first := t.Crossed(rules...)
			first.Delete()
			t.DrainUnjudged()
			t.PassHalfWindow()
			second.Delete()
			t.Drain()
			t.ExpectClosed(first, second)
			t.ExpectBilledFor(first)
		}),
	}
}
