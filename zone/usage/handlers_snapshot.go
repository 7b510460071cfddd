package usage

import (
	"context"
	"fmt"
)

const (
	vmSnapshotTable = "usage_vmsnapshot"
	onPrimaryTable  = "usage_snapshot_on_primary"
)

func (p *pass) vmSnapshotEvent(ctx context.Context, event Event) error {
	if event.Type == "VMSNAPSHOT.CREATE" {
		snapshot, err := p.detail(ctx, event, "vmSnapshotId")
		if err != nil {
			return err
		}
		return p.insert(ctx, TypeVMSnapshot, vmSnapshotTable, event, p.owned(event, row{"volume_id": event.TemplateID.V,
			"vm_id": event.ResourceID.V, "disk_offering_id": nullable(event.OfferingID), "size": event.Size.V,
			"created": event.Created, "vm_snapshot_id": snapshot}))
	}
	find := p.owned(event, row{"vm_id": event.ResourceID.V, "disk_offering_id": nullable(event.OfferingID)})
	if p.options.Rules.SnapshotsApart {
		snapshot, err := p.detail(ctx, event, "vmSnapshotId")
		if err != nil {
			return err
		}
		find["vm_snapshot_id"] = snapshot
	}
	found, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeVMSnapshot, table: vmSnapshotTable,
		until: "processed",
		find:  find, update: []string{"account_id", "volume_id", "vm_id", "created"}, what: "VM snapshot"})
	if err == nil && found == 0 {
		p.log.WarnContext(ctx, fmt.Sprintf("No usage entry for VM snapshot for VM id [%d] was found.",
			event.ResourceID.V))
	}
	return err
}

func (p *pass) onPrimaryEvent(ctx context.Context, event Event) error {
	if event.Type == "VMSNAPSHOT.ON_PRIMARY" {
		snapshot, err := p.detail(ctx, event, "vmSnapshotId")
		if err != nil {
			return err
		}
		return p.insert(ctx, TypeOnPrimary, onPrimaryTable, event, p.owned(event, row{"volume_id": event.ResourceID.V,
			"vm_id": event.ResourceID.V, "name": event.ResourceName, "type": 0, "physicalsize": event.Size.V,
			"virtualsize": event.VirtualSize.V, "created": event.Created, "vm_snapshot_id": snapshot}))
	}
	_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeOnPrimary, table: onPrimaryTable,
		until: "deleted",
		find: byKey(p.options.Rules.SnapshotByHelperPK, "vm_id", event).and("account_id", event.AccountID).
			and("name", event.ResourceName),
		update: []string{"account_id", "volume_id", "vm_id", "created"}, what: "vm snapshot"})
	return err
}

func (p *pass) backupEvent(ctx context.Context, event Event) error {
	const table = "usage_backup"
	switch event.Type {
	case "BACKUP.OFFERING.ASSIGN":
		return p.insert(ctx, TypeBackup, table, event, p.owned(event, row{"vm_id": event.ResourceID.V,
			"backup_offering_id": event.OfferingID.V, "created": event.Created}))
	case "BACKUP.OFFERING.REMOVE":
		_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeBackup, table: table, until: "removed",
			find: row{"account_id": event.AccountID, "vm_id": event.ResourceID.V}, update: []string{"account_id",
				"vm_id"}, what: "backup"})
		return err
	case "BACKUP.USAGE.METRIC":
		_, err := p.tx.ExecContext(ctx, "UPDATE cloud_usage.usage_backup SET size = ?, protected_size = ? "+
			"WHERE vm_id = ? AND removed IS NULL ORDER BY id LIMIT 1", nullable(event.Size),
			nullable(event.VirtualSize), event.ResourceID.V)
		return wrapEvent(err, event)
	}
	return nil
}
