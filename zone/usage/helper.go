package usage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// duplicateKey is the server's error number for a second row with the same unique key.
const duplicateKey = 1062

// errDuplicate is the DuplicateBlocks fault at work.
var errDuplicate = errors.New("usage: duplicate key: the transaction is rolled back")

// errRefusedRow ends the handling of an event, under Rules.DuplicateRollsBack.
var errRefusedRow = errors.New("usage: a helper row is refused as a duplicate")

// row is a row of a helper table, by column.
type row map[string]any

// insert adds a helper row. A duplicate key is CloudStack's EntityExistsException: a warning, and the run goes on.
func (p *pass) insert(ctx context.Context, usageType int, table string, event Event, values row) error {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	arguments := make([]any, 0, len(values))
	for _, name := range names {
		arguments = append(arguments, p.options.Faults.written(table, name, values[name]))
	}
	query := fmt.Sprintf("INSERT INTO cloud_usage.%s (%s) VALUES (?%s)", table, strings.Join(names, ", "),
		strings.Repeat(", ?", len(names)-1))
	times := 1
	if p.options.Faults.CreateRowTwice && p.options.Faults.on(usageType) {
		times = 2
	}
	for range times {
		_, err := p.tx.ExecContext(ctx, query, arguments...)
		var refused *mysql.MySQLError
		if errors.As(err, &refused) && refused.Number == duplicateKey {
			if p.options.Faults.DuplicateBlocks {
				return errDuplicate
			}
			p.log.WarnContext(ctx, fmt.Sprintf("Failed to create usage event id: %d type: %s due to %s", event.ID,
				event.Type, refused.Message))
			if p.options.Rules.DuplicateRollsBack {
				return errRefusedRow
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("usage: event %d (%s): inserting into %s: %w", event.ID, event.Type, table, err)
		}
	}
	return nil
}

// closing is how a delete event ends helper rows: the rows are *found* by one condition, and then for each row found a
// statement *updates* every open row with the same values in the update columns.
type closing struct {
	usageType int
	table     string
	until     string // the column that is set
	find      row    // columns and values; the row must also be open, unless anyState
	anyState  bool
	update    []string
	what      string // for the log: "load balancer policy"
	onlyOne   bool   // act on exactly one match or not at all
	also      string // a further condition on the rows
}

// closeRows does a closing and returns how many rows were found.
func (p *pass) closeRows(ctx context.Context, event Event, at time.Time, c closing) (int, error) {
	if p.options.Faults.CloseInZone {
		c.find["zone_id"] = event.ZoneID
	}
	condition, arguments := where(c.find)
	if !c.anyState {
		condition += " AND " + c.until + " IS NULL"
	}
	if c.also != "" {
		condition += " AND " + c.also
	}
	found, err := p.rows(ctx, fmt.Sprintf("SELECT id, account_id, %s FROM cloud_usage.%s WHERE %s ORDER BY id",
		strings.Join(c.update, ", "), c.table, condition), arguments...)
	if err != nil {
		return 0, err
	}
	if c.onlyOne && len(found) != 1 {
		return len(found), nil
	}
	if len(found) > 1 {
		p.log.WarnContext(ctx, fmt.Sprintf("More that one usage entry for %s: %d assigned to account: %d; marking "+
			"them all as deleted...",
			c.what, event.ResourceID.V, event.AccountID))
	}
	for _, each := range found {
		p.log.DebugContext(ctx, fmt.Sprintf("deleting %s: %d from account: %d", c.what, each.integer("id"),
			each.integer("account_id")))
		if err := p.closeRow(ctx, at, c, each); err != nil {
			return len(found), fmt.Errorf("usage: event %d (%s): closing a row of %s: %w", event.ID, event.Type,
				c.table, err)
		}
	}
	return len(found), nil
}

func (p *pass) closeRow(ctx context.Context, at time.Time, c closing, found row) error {
	values := row{}
	for _, column := range c.update {
		values[column] = found[column]
	}
	condition, arguments := where(values)
	condition += " AND " + c.until + " IS NULL"
	faults := p.options.Faults
	if faults.on(c.usageType) {
		switch {
		case faults.CloseNothing:
			return nil
		case faults.RowVanishes:
			_, err := p.tx.ExecContext(ctx, "DELETE FROM cloud_usage."+c.table+" WHERE "+condition, arguments...)
			return err
		case faults.CloseWrongDate:
			at = p.now
		}
		at = faults.closeDate(at)
	}
	_, err := p.tx.ExecContext(ctx, fmt.Sprintf("UPDATE cloud_usage.%s SET %s = ? WHERE %s", c.table, c.until,
		condition),
		append([]any{second(at)}, arguments...)...)
	if err == nil && c.usageType == TypePortForwarding && faults.PFClosesBalancer {
		_, err = p.tx.ExecContext(ctx, "UPDATE cloud_usage.usage_load_balancer_policy SET deleted = ? WHERE "+
			"account_id = ? AND deleted IS NULL ORDER BY id LIMIT 1", second(at), found["account_id"])
	}
	if err == nil && faults.on(c.usageType) && faults.CloseTwice {
		_, err = p.tx.ExecContext(ctx, fmt.Sprintf("UPDATE cloud_usage.%s SET %s = ? WHERE account_id = ? AND id > "+
			"? AND %s IS NULL ORDER BY id LIMIT 1",
			c.table, c.until, c.until), second(at), found["account_id"], found["id"])
	}
	return err
}

func where(values row) (string, []any) {
	var terms []string
	var arguments []any
	for name, value := range values {
		terms = append(terms, name+" = ?")
		arguments = append(arguments, value)
	}
	return strings.Join(terms, " AND "), arguments
}

// rows reads all rows of a query by column name.
func (p *pass) rows(ctx context.Context, query string, arguments ...any) (_ []row, err error) {
	result, err := p.tx.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, fmt.Errorf("usage: reading helper rows: %w", err)
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	names, err := result.Columns()
	if err != nil {
		return nil, fmt.Errorf("usage: reading helper rows: %w", err)
	}
	var all []row
	for result.Next() {
		values, targets := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := result.Scan(targets...); err != nil {
			return nil, fmt.Errorf("usage: reading a helper row: %w", err)
		}
		one := make(row, len(names))
		for i, name := range names {
			if text, ok := values[i].([]byte); ok {
				values[i] = string(text)
			}
			one[name] = values[i]
		}
		all = append(all, one)
	}
	return all, result.Err()
}

// integer is the value of a column of whole numbers; NULL is 0.
func (r row) integer(name string) int64 {
	switch value := r[name].(type) {
	case int64:
		return value
	case uint64:
		return int64(value)
	default:
		return 0
	}
}

// text is the value of a column as Java would put it into a text; NULL is "null".
func (r row) text(name string) string {
	if r[name] == nil {
		return "null"
	}
	return fmt.Sprint(r[name])
}

// time is the value of a date column; false when it is NULL.
func (r row) time(name string) (time.Time, bool) {
	value, ok := r[name].(time.Time)
	return value, ok
}

// detail reads one value of usage_event_details.
func (p *pass) detail(ctx context.Context, event Event, name string) (any, error) {
	found, err := p.rows(ctx, "SELECT value FROM cloud_usage.usage_event_details WHERE usage_event_id = ? AND name "+
		"= ? LIMIT 1", event.ID, name)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0]["value"], nil
}
