package usage

import (
	"context"
	"fmt"
	"time"
)

// meter says how the rows of one helper table become records.
type meter struct {
	table, from, until string
	// columns are those that key and fill use, besides id, zone_id, account_id, from and until.
	columns string
	// bounded: open rows that begin after the slice are not even read. Without it they are read and dropped.
	bounded bool
	// key groups rows whose lengths are summed into one record; nil makes a record of each row.
	key func(row) string
	// usageType of a row.
	usageType func(row) int
	// fill completes the record from the last row of its group.
	fill func(row, *Record)
}

// billing makes the records of one run.
type billing struct{ *pass }

// recordsOf makes the records of one account and slice, in the order of CloudStack's parsers.
func (p billing) recordsOf(ctx context.Context, a account, part slice) ([]Record, error) {
	var all []Record
	for _, m := range meters(p.options.Rules) {
		made, err := p.measure(ctx, m, a, part)
		if err != nil {
			return nil, err
		}
		all = append(all, made...)
		if m.table != "usage_vpn_user" {
			continue
		}
		for _, special := range []func(context.Context, account, slice) ([]Record, error){p.vmSnapshots, p.onPrimary} {
			made, err := special(ctx, a, part)
			if err != nil {
				return nil, err
			}
			all = append(all, made...)
		}
	}
	return all, nil
}

// group is the rows of one record.
type group struct {
	last   row
	length time.Duration
}

func (p billing) measure(ctx context.Context, m meter, a account, part slice) ([]Record, error) {
	rows, err := p.metered(ctx, m, a, part)
	if err != nil {
		return nil, err
	}
	groups := map[string]*group{}
	var order []string
	for i, each := range rows {
		length := p.overlap(m, each, part)
		key := fmt.Sprint(i)
		if m.key != nil {
			from, _ := each.time(m.from)
			if from.After(part.end) || p.options.Faults.FirstSecondUnbilled && from.Equal(second(part.start)) {
				continue
			}
			key = m.key(each)
		}
		if groups[key] == nil {
			groups[key] = &group{}
			order = append(order, key)
		}
		groups[key].last = each
		groups[key].length += length
	}
	var records []Record
	for _, key := range order {
		g := groups[key]
		if m.key != nil && g.length <= 0 {
			continue
		}
		usageType := m.usageType(g.last)
		if p.options.Faults.RecordTooLong && p.options.Faults.on(usageType) {
			g.length = part.length()
		}
		if p.options.Faults.RecordRounded && p.options.Faults.on(usageType) {
			g.length = g.length.Round(time.Minute)
		}
		records = append(records, p.record(a, usageType, g, part, m.fill))
	}
	return records, nil
}

func (p billing) record(a account, usageType int, g *group, part slice, fill func(row, *Record)) Record {
	hours := Hours(g.length)
	r := Record{ZoneID: g.last.integer("zone_id"), AccountID: a.id, DomainID: a.domain, UsageType: usageType,
		RawUsage: hours,
		Display:  Display(hours), Start: part.start, End: part.end}
	fill(g.last, &r)
	return r
}

// overlap is how much of a row's life falls into the slice; both ends count, hence the millisecond.
func (p billing) overlap(m meter, each row, part slice) time.Duration {
	from, _ := each.time(m.from)
	until, closed := each.time(m.until)
	if !closed || until.After(part.end) || p.billedAfterClose(m.usageType(each), until, part) {
		until = part.end
	}
	if from.Before(part.start) {
		from = part.start
	}
	return until.Sub(from) + time.Millisecond
}

// metered reads the rows that touch a slice.
func (p billing) metered(ctx context.Context, m meter, a account, part slice) ([]row, error) {
	start, end := second(part.start), second(part.end)
	open := m.until + " IS NULL"
	arguments := []any{a.id}
	if m.bounded {
		open += " AND " + m.from + " <= ?"
		arguments = append(arguments, end)
	}
	condition := fmt.Sprintf("(%[1]s) OR (%[2]s BETWEEN ? AND ?) OR (%[3]s BETWEEN ? AND ?) OR (%[2]s <= ? AND "+
		"%[3]s >= ?)", open, m.from, m.until)
	arguments = append(arguments, start, end, start, end, start, end)
	if p.options.Faults.SkipAddState && m.table == "usage_load_balancer_policy" {
		condition = "(" + condition + ") AND lb_id NOT IN (SELECT id FROM cloud.firewall_rules WHERE state = 'Add')"
	}
	if p.options.Faults.RecordAfterClose {
		condition += fmt.Sprintf(" OR (%s < ?)", m.until)
		arguments = append(arguments, start)
	}
	rows, err := p.rows(ctx, fmt.Sprintf("SELECT id, zone_id, account_id, %s, %s, %s FROM cloud_usage.%s WHERE "+
		"account_id = ? AND (%s) ORDER BY id",
		m.from, m.until, m.columns, m.table, condition), arguments...)
	if err != nil || !p.options.Faults.RecordAfterClose {
		return rows, err
	}
	kept := rows[:0]
	for _, each := range rows {
		until, closed := each.time(m.until)
		if !closed || !until.Before(start) || p.billedAfterClose(m.usageType(each), until, part) {
			kept = append(kept, each)
		}
	}
	return kept, nil
}

func (p billing) billedAfterClose(usageType int, until time.Time, part slice) bool {
	return p.options.Faults.RecordAfterClose && p.options.Faults.on(usageType) && until.Before(second(part.start))
}

func always(usageType int) func(row) int { return func(row) int { return usageType } }

func keyed(columns ...string) func(row) string {
	return func(r row) string {
		key := ""
		for _, column := range columns {
			key += "-" + r.text(column)
		}
		return key
	}
}
