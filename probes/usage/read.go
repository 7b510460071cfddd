package usageprobe

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The two schemas of a site.
const (
	schemaCloud = "cloud"
	schemaUsage = "cloud_usage"
)

// Probe reads one site. It may be used from several goroutines.
type Probe struct {
	db   *sql.DB
	late time.Duration               // how long what the API has given out may be missing
	wait func(context.Context) error // between two looks for it
}

// New returns a probe on db, which needs the right to SELECT from cloud and cloud_usage. The default schema, time zone
// and the driver's parseTime and loc settings do not matter. The caller closes db.
func New(db *sql.DB) *Probe { return &Probe{db: db, late: mostLate, wait: pause} }

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// inTransaction runs f with one consistent view of both schemas.
func (p *Probe) inTransaction(ctx context.Context, f func(q querier) error) (err error) {
	tx, err := p.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin reading usage data: %w", err)
	}
	defer func() {
		if e := tx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("end reading usage data: %w", e))
		}
	}()
	return f(tx)
}

// row is one row of a table as text, column by column.
type row struct {
	columns []string
	values  []sql.NullString
}

func (r row) text(column string) string {
	if i := slices.Index(r.columns, column); i >= 0 {
		return r.values[i].String
	}
	return ""
}

// number is 0 for NULL and for a column that the table does not have.
func (r row) number(column string) int64 {
	n, _ := strconv.ParseInt(r.text(column), 10, 64)
	return n
}

// shown is a column as text; "NULL" for NULL and for a column that the table does not have.
func (r row) shown(column string) string {
	if r.null(column) {
		return "NULL"
	}
	return r.text(column)
}

func (r row) null(column string) bool {
	i := slices.Index(r.columns, column)
	return i < 0 || !r.values[i].Valid
}

// when parses a GMT wall-clock column; nil for NULL.
func (r row) when(column string) (*time.Time, error) {
	if r.null(column) {
		return nil, nil
	}
	t, err := parseTime(r.text(column))
	if err != nil {
		return nil, fmt.Errorf("column %s: %w", column, err)
	}
	return &t, nil
}

// columnSeparator stands between the columns of a raw row; no column of these tables holds a tab.
const columnSeparator = "\t"

// raw joins all columns but the excepted ones.
func (r row) raw(except ...string) string {
	var parts []string
	for i, c := range r.columns {
		if slices.Contains(except, c) {
			continue
		}
		v := "NULL"
		if r.values[i].Valid {
			v = r.values[i].String
		}
		parts = append(parts, c+"="+v)
	}
	return strings.Join(parts, columnSeparator)
}

// parseTime reads what MariaDB and MySQL print of a DATETIME; fractions are cut to the second.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse("2006-01-02 15:04:05", s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a date and time", s)
	}
	return t.Truncate(time.Second), nil
}

// columns lists a table's columns in order; none when there is no such table. Releases differ in few columns, so the
// list is asked for, not assumed.
func columns(ctx context.Context, q querier, schema, table string) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT column_name FROM information_schema.columns
		WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`, schema, table)
	if err != nil {
		return nil, fmt.Errorf("list columns of %s.%s: %w", schema, table, err)
	}
	defer func() { _ = rows.Close() }() // read only: rows.Err tells of a broken read
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list columns of %s.%s: %w", schema, table, err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list columns of %s.%s: %w", schema, table, err)
	}
	return names, nil
}

// filter is a WHERE clause with its arguments; the zero value selects everything.
type filter struct {
	where string
	args  []any
}

func (f filter) and(condition string, args ...any) filter {
	if f.where != "" {
		condition = f.where + " AND " + condition
	}
	return filter{where: condition, args: append(slices.Clone(f.args), args...)}
}

// accounts selects rows of these accounts; all when there are none.
func accounts(ids []int64) filter {
	if len(ids) == 0 {
		return filter{}
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return filter{where: "account_id IN (?" + strings.Repeat(",?", len(ids)-1) + ")", args: args}
}

// read returns the rows of a table in order of id, every column cast to text by the server, so that neither the driver
// nor the session's time zone interprets a value. With want only those columns, as far as the table has them. found is
// false when there is no such table.
func read(ctx context.Context, q querier, schema, table string, f filter, want ...string) (result []row, found bool,
	err error) {
	names, err := columns(ctx, q, schema, table)
	if err != nil || len(names) == 0 {
		return nil, false, err
	}
	if len(want) > 0 {
		names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(want, n) })
	}
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("CAST(`" + n + "` AS CHAR)")
	}
	b.WriteString(" FROM " + schema + "." + table)
	if f.where != "" {
		b.WriteString(" WHERE " + f.where)
	}
	b.WriteString(" ORDER BY id")
	rows, err := q.QueryContext(ctx, b.String(), f.args...)
	if err != nil {
		return nil, true, fmt.Errorf("read %s.%s: %w", schema, table, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		r := row{columns: names, values: make([]sql.NullString, len(names))}
		into := make([]any, len(names))
		for i := range r.values {
			into[i] = &r.values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, true, fmt.Errorf("read %s.%s: %w", schema, table, err)
		}
		result = append(result, r)
	}
	if err := rows.Err(); err != nil {
		return nil, true, fmt.Errorf("read %s.%s: %w", schema, table, err)
	}
	return result, true, nil
}

// readInto reads a table and turns each row with parse. A missing table of cloud_usage is an error: nothing can be said
// without it.
func readInto[T any](ctx context.Context, q querier, schema, table string, f filter, parse func(row) (T, error)) ([]T,
	error) {
	rows, found, err := read(ctx, q, schema, table, f)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("read %s.%s: no such table, or no right to SELECT from it", schema, table)
	}
	result := make([]T, 0, len(rows))
	for _, r := range rows {
		v, err := parse(r)
		if err != nil {
			return nil, fmt.Errorf("read %s.%s id %s: %w", schema, table, r.text("id"), err)
		}
		result = append(result, v)
	}
	return result, nil
}
