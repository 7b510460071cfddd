package usageprobe

import (
	"context"
	"fmt"
)

// Waiting are the resources (internal ids) of events of a type that no usage run has processed yet, in the order in
// which one will (UsageManagerImpl.java@4.20.0.0). A run that failed has copied events and not processed them.
func (p *Probe) Waiting(ctx context.Context, eventType string) ([]int64, error) {
	rows, err := p.db.QueryContext(ctx, "SELECT resource_id FROM (SELECT id, resource_id, created FROM "+
		"cloud.usage_event WHERE type = ? "+
		"AND id > (SELECT COALESCE(MAX(id), 0) FROM cloud_usage.usage_event) "+
		"UNION ALL SELECT id, resource_id, created FROM cloud_usage.usage_event WHERE type = ? AND processed = 0) e "+
		"ORDER BY created, id", eventType, eventType)
	if err != nil {
		return nil, fmt.Errorf("read events that wait for a usage run: %w", err)
	}
	defer rows.Close()
	var all []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read events that wait for a usage run: %w", err)
		}
		all = append(all, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read events that wait for a usage run: %w", err)
	}
	return all, nil
}

// Named is the resource (internal id) of the newest usage event of a family, such as VOLUME, that names it; 0 without
// one. It is for objects whose own tables are not read.
func (p *Probe) Named(ctx context.Context, family, name string) (int64, error) {
	return p.number(ctx, "read the usage event that names "+name,
		"SELECT COALESCE(MAX(resource_id), 0) FROM cloud.usage_event WHERE type LIKE ? AND resource_name = ?", family+
			".%", name)
}

// Newest is the resource (internal id) of an account's events of a type that has the largest id; 0 without one.
func (p *Probe) Newest(ctx context.Context, eventType string, account int64) (int64, error) {
	return p.number(ctx, "read the newest "+eventType,
		"SELECT COALESCE(MAX(resource_id), 0) FROM cloud.usage_event WHERE type = ? AND account_id = ?", eventType,
		account)
}

// Left is how many rules and VPCs an account still has.
func (p *Probe) Left(ctx context.Context, account int64) (left int64, err error) {
	for _, table := range []string{"firewall_rules", "vpc"} {
		rows, _, err := read(ctx, p.db, schemaCloud, table, filter{}.and("account_id = ?", account), "id", "removed")
		if err != nil {
			return 0, fmt.Errorf("count what is left of an account: %w", err)
		}
		for _, r := range rows {
			if r.null("removed") { // a table without the column deletes its rows
				left++
			}
		}
	}
	return left, nil
}

func (p *Probe) number(ctx context.Context, what, query string, args ...any) (n int64, err error) {
	if err := p.db.QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return n, nil
}
