package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// backupSizes: the control is a VM whose backups have one size. The VMs come first, and a run after them, so that what
// their volumes do to a run (#13399) is over.
func backupSizes() harness.Scenario {
	return harness.Scenario{
		ID: "U-56", Title: "backups that grow are billed with each size for as long as they have it",
		Group: result.GroupUsage, Priority: 1, Guards: []string{"#13070", "#4982"},
		Needs: append(usageNeeds(), harness.Forge),
		KnownBad: always(release.UsageBackupSizeOfLast, "#13070: a window is billed with the size of backups that was "+
			"reported last (docs/findings/backup-size-of-last.md)", result.WrongBackupSize),
		Cures: []release.Knob{release.UsageBackupSizeOfLast.Off()},
		Twins: []release.Knob{release.UsageBackupSizeOfLast, fault.UsageBackupSizeIgnored},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			grows, control := tier.NewVM(), tier.NewVM()
			grows.BackUp()
			control.BackUp()
			t.Drain()
			grows.ReportBackups(1)
			control.ReportBackups(10)
			t.Drain()
			t.Foreshow(release.UsageBackupSizeOfLast, grows.Backup(), story.Shows{Class: result.WrongBackupSize,
				What: story.SeenSizes, Holds: t.SizeOfLast(grows)})
			t.PassHalfWindow()
			grows.ReportBackups(100)
			t.DrainThrough(1)
			t.RequireSizesApart(grows)
			t.ExpectSizesBilled(control, grows)
		}),
	}
}
