package kernel

import (
	"context"
	"time"

	"github.com/stackproof/stackproof/release"
)

// Insert writes a row into a table named like "cloud.vpc" and answers its id. Unknown columns are an error.
func (k *Kernel) Insert(ctx context.Context, table string, row obj) (int64, error) {
	return k.store.Insert(DBContext(ctx), table, row)
}

// Update changes the named columns of a row.
func (k *Kernel) Update(ctx context.Context, table string, id int64, row obj) error {
	return k.store.Update(DBContext(ctx), table, id, row)
}

// Remove deletes a row for good: rules, mappings and policies; other objects keep a removed date instead, and so do
// these where rules are deleted softly.
func (k *Kernel) Remove(ctx context.Context, table string, id int64) error {
	soft := k.On(release.SoftDeleteRules)
	switch {
	case table == "cloud.firewall_rules" && (soft || k.keepRules),
		soft && (table == "cloud.load_balancer_vm_map" || table == "cloud.load_balancer_stickiness_policies"):
		return k.store.Update(DBContext(ctx), table, id, obj{"removed": k.Now()})
	case soft && (table == "cloud.load_balancing_rules" || table == "cloud.port_forwarding_rules"):
		return nil // their rows in firewall_rules say it
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
