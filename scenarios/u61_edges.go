package scenarios

import (
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// windowEdges: windows of a lab end with each minute, on .999 of its last second, which belongs to them.
func windowEdges() harness.Scenario {
	return harness.Scenario{
		ID: "U-61", Title: "what begins or ends in the first or last second of a window is billed for its seconds",
		Group: result.GroupUsage, Guards: []string{"#8243"}, Needs: append(usageNeeds(), harness.TimeTravel),
		KnownBad: helperIDBug(result.UsageInvariant, result.LeakedRow, result.CrossedClose),
		Twins: []release.Knob{fault.UsageLastSecondLate, fault.UsageFirstSecondUnbilled, fault.UsageGapWindow,
			fault.UsageCloseOnMinute},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			account.Skew(20)
			tier := account.VPC().Tier()
			next := func() time.Time { return t.Now().Truncate(time.Minute).Add(time.Minute) }
			ends, lives := tier.LoadBalancer("ends"), tier.LoadBalancer("lives")
			t.PassUntil(next().Add(-time.Second))
			last := tier.LoadBalancer("last")
			t.PassUntil(next())
			first := tier.LoadBalancer("first")
			t.PassUntil(next())
			t.Drain()
			ends.DeleteAt(next().Add(-time.Second))
			first.DeleteAt(next())
			t.Drain()
			t.Drains(1)
			t.ExpectClosed(ends, first)
			t.ExpectOpen(lives, last)
		}),
	}
}

// firstDay: the control is the day after, which begins where the first ends.
func firstDay() harness.Scenario {
	return harness.Scenario{
		ID: "U-62", Title: "the first day that is billed begins at its own midnight, though clocks change in it",
		Group: result.GroupUsage, Guards: []string{"#8243"},
		Needs: append(usageNeeds(), harness.UsageServers, harness.TimeTravel),
		Twins: []release.Knob{fault.UsageFirstDay24Hours, fault.UsageAggregationGMT},
		Run: story.Of(func(t *story.T) {
			zone := t.Location("America/New_York")
			days := harness.UsageSettings{Daily: true, Aggregation: zone, Execution: zone}
			t.EndUsage(harness.FirstHost, harness.Stopped)
			change := t.ClockChange(zone)
			t.PassUntil(change.Add(6 * time.Hour))
			rules := t.NewAccount().VPC().Tier().LoadBalancers(2)
			for day := range 2 {
				t.PassUntil(change.AddDate(0, 0, day+1).Add(12 * time.Hour))
				t.StartUsageWith(harness.FirstHost, days)
				t.ExpectUsageRun()
				t.EndUsage(harness.FirstHost, harness.Stopped)
			}
			t.Judge()
			t.ExpectOpen(rules...)
			t.ExpectDays(zone)
			t.ExpectFirstDay(change)
		}),
	}
}

// hiddenRecords: the control is the account's other address. No call hides one in the lab, so its event is forged.
func hiddenRecords() harness.Scenario {
	return harness.Scenario{
		ID: "U-63", Title: "what is hidden is billed and not listed", Group: result.GroupUsage,
		Guards: []string{"#8243"}, Needs: append(usageNeeds(), harness.Forge),
		Twins: []release.Knob{fault.UsageHiddenListed, fault.UsageAPIShort, fault.UsageAPIAccountIgnored},
		Run: story.Of(func(t *story.T) {
			account, other := t.NewAccount(), t.NewAccount()
			account.VPC()
			other.VPC()
			account.Forge("NET.IPASSIGN", 7001, map[string]any{"resource_name": "203.0.113.7", "template_id": 0,
				"size": 0, "resource_type": "VirtualNetwork"}, map[string]string{"hidden": "true"})
			t.PassHalfWindow()
			t.DrainUnjudged()
			t.ExpectRecordsBy("account id", cloud.Params{"accountid": account.ID}, func(r usageprobe.Record) bool {
				return r.AccountID == account.InternalID && r.Column("is_hidden") == "0"
			})
		}),
	}
}
