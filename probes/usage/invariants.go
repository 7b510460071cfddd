package usageprobe

import (
	"fmt"
	"slices"
	"time"
)

// Invariants checks I1 to I9 on after, a snapshot taken when a successful usage job had covered everything of interest.
// Nothing is expected of events after its Cutoff, and nothing at all before the first successful job.
//
//	I1  every open helper row has a live resource
//	I2  every live metered resource has exactly one open row, created at its create event
//	I3  a closed row's date is that of the resource's own delete event
//	I4  no record bills a resource outside its life
//	I5  the records of a resource sum up to its life
//	I6  every event was copied and processed
//	I7  each successful job starts 1 ms after the one before it ended
//	I8  no record is there twice
//	I9  rows of resources that nobody touched are as they were in before
//
// before may be nil: then I9 is not checked and nothing counts as inherited. Findings that before shows as well are
// returned with Inherited set, never left out. touched needs to name only resources without an event of their own
// since before.
func Invariants(before *Snapshot, after Snapshot, touched Touched) []Violation {
	found := check(before, after)
	if before == nil {
		return found
	}
	old := map[string]bool{}
	for _, v := range check(nil, *before) {
		old[v.same()] = true
	}
	for i := range found {
		found[i].Inherited = old[found[i].same()]
	}
	return append(found, untouched(*before, after, touched)...)
}

// checker holds what the checks of one snapshot share.
type checker struct {
	Snapshot
	specs   map[Kind]kindSpec // made when the first is asked for
	before  *Snapshot
	past    map[Ref]*history // events up to the cutoff: what the helper tables must show
	ever    map[Ref]*history // all events
	rows    map[Ref][]HelperRow
	refs    []Ref // in order of first appearance
	records map[Ref][]Record
	// byResource are the events by the id of what they are about; for Says alone
	byResource map[int64][]UsageEvent
	found      []Violation
}

func check(before *Snapshot, s Snapshot) []Violation {
	if s.Cutoff.IsZero() {
		return nil
	}
	c := &checker{Snapshot: s, before: before, past: histories(s.Events, &s.Cutoff), ever: histories(s.Events, nil),
		rows: map[Ref][]HelperRow{}}
	seen := map[Ref]bool{}
	note := func(r Ref) {
		if !seen[r] && !c.spec(r.Kind).loose {
			seen[r] = true
			c.refs = append(c.refs, r)
		}
	}
	for _, r := range s.Rows {
		c.rows[r.Ref] = append(c.rows[r.Ref], r)
		note(r.Ref)
	}
	for _, spec := range kindSpecs() {
		for _, e := range s.Events {
			if spec.concerns(e) {
				note(spec.eventRef(e))
			}
		}
		for _, ref := range sortedRefs(s.Resources) {
			if ref.Kind == spec.kind {
				note(ref)
			}
		}
	}
	c.records = c.recordsByRef()
	for _, ref := range c.refs {
		for _, row := range c.rows[ref] {
			if row.Open() {
				c.openRow(row)
			} else {
				c.closedRow(row)
			}
		}
		c.liveResource(ref)
		c.money(ref)
	}
	c.stream()
	c.jobs()
	c.duplicates()
	c.stalled()
	return c.found
}

// report adds what the resource and, when there is one, its row say to a violation.
func (c *checker) report(v Violation, row *HelperRow) {
	if row != nil {
		v.Ref, v.HelperID, v.AccountID, v.Table = row.Ref, row.HelperID, row.AccountID, schemaUsage+"."+row.Table
	}
	res := c.resource(v.Ref)
	if res.UUID == "" && c.before != nil {
		res = c.before.resource(v.Ref)
	}
	v.UUID = res.UUID
	if v.AccountID == 0 {
		v.AccountID = res.AccountID
	}
	c.found = append(c.found, v)
}

