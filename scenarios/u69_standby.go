package scenarios

import (
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// standby: the control is the run before the first server is stopped. Servers before #8896 leave their job open when
// they are stopped, and the other one takes it over five minutes later; the lab's do not (docs/not-covered.md).
func standby() harness.Scenario {
	return harness.Scenario{
		ID: "U-69", Title: "when the usage server that works is stopped, the one that stands by goes on, and no " +
			"window is missing", Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#12507", "#8896"}, Needs: append(usageNeeds(), harness.UsageServers, harness.TimeTravel),
		KnownBad: harness.Known{Releases: release.Without(release.UsageOwnsAtHeartbeat),
			Knob: release.UsageOwnsAtHeartbeat.Off(),
			Why: "#12507: a usage server opens a job only when it starts, so after a clean stop of the one that " +
				"works nothing is billed; ended in 4.20.3.0 and 4.22.1.0",
			Classes: []result.Class{result.UsageJob}},
		Cures: []release.Knob{release.UsageOwnsAtHeartbeat},
		Twins: []release.Knob{fault.UsageNeverTakeOver, release.UsageOwnsAtHeartbeat.Off()},
		Run: story.Of(func(t *story.T) {
			rules := t.NewAccount().VPC().Tier().LoadBalancers(2)
			t.Drain()
			t.StartUsage(harness.SecondHost)
			t.ExpectUsageWithin(3 * time.Minute)
			t.Foreshow(release.UsageOwnsAtHeartbeat.Off(), story.Billed{}, story.Shows{Class: result.UsageJob,
				What: story.SeenNoRun, Holds: story.Count(7), Most: 1})
			t.EndUsage(harness.FirstHost, harness.Stopped)
			t.ExpectUsageWithin(7 * time.Minute) // five of silence, a heartbeat, a window
			t.StartUsage(harness.FirstHost)      // what ends it where nobody went on
			t.Drain()
			t.Drains(1)
			t.ExpectOpen(rules...)
			t.ExpectFullWindow(rules...)
			t.ExpectJobsSound()
		}),
	}
}
