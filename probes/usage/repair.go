package usageprobe

import (
	"fmt"
	"time"
)

// Repair is the change of one helper row's close date that puts right what an audit found. It is a statement for the
// owner of the database: this package writes nothing. A repair is sound only where the server is of a fixed release
// and the usage server stands still.
type Repair struct {
	Ref
	Verdict   AuditVerdict `json:"verdict"`
	Table     string       `json:"table"` // without the schema
	HelperID  int64        `json:"helper_id"`
	AccountID int64        `json:"account_id"`
	Old       *time.Time   `json:"old"` // nil: open
	New       *time.Time   `json:"new"` // nil: opened again
	// Event is the usage event whose date the row gets; 0 where it is opened again.
	Event int64 `json:"event,omitempty"`
	// Decision says that a person must decide: a live rule that was closed by another one's delete is billed again
	// from now on, which no customer expects.
	Decision bool `json:"decision,omitempty"`
}

// PlanRepairs derives repairs from an audit, and answers the findings that no statement can put right: what has no
// delete event, or several, or several rows or creations, is for a person to look into.
func PlanRepairs(audited []AuditRow) (plan []Repair, left []AuditRow) {
	type rule struct {
		Ref
		account int64
	}
	rows := map[rule]int{}
	for _, a := range audited {
		rows[rule{a.Ref, a.AccountID}]++
	}
	for _, a := range audited {
		if a.Verdict == AuditOK {
			continue
		}
		r := Repair{
			Ref:       a.Ref,
			Verdict:   a.Verdict,
			Table:     MeterOf(a.Kind).Table,
			HelperID:  a.HelperID,
			AccountID: a.AccountID,
			Old:       a.Stored,
		}
		single := rows[rule{a.Ref, a.AccountID}] == 1 && a.Creates == 1 && !a.Stalled
		switch {
		case single && a.Deletes == 1 && (a.Verdict == AuditOpenButDead || a.Verdict == AuditWrongDate &&
			a.CrossedBy != 0):
			r.New, r.Event = a.Died, a.DeleteEvent
		case single && a.Deletes == 0 && a.Verdict == AuditClosedButLive && a.CrossedBy != 0:
			r.Decision = true
		default:
			left = append(left, a)
			continue
		}
		plan = append(plan, r)
	}
	return plan, left
}

// SQL is the statement that repairs the row. It names the row by its primary key and by its old date, so that it
// changes nothing when it is run again or the row is no longer what the audit saw.
func (r Repair) SQL() string { return r.set(r.New, r.Old) }

// Undo is the statement that takes the repair back.
func (r Repair) Undo() string { return r.set(r.Old, r.New) }

func (r Repair) set(to, from *time.Time) string {
	value := func(t *time.Time) string {
		if t == nil {
			return "NULL"
		}
		return "'" + stamp(*t) + "'"
	}
	m := MeterOf(r.Kind)
	return fmt.Sprintf("UPDATE cloud_usage.%s SET %s = %s WHERE id = %d AND %s = %d AND account_id = %d AND %s <=> %s;",
		r.Table, m.ClosedAt, value(to), r.HelperID, m.IDColumn, r.ID, r.AccountID, m.ClosedAt, value(from))
}

// String is the repair in one line of a plan.
func (r Repair) String() string {
	why := fmt.Sprintf("usage event %d", r.Event)
	if r.Decision {
		why = "a person decides"
	}
	return fmt.Sprintf("%s -- %s, %s", r.SQL(), r.Verdict, why)
}

// Surplus is what records bill after a time, in hours: what a rule that died then was billed too much. A record
// across that time counts in proportion.
func Surplus(records []Record, died time.Time) (hours float64) {
	for _, r := range records {
		end := r.End.Add(time.Second) // end dates are inclusive
		switch {
		case !r.Start.Before(died):
			hours += r.RawUsage
		case end.After(died):
			hours += max(0, r.RawUsage-died.Sub(r.Start).Hours())
		}
	}
	return hours
}
