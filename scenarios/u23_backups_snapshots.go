package scenarios

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	"github.com/stackproof/stackproof/release"
)

func backups() harness.Scenario {
	return harness.Scenario{
		ID: "U-23", Title: "a VM taken from its backup offering is no longer billed for backups",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#11522", "#10140"}, Needs: usageNeeds(),
		KnownBad: backupLeftOpen(),
		Twins: []release.Knob{release.UsageBackupLeftOpen, fault.UsageBackupCloseNothing,
			fault.BackupRemoveEventLost},
		Run: story.Of(func(t *story.T) {
			tier := t.NewAccount().VPC().Tier()
			vms := tier.VMs(2)
			vms[0].BackUp()
			vms[1].BackUp()
			t.Drain()
			t.RequireRowOpen(vms[0].Backup(), vms[1].Backup())
			vms[0].NoBackUp()
			t.Drain()
			t.Drains(1)
			t.ExpectRowClosed(vms[0].Backup())
			t.ExpectNotBilledNow(vms[0].Backup())
			t.ExpectRowOpen(vms[1].Backup())
			t.ExpectBilledNow(vms[1].Backup())
		}),
	}
}

func vmSnapshots() harness.Scenario {
	return harness.Scenario{
		ID: "U-27", Title: "of three snapshots of one VM the middle one is deleted: the other two are billed on",
		Group: result.GroupUsage, Priority: 1,
		Guards: []string{"#13921", "#5662", "#5872"}, Needs: append(usageNeeds(), harness.Forge),
		KnownBad: always(release.UsageVMSnapshotsAsOne, "#13921: a VM snapshot ends the one before it, and "+
			"VMSNAPSHOT.DELETE closes all rows of VM and offering", result.WrongClose, result.NotBilled),
		Cures: []release.Knob{release.UsageVMSnapshotsAsOne.Off()},
		Twins: []release.Knob{release.UsageVMSnapshotsAsOne, fault.UsageVMSnapshotCloseNothing},
		Run: story.Of(func(t *story.T) {
			vm := t.NewAccount().VPC().Tier().NewVM()
			first, middle, last := vm.Snapshot("first"), vm.Snapshot("middle"), vm.Snapshot("last")
			for _, replaced := range []*story.Snapshot{first, middle} {
				t.Foreshow(release.UsageVMSnapshotsAsOne, replaced.Billed(), story.Shows{Class: result.WrongClose,
					What: story.SeenClosed, Holds: t.AtJob("VMSNAPSHOT.CREATE", last.Billed())})
			}
			t.Foreshow(release.UsageVMSnapshotsAsOne, last.Billed(), story.Shows{Class: result.WrongClose,
				What: story.SeenClosed, Holds: t.AtLast("VMSNAPSHOT.DELETE", middle.Billed()), Most: 1})
			for _, unbilled := range []*story.Snapshot{first, last} {
				t.Foreshow(release.UsageVMSnapshotsAsOne, unbilled.Billed(), story.Shows{Class: result.NotBilled,
					What: story.SeenUnbilled, Most: 1})
			}
			t.Drain()
			t.Drains(1)
			t.ExpectRowOpen(first.Billed(), middle.Billed(), last.Billed())
			middle.Delete()
			t.Drain()
			t.Drains(1)
			t.ExpectRows(middle.Billed(), 0, 1)
			t.ExpectNotBilledNow(middle.Billed())
			t.ExpectRowOpen(first.Billed(), last.Billed())
			t.ExpectBilledNow(first.Billed(), last.Billed())
		}),
	}
}
