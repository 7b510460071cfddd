package site

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/zone/kernel"
)

// RowRepair sets the close date of one row of a usage helper table, as an operator does who repairs what a defect left.
type RowRepair struct {
	Table       string // of cloud_usage: usage_load_balancer_policy or usage_port_forwarding
	ID, Account int64
	Old, New    *time.Time // nil: open
}

// RepairRows carries out repairs, all or none: each must find its row as it was seen. No usage server may run
// meanwhile.
func (mgr *Manager) RepairRows(ctx context.Context, repairs ...RowRepair) (err error) {
	mgr.Lock()
	defer mgr.Unlock()
	if len(mgr.metering.Usages) > 0 {
		return fmt.Errorf("repairing usage rows: the usage server on %s runs; stop it first",
			mgr.metering.Usages[0].Host)
	}
	tx, err := mgr.DB().BeginTx(kernel.DBContext(ctx), nil)
	if err != nil {
		return fmt.Errorf("repairing usage rows: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	for _, r := range repairs {
		if r.Table != "usage_load_balancer_policy" && r.Table != "usage_port_forwarding" {
			return fmt.Errorf("repairing usage rows: %q is no table of rules", r.Table)
		}
		query, args := mgr.Hooks.Repair(r)
		done, err := tx.ExecContext(kernel.DBContext(ctx), query, args...)
		if err != nil {
			return fmt.Errorf("repairing row %d of %s: %w", r.ID, r.Table, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("repairing row %d of %s: it is not as it was seen", r.ID, r.Table))
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("repairing usage rows: %w", err)
	}
	return nil
}

// OneRow ends the statement of a repair.
const OneRow = " AND id = ?"

// RepairStatement is the statement of a repair: one row, as it was seen.
func RepairStatement(r RowRepair) (query string, args []any) {
	return "UPDATE cloud_usage." + r.Table + " SET deleted = ? WHERE account_id = ? AND deleted <=> ?" + OneRow,
		[]any{nullTime(r.New), r.Account, nullTime(r.Old), r.ID}
}

func nullTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UTC().Truncate(time.Second)
}