// openRow is I1. A rule with a delete event that is alive all the same (its delete was rolled back) is rightly open.
func (c *checker) openRow(row HelperRow) {
	past, ever := c.past[row.Ref], c.ever[row.Ref]
	life := c.resource(row.Ref).Life
	if life == Undecided || life == Alive && !ever.alive() {
		return
	}
	l := past.of(row.Created)
	switch {
	case l != nil && l.end != nil:
		c.report(Violation{
			Invariant: "I1", Class: c.leakClass(row), Expected: "it closed at " + stamp(*l.end) +
				" by the resource's own delete event",
			Seen: c.leakStory(row, *l.end),
		}, &row)
	case l == nil && past.died() != nil:
		c.report(Violation{
			Invariant: "I1", Class: c.leakClass(row), Expected: "no open row: the resource died at " +
				stamp(*past.died()),
			Seen: "opened at " + stamp(row.Created) + " and still open",
		}, &row)
	case life == Dead && (ever == nil || ever.alive()):
		c.report(Violation{
			Invariant: "I1", Expected: "no open row: the resource is gone",
			Seen: "opened at " + stamp(row.Created) +
				" and still open, and cloud.usage_event has no delete event of it",
		}, &row)
	}
}

func (c *checker) leakClass(row HelperRow) Class {
	switch row.Kind {
	case KindLB, KindPF:
		return ClassLeakedRow
	case KindNetwork, KindVPC:
		if len(c.rows[row.Ref]) > 1 {
			return ClassDuplicateNetwork
		}
	}
	return ClassOther
}

// leakStory tells, where the tables show it, which other row the delete event closed instead.
func (c *checker) leakStory(row HelperRow, died time.Time) string {
	story := "opened at " + stamp(row.Created) + " and still open"
	for _, other := range c.Rows {
		if other.Kind == row.Kind && other.HelperID == row.ID && other.ID != row.ID &&
			other.AccountID == row.AccountID &&
			other.Closed != nil && other.Closed.Equal(died) {
			return fmt.Sprintf("%s; the row with helper id %d, which belongs to %s %d, was closed at that second "+
				"instead", story, other.HelperID, other.Kind, other.ID)
		}
	}
	return story
}

// closedRow is I3.
func (c *checker) closedRow(row HelperRow) {
	if c.past[row.Ref] == nil && c.resource(row.Ref).Life != Alive {
		return // events of old resources may have been pruned
	}
	dates := c.past[row.Ref].closeDates(row.Created)
	// A date after the cutoff may be that of an event after the cutoff, unless the row's life had ended before.
	l := c.past[row.Ref].of(row.Created)
	if slices.ContainsFunc(dates, row.Closed.Equal) || (l == nil || l.end == nil) && row.Closed.After(c.Cutoff) {
		return
	}
	v := Violation{Invariant: "I3", Seen: "closed at " + stamp(*row.Closed), At: *row.Closed,
		Expected: "it closed at " + stamps(dates) + ", by the resource's own delete event"}
	if len(dates) == 0 {
		v.Expected = "it open: the resource has no delete event"
	}
	if by := c.crossedBy(row); by != nil {
		v.Class = ClassCrossedClose
		v.Seen += fmt.Sprintf(", the clock second of %s of %s %d, whose id is this row's helper id", by.Type,
			row.Kind, by.ResourceID)
	} else if row.Kind == KindNIC && c.siblingRemoved(row) {
		v.Class = ClassSharedNICOffering
		v.Seen += ", the clock second at which another NIC with the same offering was removed"
	} else if row.Kind == KindVPNUser && len(dates) > 0 && c.AtJob(dates[0], *row.Closed) {
		v.Class = ClassVPNUserDate
	}
	c.report(v, &row)
}

// crossedBy finds the delete event of another rule of the same account that closed the row by its helper id.
func (c *checker) crossedBy(row HelperRow) *UsageEvent {
	if row.Kind != KindLB && row.Kind != KindPF || row.HelperID == row.ID {
		return nil
	}
	other := c.past[Ref{Kind: row.Kind, ID: row.HelperID}]
	if other == nil {
		return nil
	}
	for _, e := range other.closes {
		if e.Created.Equal(*row.Closed) && e.AccountID == row.AccountID {
			return &e
		}
	}
	return nil
}

