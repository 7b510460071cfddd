package inventory

import (
	"context"
	"database/sql"
	"slices"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Snapshot is what there is at one moment.
type Snapshot struct {
	Objects []Object
	Rows    []Row // nil without a database
}

// Take lists objects and rows; the database may be nil.
func Take(ctx context.Context, c *cloud.Client, db *sql.DB) (Snapshot, error) {
	var s Snapshot
	var err error
	if s.Objects, err = List(ctx, c); err != nil || db == nil {
		return s, err
	}
	s.Rows, err = Rows(ctx, db)
	return s, err
}

// Leaks are what is there after and was not before, by id, of those that carry the run's prefix, sorted. What other
// people made meanwhile is none.
func Leaks(before, after Snapshot, prefix string) []string {
	type key struct{ kind, id string }
	had := map[key]bool{}
	for _, o := range before.Objects {
		had[key{string(o.Kind), o.ID}] = true
	}
	type row struct {
		table string
		id    int64
	}
	hadRow := map[row]bool{}
	for _, r := range before.Rows {
		hadRow[row{r.Table, r.ID}] = true
	}
	var leaks []string
	for _, o := range after.Objects {
		if !had[key{string(o.Kind), o.ID}] && Ours(prefix, o.Name, o.Account) {
			leaks = append(leaks, o.String())
		}
	}
	for _, r := range after.Rows {
		if !hadRow[row{r.Table, r.ID}] && Ours(prefix, r.Name, r.Account) {
			leaks = append(leaks, r.String())
		}
	}
	slices.Sort(leaks)
	return leaks
}

// Watch takes the inventory now; the function that it returns takes it again and names what leaked in between.
func Watch(ctx context.Context, c *cloud.Client, db *sql.DB, prefix string) (func(context.Context) ([]string, error),
	error) {
	before, err := Take(ctx, c, db)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) ([]string, error) {
		after, err := Take(ctx, c, db)
		if err != nil {
			return nil, err
		}
		return Leaks(before, after, prefix), nil
	}, nil
}
