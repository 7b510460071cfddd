package compute

import (
	"slices"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// backupLifeCommands make and delete backups.
func backupLifeCommands() []command {
	vm := param{Name: "virtualmachineid", Type: "uuid:vm", Required: true, About: "ID of the VM"}
	return []command{
		{
			Name: "createBackup", About: "Create VM backup", Class: backupClasses + "CreateBackupCmd",
			Kind: kernel.AsyncCommand, Instance: "VirtualMachine", Event: "BACKUP.CREATE", Eventful: kernel.EventAsync,
			Action: "creating VM backup",
			Params: []param{vm,
				{Name: "name", Type: "string", With: release.BackupsBilledToLast, About: "the name of the backup"}},
			Check: mayChangeVM, Run: createBackup,
		},
		{
			Name: "deleteBackup", About: "Delete VM backup", Class: backupClasses + "DeleteBackupCmd",
			Kind: kernel.AsyncCommand, Instance: "None", Event: "BACKUP.DELETE", Eventful: kernel.EventAsync,
			Action: "deleting VM backup",
			Params: []param{{Name: "id", Type: "uuid", Required: true, About: "id of the VM backup"},
				{Name: "forced", Type: "boolean", About: "force the deletion of backup which removes the entire " +
					"backup chain but keep VM in Backup Offering"}},
			Run: deleteBackup,
		},
		{
			Name: "listBackups", About: "Lists VM backups",
			Params: kernel.ListParams(param{Name: "id", Type: "uuid", About: "id of the backup"},
				param{Name: "virtualmachineid", Type: "uuid:vm", About: "id of the VM"},
				param{Name: "zoneid", Type: "uuid:zone", About: "list backups by zone id"}),
			Run: listBackups,
		},
	}
}

func createBackup(mgr *Manager, c *kernel.Call) (obj, error) {
	vm, err := VMParam(mgr, c, "virtualmachineid")
	if err != nil {
		return nil, err
	}
	if !vm.Backup {
		return nil, api.Internal("VM has not backup offering configured, cannot create backup before assigning it to " +
			"a backup offering")
	}
	b := &Backup{UUID: mgr.UUID(), VM: vm, Created: mgr.Now()}
	for _, v := range mgr.Volumes.All() {
		if v.VM == vm && v.Removed.IsZero() {
			b.Size += v.Size
		}
	}
	mgr.Backups = append(mgr.Backups, b)
	return obj{"success": true}, nil
}

func deleteBackup(mgr *Manager, c *kernel.Call) (obj, error) {
	at := slices.IndexFunc(mgr.Backups, func(b *Backup) bool { return b.UUID == c.Str("id") })
	if at < 0 {
		return nil, c.BadEntity("id", c.Str("id"))
	}
	vm := mgr.Backups[at].VM
	if err := tenancy.MayUse(mgr.tenancy, c, vm.Account, "Backup"); err != nil {
		return nil, err
	}
	mgr.Backups = slices.Delete(mgr.Backups, at, at+1)
	return obj{"success": true}, lastBackupGone(mgr, c.Ctx, vm)
}

func listBackups(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, b := range slices.Backward(mgr.Backups) {
		if !tenancy.Visible(mgr.tenancy, c, b.VM.Account) || c.Has("id") && b.UUID != c.Str("id") ||
			c.Has("virtualmachineid") && b.VM.UUID != c.Str("virtualmachineid") {
			continue
		}
		offering := net.DummyBackup(mgr.net)
		one := obj{"id": b.UUID, "virtualmachineid": b.VM.UUID, "virtualmachinename": b.VM.Name,
			"externalid": "dummy-external-id", "type": "FULL", "created": kernel.Stamp(b.Created), "size": b.Size,
			"virtualsize": b.Size, "status": "BackedUp", "backupofferingid": offering.UUID,
			"backupofferingname": offering.Name, "zoneid": mgr.net.Site.UUID, "zone": net.SiteName}
		mgr.tenancy.Owned(one, b.VM.Account)
		out = append(out, one)
	}
	return c.Page("backup", out), nil
}
