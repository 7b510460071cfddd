// Package store keeps what the zone remembers: tables of objects in memory, found by uuid and id, and rows in the two
// databases, written at once.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rows writes rows into the two databases. It knows the tables' columns, so that a misspelt one is a clear error.
type Rows struct {
	db      *sql.DB
	columns map[string][]string // "cloud.vpc" -> columns
}

// NewRows knows the columns of all tables.
func NewRows(db *sql.DB, columns map[string][]string) *Rows { return &Rows{db: db, columns: columns} }

// Know gives the rows other columns, after the tables were changed.
func (s *Rows) Know(columns map[string][]string) { s.columns = columns }

// sorted gives a row's columns and values in a stable order, times without fraction as DATETIME holds them.
func (s *Rows) sorted(table string, row map[string]any) ([]string, []any, error) {
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

// Insert writes a row into a table named like "cloud.vpc" and answers its id.
func (s *Rows) Insert(ctx context.Context, table string, row map[string]any) (int64, error) {
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

// Update changes the named columns of a row.
func (s *Rows) Update(ctx context.Context, table string, id int64, row map[string]any) error {
	names, values, err := s.sorted(table, row)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET `%s`=? WHERE id=?", table,
		strings.Join(names, "`=?,`")), append(values, id)...)
	if err != nil {
		return fmt.Errorf("updating %s %d: %w", table, id, err)
	}
	return nil
}

// Remove deletes a row for good.
func (s *Rows) Remove(ctx context.Context, table string, id int64) error {
	_, err := s.db.ExecContext(ctx, fmt.Sprintf("DELETE FROM %s WHERE id=?", table), id)
	if err != nil {
		return fmt.Errorf("deleting from %s %d: %w", table, id, err)
	}
	return nil
}

// AddColumn tells of a column that a table was given.
func (s *Rows) AddColumn(table, column string) { s.columns[table] = append(s.columns[table], column) }

// DB is the connection behind the rows.
func (s *Rows) DB() *sql.DB { return s.db }
