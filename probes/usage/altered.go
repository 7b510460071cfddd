package usageprobe

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// Null is the value of a column that has none, for Altered.
const Null = "NULL"

// Altered is a copy of the snapshot in which one column of one row of cloud_usage holds something else: what a usage
// server with a fault in that column would have written. It is how a look at rows is itself looked at.
func (s Snapshot) Altered(table string, id int64, name, value string) (Snapshot, error) {
	rows, records := slices.Clone(s.Rows), slices.Clone(s.Records)
	for i, r := range rows {
		if r.Table != table || r.HelperID != id {
			continue
		}
		changed, err := specOf(r.Kind).parse(with(r.Raw, name, value))
		if err != nil {
			return s, fmt.Errorf("altering %s of %s %d: %w", name, table, id, err)
		}
		rows[i] = changed
		s.Rows = rows
		return s, nil
	}
	for i, r := range records {
		if table != recordTable || r.ID != id {
			continue
		}
		changed, err := parseRecord(with(r.raw, name, value))
		if err != nil {
			return s, fmt.Errorf("altering %s of %s %d: %w", name, table, id, err)
		}
		records[i] = changed
		s.Records = records
		return s, nil
	}
	return s, fmt.Errorf("altering %s: %s has no row %d", name, table, id)
}

// recordTable is where records are.
const recordTable = "cloud_usage"

// with is a row as it was read, with one column changed.
func with(raw, name, value string) row {
	var r row
	for _, kv := range strings.Split(raw, columnSeparator) {
		k, v, _ := strings.Cut(kv, "=")
		if k == name {
			v = value
		}
		r.columns, r.values = append(r.columns, k), append(r.values, sql.NullString{String: v, Valid: v != Null})
	}
	return r
}

// Cell is one column of one row.
type Cell struct {
	Table, Column string
	ID            int64
	Value         string
}

// Cells are all columns of all helper rows and records, in order.
func (s Snapshot) Cells() []Cell {
	var all []Cell
	add := func(table string, id int64, raw string) {
		for _, kv := range strings.Split(raw, columnSeparator) {
			name, value, _ := strings.Cut(kv, "=")
			all = append(all, Cell{table, name, id, value})
		}
	}
	for _, r := range s.Rows {
		add(r.Table, r.HelperID, r.Raw)
	}
	for _, r := range s.Records {
		add(recordTable, r.ID, r.raw)
	}
	return all
}
