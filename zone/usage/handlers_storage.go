package usage

import (
	"context"
	"fmt"
)

// Kinds of rows in usage_storage (StorageTypes.java@4.20.0.0).
const (
	storageTemplate = 1
	storageISO      = 2
	storageSnapshot = 3
	storageVolume   = 4
)

const (
	storageTable = "usage_storage"
	volumeTable  = "usage_volume"

	vmSnapshotTable = "usage_vmsnapshot"
	onPrimaryTable  = "usage_snapshot_on_primary"
)

// storage handles the events of volumes, templates, ISOs, snapshots and backups.
type storage struct{ *pass }

func (p storage) volumeEvent(ctx context.Context, event Event) error {
	if p.options.Rules.VolumesPerVM {
		return p.volumeEventPerVM(ctx, event)
	}
	switch event.Type {
	case "VOLUME.CREATE":
		if err := p.attachUpload(ctx, event); err != nil {
			return err
		}
		return p.openVolume(ctx, event)
	case "VOLUME.RESIZE":
		return p.openVolume(ctx, event)
	case "VOLUME.DELETE":
		_, err := p.closeVolume(ctx, event)
		return err
	case "VOLUME.UPLOAD":
		return p.uploadVolume(ctx, event)
	}
	return nil
}

func (p storage) closeVolume(ctx context.Context, event Event) (int, error) {
	return p.closeRows(ctx, event, event.Created, closing{usageType: TypeVolume, table: volumeTable, until: "deleted",
		find:   row{"volume_id": event.ResourceID.V, "account_id": event.AccountID},
		update: []string{"account_id", "volume_id"}, what: "volume"})
}

func (p storage) openVolume(ctx context.Context, event Event) error {
	if done, err := p.alreadyOpen(ctx, event, volumeTable, "volume_id"); done || err != nil {
		return err
	}
	found, err := p.closeVolume(ctx, event)
	if err != nil {
		return err
	}
	if found > 0 {
		p.log.ErrorContext(ctx, fmt.Sprintf("Found duplicate usage entry for volume: %d assigned to account: %d; "+
			"marking as deleted...",
			event.ResourceID.V, event.AccountID))
	}
	return p.insert(ctx, TypeVolume, volumeTable, event, p.owned(event, row{"volume_id": event.ResourceID.V,
		"disk_offering_id": nullable(event.OfferingID), "template_id": nullable(event.TemplateID),
		"size":    nullable(event.Size),
		"created": event.Created}))
}

// attachUpload ends the secondary storage row of an uploaded volume that is now on primary storage. It looks for the
// row without account and whether open or not, and acts on exactly one.
func (p storage) attachUpload(ctx context.Context, event Event) error {
	_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeVolumeSecondary, table: storageTable,
		until:    "deleted",
		find:     byKey(p.options.Rules.StorageByHelperPK, "entity_id", event).and("storage_type", storageVolume),
		anyState: true, onlyOne: true, update: storageUpdate(), what: "volume"})
	return err
}

func storageUpdate() []string { return []string{"account_id", "entity_id", "storage_type", "zone_id"} }

// uploadVolume: the guard against a second row looks by primary key, of any storage type, in the broken releases.
func (p storage) uploadVolume(ctx context.Context, event Event) error {
	find := byKey(p.options.Rules.StorageByHelperPK, "entity_id", event).and("account_id", event.AccountID)
	if !p.options.Rules.StorageByHelperPK {
		find["storage_type"] = storageVolume
	}
	_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeVolumeSecondary, table: storageTable,
		until: "deleted",
		find:  find, update: storageUpdate(), what: "volume"})
	if err != nil {
		return err
	}
	return p.insertStorage(ctx, event, TypeVolumeSecondary, storageVolume, row{"source_id": nullable(event.TemplateID),
		"size": event.Size.V})
}

func (p storage) insertStorage(ctx context.Context, event Event, usageType, kind int, values row) error {
	return p.insert(ctx, usageType, storageTable, event, p.owned(event, values.and("entity_id", event.ResourceID.V).
		and("storage_type", kind).and("created", event.Created)))
}

