package billing

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// ExpectSize expects that the volume's open usage row has its size in GB.
func (t BilledRows) ExpectSize(v *objects.Volume, gb int) {
	t.Checked(1)
	for _, row := range watch.Open(t.watch.Rows(v.Billed())) {
		if size := row.Column("size"); size != fmt.Sprint(int64(gb)<<30) {
			t.Fail(result.WrongSize, fmt.Sprintf("%s has %d GB, but its open usage row says %s bytes", v.Billed(), gb,
				size), t.watch.Evidence()...)
		}
	}
}

// ExpectClosedAt expects that the last usage row of something was closed at the time of its newest event of a type.
func (t BilledRows) ExpectClosedAt(b watch.Billed, eventType string) {
	t.Checked(1)
	var at time.Time
	for _, e := range t.watch.EventsOf(eventType, b.Ref.ID) {
		at = e.Created
	}
	rows := t.watch.Rows(b)
	if at.IsZero() || len(rows) == 0 || rows[len(rows)-1].Open() || !rows[len(rows)-1].Closed.Equal(at) {
		class := result.WrongClose
		if len(watch.Open(rows)) > 0 {
			class = result.LeakedRow
		}
		t.failOf(b, class, fmt.Sprintf("the last usage row of %s was not closed at its %s of %s", b, eventType,
			stage.Stamp(at)), t.watch.Evidence()...)
	}
}

// ExpectRecordsNow expects that the newest window has exactly count records of something.
func (t BilledRows) ExpectRecordsNow(count int, b watch.Billed) {
	t.Checked(1)
	if n := len(t.recordsNow(b)); n != count {
		t.Fail(recordClass(n, count), fmt.Sprintf("the newest usage window has %d records of %s, want %d", n, b, count),
			t.watch.Evidence()...)
	}
}

// RequireRowOpen makes sure that each has exactly one open row: without that nothing could be closed (T5).
func (t BilledRows) RequireRowOpen(things ...watch.Billed) {
	for _, b := range things {
		t.watch.RequireOpen(b)
	}
}

// ExpectRowOpen expects that each, being alive, has exactly one open usage row, that its former rows, if any, were
// closed at the times of its own events, and that it has no more rows than its events tell of.
func (t BilledRows) ExpectRowOpen(things ...watch.Billed) {
	for _, b := range things {
		t.Checked(1)
		rows := t.watch.Rows(b)
		switch n := len(watch.Open(rows)); {
		case n == 0 && len(rows) > 0:
			class, why := t.closedAlive(rows[len(rows)-1])
			t.failSeen(b, class, closedSeen(rows[len(rows)-1]), fmt.Sprintf("%s is alive, but %s", b, why))
		case n != 1:
			t.failOf(b, result.RowCount, fmt.Sprintf("%s is alive and has %d open usage rows of %d, want one", b, n,
				len(rows)), t.watch.Evidence()...)
		default:
			t.expectAsTold(b, rows)
		}
	}
}

// ExpectRowClosed expects that each, being gone, has usage rows, that none of them is open and the last one was closed
// at the time of its own last delete event, and of the others what ExpectRowOpen expects.
func (t BilledRows) ExpectRowClosed(things ...watch.Billed) {
	for _, b := range things {
		t.Checked(1)
		rows := t.watch.Rows(b)
		died := t.watch.EndOf(b)
		switch {
		case died == nil:
			t.failOf(b, result.WrongEvent, fmt.Sprintf("%s is gone, but cloud.usage_event has no delete event of it",
				b), t.watch.Evidence()...)
		case len(rows) == 0:
			t.failOf(b, result.RowCount, fmt.Sprintf("%s is gone and has no usage row at all", b),
				t.watch.Evidence()...)
		case len(watch.Open(rows)) > 0:
			t.failOf(b, result.LeakedRow,
				fmt.Sprintf("%s ended at %s, but %d of its %d usage rows are still open: the customer is billed for "+
					"ever", b, stage.Stamp(*died), len(watch.Open(rows)), len(rows)), t.watch.Evidence()...)
		case !rows[len(rows)-1].Closed.Equal(*died):
			last := rows[len(rows)-1]
			t.failSeen(b, result.WrongClose, closedSeen(last),
				fmt.Sprintf("%s ended at %s, but its usage row (helper id %d) was closed at %s%s", b,
					stage.Stamp(*died), last.HelperID, stage.StampOf(last.Closed), t.watch.Whose(last)))
		default:
			t.expectAsTold(b, rows)
		}
	}
}

