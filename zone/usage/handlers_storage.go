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
)

func (p *pass) volumeEvent(ctx context.Context, event Event) error {
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

func (p *pass) closeVolume(ctx context.Context, event Event) (int, error) {
	return p.closeRows(ctx, event, event.Created, closing{usageType: TypeVolume, table: volumeTable, until: "deleted",
		find:   row{"volume_id": event.ResourceID.V, "account_id": event.AccountID},
		update: []string{"account_id", "volume_id"}, what: "volume"})
}

func (p *pass) openVolume(ctx context.Context, event Event) error {
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
func (p *pass) attachUpload(ctx context.Context, event Event) error {
	_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeVolumeSecondary, table: storageTable,
		until:    "deleted",
		find:     byKey(p.options.Rules.StorageByHelperPK, "entity_id", event).and("storage_type", storageVolume),
		anyState: true, onlyOne: true, update: storageUpdate(), what: "volume"})
	return err
}

func storageUpdate() []string { return []string{"account_id", "entity_id", "storage_type", "zone_id"} }

// uploadVolume: the guard against a second row looks by primary key, of any storage type, in the broken releases.
func (p *pass) uploadVolume(ctx context.Context, event Event) error {
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

func (p *pass) insertStorage(ctx context.Context, event Event, usageType, kind int, values row) error {
	return p.insert(ctx, usageType, storageTable, event, p.owned(event, values.and("entity_id", event.ResourceID.V).
		and("storage_type", kind).and("created", event.Created)))
}

func (p *pass) templateEvent(ctx context.Context, event Event) error {
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

func (p *pass) isoEvent(ctx context.Context, event Event) error {
	switch event.Type {
	case "ISO.CREATE", "ISO.COPY":
		return p.openOnce(ctx, event, TypeISO, storageISO, "ISO",
			row{"size": event.Size.V, "virtual_size": event.Size.V})
	case "ISO.DELETE":
		return p.closeStorage(ctx, event, TypeISO, storageISO, "iso", true)
	}
	return nil
}

func (p *pass) snapshotEvent(ctx context.Context, event Event) error {
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
func (p *pass) openOnce(ctx context.Context, event Event, usageType, kind int, what string, values row) error {
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
func (p *pass) closeStorage(ctx context.Context, event Event, usageType, kind int, what string, oneZone bool) error {
	find := row{"account_id": event.AccountID, "entity_id": event.ResourceID.V, "storage_type": kind}
	if oneZone {
		find["zone_id"] = event.ZoneID
	}
	_, err := p.closeRows(ctx, event, event.Created, closing{usageType: usageType, table: storageTable,
		until: "deleted", find: find,
		anyState: !oneZone, update: storageUpdate(), what: what})
	return err
}
