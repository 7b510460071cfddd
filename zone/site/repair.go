package site

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/fault"
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
		query, args := repairStatement(mgr, r)
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

// repairStatement is the statement of a repair, with what planted faults make of it: mistakes of a repair script.
func repairStatement(mgr *Manager, r RowRepair) (query string, args []any) {
	to := r.New
	if now := mgr.Now(); to != nil && mgr.On(fault.RepairDatesNow) {
		to = &now
	}
	query = "UPDATE cloud_usage." + r.Table + " SET deleted = ? WHERE account_id = ? AND deleted <=> ?"
	args = []any{nullTime(to), r.Account, nullTime(r.Old)}
	if !mgr.On(fault.RepairWholeAccount) {
		query, args = query+" AND id = ?", append(args, r.ID)
	}
	return query, args
}

func nullTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UTC().Truncate(time.Second)
}
