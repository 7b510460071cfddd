package usage

import (
	"context"
	"fmt"
)

// volumeEventPerVM handles events of volumes under Rules.VolumesPerVM: a volume has one open row without a VM for its
// whole life, and one more for the VM that it is attached to (UsageManagerImpl.java@4.22.1.0).
func (p *pass) volumeEventPerVM(ctx context.Context, event Event) error {
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

func (p *pass) createVolume(ctx context.Context, event Event) error {
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
func (p *pass) resizeVolume(ctx context.Context, event Event) error {
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

func (p *pass) insertVolume(ctx context.Context, event Event, vm any) error {
	return p.insert(ctx, TypeVolume, volumeTable, event, p.owned(event, row{"volume_id": event.ResourceID.V,
		"disk_offering_id": nullable(event.OfferingID), "template_id": nullable(event.TemplateID),
		"size":    nullable(event.Size),
		"created": event.Created, "vm_id": vm}))
}

// closeVolumeRows ends the volume's open rows, each by its id.
func (p *pass) closeVolumeRows(ctx context.Context, event Event, which string) (int, error) {
	return p.closeRows(ctx, event, event.Created, closing{usageType: TypeVolume, table: volumeTable, until: "deleted",
		find:   row{"volume_id": event.ResourceID.V, "account_id": event.AccountID},
		update: []string{"id"}, what: "volume", also: which})
}

// closeUploads ends all open rows of secondary storage of the volume.
func (p *pass) closeUploads(ctx context.Context, event Event) error {
	_, err := p.closeRows(ctx, event, event.Created, closing{usageType: TypeVolumeSecondary, table: storageTable,
		until:  "deleted",
		find:   row{"entity_id": event.ResourceID.V, "account_id": event.AccountID, "storage_type": storageVolume},
		update: storageUpdate(), what: "volume"})
	return err
}
