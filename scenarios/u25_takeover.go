package scenarios

import (
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func takeover() harness.Scenario {
	return harness.Scenario{
		ID: "U-25", Title: "a usage server that is killed in the middle of a run is replaced, and no window is " +
			"missing or doubled", Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#8590", "#10848", "#12383", "#12616"}, Needs: append(usageNeeds(), harness.UsageServers,
			harness.TimeTravel),
		KnownBad: harness.Known{Releases: release.Without(release.UsageCleanOwnJobsAtStart),
			Knob: release.UsageCleanOwnJobsAtStart.Off(),
			Why: "#10848: a restarted usage server waits for its own job's heartbeat to grow stale; ended in " +
				"4.20.2.0",
			Classes: []result.Class{result.UsageJob}},
		Cures: []release.Knob{release.UsageCleanOwnJobsAtStart}, Twins: []release.Knob{fault.UsageNeverTakeOver,
			fault.UsageForgetSuccess, release.UsageCleanOwnJobsAtStart.Off()},
		Run: story.Of(func(t *story.T) {
			rules := t.NewAccount().VPC().Tier().LoadBalancers(2)
			t.Drain()
			t.Drains(1)
			t.Foreshow(release.UsageCleanOwnJobsAtStart.Off(), story.Billed{}, story.Shows{Class: result.UsageJob,
				What: story.SeenNoRun, Holds: story.Count(2), Most: 1})
			t.KillUsageInRun()
			t.StartUsage(harness.FirstHost)
			t.ExpectUsageWithin(2 * time.Minute)
			t.AwaitUsage(7 * time.Minute)
			t.Drain()
			t.StartUsage(harness.SecondHost)
			t.EndUsage(harness.FirstHost, harness.Killed)
			t.ExpectUsageWithin(7 * time.Minute) // five of silence, a heartbeat, a window
			t.Drain()
			t.Drains(1)
			t.ExpectOpen(rules...)
			t.ExpectFullWindow(rules...)
			t.ExpectJobsSound()
		}),
	}
}
