package damage

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// writer inserts rows in batches. After an error it does nothing more.
type writer struct {
	ctx     context.Context
	db      *sql.DB
	name    string
	columns []string
	skip    []bool // columns that the table does not have
	fill    []string
	values  []any
	rows    int
	err     error
}

const rowsAtOnce = 500

// table begins with the rows of a table. What must have a value and got none is filled with what its type allows.
func (w *writer) table(name string, columns ...string) {
	w.flush()
	w.name, w.columns, w.skip, w.fill = "", nil, nil, nil
	if w.err != nil {
		return
	}
	schema, table, _ := strings.Cut(name, ".")
	rows, err := w.db.QueryContext(
		w.ctx,
		`SELECT column_name, data_type, is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%auto_increment%'
		FROM information_schema.columns WHERE table_schema = ? AND table_name = ?`,
		schema,
		table,
	)
	if err != nil {
		w.err = fmt.Errorf("looking at %s: %w", name, err)
		return
	}
	defer func() { _ = rows.Close() }()
	there := map[string]bool{}
	for rows.Next() {
		var column, kind string
		var needed bool
		if w.err = rows.Scan(&column, &kind, &needed); w.err != nil {
			return
		}
		there[column] = true
		if needed && !slices.Contains(columns, column) {
			w.fill = append(w.fill, column, empty(kind))
		}
	}
	if w.err = rows.Err(); w.err != nil || len(there) == 0 {
		return
	}
	w.name = name
	for _, c := range columns {
		w.skip = append(w.skip, !there[c])
		if there[c] {
			w.columns = append(w.columns, "`"+c+"`")
		}
	}
	for i := 0; i < len(w.fill); i += 2 {
		w.columns = append(w.columns, "`"+w.fill[i]+"`")
	}
}

func empty(kind string) string {
	switch {
	case strings.Contains(kind, "char") || strings.Contains(kind, "text"):
		return ""
	case kind == "datetime" || kind == "timestamp":
		return "2026-01-01 00:00:00"
	}
	return "0"
}

func (w *writer) row(values ...any) {
	if w.err != nil || w.name == "" {
		return
	}
	for i, v := range values {
		if !w.skip[i] {
			w.values = append(w.values, v)
		}
	}
	for i := 1; i < len(w.fill); i += 2 {
		w.values = append(w.values, w.fill[i])
	}
	if w.rows++; w.rows == rowsAtOnce {
		w.flush()
	}
}

func (w *writer) flush() {
	if w.rows == 0 || w.err != nil {
		return
	}
	one := "(?" + strings.Repeat(",?", len(w.columns)-1) + ")"
	query := "INSERT INTO " + w.name + " (" + strings.Join(
		w.columns,
		",",
	) + ") VALUES " + one + strings.Repeat(
		","+one,
		w.rows-1,
	)
	if _, err := w.db.ExecContext(w.ctx, query, w.values...); err != nil {
		w.err = fmt.Errorf("writing %s: %w", w.name, err)
	}
	w.values, w.rows = w.values[:0], 0
}
