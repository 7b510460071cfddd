package usage

import (
	"context"
	"fmt"
	"time"
)

// vmSnapshots bills VM snapshots. A later snapshot of the same volume ends the one before it (size 0 means that the
// last one is gone), and records have the snapshot's own dates, not the slice's. One that begins and ends in the same
// slice is billed twice: for its life and up to the end of the slice (VMSnapshotUsageParser@4.20.0.0).
func (p billing) vmSnapshots(ctx context.Context, a account, part slice) ([]Record, error) {
	if p.options.Rules.SnapshotsApart {
		return p.snapshotsApart(ctx, a, part)
	}
	const columns = vmSnapshotColumns
	start, end := second(part.start), second(part.end)
	rows, err := p.rows(ctx, "SELECT "+columns+" FROM cloud_usage."+vmSnapshotTable+
		" WHERE account_id = ? AND ((created BETWEEN ? AND ?) "+
		"OR (created < ? AND processed IS NULL)) ORDER BY created, id", a.id, start, end, start)
	if err != nil {
		return nil, err
	}
	var records []Record
	last := map[string]row{}
	var order []string
	keep := func(r row) {
		key := keyed("vm_id", "volume_id")(r)
		if last[key] == nil {
			order = append(order, key)
		}
		last[key] = r
	}
	for _, each := range rows {
		created, _ := each.time("created")
		previous, err := p.rows(ctx, "SELECT "+columns+" FROM cloud_usage."+vmSnapshotTable+
			" WHERE account_id = ? AND volume_id = ? "+
			"AND vm_id = ? AND created < ? AND processed IS NULL ORDER BY created DESC LIMIT 1", a.id,
			each["volume_id"], each["vm_id"], created)
		if err != nil {
			return nil, err
		}
		if created.Before(part.start) || len(previous) == 0 || previous[0].integer("size") == 0 {
			keep(each)
			continue
		}
		begun, _ := previous[0].time("created")
		ended := previous[0].and("vm_snapshot_id", each["vm_snapshot_id"])
		records = append(records, p.vmSnapshotRecord(a, ended, latest(begun, part.start), created))
		done := []any{ended["id"]}
		if each.integer("size") == 0 {
			done = append(done, each["id"])
		} else {
			keep(each)
		}
		for _, id := range done {
			if _, err := p.tx.ExecContext(ctx, "UPDATE cloud_usage."+vmSnapshotTable+" SET processed = ? WHERE id = ?",
				second(p.now), id); err != nil {
				return nil, fmt.Errorf("usage: ending a VM snapshot: %w", err)
			}
		}
	}
	for _, key := range order {
		created, _ := last[key].time("created")
		records = append(records, p.vmSnapshotRecord(a, last[key], latest(created, part.start), part.end))
	}
	return records, nil
}

const vmSnapshotColumns = "id, zone_id, account_id, volume_id, vm_id, disk_offering_id, size, created, vm_snapshot_id"

// snapshotsApart bills each VM snapshot for its own life.
func (p billing) snapshotsApart(ctx context.Context, a account, part slice) ([]Record, error) {
	rows, err := p.rows(ctx, "SELECT "+vmSnapshotColumns+", processed FROM cloud_usage."+vmSnapshotTable+
		" WHERE account_id = ? AND created <= ? "+
		"AND (processed IS NULL OR processed >= ?) ORDER BY created, id", a.id, second(part.end), second(part.start))
	if err != nil {
		return nil, err
	}
	var records []Record
	for _, each := range rows {
		created, _ := each.time("created")
		until, ended := each.time("processed")
		if !ended || until.After(part.end) {
			until = part.end
		}
		records = append(records, p.vmSnapshotRecord(a, each, latest(created, part.start), until))
	}
	return records, nil
}

func (p billing) vmSnapshotRecord(a account, r row, from, until time.Time) Record {
	g := &group{last: r, length: until.Sub(from) + time.Millisecond}
	return p.record(a, TypeVMSnapshot, g, slice{from, until}, func(r row, record *Record) {
		record.Description = fmt.Sprintf("VMSnapshot Id: %s Usage: VM Id: %d Volume Id: %d ", r.text("vm_snapshot_id"),
			r.integer("vm_id"), r.integer("volume_id"))
		if r["disk_offering_id"] != nil {
			record.Description += fmt.Sprintf(" DiskOffering: %d", r.integer("disk_offering_id"))
		}
		record.Description += " Size: " + r.humanSize("size")
		record.VMInstanceID, record.OfferingID, record.UsageID, record.Size = r["vm_id"], r["disk_offering_id"],
			r["vm_snapshot_id"], r["size"]
	})
}

// onPrimary bills snapshots kept on primary storage: one record per name, the last row's, with its own dates. A row
// without a physical size is closed with the time of the job (VMSnapshotOnPrimaryParser@4.20.0.0).
func (p billing) onPrimary(ctx context.Context, a account, part slice) ([]Record, error) {
	start, end := second(part.start), second(part.end)
	rows, err := p.rows(ctx, "SELECT id, zone_id, account_id, volume_id, vm_id, name, physicalsize, virtualsize, "+
		"created, deleted, vm_snapshot_id "+
		"FROM cloud_usage."+onPrimaryTable+
		" WHERE account_id = ? AND ((created < ? AND deleted IS NULL) OR (deleted BETWEEN ? AND ?)) "+
		"ORDER BY created, id", a.id, end, start, end)
	if err != nil {
		return nil, err
	}
	last := map[string]row{}
	var order []string
	for _, each := range rows {
		if each.integer("physicalsize") == 0 {
			if _, err := p.tx.ExecContext(ctx, "UPDATE cloud_usage."+onPrimaryTable+" SET deleted = ? WHERE id = ?",
				second(p.now), each["id"]); err != nil {
				return nil, fmt.Errorf("usage: ending a snapshot on primary storage: %w", err)
			}
			continue
		}
		if last[each.text("name")] == nil {
			order = append(order, each.text("name"))
		}
		last[each.text("name")] = each
	}
	var records []Record
	for _, name := range order {
		r := last[name]
		created, _ := r.time("created")
		until, closed := r.time("deleted")
		if !closed || !until.Before(part.end) {
			until = part.end
		}
		from := latest(created, part.start)
		g := &group{last: r, length: until.Sub(from) + time.Millisecond}
		records = append(records, p.record(a, TypeOnPrimary, g, slice{from, until}, func(r row, record *Record) {
			record.Description = fmt.Sprintf("VMSnapshot Id: %s On Primary Usage: VM Id: %d Size: %s",
				r.text("vm_snapshot_id"),
				r.integer("volume_id"), r.humanSize("virtualsize"))
			record.VMInstanceID, record.VMName, record.UsageID = r["volume_id"], r["name"], r["vm_snapshot_id"]
			record.Size, record.VirtualSize = r["physicalsize"], r["virtualsize"]
		}))
	}
	return records, nil
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
