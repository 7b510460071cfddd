package zone

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// store writes rows into the two databases. It knows the tables' columns, so that a misspelt one is a clear error.
type store struct {
	db      *sql.DB
	columns map[string][]string // "cloud.vpc" -> columns
}

// sorted gives a row's columns and values in a stable order, times without fraction as DATETIME holds them.
func (s *store) sorted(table string, row obj) ([]string, []any, error) {
	known, ok := s.columns[table]
	if !ok {
		return nil, nil, fmt.Errorf("table %s does not exist", table)
	}
	names := make([]string, 0, len(row))
	for n := range row {
		if !slices.Contains(known, n) {
			return nil, nil, fmt.Errorf("table %s has no column %s", table, n)
		}
		names = append(names, n)
	}
	slices.Sort(names)
	values := make([]any, len(names))
	for i, n := range names {
		values[i] = row[n]
		if t, ok := row[n].(time.Time); ok {
			if t.IsZero() {
				values[i] = nil
			} else {
				values[i] = t.UTC().Truncate(time.Second)
			}
		}
	}
	return names, values, nil
}

func quoted(names []string) string { return "`" + strings.Join(names, "`,`") + "`" }

func (s *store) insert(ctx context.Context, table string, row obj) (int64, error) {
	names, values, err := s.sorted(table, row)
	if err != nil {
		return 0, err
	}
	res, err := s.db.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, quoted(names),
		strings.TrimSuffix(strings.Repeat("?,", len(names)), ",")), values...)
	if err != nil {
		return 0, fmt.Errorf("inserting into %s: %w", table, err)
	}
	return res.LastInsertId()
}

func (s *store) update(ctx context.Context, table string, id int64, row obj) error {
	names, values, err := s.sorted(table, row)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET `%s`=? WHERE id=?", table, strings.Join(names, "`=?,`")), append(values, id)...)
	if err != nil {
		return fmt.Errorf("updating %s %d: %w", table, id, err)
	}
	return nil
}

func (s *store) remove(ctx context.Context, table string, id int64) error {
	_, err := s.db.ExecContext(ctx, fmt.Sprintf("DELETE FROM %s WHERE id=?", table), id)
	if err != nil {
		return fmt.Errorf("deleting from %s %d: %w", table, id, err)
	}
	return nil
}

// insert writes a row into a table named like "cloud.vpc" and answers its id. Unknown columns are an error.
func (z *Zone) insert(ctx context.Context, table string, row obj) (int64, error) {
	return z.store.insert(dbContext(ctx), table, row)
}

// update changes the named columns of a row.
func (z *Zone) update(ctx context.Context, table string, id int64, row obj) error {
	return z.store.update(dbContext(ctx), table, id, row)
}

// remove deletes a row for good: rules, mappings and policies; other objects keep a removed date instead.
func (z *Zone) remove(ctx context.Context, table string, id int64) error {
	if z.keepRules && table == "cloud.firewall_rules" {
		return z.store.update(dbContext(ctx), table, id, obj{"removed": z.now()})
	}
	return z.store.remove(dbContext(ctx), table, id)
}

// dbContext keeps a half-done command from stopping between two rows because its caller went away.
func dbContext(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// now is the zone's time, in UTC.
func (z *Zone) now() time.Time { return z.clock.Now().UTC() }

// uuid is a new identifier, repeatable under Options.Seed.
func (z *Zone) uuid() string {
	z.randMu.Lock()
	defer z.randMu.Unlock()
	var b [16]byte
	for i := range b {
		b[i] = byte(z.rand.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return uuid.UUID(b).String()
}

// number is a random number in [0,n).
func (z *Zone) number(n int) int {
	z.randMu.Lock()
	defer z.randMu.Unlock()
	return z.rand.IntN(n)
}

func newRand(seed int64) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), 0x9e3779b97f4a7c15)) }