func (p storage) templateEvent(ctx context.Context, event Event) error {
	switch event.Type {
	case "TEMPLATE.CREATE", "TEMPLATE.COPY":
		if event.Size.V < 1 {
			p.log.ErrorContext(ctx, fmt.Sprintf("Incorrect size for template with Id %d", event.ResourceID.V))
			return nil
		}
		return p.openOnce(ctx, event, TypeTemplate, storageTemplate, "Template",
			row{"source_id": nullable(event.TemplateID),
				"size": event.Size.V, "virtual_size": nullable(event.VirtualSize)})
	case "TEMPLATE.DELETE":
		return p.closeStorage(ctx, event, TypeTemplate, storageTemplate, "template", true)
	}
	return nil
}

func (p storage) isoEvent(ctx context.Context, event Event) error {
	switch event.Type {
	case "ISO.CREATE", "ISO.COPY":
		return p.openOnce(ctx, event, TypeISO, storageISO, "ISO",
			row{"size": event.Size.V, "virtual_size": event.Size.V})
	case "ISO.DELETE":
		return p.closeStorage(ctx, event, TypeISO, storageISO, "iso", true)
	}
	return nil
}

func (p storage) snapshotEvent(ctx context.Context, event Event) error {
	switch event.Type {
	case "SNAPSHOT.CREATE":
		size := event.Size.V
		if p.options.SnapshotVirtualSize {
			size = event.VirtualSize.V
		}
		return p.insertStorage(ctx, event, TypeSnapshot, storageSnapshot, row{"size": size})
	case "SNAPSHOT.DELETE":
		return p.closeStorage(ctx, event, TypeSnapshot, storageSnapshot, "snapshot", false)
	}
	return nil
}

// openOnce inserts a row unless the zone has an open one of the same template or ISO.
func (p storage) openOnce(ctx context.Context, event Event, usageType, kind int, what string, values row) error {
	open, err := p.rows(ctx, "SELECT id FROM cloud_usage."+storageTable+
		" WHERE account_id = ? AND entity_id = ? AND storage_type = ? AND zone_id = ? AND deleted IS NULL",
		event.AccountID, event.ResourceID.V, kind, event.ZoneID)
	if err != nil {
		return err
	}
	if len(open) > 0 {
		p.log.WarnContext(ctx, fmt.Sprintf("Usage entry for %s: %d assigned to account: %dalready exists in zone %d",
			what, event.ResourceID.V, event.AccountID, event.ZoneID))
		return nil
	}
	return p.insertStorage(ctx, event, usageType, kind, values)
}

// closeStorage closes rows of the event's zone, or of every zone.
func (p storage) closeStorage(ctx context.Context, event Event, usageType, kind int, what string, oneZone bool) error {
	find := row{"account_id": event.AccountID, "entity_id": event.ResourceID.V, "storage_type": kind}
	if oneZone {
		find["zone_id"] = event.ZoneID
	}
	_, err := p.closeRows(ctx, event, event.Created, closing{usageType: usageType, table: storageTable,
		until: "deleted", find: find,
		anyState: !oneZone, update: storageUpdate(), what: what})
	return err
}

// volumeEventPerVM handles events of volumes under Rules.VolumesPerVM: a volume has one open row without a VM for its
// whole life, and one more for the VM that it is attached to (UsageManagerImpl.java@4.22.1.0).
func (p storage) volumeEventPerVM(ctx context.Context, event Event) error {
	switch event.Type {
	case "VOLUME.CREATE":
		return p.createVolume(ctx, event)
	case "VOLUME.RESIZE":
		return p.resizeVolume(ctx, event)
	case "VOLUME.DELETE":
		_, err := p.closeVolumeRows(ctx, event, "")
		return err
	case "VOLUME.ATTACH":
		if _, err := p.closeVolumeRows(ctx, event, ofVMs); err != nil {
			return err
		}
		return p.insertVolume(ctx, event, nullable(event.VMID))
	case "VOLUME.DETACH":
		_, err := p.closeVolumeRows(ctx, event, ofVMs)
		return err
	case "VOLUME.UPLOAD":
		if err := p.closeUploads(ctx, event); err != nil {
			return err
		}
		return p.insertStorage(ctx, event, TypeVolumeSecondary, storageVolume,
			row{"source_id": nullable(event.TemplateID), "size": event.Size.V})
	}
	return nil
}

