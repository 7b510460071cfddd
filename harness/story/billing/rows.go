package billing

import (
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// ExpectOneDeleteEvent expects exactly one LB.DELETE usage event of each deleted rule.
func (t RuleRows) ExpectOneDeleteEvent(rules ...*objects.Rule) {
	for _, r := range rules {
		t.Checked(1)
		if n := len(t.watch.EventsOf("LB.DELETE", r.InternalID)); n != 1 {
			t.failSeen(r.Billed(), result.WrongEvent, result.Seen{What: SeenDeletes, Number: float64(n), Want: 1},
				fmt.Sprintf("%s was deleted and has %d LB.DELETE usage events, want one", r, n))
		}
	}
}

// ExpectNoDeleteEvent expects that a rule that lives has no LB.DELETE usage event.
func (t RuleRows) ExpectNoDeleteEvent(rules ...*objects.Rule) {
	for _, r := range rules {
		t.Checked(1)
		if events := t.watch.EventsOf("LB.DELETE", r.InternalID); len(events) > 0 {
			at := events[0].Created
			t.failSeen(r.Billed(), result.RolledBackDelete, result.Seen{What: SeenDeletes, At: at, Number: 1},
				fmt.Sprintf("%s is alive, but cloud.usage_event has an LB.DELETE of it at %s", r, stage.Stamp(at)))
		}
	}
}

// jobWithin is when a usage job ended between the rule's creation and its delete; nil for none.
func (t RuleRows) jobWithin(r *objects.Rule) *time.Time {
	born, died := t.createEventOf(r), t.watch.EndOf(r.Billed())
	if died == nil {
		return nil // an expectation says so
	}
	for _, j := range t.watch.Last.Jobs {
		if j.Success && !j.End.Before(born) && j.End.Before(*died) {
			return &j.End
		}
	}
	return nil
}

// windowTries is how often a rule is made and deleted until both lie within one usage window: others ask for usage
// runs, too, and a slow server takes many seconds for the two.
const windowTries = 4

// WithinOneWindow makes and deletes rules, until one has lived within one usage window. It comes back after the usage
// run that saw it.
func (t UsageRuns) WithinOneWindow(life func() *objects.Rule) *objects.Rule {
	for try := 1; ; try++ {
		r := life()
		t.Drain()
		end := RuleRows(t).jobWithin(r)
		switch {
		case end == nil:
			return r
		case try == windowTries:
			t.Inconclusive("a usage job ended at %s, between the creation of %s and its delete, and so it was with %d "+
				"rules", stage.Stamp(*end), r, try)
		default:
			t.Note("another window", "a usage job ended at %s, between the creation of %s and its delete: another "+
				"rule is made", stage.Stamp(*end), r)
		}
	}
}

// rowsOf are the LB helper rows of a rule.
func (t RuleRows) rowsOf(r *objects.Rule) []usageprobe.HelperRow { return t.watch.Rows(r.Billed()) }

// RequireOpen makes sure that each rule has exactly one row, which is open: without that nothing could be closed (T5).
func (t RuleRows) RequireOpen(rules ...*objects.Rule) {
	for _, r := range rules {
		rows := t.rowsOf(r)
		if len(rows) != 1 || !rows[0].Open() {
			t.Inconclusive("%s has %d usage rows, want one that is open, before anything is deleted", r, len(rows))
		}
	}
}

// HelperID is the id of the rule's helper row.
func (t RuleRows) HelperID(r *objects.Rule) int64 {
	rows := t.rowsOf(r)
	if len(rows) == 0 {
		t.Inconclusive("%s has no usage row", r)
	}
	return rows[0].HelperID
}

// RequireApart makes sure that no rule's internal id equals a helper id of the account, neither its own (then a server
// that looks rows up by the wrong id still finds the right one, T1) nor another's. On a shared site others' rules come
// between, and another's may by chance: a wrong lookup then closes that row, which shows as well, and cannot find the
// right one, since helper ids lie on one side of rule ids.
func (t RuleRows) RequireApart(rules ...*objects.Rule) {
	if t.on.SharesRuns() {
		for _, r := range rules {
			if t.HelperID(r) == r.InternalID {
				t.Inconclusive("ids are not apart: %s has the id of its own usage helper row, so a wrong lookup "+
					"finds the right row (T1)", r)
			}
		}
		return
	}
	ids := map[int64]bool{}
	for _, row := range t.watch.Last.Rows {
		if row.Kind == usageprobe.KindLB {
			ids[row.HelperID] = true
		}
	}
	for _, r := range rules {
		if ids[r.InternalID] {
			t.Inconclusive("ids are not apart: %s has the id of a usage helper row, so a wrong lookup could find "+
				"the right row (T1)", r)
		}
	}
}

// Crossed finds two live rules where the first one's internal id is the helper id of the second: the row that a server
// with #10789 closes when the first is deleted. None: nothing can be shown (T2).
func (t RuleRows) Crossed(rules ...*objects.Rule) (dies, victim *objects.Rule) {
	for _, d := range rules {
		for _, v := range rules {
			if d != v && t.HelperID(v) == d.InternalID {
				return d, v
			}
		}
	}
	ids := stage.Each(rules, func(r *objects.Rule) string {
		return fmt.Sprintf("%d on %d", r.InternalID, t.HelperID(r))
	})
	t.Inconclusive("no rule's id equals the helper id of another one (ids on helper ids: %v), so a crossed close "+
		"cannot show (T2)", ids)
	return nil, nil
}

// ExpectOpen expects that each rule, being alive, has exactly one usage row, which is open.
func (t RuleRows) ExpectOpen(rules ...*objects.Rule) {
	for _, r := range rules {
		t.Checked(1)
		rows := t.rowsOf(r)
		switch {
		case len(rows) != 1:
			t.failSeen(r.Billed(), result.RowCount, rowsSeen(len(rows)),
				fmt.Sprintf("%s is alive and has %d usage rows, want one", r.Called(), len(rows)))
		case !rows[0].Open():
			class, why := t.closedAlive(rows[0])
			t.failSeen(r.Billed(), class, closedSeen(rows[0]), fmt.Sprintf("%s is alive, but %s", r.Called(), why))
		}
	}
}

// closedAlive says when the row of something that lives was closed, and of which class that failure is.
func (t looks) closedAlive(row usageprobe.HelperRow) (result.Class, string) {
	by := t.watch.Whose(row)
	class := result.WrongClose
	if by != "" {
		class = result.CrossedClose
	}
	return class, fmt.Sprintf("its usage row (helper id %d) was closed at %s%s: the customer is no longer billed",
		row.HelperID, stage.StampOf(row.Closed), by)
}

// ExpectClosed expects that each deleted rule has exactly one usage row, closed at the time of its own LB.DELETE event.
func (t RuleRows) ExpectClosed(rules ...*objects.Rule) {
	for _, r := range rules {
		t.Checked(1)
		died := t.deleteEventOf(r)
		rows := t.rowsOf(r)
		switch {
		case len(rows) != 1:
			t.failSeen(r.Billed(), result.RowCount, rowsSeen(len(rows)),
				fmt.Sprintf("%s was deleted and has %d usage rows, want one", r.Called(), len(rows)))
		case rows[0].Open():
			t.failOf(r.Billed(), result.LeakedRow,
				fmt.Sprintf("%s was deleted at %s, but its usage row (helper id %d) is still open: the customer is "+
					"billed for ever", r.Called(), stage.Stamp(died), rows[0].HelperID), t.watch.Evidence()...)
		case !rows[0].Closed.Equal(died):
			t.failOf(r.Billed(), result.WrongClose,
				fmt.Sprintf("%s was deleted at %s, but its usage row (helper id %d) was closed at %s%s",
					r.Called(), stage.Stamp(died), rows[0].HelperID, stage.StampOf(rows[0].Closed),
					t.watch.Whose(rows[0])), t.watch.Evidence()...)
		}
	}
}

// deleteEventOf is the time of the rule's own LB.DELETE usage event. A delete without one is a failure of its own; the
// time that the scenario noted then stands in.
func (t RuleRows) deleteEventOf(r *objects.Rule) time.Time {
	if events := t.watch.EventsOf("LB.DELETE", r.InternalID); len(events) > 0 {
		t.inTime(r, events[0])
		return events[0].Created
	}
	t.failOf(r.Billed(), result.WrongEvent, fmt.Sprintf("%s was deleted, but cloud.usage_event has no LB.DELETE for it",
		r.Called()), t.watch.Evidence()...)
	return r.Deleted.Truncate(time.Second)
}

// inTime expects that a delete event is dated while the rule was being deleted: a row that is closed at the date of an
// event with a wrong date looks right. A second is left to rounding.
func (t RuleRows) inTime(r *objects.Rule, e usageprobe.UsageEvent) {
	if r.Deleting.IsZero() || !e.Created.Before(r.Deleting.Truncate(time.Second)) &&
		!e.Created.After(r.Deleted.Add(time.Second)) {
		return
	}
	t.failOf(r.Billed(), result.WrongEvent,
		fmt.Sprintf("%s was deleted between %s and %s, but its LB.DELETE event is dated %s", r.Called(),
			stage.Stamp(r.Deleting), stage.Stamp(r.Deleted), stage.Stamp(e.Created)), t.watch.Evidence()...)
}

// ExpectBilledFor expects that the rule's records add up to its life, end with the window of its delete, and that the
// windows around hold one record each.
func (t RuleRows) ExpectBilledFor(r *objects.Rule) {
	t.Checked(1)
	created := t.createEventOf(r)
	died := t.deleteEventOf(r)
	records := t.watch.RecordsOf(r.Billed())
	if len(records) == 0 {
		t.failOf(r.Billed(), result.NotBilled, fmt.Sprintf("%s lived from %s to %s and was never billed", r.Called(),
			stage.Stamp(created), stage.Stamp(died)), t.watch.Evidence()...)
		return
	}
	for _, rec := range records {
		// A rule that is deleted in the first second of a window is billed its closing millisecond in there: durations
		// count both ends (LoadBalancerUsageParser.java@4.20.0.0).
		if !rec.Start.Before(died) && !(rec.Start.Equal(died) && rec.RawUsage <= ClosingTick) {
			t.failOf(r.Billed(), result.BilledAfterEnd,
				fmt.Sprintf("%s was deleted at %s, but a record of %s was written for the window from %s",
					r.Called(), stage.Stamp(died), usageprobe.HoursText(rec.RawUsage), stage.Stamp(rec.Start)),
				t.watch.Evidence()...)
			return
		}
	}
	billed, n := usageprobe.LifeSum(records)
	if life := died.Sub(created).Hours(); !usageprobe.LifeMatches(billed, n, life) {
		t.failOf(r.Billed(), result.WrongHours, fmt.Sprintf("%s lived %s and was billed %s in %d records",
			r.Called(), usageprobe.HoursText(life), usageprobe.HoursText(billed), n), t.watch.Evidence()...)
	}
}

// RequireWindowAfter makes sure that a live rule was billed for a window that began after another one's delete: without
// one nothing shows that the dead rule's records stop. A run's first window may be up to a minute longer than the
// range, and hold the delete and all that was waited for (UsageManagerImpl.java@4.20.0.0).
func (t RuleRows) RequireWindowAfter(dead, live *objects.Rule) {
	died := t.deleteEventOf(dead)
	began := func(rec usageprobe.Record) bool { return rec.Start.After(died) }
	if !t.Failed() && !slices.ContainsFunc(t.watch.RecordsOf(live.Billed()), began) {
		t.Inconclusive("%s was deleted at %s, and no usage window that began later bills %s: that records stop was "+
			"not shown", dead, stage.Stamp(died), live)
	}
}

// ClosingTick is a millisecond in hours, as a 32-bit float may round it.
const ClosingTick = 1.01 / 3.6e6

func (t RuleRows) createEventOf(r *objects.Rule) time.Time {
	events := t.watch.EventsOf("LB.CREATE", r.InternalID)
	if len(events) == 0 {
		t.Inconclusive("%s has no LB.CREATE usage event", r)
	}
	return events[0].Created
}

// ExpectFullWindow expects that the newest window bills each live rule in full. A run whose window is not a multiple of
// the range cuts one slice shorter or longer than the others, so a record is held against its own slice.
func (t RuleRows) ExpectFullWindow(rules ...*objects.Rule) {
	for _, r := range rules {
		t.Checked(1)
		records := t.watch.RecordsOf(r.Billed())
		if len(records) == 0 {
			t.failOf(r.Billed(), result.NotBilled, fmt.Sprintf("%s is alive and has no usage record", r.Called()),
				t.watch.Evidence()...)
			continue
		}
		newest := t.watch.Last.Cutoff
		last := records[len(records)-1]
		if last.End.Before(newest.Add(-time.Second)) {
			t.failOf(r.Billed(), result.NotBilled,
				fmt.Sprintf("%s is alive, but its last usage record ends at %s; usage was run up to %s", r.Called(),
					stage.Stamp(last.End), stage.Stamp(newest)), t.watch.Evidence()...)
			continue
		}
		from := last.Start
		if born := t.createEventOf(r); born.After(from) {
			from = born
		}
		if window := last.End.Add(time.Second).Sub(from).Hours(); !usageprobe.LifeMatches(last.RawUsage, 1, window) {
			t.failSeen(r.Billed(), result.WrongHours, result.Seen{What: SeenHours, Number: last.RawUsage, Want: window},
				fmt.Sprintf("%s is alive, but its last window was billed with %s instead of %s", r.Called(),
					usageprobe.HoursText(last.RawUsage), usageprobe.HoursText(window)))
		}
	}
}