// expectAsTold holds the rows of something against what its usage events tell: how many there may be, and when each
// that is closed was to be closed.
func (t BilledRows) expectAsTold(b watch.Billed, rows []usageprobe.HelperRow) {
	told := t.watch.Last.History(rows[0].Ref)
	if most := told.Rows(); most > 0 && len(rows) > most {
		t.failOf(b, result.RowCount, fmt.Sprintf("%s has %d usage rows, its usage events tell of %d", b, len(rows),
			most), t.watch.Evidence()...)
	}
	for _, row := range rows {
		dates := told.CloseDates(row.Created)
		if row.Open() || len(dates) == 0 || slices.ContainsFunc(dates, row.Closed.Equal) {
			continue
		}
		class := result.WrongClose
		by := t.watch.Whose(row)
		if by != "" {
			class = result.CrossedClose
		}
		t.failOf(b, class, fmt.Sprintf("%s has a usage row (helper id %d) that was closed at %s%s, want %s", b,
			row.HelperID, stage.StampOf(row.Closed), by, stage.Stamp(dates[0])), t.watch.Evidence()...)
	}
}

// ExpectRows expects that something has that many usage rows, open and closed.
func (t BilledRows) ExpectRows(b watch.Billed, opened, closed int) {
	t.Checked(1)
	rows := t.watch.Rows(b)
	if n := len(watch.Open(rows)); n != opened || len(rows)-n != closed {
		t.failSeen(b, rowsClass(n, opened), rowsSeen(len(rows)),
			fmt.Sprintf("%s has %d open and %d closed usage rows, want %d and %d", b, n, len(rows)-n, opened, closed))
	}
}

// RequireIDApart makes sure that nothing's internal id is a helper id of its kind in the accounts (T1). On a shared
// site another's may be, as for RuleRows.RequireApart: a wrong lookup then closes that row, and leaves the own one
// open.
func (t BilledRows) RequireIDApart(things ...watch.Billed) {
	for _, b := range things {
		rows, whose := t.watch.Last.Rows, "a usage helper row, so a wrong lookup could find"
		if t.on.SharesRuns() {
			rows, whose = t.watch.Rows(b), "its own usage helper row, so a wrong lookup finds"
		}
		for _, row := range rows {
			if row.Kind == b.Ref.Kind && row.HelperID == b.Ref.ID {
				t.Inconclusive("ids are not apart: %s has the id of %s the right row (T1)", b, whose)
			}
		}
	}
}

// CrossedPair finds two that have an open row each, where the id of the first is the helper id of the second (T2).
func (t BilledRows) CrossedPair(things ...watch.Billed) (dies, victim int) {
	for i, d := range things {
		for j, v := range things {
			if rows := t.watch.Rows(v); i != j && len(rows) == 1 && rows[0].Open() && rows[0].HelperID == d.Ref.ID {
				return i, j
			}
		}
	}
	t.Inconclusive("no id of %d equals the helper id of another one, so a crossed close cannot show (T2)", len(things))
	return 0, 0
}

// ExpectBilledNow expects that the newest window bills each.
func (t BilledRows) ExpectBilledNow(things ...watch.Billed) {
	for _, b := range things {
		if t.Checked(1); len(t.recordsNow(b)) == 0 {
			t.failSeen(b, result.NotBilled, result.Seen{What: SeenUnbilled},
				fmt.Sprintf("%s is alive, but the newest usage window has no record of it", b))
		}
	}
}