// ofVMs is the condition of a volume's rows that name a VM.
const ofVMs = "vm_id IS NOT NULL"

func (p storage) createVolume(ctx context.Context, event Event) error {
	if done, err := p.alreadyOpen(ctx, event, volumeTable, "volume_id"); done || err != nil {
		return err
	}
	if err := p.closeUploads(ctx, event); err != nil {
		return err
	}
	found, err := p.closeVolumeRows(ctx, event, "")
	if err != nil {
		return err
	}
	if found > 0 {
		p.log.ErrorContext(ctx, fmt.Sprintf("Found duplicate usage entry for volume: %d assigned to account: %d; "+
			"marking as deleted...",
			event.ResourceID.V, event.AccountID))
	}
	if err := p.insertVolume(ctx, event, nil); err != nil || !event.VMID.Valid {
		return err
	}
	return p.insertVolume(ctx, event, event.VMID.V)
}

// resizeVolume replaces each open row by one of the new size. A volume without one gets none.
func (p storage) resizeVolume(ctx context.Context, event Event) error {
	open, err := p.rows(ctx, "SELECT vm_id FROM cloud_usage."+volumeTable+
		" WHERE volume_id = ? AND account_id = ? AND deleted IS NULL ORDER BY id",
		event.ResourceID.V, event.AccountID)
	if err != nil {
		return err
	}
	if _, err := p.closeVolumeRows(ctx, event, ""); err != nil {
		return err
	}
	for _, each := range open {
		if err := p.insertVolume(ctx, event, each["vm_id"]); err != nil {
			return err
		}
	}
	return nil
}

func (p storage) insertVolume(ctx context.Context, event Event, vm any) error {
	return p.insert(ctx, TypeVolume, volumeTable, event, p.owned(event, row{"volume_id": event.ResourceID.V,
		"disk_offering_id": nullable(event.OfferingID), "template_id": nullable(event.TemplateID),
		"size":    nullable(event.Size),
		"created": event.Created, "vm_id": vm}))
}

// closeVolumeRows ends the volume's open rows, each by its id.
func (p storage) closeVolumeRows(ctx context.Context, event Event, which string) (int, error) {
	return p.closeRows(ctx, event, event.Created, closing{usageType: TypeVolume, table: volumeTable, until: "deleted",
		find:   row{"volume_id": event.ResourceID.V, "account_id": event.AccountID},
		update: []string{"id"}, what: "volume", also: which})
}

// closeUploads ends all open rows of secondary storage of the volume.
func (p storage) closeUploads(ctx context.Context, event Event) error {
	_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeVolumeSecondary, table: storageTable,
		until:  "deleted",
		find:   row{"entity_id": event.ResourceID.V, "account_id": event.AccountID, "storage_type": storageVolume},
		update: storageUpdate(), what: "volume"})
	return err
}

func (p storage) vmSnapshotEvent(ctx context.Context, event Event) error {
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

func (p storage) onPrimaryEvent(ctx context.Context, event Event) error {
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

const backupTable = "usage_backup"

func (p storage) backupEvent(ctx context.Context, event Event) error {
	switch event.Type {
	case "BACKUP.OFFERING.ASSIGN":
		return p.insert(ctx, TypeBackup, backupTable, event, p.owned(event, row{"vm_id": event.ResourceID.V,
			"backup_offering_id": event.OfferingID.V, "created": event.Created}))
	case p.backupsEnd():
		c := closing{usageType: TypeBackup, table: backupTable, until: "removed",
			find:   row{"account_id": event.AccountID, "vm_id": event.ResourceID.V},
			update: []string{"account_id", "vm_id"}, what: "backup"}
		if p.options.Rules.BackupsToLast {
			c.find["backup_offering_id"] = event.OfferingID.V
			c.update = append(c.update, "backup_offering_id")
		}
		_, err := p.closeRows(ctx, event, event.Created, c)
		return err
	case "BACKUP.USAGE.METRIC":
		return p.backupSize(ctx, event)
	}
	return nil
}

// backupsEnd is the event that ends what is billed for a VM's backups.
func (p storage) backupsEnd() string {
	if p.options.Rules.BackupsToLast {
		return "BACKUP.OFFERING.BACKUPS.DEL"
	}
	return "BACKUP.OFFERING.REMOVE"
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
