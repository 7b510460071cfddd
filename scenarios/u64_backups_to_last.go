package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

// backupsToLast: the control is a VM without backups, whose billing ends with its offering. Up to 4.20 that of a VM
// with backups ends, too: what is stored is stored for nothing.
func backupsToLast() harness.Scenario {
	return harness.Scenario{
		ID:    "U-64",
		Title: "a VM taken from its backup offering is billed for backups until the last of them is deleted",
		Group: result.GroupUsage, Priority: 1, Guards: []string{"#11522", "#10140"}, Needs: usageNeeds(),
		KnownBad: harness.Known{Releases: release.Without(release.BackupsBilledToLast),
			Knob:    release.BackupsBilledToLast.Off(),
			Why:     "up to 4.20 BACKUP.OFFERING.REMOVE ends the billing of backups that are left; ended in 4.21.0.0",
			Classes: []result.Class{result.WrongClose, result.NotBilled}}.Or(backupLeftOpen()),
		Cures: []release.Knob{release.BackupsBilledToLast, release.UsageBackupLeftOpen.Off()},
		Twins: []release.Knob{release.BackupsBilledToLast.Off(), fault.BackupsEndWithOffering,
			fault.BackupRemoveEventLost, fault.UsageBackupCloseNothing},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			keeps, control := tier.NewVM(), tier.NewVM()
			keeps.BackUp()
			control.BackUp()
			first, last := keeps.TakeBackup(), keeps.TakeBackup()
			t.Drain()
			t.RequireRowOpen(keeps.Backup(), control.Backup())
			keeps.NoBackUp()
			control.NoBackUp()
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(control.Backup())
			t.ExpectNotBilledNow(control.Backup())
			t.ExpectRowOpen(keeps.Backup())
			t.ExpectBilledNow(keeps.Backup())
			keeps.DeleteBackup(first)
			t.Drain()
			t.ExpectRowOpen(keeps.Backup())
			keeps.DeleteBackup(last)
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(keeps.Backup())
			t.ExpectNotBilledNow(keeps.Backup())
		}),
	}
}

// backupLeftOpen is the defect of 4.21.0.
func backupLeftOpen() harness.Known {
	return known(release.UsageBackupLeftOpen, "#11522: usage_backup.removed stays NULL; fixed in 4.22.0.0",
		result.LeakedRow)
}
