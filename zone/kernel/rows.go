package kernel

import (
	"context"
	"time"
)

// Insert writes a row into a table named like "cloud.vpc" and answers its id. Unknown columns are an error.
func (k *Kernel) Insert(ctx context.Context, table string, row obj) (int64, error) {
	return k.store.Insert(DBContext(ctx), table, row)
}

// Update changes the named columns of a row.
func (k *Kernel) Update(ctx context.Context, table string, id int64, row obj) error {
	return k.store.Update(DBContext(ctx), table, id, row)
}

// Remove deletes a row for good: rules, mappings and policies; other objects keep a removed date instead.
func (k *Kernel) Remove(ctx context.Context, table string, id int64) error {
	if k.keepRules && table == "cloud.firewall_rules" {
		return k.store.Update(DBContext(ctx), table, id, obj{"removed": k.Now()})
	}
	return k.store.Remove(DBContext(ctx), table, id)
}

// DBContext keeps a half-done command from stopping between two rows because its caller went away.
func DBContext(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// Now is the zone's time, in UTC.
func (k *Kernel) Now() time.Time { return k.Clock.Now().UTC() }

// KeepDeletedRules makes deleted rules keep their row with a removal date; their table has the column. The lock
// must be held.
func (k *Kernel) KeepDeletedRules() {
	k.store.AddColumn("cloud.firewall_rules", "removed")
	k.keepRules = true
}

// KeepsDeletedRules says whether deleted rules keep their row.
func (k *Kernel) KeepsDeletedRules() bool { return k.keepRules }
