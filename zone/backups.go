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
	change := func(name, about, class, event, action string, run func(*Zone, *call, *VM) error, params ...param) command {
		return command{
			name: name, about: about, class: backupClasses + class, kind: asyncCommand, instance: "VirtualMachine", event: event, eventful: eventAsync, action: action,
			params: params, sync: func(z *Zone, c *call) string { return "vm:" + c.str("virtualmachineid") },
			check: mayChangeVM,
			run: func(z *Zone, c *call) (obj, error) {
				vm, err := vmParam(z, c, "virtualmachineid")
				if err != nil {
					return nil, err
				}
				return obj{"success": true}, run(z, c, vm)
			},
		}
	}
	return []command{
		listOfferings("listBackupOfferings", "Lists backup offerings", "backupoffering", func(z *Zone) []*Offering { return []*Offering{z.dummyBackup()} }, nil,
			param{"zoneid", "uuid:zone", false, "The zone ID"}),
		change("assignVirtualMachineToBackupOffering", "Assigns a VM to a backup offering", "AssignVirtualMachineToBackupOfferingCmd",
			"BACKUP.OFFERING.ASSIGN", "assigning VM to backup offering", assignBackup, vm, param{"backupofferingid", "uuid", true, "ID of the backup offering"}),
		change("removeVirtualMachineFromBackupOffering", "Removes a VM from any existing backup offering", "RemoveVirtualMachineFromBackupOfferingCmd",
			"BACKUP.OFFERING.REMOVE", "removing VM from backup offering", removeBackup, vm, param{"forced", "boolean", false, "Whether to force remove VM from the backup offering that may also delete VM backups."}),
	}
}

func assignBackup(z *Zone, c *call, vm *VM) error {
	o := z.dummyBackup()
	if c.str("backupofferingid") != o.UUID {
		return api.Invalid("Provided backup offering does not exist")
	}
	if vm.Backup {
		return api.Invalid("VM already is assigned to a backup offering")
	}
	vm.Backup = true
	return z.usageEvent(c.ctx, "BACKUP.OFFERING.ASSIGN", vm.Account, zoneID, vm.ID, obj{"resource_name": "Backup-" + vm.Name, "offering_id": o.ID})
}

func removeBackup(z *Zone, c *call, vm *VM) error {
	if !vm.Backup {
		return api.Invalid("The VM is not assigned to a backup offering")
	}
	vm.Backup = false
	if z.knobs[fault.BackupRemoveEventLost] {
		return nil
	}
	return z.usageEvent(c.ctx, "BACKUP.OFFERING.REMOVE", vm.Account, zoneID, vm.ID, obj{"resource_name": "Backup-" + vm.Name, "offering_id": z.dummyBackup().ID})
}