func (c *checker) siblingRemoved(row HelperRow) bool {
	for _, other := range c.Rows {
		if other.Kind != KindNIC || other.ID != row.ID || other.Part == row.Part || other.Offering != row.Offering {
			continue
		}
		if h := c.past[other.Ref]; h != nil &&
			slices.ContainsFunc(h.closes, func(e UsageEvent) bool { return e.Created.Equal(*row.Closed) }) {
			return true
		}
	}
	return false
}

// liveResource is I2. What is alive at the cutoff is told by the events; a rule that lives on after its delete event is
// alive, too.
func (c *checker) liveResource(ref Ref) {
	res, past := c.resource(ref), c.past[ref]
	if res.Life == Undecided || res.Life == Dead && c.ever[ref].alive() {
		return // on its way, or gone without an event, which is I1's
	}
	v := Violation{Invariant: "I2", Ref: ref, AccountID: res.AccountID, Table: schemaUsage + "." +
		c.spec(ref.Kind).table}
	switch {
	case past.alive():
		v.Expected = "one open row, opened at " + stamps(past.lives[len(past.lives)-1].openDates)
		v.AccountID = past.events[0].AccountID
	case res.Life == Alive && past.died() != nil && (ref.Kind == KindLB || ref.Kind == KindPF):
		v.Expected, v.Class = "one open row: it is alive, though a delete event was written at "+stamp(*past.died()),
			ClassRolledBackDelete
	case res.Life == Alive && c.ever[ref] == nil && (ref.Kind == KindLB || ref.Kind == KindPF) && res.Created != nil &&
		!res.Created.After(c.Cutoff):
		v.Expected = "one open row: it was created at " + stamp(*res.Created)
	default:
		return
	}
	c.openRowsOf(ref, v)
}

func (c *checker) openRowsOf(ref Ref, v Violation) {
	var open []HelperRow
	for _, r := range c.rows[ref] {
		if r.Open() {
			open = append(open, r)
		}
	}
	switch len(open) {
	case 0:
		rows := c.rows[ref]
		if len(rows) == 0 {
			v.Seen = "no row"
			c.report(v, nil)
			return
		}
		last := rows[len(rows)-1]
		v.Seen, v.At = "its row closed at "+stamp(*last.Closed), *last.Closed
		if by := c.crossedBy(last); by != nil && v.Class == ClassOther {
			v.Class = ClassCrossedClose
			v.Seen += fmt.Sprintf(" by %s of %s %d", by.Type, ref.Kind, by.ResourceID)
		} else if ref.Kind == KindNIC && c.siblingRemoved(last) {
			v.Class = ClassSharedNICOffering
		}
		c.report(v, &last)
	case 1:
		if v.Class == ClassRolledBackDelete || !c.past[ref].alive() {
			return
		}
		l := c.past[ref].lives[len(c.past[ref].lives)-1]
		if !slices.ContainsFunc(l.openDates, open[0].Created.Equal) {
			v.Seen, v.At = "opened at "+stamp(open[0].Created), open[0].Created
			c.report(v, &open[0])
		}
	default:
		if ref.Kind == KindNetwork || ref.Kind == KindVPC {
			v.Class = ClassDuplicateNetwork
		} else if v.Class == ClassRolledBackDelete {
			v.Class = ClassOther
		}
		v.Seen, v.Number = fmt.Sprintf("%d open rows, helper ids %s", len(open), helperIDs(open)), float64(len(open))
		c.report(v, &open[len(open)-1])
	}
}

// spec is specOf without making all of them each time.
func (c *checker) spec(kind Kind) kindSpec {
	if c.specs == nil {
		c.specs = map[Kind]kindSpec{}
		for _, s := range kindSpecs() {
			c.specs[s.kind] = s
		}
	}
	return c.specs[kind]
}

func specOf(kind Kind) kindSpec {
	for _, s := range kindSpecs() {
		if s.kind == kind {
			return s
		}
	}
	return kindSpec{kind: kind}
}
