package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// vmDeployment: the controls are the events and records of the deployment itself, without which nothing could be left
// or repeated.
func vmDeployment() harness.Scenario {
	return harness.Scenario{
		ID:       "U-45",
		Title:    "the deployment of a VM neither stalls the usage run nor repeats records",
		Group:    result.GroupUsage,
		Priority: 1,
		Guards:   []string{"#13399", "#13909", "#11531"},
		Needs:    usageNeeds(),
		KnownBad: harness.Known{
			Releases: release.Where(release.UsageVolumeKeyNarrow),
			Why: "#13399: the volume's second usage row violates a key, all events up to it are rolled back, run " +
				"after " +
				"run, and every run writes all records anew (docs/findings/usage-run-stalls.md)",
			Classes: []result.Class{result.StalledRun, result.RepeatedRecords},
		},
		Twins: []release.Knob{
			release.UsageVolumeKeyNarrow,
			fault.UsageRecordDuplicate,
			fault.UsageEventsLeftUnprocessed,
		},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			tier.LoadBalancer("A")
			tier.NewVM()
			t.PassHalfWindow()
			t.DrainUnjudged()
			t.PassRuns(1)
			t.DrainUnjudged()
			t.RequireEvents("VOLUME.CREATE", 1)
			t.ExpectAllProcessed()
			t.RequireRecords()
			t.ExpectNoRepeats()
		}),
	}
}
