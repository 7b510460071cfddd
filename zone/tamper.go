package zone

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
)

// What follows does to a zone what nobody does to a live site: it writes rows that no call leads to, and makes the standing
// zone one of another release.

// ForgedEvent is a usage event that no call of the zone writes.
type ForgedEvent struct {
	Type          string
	Account, Zone int64 // internal ids; zone 0 is the zone's own
	Resource      int64
	Columns       map[string]any    // further columns of usage_event
	Details       map[string]string // usage_event_details
}

// ForgeEvents writes usage events dated now.
func (z *Zone) ForgeEvents(ctx context.Context, events ...ForgedEvent) error {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, e := range events {
		if e.Zone == 0 {
			e.Zone = zoneID
		}
		row := obj{"type": e.Type, "account_id": e.Account, "created": z.now(), "zone_id": e.Zone, "resource_id": e.Resource, "processed": 0}
		maps.Copy(row, e.Columns)
		id, err := z.insert(ctx, "cloud.usage_event", row)
		if err != nil {
			return err
		}
		for name, value := range e.Details {
			if _, err := z.insert(ctx, "cloud.usage_event_details", obj{"usage_event_id": id, "name": name, "value": value}); err != nil {
				return err
			}
		}
	}
	return nil
}

// RepeatEvent writes the newest usage event of a type and resource once more, date included.
func (z *Zone) RepeatEvent(ctx context.Context, typ string, resource int64) error {
	const columns = "type, account_id, created, zone_id, resource_id, resource_name, offering_id, template_id, size, resource_type, virtual_size"
	z.mu.Lock()
	defer z.mu.Unlock()
	result, err := z.store.db.ExecContext(dbContext(ctx), "INSERT INTO cloud.usage_event ("+columns+", processed) SELECT "+columns+
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
func (z *Zone) ForgeBacklog(ctx context.Context, account int64, count int) error {
	z.mu.Lock()
	defer z.mu.Unlock()
	var values []any
	for range count {
		values = append(values, backlogType, account, z.now(), zoneID)
	}
	_, err := z.store.db.ExecContext(dbContext(ctx), "INSERT INTO cloud.usage_event (type, account_id, created, zone_id, resource_id, processed) VALUES "+
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
func (z *Zone) AddressInOtherZone(ctx context.Context, account int64, ip string) (int64, error) {
	z.mu.Lock()
	a, known := byID(z.accounts, account, func(a *Account) int64 { return a.ID })
	if !known {
		z.mu.Unlock()
		return 0, fmt.Errorf("account %d does not exist", account)
	}
	id, err := z.insert(ctx, "cloud.user_ip_address", obj{"uuid": z.uuid(), "public_ip_address": ip, "data_center_id": otherZone, "vlan_db_id": 2,
		"state": "Allocated", "mac_address": 1, "source_network_id": z.site.PublicNetwork.ID, "physical_network_id": 2, "account_id": a.ID,
		"domain_id": a.Domain.ID, "allocated": z.now(), "created": z.now()})
	z.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return id, z.ForgeEvents(ctx, ForgedEvent{Type: "NET.IPASSIGN", Account: account, Zone: otherZone, Resource: id,
		Columns: obj{"resource_name": ip, "template_id": 0, "size": 0, "resource_type": "VirtualNetwork"}})
}

// SwitchRelease makes the standing zone one of another release, as an upgrade does (and back): the management
// server's behaviour changes at once, and the usage server is stopped and started.
func (z *Zone) SwitchRelease(ctx context.Context, name string, knobs release.Knobs) error {
	if _, err := release.ProfileKnobs(name); err != nil {
		return err
	}
	z.mu.Lock()
	z.waitJobs()
	z.version, z.knobs = name, maps.Clone(knobs)
	err := z.migrate(ctx)
	z.store.columns = z.opts.DB.Columns()
	if err == nil {
		_, err = z.store.db.ExecContext(dbContext(ctx), "INSERT IGNORE INTO cloud.version (version, updated, step) VALUES (?, ?, 'Complete')", name, z.now())
	}
	if err == nil {
		err = z.upgradeFaults(ctx)
	}
	z.mu.Unlock()
	if err != nil {
		return fmt.Errorf("switching to %s: %w", name, err)
	}
	if err := z.EndUsage(ctx, FirstUsageHost, UsageStopped); err != nil {
		return err
	}
	return z.StartUsage(ctx, FirstUsageHost, UsageSettings{})
}

// upgradeFaults are the planted faults of an upgrade's schema steps.
func (z *Zone) upgradeFaults(ctx context.Context) error {
	var steps []string
	if z.knobs[fault.UpgradeReplaysEvents] {
		steps = append(steps, "UPDATE cloud_usage.usage_event SET processed = 0")
	}
	if z.knobs[fault.UpgradeReopensRows] {
		steps = append(steps, "UPDATE cloud_usage.usage_load_balancer_policy SET deleted = NULL")
	}
	for _, step := range steps {
		if _, err := z.store.db.ExecContext(dbContext(ctx), step); err != nil {
			return err
		}
	}
	return nil
}

// KeepDeletedRules makes the zone one of a release to come that keeps deleted rules with a removal date.
func (z *Zone) KeepDeletedRules(ctx context.Context) error {
	z.mu.Lock()
	defer z.mu.Unlock()
	if _, err := z.store.db.ExecContext(dbContext(ctx), "ALTER TABLE cloud.firewall_rules ADD COLUMN removed DATETIME NULL"); err != nil {
		return fmt.Errorf("adding a column for removed rules: %w", err)
	}
	z.store.columns["cloud.firewall_rules"] = append(z.store.columns["cloud.firewall_rules"], "removed")
	z.keepRules = true
	return nil
}

// dropRemoved takes the column back, for the next zone on the same database.
func (z *Zone) dropRemoved(ctx context.Context) error {
	if !z.keepRules {
		return nil
	}
	if _, err := z.store.db.ExecContext(dbContext(ctx), "ALTER TABLE cloud.firewall_rules DROP COLUMN removed"); err != nil {
		return fmt.Errorf("dropping the column for removed rules: %w", err)
	}
	return nil
}
