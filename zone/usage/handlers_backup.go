package usage

import "context"

const backupTable = "usage_backup"

func (p storage) backupEvent(ctx context.Context, event Event) error {
	switch event.Type {
	case "BACKUP.OFFERING.ASSIGN":
		return p.insert(ctx, TypeBackup, backupTable, event, p.owned(event, row{"vm_id": event.ResourceID.V,
			"backup_offering_id": event.OfferingID.V, "created": event.Created}))
	case "BACKUP.OFFERING.REMOVE":
		_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeBackup, table: backupTable,
			until: "removed",
			find:  row{"account_id": event.AccountID, "vm_id": event.ResourceID.V}, update: []string{"account_id",
				"vm_id"}, what: "backup"})
		return err
	case "BACKUP.USAGE.METRIC":
		return p.backupSize(ctx, event)
	}
	return nil
}

// backupSize takes over a report of the size of a VM's backups: into the open row, whatever it was billed with before
// (UsageBackupDaoImpl.updateMetrics, in every release), or under Rules.BackupSizesApart into a row that begins with it.
func (p storage) backupSize(ctx context.Context, event Event) error {
	found, err := p.rows(ctx, "SELECT id, backup_offering_id, size, protected_size FROM cloud_usage."+backupTable+
		" WHERE vm_id = ? AND removed IS NULL ORDER BY id LIMIT 1", event.ResourceID.V)
	if err != nil || len(found) == 0 {
		return err
	}
	open := found[0]
	if p.options.Faults.BackupSizeIgnored && open.integer("size") > 0 {
		return nil
	}
	sizes := row{"size": nullable(event.Size), "protected_size": nullable(event.VirtualSize)}
	same := open.integer("size") == event.Size.V && open.integer("protected_size") == event.VirtualSize.V
	if !p.options.Rules.BackupSizesApart || same {
		_, err := p.tx.ExecContext(ctx, "UPDATE cloud_usage."+backupTable+
			" SET size = ?, protected_size = ? WHERE id = ?", sizes["size"], sizes["protected_size"],
			open.integer("id"))
		return wrapEvent(err, event)
	}
	_, err = p.closeRows(ctx, event, event.Created, closing{usageType: TypeBackup, table: backupTable, until: "removed",
		find: row{"id": open.integer("id")}, update: []string{"id"}, what: "backup"})
	if err != nil {
		return err
	}
	return p.insert(ctx, TypeBackup, backupTable, event, p.owned(event, sizes.and("vm_id", event.ResourceID.V).
		and("backup_offering_id", open.integer("backup_offering_id")).and("created", event.Created)))
}
