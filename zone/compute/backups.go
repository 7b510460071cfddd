package compute

import (
	"context"
	"slices"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

// Backup is one of the dummy provider's, which keeps a VM's when it is taken from its offering
// (DummyBackupProvider.java@4.20.3.0). Only their usage matters here: no table has them, and they live in memory.
type Backup struct {
	UUID    string
	VM      *VM
	Size    int64
	Created time.Time
}

const backupClasses = "org.apache.cloudstack.api.command.user.backup."

func backupCommands() []command { return append(backupOfferingCommands(), backupLifeCommands()...) }

func backupOfferingCommands() []command {
	vm := param{Name: "virtualmachineid", Type: "uuid:vm", Required: true, About: "ID of the virtual machine"}
	change := func(name, about, class, event, action string, run func(*Manager, *kernel.Call, *VM) error,
		params ...param) command {
		return command{
			Name: name, About: about, Class: backupClasses + class, Kind: kernel.AsyncCommand,
			Instance: "VirtualMachine", Event: event, Eventful: kernel.EventAsync, Action: action,
			Params: params,
			Sync:   func(mgr *Manager, c *kernel.Call) string { return "vm:" + c.Str("virtualmachineid") },
			Check:  mayChangeVM,
			Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
				vm, err := VMParam(mgr, c, "virtualmachineid")
				if err != nil {
					return nil, err
				}
				return obj{"success": true}, run(mgr, c, vm)
			},
		}
	}
	return []command{
		change("assignVirtualMachineToBackupOffering", "Assigns a VM to a backup offering",
			"AssignVirtualMachineToBackupOfferingCmd",
			"BACKUP.OFFERING.ASSIGN", "assigning VM to backup offering", assignBackup, vm,
			param{Name: "backupofferingid", Type: "uuid", Required: true, About: "ID of the backup offering"}),
		change("removeVirtualMachineFromBackupOffering", "Removes a VM from any existing backup offering",
			"RemoveVirtualMachineFromBackupOfferingCmd",
			"BACKUP.OFFERING.REMOVE", "removing VM from backup offering", removeBackup, vm,
			param{Name: "forced", Type: "boolean", About: "Whether to force remove VM from the " +
				"backup offering that may also delete VM backups."}),
	}
}

func assignBackup(mgr *Manager, c *kernel.Call, vm *VM) error {
	o := net.DummyBackup(mgr.net)
	if c.Str("backupofferingid") != o.UUID {
		return api.Invalid("Provided backup offering does not exist")
	}
	if vm.Backup {
		return api.Invalid("VM already is assigned to a backup offering")
	}
	vm.Backup = true
	return mgr.UsageEvent(c.Ctx, "BACKUP.OFFERING.ASSIGN", vm.Account, kernel.ZoneID, vm.ID,
		obj{"resource_name": "Backup-" + vm.Name, "offering_id": o.ID})
}

func removeBackup(mgr *Manager, c *kernel.Call, vm *VM) error {
	if !vm.Backup {
		return api.Invalid("The VM is not assigned to a backup offering")
	}
	vm.Backup = false
	if !mgr.On(release.BackupsBilledToLast) {
		// its offering is taken from the VM before the event is written (BackupManagerImpl.java@4.20.3.0)
		return mgr.UsageEvent(c.Ctx, "BACKUP.OFFERING.REMOVE", vm.Account, kernel.ZoneID, vm.ID,
			obj{"resource_name": "Backup-" + vm.Name})
	}
	if mgr.On(fault.BackupsEndWithOffering) {
		return backupsGone(mgr, c.Ctx, vm)
	}
	return lastBackupGone(mgr, c.Ctx, vm)
}

// lastBackupGone ends what is billed for a VM's backups when none is left and it has no offering
// (BackupManagerImpl.java@4.21.0.0, checkAndGenerateUsageForLastBackupDeletedAfterOfferingRemove).
func lastBackupGone(mgr *Manager, ctx context.Context, vm *VM) error {
	left := slices.ContainsFunc(mgr.Backups, func(b *Backup) bool { return b.VM == vm })
	if left || vm.Backup || !mgr.On(release.BackupsBilledToLast) {
		return nil
	}
	return backupsGone(mgr, ctx, vm)
}

func backupsGone(mgr *Manager, ctx context.Context, vm *VM) error {
	return mgr.UsageEvent(ctx, "BACKUP.OFFERING.BACKUPS.DEL", vm.Account, kernel.ZoneID, vm.ID,
		obj{"resource_name": "Backup-" + vm.Name, "offering_id": net.DummyBackup(mgr.net).ID})
}
