package site

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/metering"
)

// What follows does to a zone what nobody does to a live site: it writes rows that no call leads to, and makes the
// standing zone one of another release.

// ForgedEvent is a usage event that no call of the zone writes.
type ForgedEvent struct {
	Type          string
	Account, Zone int64 // internal ids; zone 0 is the zone's own
	Resource      int64
	Columns       map[string]any    // further columns of usage_event
	Details       map[string]string // usage_event_details
}

// ForgeEvents writes usage events dated now.
func (mgr *Manager) ForgeEvents(ctx context.Context, events ...ForgedEvent) error {
	mgr.Lock()
	defer mgr.Unlock()
	for _, e := range events {
		if e.Zone == 0 {
			e.Zone = kernel.ZoneID
		}
		row := obj{"type": e.Type, "account_id": e.Account, "created": mgr.Now(), "zone_id": e.Zone,
			"resource_id": e.Resource, "processed": 0}
		maps.Copy(row, e.Columns)
		id, err := mgr.Insert(ctx, "cloud.usage_event", row)
		if err != nil {
			return err
		}
		for name, value := range e.Details {
			if _, err := mgr.Insert(ctx, "cloud.usage_event_details", obj{"usage_event_id": id, "name": name,
				"value": value}); err != nil {
				return err
			}
		}
	}
	return nil
}

// RepeatEvent writes the newest usage event of a type and resource once more, date included.
func (mgr *Manager) RepeatEvent(ctx context.Context, typ string, resource int64) error {
	columns := "type, account_id, created, zone_id, resource_id, resource_name, offering_id, template_id, " +
		"size, resource_type, virtual_size"
	if mgr.On(release.VolumeUsagePerVM) {
		columns += ", vm_id"
	}
	mgr.Lock()
	defer mgr.Unlock()
	result, err := mgr.DB().ExecContext(kernel.DBContext(ctx),
		"INSERT INTO cloud.usage_event ("+columns+", processed) SELECT "+columns+
			", 0 FROM cloud.usage_event WHERE type = ? AND resource_id = ? ORDER BY id DESC LIMIT 1", typ, resource)
	if err != nil {
		return fmt.Errorf("repeating event %s of %d: %w", typ, resource, err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, fmt.Errorf("repeating event %s of %d: there is none", typ, resource))
	}
	return nil
}

// backlogType is an event type that the usage server marks processed and does nothing else with.
const backlogType = "VM.REBOOT"

// ForgeBacklog writes count harmless usage events of an account, dated now.
func (mgr *Manager) ForgeBacklog(ctx context.Context, account int64, count int) error {
	mgr.Lock()
	defer mgr.Unlock()
	var values []any
	for range count {
		values = append(values, backlogType, account, mgr.Now(), kernel.ZoneID)
	}
	_, err := mgr.DB().ExecContext(kernel.DBContext(ctx), "INSERT INTO cloud.usage_event (type, account_id, "+
		"created, zone_id, resource_id, processed) VALUES "+
		strings.TrimSuffix(strings.Repeat("(?,?,?,?,0,0),", count), ","), values...)
	if err != nil {
		return fmt.Errorf("writing a backlog of %d events: %w", count, err)
	}
	return nil
}

// otherZone is the id of a second zone, which has addresses and nothing else.
const otherZone = 2

// AddressInOtherZone gives an account an address with this text in a second zone, whose private range is the same, and
// answers its internal id.
func (mgr *Manager) AddressInOtherZone(ctx context.Context, account int64, ip string) (int64, error) {
	mgr.Lock()
	a := mgr.tenancy.Accounts.ByID(account)
	if a == nil {
		mgr.Unlock()
		return 0, fmt.Errorf("account %d does not exist", account)
	}
	id, err := mgr.Insert(ctx, "cloud.user_ip_address", obj{"uuid": mgr.UUID(), "public_ip_address": ip,
		"data_center_id": otherZone, "vlan_db_id": 2,
		"state": "Allocated", "mac_address": 1, "source_network_id": mgr.net.Site.PublicNetwork.ID,
		"physical_network_id": 2, "account_id": a.ID,
		"domain_id": a.Domain.ID, "allocated": mgr.Now(), "created": mgr.Now()})
	mgr.Unlock()
	if err != nil {
		return 0, err
	}
	return id, mgr.ForgeEvents(ctx, ForgedEvent{Type: "NET.IPASSIGN", Account: account, Zone: otherZone, Resource: id,
		Columns: obj{"resource_name": ip, "template_id": 0, "size": 0, "resource_type": "VirtualNetwork"}})
}

// SwitchRelease makes the standing zone one of another release, as an upgrade does (and back): the management
// server's behaviour changes at once, and the usage server is stopped and started.
func (mgr *Manager) SwitchRelease(ctx context.Context, name string, knobs release.Knobs) error {
	if _, err := release.ProfileKnobs(name); err != nil {
		return err
	}
	mgr.Lock()
	mgr.WaitJobs()
	err := mgr.Switch(ctx, name, knobs)
	if err == nil {
		_, err = mgr.DB().ExecContext(kernel.DBContext(ctx), "INSERT IGNORE INTO cloud.version (version, updated, "+
			"step) VALUES (?, ?, 'Complete')", name, mgr.Now())
	}
	if err == nil {
		err = mgr.Hooks.Upgraded(ctx, mgr.DB())
	}
	mgr.Unlock()
	if err != nil {
		return fmt.Errorf("switching to %s: %w", name, err)
	}
	if err := mgr.metering.EndUsage(ctx, metering.FirstUsageHost, metering.UsageStopped); err != nil {
		return err
	}
	return mgr.metering.StartUsage(ctx, metering.FirstUsageHost, metering.UsageSettings{})
}

// KeepDeletedRules makes the zone one of a release to come that keeps deleted rules with a removal date.
func (mgr *Manager) KeepDeletedRules(ctx context.Context) error {
	mgr.Lock()
	defer mgr.Unlock()
	if mgr.On(release.SoftDeleteRules) {
		return nil
	}
	if _, err := mgr.DB().ExecContext(kernel.DBContext(ctx), "ALTER TABLE cloud.firewall_rules ADD COLUMN "+
		"removed DATETIME NULL"); err != nil {
		return fmt.Errorf("adding a column for removed rules: %w", err)
	}
	mgr.Kernel.KeepDeletedRules()
	return nil
}

// DropRemoved takes the column back, for the next zone on the same database.
func (mgr *Manager) DropRemoved(ctx context.Context) error {
	if !mgr.KeepsDeletedRules() {
		return nil
	}
	if _, err := mgr.DB().ExecContext(kernel.DBContext(ctx), "ALTER TABLE cloud.firewall_rules DROP COLUMN "+
		"removed"); err != nil {
		return fmt.Errorf("dropping the column for removed rules: %w", err)
	}
	return nil
}
