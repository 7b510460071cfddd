package objects

import (
	"context"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
)

// TakeBackup makes one more backup of the VM, and gives its id.
func (vm *VM) TakeBackup() string {
	defer vm.t.Step("a backup of %s", vm.Name)()
	before := vm.backupIDs(vm.t.Ctx)
	vm.do("createBackup", cloud.Params{"virtualmachineid": vm.ID})
	vm.t.OnRemove("the backups of "+vm.Name, func(ctx context.Context) error {
		for id := range vm.backupIDs(ctx) {
			_, err := vm.Account.Cloud.Job(ctx, "deleteBackup", cloud.Params{"id": id}, nil)
			if err != nil && !cloud.IsNotFound(err) {
				return err
			}
		}
		return nil
	})
	for id := range vm.backupIDs(vm.t.Ctx) {
		if !before[id] {
			return id
		}
	}
	vm.t.Inconclusive("createBackup succeeded, and no new backup of %s is listed", vm.Name)
	return ""
}

// DeleteBackup deletes a backup of the VM.
func (vm *VM) DeleteBackup(id string) {
	defer vm.t.Step("a backup of %s goes", vm.Name)()
	vm.t.Pass(stage.Apart)
	vm.do("deleteBackup", cloud.Params{"id": id})
	vm.t.Pass(stage.Apart)
}

// backupIDs are the VM's backups.
func (vm *VM) backupIDs(ctx context.Context) map[string]bool {
	var list struct {
		Backup []struct{ ID string }
	}
	vm.t.Must(vm.Account.Cloud.Call(ctx, "listBackups", cloud.Params{"virtualmachineid": vm.ID}, &list),
		"listing the backups of %s", vm.Name)
	ids := map[string]bool{}
	for _, b := range list.Backup {
		ids[b.ID] = true
	}
	return ids
}
