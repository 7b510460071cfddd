package site

import (
	"context"
	"database/sql"
)

// Hooks are the seams of an upgrade and of a repair, for who plants faults.
type Hooks struct {
	// Upgraded follows the schema steps of an upgrade. The lock is held.
	Upgraded func(ctx context.Context, db *sql.DB) error
	// Repair is the statement of one repair.
	Repair func(RowRepair) (query string, args []any)
}