// ExpectNotBilledNow expects that the newest window bills none. Where that window began before the end of one, and so
// bills a part of it, nothing shows that its records stop.
func (t BilledRows) ExpectNotBilledNow(things ...watch.Billed) {
	undecided := ""
	for _, b := range things {
		t.Checked(1)
		end, records := t.watch.EndOf(b), t.recordsNow(b)
		inPart := func(r usageprobe.Record) bool { return end != nil && r.Start.Before(*end) }
		switch {
		case len(records) == 1 && inPart(records[0]):
			undecided = fmt.Sprintf("%s ended at %s, in the newest usage window, which began at %s: that records stop "+
				"was not shown", b, stage.Stamp(*end), stage.Stamp(records[0].Start))
		case len(records) != 0:
			t.failOf(b, result.BilledAfterEnd, fmt.Sprintf("%s is gone, but the newest usage window has a record of it",
				b), t.watch.Evidence()...)
		}
	}
	if undecided != "" { // last, so that it hides no failure
		t.Inconclusive("%s", undecided)
	}
}

func (t BilledRows) recordsNow(b watch.Billed) []usageprobe.Record {
	return t.watch.RecordsOfType(usageprobe.RecordType(b.Ref.Kind), func(r usageprobe.Record) bool {
		return b.BilledBy(r) && t.watch.Newest(r)
	})
}

// ReportUnmetered reports that a live thing has no usage row, as in every release seen: its owner pays nothing for it.
// That is no failure. Rows that it should turn out to have must be right, though: they are held against the invariants.
func (t BilledRows) ReportUnmetered(what string, b watch.Billed) {
	t.Checked(1)
	t.KnownDefect(len(t.watch.Rows(b)) == 0, what+" is NOT METERED",
		"UsageManagerImpl.java@4.20.0.0 handles no PORTABLE.* event")
}

// ReportIPv6Unmetered is ReportUnmetered for the IPv6 prefixes of an account's networks, whose events name no resource.
func (t BilledRows) ReportIPv6Unmetered(a *objects.Account) {
	t.Checked(1)
	rows := 0
	for _, row := range t.watch.Last.Rows {
		if row.Kind == usageprobe.KindIP && row.AccountID == a.InternalID &&
			strings.Contains(row.Column("public_ip_address"), ":") {
			rows++
		}
	}
	t.KnownDefect(rows == 0, "an IPv6 prefix is NOT METERED",
		"UsageManagerImpl.java@4.20.0.0 handles no NET.IP6* event")
}

// recordClass is the class of a window that has another number of records of something than it should.
func recordClass(got, want int) result.Class {
	if got < want {
		return result.NotBilled
	}
	return result.WrongHours
}

// rowsClass is the class of rows of which more, or fewer, are open than should be.
func rowsClass(open, want int) result.Class {
	switch {
	case open > want:
		return result.LeakedRow
	case open < want:
		return result.WrongClose
	}
	return result.RowCount
}

// OfferingOf is the offering that the open usage row of something names.
func (t BilledRows) OfferingOf(b watch.Billed) int64 { return t.watch.RequireOpen(b).Offering }

// What expectations over usage rows call that which they saw (result.Seen.What). Invariants go by their codes.
const (
	SeenRows     = "rows"
	SeenClosed   = "closed"
	SeenDeletes  = "delete events"
	SeenHours    = "hours"
	SeenUnbilled = "not billed now"
)

func rowsSeen(n int) result.Seen { return result.Seen{What: SeenRows, Number: float64(n), Want: 1} }

func closedSeen(row usageprobe.HelperRow) result.Seen {
	return result.Seen{What: SeenClosed, At: *row.Closed}
}

// hourTolerance is two seconds in hours.
const hourTolerance = 2.0 / 3600

// Near says whether two amounts of hours are the same.
func Near(a, b float64) bool { return math.Abs(a-b) <= hourTolerance+1e-5*math.Abs(b) }
