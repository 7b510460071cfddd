package zone

import (
	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
)

// Backups are those of the dummy provider: an offering that VMs are assigned to. Only their usage matters here.

const backupClasses = "org.apache.cloudstack.api.command.user.backup."

// dummyBackup is the one backup offering.
func (z *Zone) dummyBackup() *Offering {
	return &Offering{ID: 1, UUID: z.site.BackupOffering, Name: "dummy backups", Answer: obj{"description": "Backups of the dummy provider", "provider": "dummy",
		"zoneid": z.site.UUID, "zonename": siteName, "allowuserdrivenbackups": true, "created": stamp(z.now())}}
}

func (z *Zone) backupCommands() []command {
	vm := param{"virtualmachineid", "uuid:vm", true, "ID of the virtual machine"}
	change := func(name, about, class, event, action string, run func(*call, *VM) error, params ...param) command {
		return command{
			name: name, about: about, class: backupClasses + class, kind: asyncCommand, instance: "VirtualMachine", event: event, eventful: eventAsync, action: action,
			params: params, sync: func(c *call) string { return "vm:" + c.str("virtualmachineid") },
			check: (*call).mayChangeVM,
			run: func(c *call) (obj, error) {
				vm, err := c.vm("virtualmachineid")
				if err != nil {
					return nil, err
				}
				return obj{"success": true}, run(c, vm)
			},
		}
	}
	return []command{
		listOfferings("listBackupOfferings", "Lists backup offerings", "backupoffering", func(z *Zone) []*Offering { return []*Offering{z.dummyBackup()} }, nil,
			param{"zoneid", "uuid:zone", false, "The zone ID"}),
		change("assignVirtualMachineToBackupOffering", "Assigns a VM to a backup offering", "AssignVirtualMachineToBackupOfferingCmd",
			"BACKUP.OFFERING.ASSIGN", "assigning VM to backup offering", (*call).assignBackup, vm, param{"backupofferingid", "uuid", true, "ID of the backup offering"}),
		change("removeVirtualMachineFromBackupOffering", "Removes a VM from any existing backup offering", "RemoveVirtualMachineFromBackupOfferingCmd",
			"BACKUP.OFFERING.REMOVE", "removing VM from backup offering", (*call).removeBackup, vm, param{"forced", "boolean", false, "Whether to force remove VM from the backup offering that may also delete VM backups."}),
	}
}

func (c *call) assignBackup(vm *VM) error {
	o := c.z.dummyBackup()
	if c.str("backupofferingid") != o.UUID {
		return api.Invalid("Provided backup offering does not exist")
	}
	if vm.Backup {
		return api.Invalid("VM already is assigned to a backup offering")
	}
	vm.Backup = true
	return c.z.usageEvent(c.ctx, "BACKUP.OFFERING.ASSIGN", vm.Account, zoneID, vm.ID, obj{"resource_name": "Backup-" + vm.Name, "offering_id": o.ID})
}

func (c *call) removeBackup(vm *VM) error {
	if !vm.Backup {
		return api.Invalid("The VM is not assigned to a backup offering")
	}
	vm.Backup = false
	if c.z.knobs[fault.BackupRemoveEventLost] {
		return nil
	}
	return c.z.usageEvent(c.ctx, "BACKUP.OFFERING.REMOVE", vm.Account, zoneID, vm.ID, obj{"resource_name": "Backup-" + vm.Name, "offering_id": c.z.dummyBackup().ID})
}
