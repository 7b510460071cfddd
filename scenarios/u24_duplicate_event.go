package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func duplicateCreate() harness.Scenario {
	return harness.Scenario{
		ID: "U-24", Title: "a create event that is there twice neither blocks the usage run nor is billed twice",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#13399", "#13909", "#11531", "#8587"}, Needs: append(usageNeeds(), harness.Forge),
		KnownBad: always(release.UsageCreateRepeated,
			"#13909: a repeated LB.CREATE opens a second row; a repeated VOLUME.CREATE closes the "+
				"first and is refused; in 4.22.1.0 the whole run is rolled "+
				"back", result.UsageInvariant, result.RowCount,
			result.WrongHours, result.WrongClose),
		Cures: []release.Knob{release.UsageCreateRepeated.Off()}, Twins: []release.Knob{release.UsageCreateRepeated,
			fault.UsageDuplicateBlocks},
		Run: story.Of(func(t *story.T) {
			account := t.NewAccount()
			rule, volume := account.VPC().Tier().LoadBalancer("A"), account.NewVolume()
			t.Repeat("LB.CREATE", rule.InternalID)
			t.Repeat("VOLUME.CREATE", volume.InternalID)
			t.Foreshow(release.UsageCreateRepeated, rule.Billed(),
				story.Shows{Class: result.UsageInvariant, What: "I2", Holds: story.Count(2)},
				story.Shows{Class: result.UsageInvariant, What: "I4", Holds: story.Double},
				story.Shows{Class: result.UsageInvariant, What: "I5", Holds: story.Twice},
				story.Shows{Class: result.RowCount, What: story.SeenRows, Holds: story.Count(2), Most: 2},
				story.Shows{Class: result.WrongHours, What: story.SeenHours, Holds: story.Twice, Most: 1})
			if !t.In(release.Where(release.VolumeUsagePerVM)) || t.In(release.Where(release.UsageVolumeKeyNarrow)) {
				atCreate := t.AtLast("VOLUME.CREATE", volume.Billed()) // elsewhere the key lets the second row be
				t.Foreshow(release.UsageCreateRepeated, volume.Billed(),
					story.Shows{Class: result.UsageInvariant, What: "I2", Holds: atCreate},
					story.Shows{Class: result.UsageInvariant, What: "I5", Holds: story.Nothing},
					story.Shows{Class: result.WrongClose, What: story.SeenClosed, Holds: atCreate})
			}
			t.Drain()
			t.Drains(1)
			t.ExpectOpen(rule)
			t.ExpectFullWindow(rule)
			t.ExpectRowOpen(volume.Billed())
			rule.Delete()
			volume.Delete()
			t.Drain()
			t.Drains(1)
			t.ExpectClosed(rule)
			t.ExpectRowClosed(volume.Billed())
			t.ExpectJobsSound()
		}),
	}
}
