package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func continuity() harness.Scenario {
	return harness.Scenario{
		ID: "U-08", Title: "usage windows touch, every event is processed once, no record is written twice",
		Group:  result.GroupUsage,
		Guards: []string{"#13399", "#13909", "#8590", "#10848"}, Needs: usageNeeds(),
		KnownBad: harness.Known{Releases: release.Where(release.UsageVolumeKeyNarrow),
			Why:     "#13399: a duplicate key blocks the usage run and pins its start",
			Classes: []result.Class{result.StalledRun}},
		Twins: []release.Knob{fault.UsageOverlapWindow, fault.UsageGapWindow, fault.UsageSkipWindow,
			fault.UsageRecordDuplicate, fault.UsageEventLost,
			fault.UsageEventsLeftUnprocessed, fault.UsageEventProcessedTwice, fault.UsageWrongAccount,
			fault.UsageSkipAddState},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			tier := account.VPC().Tier()
			tier.VMs(1) // its volume is what a narrow key refuses
			rules := tier.LoadBalancers(2)
			t.DrainThrough(1)
			rules = append(rules, tier.LoadBalancer("later"))
			t.PassHalfWindow()
			t.DrainThrough(2)
			t.ExpectOpen(rules...)
			t.ExpectFullWindow(rules...)
			t.ExpectJobsSound()
		}),
	}
}
