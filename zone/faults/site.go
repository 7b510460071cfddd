package faults

import (
	"context"
	"database/sql"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/site"
)

// Upgraded follows the schema steps of an upgrade with steps that do harm.
func (f *Faults) Upgraded(ctx context.Context, db *sql.DB) error {
	var steps []string
	if f.On(fault.UpgradeReplaysEvents) {
		steps = append(steps, "UPDATE cloud_usage.usage_event SET processed = 0")
	}
	if f.On(fault.UpgradeReopensRows) {
		steps = append(steps, "UPDATE cloud_usage.usage_load_balancer_policy SET deleted = NULL")
	}
	for _, step := range steps {
		if _, err := db.ExecContext(kernel.DBContext(ctx), step); err != nil {
			return err
		}
	}
	return nil
}

// Repair is the statement of a repair, with the mistakes of a repair script.
func (f *Faults) Repair(statement func(site.RowRepair) (string, []any)) func(site.RowRepair) (string, []any) {
	return func(r site.RowRepair) (string, []any) {
		if now := f.Now(); r.New != nil && f.On(fault.RepairDatesNow) {
			r.New = &now
		}
		query, args := statement(r)
		if whole, ok := strings.CutSuffix(query, site.OneRow); ok && f.On(fault.RepairWholeAccount) {
			return whole, args[:len(args)-1]
		}
		return query, args
	}
}
