package scenarios

import (
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func timeZones() harness.Scenario {
	return harness.Scenario{
		ID: "U-29", Title: "days of usage across a change of clocks add up, and the first run of all may be on 1 " +
			"January", Group: result.GroupUsage, Priority: 2, Weight: 5,
		Guards: []string{"#8243"}, Needs: append(usageNeeds(), harness.UsageServers, harness.TimeTravel),
		KnownBad: always(release.UsageYearRoll,
			"the start of a first window on 1 January is computed into the future, "+
				"UsageManagerImpl.java@4.20.0.0", result.UsageJob),
		Cures: []release.Knob{release.UsageYearRoll.Off()}, Twins: []release.Knob{release.UsageYearRoll,
			fault.UsageAggregationGMT, fault.UsageDayOf24Hours},
		Run: story.Of(func(t *story.T) {
			zone := t.Location("Asia/Jerusalem")
			days := harness.UsageSettings{Daily: true, Aggregation: zone, Execution: t.Location("America/New_York")}
			t.Foreshow(release.UsageYearRoll, story.Billed{}, story.Shows{Class: result.UsageJob, What: story.SeenNoRun,
				Most: 1})
			t.EndUsage(harness.FirstHost, harness.Stopped)
			year := t.NewYear(zone)
			t.PassUntil(year.Add(-6 * time.Hour))
			rules := t.NewAccount().VPC().Tier().LoadBalancers(2)
			t.PassUntil(year.Add(30 * time.Minute))
			t.StartUsageWith(harness.FirstHost, days)
			t.ExpectUsageRun()
			t.EndUsage(harness.FirstHost, harness.Stopped)

			change := t.ClockChange(zone)
			for day := range 3 {
				t.PassUntil(change.AddDate(0, 0, day).Add(12 * time.Hour))
				t.StartUsageWith(harness.FirstHost, days)
				t.ExpectUsageRun()
				t.EndUsage(harness.FirstHost, harness.Stopped)
			}
			t.Judge()
			t.ExpectOpen(rules...)
			t.ExpectDays(zone)
		}),
	}
}
