package usageprobe

import (
	"cmp"
	"slices"
)

// Moment is a second of the databases' GMT wall clock, counted from 1970; 0 is none.
type Moment int64

// Act is what a usage event does to a resource. One event may do several.
type Act uint8

// The acts.
const (
	ActOpen Act = 1 << iota
	ActClose
	ActChange
	// ActStalled: copied, older than the newest successful job, and never processed (#13399).
	ActStalled
	// ActLost: never copied to cloud_usage, though later ones were.
	ActLost
	// ActPending: no successful job covers it yet. Nothing is expected of it.
	ActPending
)

// Happening is one usage event of a resource.
type Happening struct {
	ID  int64
	At  Moment
	Act Act
}

// Metering is one helper row.
type Metering struct {
	ID             int64
	Opened, Closed Moment // Closed is 0 while open
}

// Subject is all that the tables tell of one resource of one account.
type Subject struct {
	Happenings []Happening // in any order
	Rows       []Metering  // in any order
	Life       Life        // in cloud
	Silent     bool
	Loose      bool
	// Crossed finds the other resource of the account whose delete event closed the row by its helper id; 0 when
	// none did.
	Crossed func(row Metering) int64
}

// Standing says how far the usage server has come with an event: 0 when it has processed it. cutoff is the end of
// the newest successful job, 0 when there was none; lastCopied is the largest event id in cloud_usage, which copies
// by range of id.
func Standing(id int64, at Moment, copied, processed bool, cutoff Moment, lastCopied int64) Act {
	switch {
	case copied && processed:
		return 0
	case cutoff == 0, at > cutoff, !copied && id > lastCopied:
		return ActPending
	case copied:
		return ActStalled
	}
	return ActLost
}

// Judgement is the verdict on one helper row, or on one life that has none.
type Judgement struct {
	Row        Metering // zero when there is none
	Verdict    AuditVerdict
	Born, Died Moment // of the life that the row belongs to, by the resource's own events; 0 when not known
	BornEvent  int64
	DiedEvent  int64
	CrossedBy  int64
	Creates    int // of the resource, all lives
	Deletes    int
	Lives      int
	Stalled    bool // the event that would put it right was never processed
	Lost       bool // … was never copied
	Duplicate  bool // another row of the same life is open as well, and was opened before
}

// stretch is one life.
type stretch struct {
	start, end         Moment // end is 0 while alive
	startID, endID     int64
	startAct, endAct   Act
	opened, changed    []Moment
	rows, open         int
	firstOpen, lastRow int64 // helper ids
}

// told is what the events of a resource tell.
type told struct {
	lives            []stretch
	closes           []Happening
	creates, deletes int
	pendingOpen      bool // a new life has begun that no job covers yet
	pendingClose     bool
}

func tell(happenings []Happening) told {
	slices.SortFunc(
		happenings,
		func(a, b Happening) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID)) },
	)
	var t told
	for _, h := range happenings {
		if h.Act&ActPending != 0 {
			t.pendingOpen = t.pendingOpen || h.Act&ActOpen != 0
			t.pendingClose = t.pendingClose || h.Act&ActClose != 0
			continue
		}
		t.add(h)
	}
	return t
}

func (t *told) alive() *stretch {
	if n := len(t.lives); n > 0 && t.lives[n-1].end == 0 {
		return &t.lives[n-1]
	}
	return nil
}

func (t *told) add(h Happening) {
	last := t.alive()
	if h.Act&ActOpen != 0 {
		t.creates++
		if last == nil {
			t.lives = append(t.lives, stretch{start: h.At, startID: h.ID, startAct: h.Act})
			last = &t.lives[len(t.lives)-1]
		}
		last.opened = append(last.opened, h.At)
	}
	if h.Act&ActChange != 0 && last != nil {
		last.opened, last.changed = append(last.opened, h.At), append(last.changed, h.At)
	}
	if h.Act&ActClose != 0 {
		t.deletes++
		t.closes = append(t.closes, h)
		if last != nil {
			last.end, last.endID, last.endAct = h.At, h.ID, h.Act
		}
	}
}

// lifeOf is the life that a row opened at a moment belongs to: one with an event then, of several the last; else the
// one that contains the moment; else nil.
func (t *told) lifeOf(at Moment) *stretch {
	for i := len(t.lives) - 1; i >= 0; i-- {
		if slices.Contains(t.lives[i].opened, at) {
			return &t.lives[i]
		}
	}
	for i := range t.lives {
		if l := &t.lives[i]; at >= l.start && (l.end == 0 || at <= l.end) {
			return l
		}
	}
	return nil
}

// closeAfter is the first delete event at or after a moment, of a row whose create event is not known.
func (t *told) closeAfter(at Moment) *Happening {
	for i := range t.closes {
		if t.closes[i].At >= at {
			return &t.closes[i]
		}
	}
	return nil
}

// Judge adds a verdict for each row of the resource, and one for each life without a row, in order of time. The
// truth is the resource's own events and whether it is alive in cloud; the date of a close counts, not only whether
// there is one.
func (s Subject) Judge(into []Judgement) []Judgement {
	t := tell(s.Happenings)
	slices.SortFunc(
		s.Rows,
		func(a, b Metering) int { return cmp.Or(cmp.Compare(a.Opened, b.Opened), cmp.Compare(a.ID, b.ID)) },
	)
	for _, r := range s.Rows {
		if l := t.lifeOf(r.Opened); l != nil {
			l.rows++
			l.lastRow = r.ID
			if r.Closed == 0 {
				if l.open++; l.open == 1 {
					l.firstOpen = r.ID
				}
			}
		}
	}
	first := len(into)
	for _, r := range s.Rows {
		into = append(into, s.row(&t, r))
	}
	if !s.Loose && !s.Silent {
		for i := range t.lives {
			if j, found := s.missing(&t, i); found {
				into = append(into, j)
			}
		}
	}
	for i := first; i < len(into); i++ {
		into[i].Creates, into[i].Deletes, into[i].Lives = t.creates, t.deletes, len(t.lives)
	}
	return into
}

// missing judges a life without a row. One that began and ended within a second bills nothing.
func (s Subject) missing(t *told, i int) (Judgement, bool) {
	l := &t.lives[i]
	if l.rows > 0 || l.end == l.start {
		return Judgement{}, false
	}
	j := l.judgement()
	j.Verdict, j.Stalled, j.Lost = AuditMissing, l.startAct&ActStalled != 0, l.startAct&ActLost != 0
	if s.Life == Undecided && i == len(t.lives)-1 {
		j.Verdict = AuditUndecided
	}
	return j, true
}

func (l *stretch) judgement() Judgement {
	return Judgement{Born: l.start, BornEvent: l.startID, Died: l.end, DiedEvent: l.endID}
}

func (s Subject) row(t *told, r Metering) Judgement {
	l := t.lifeOf(r.Opened)
	if l == nil {
		l = &stretch{rows: 1, lastRow: r.ID}
		if c := t.closeAfter(r.Opened); c != nil {
			l.end, l.endID, l.endAct = c.At, c.ID, c.Act
		}
	}
	j := l.judgement()
	j.Row = r
	if r.Closed != 0 && s.Crossed != nil {
		j.CrossedBy = s.Crossed(r)
	}
	// A resource whose last life is over by its events may live on all the same: its delete was rolled back.
	last := len(t.lives) == 0 || l.end == 0 || l == &t.lives[len(t.lives)-1] && !t.pendingOpen
	switch {
	case s.Loose:
		j.Verdict = s.looseRow(t, r)
	case last && s.Life == Undecided:
		j.Verdict = AuditUndecided
	case l.end == 0:
		j.Verdict = s.rowOfLiving(t, l, &j)
	case last && s.Life == Alive:
		j.Verdict = AuditLiveWithDeleteEvent
	case r.Closed == 0:
		j.Verdict, j.Stalled, j.Lost = AuditOpenButDead, l.endAct&ActStalled != 0, l.endAct&ActLost != 0
	case r.Closed == l.end, l.replaced(r):
		j.Verdict, j.CrossedBy = AuditOK, 0
	default:
		j.Verdict = AuditWrongDate
	}
	j.Duplicate = r.Closed == 0 && l.open > 1 && l.firstOpen != r.ID
	return j
}

// replaced says that another row of the same life follows where this one was closed: at a change, or at once, which
// is how a duplicate is taken out of the bill.
func (l *stretch) replaced(r Metering) bool {
	return l.lastRow != r.ID && slices.Contains(l.changed, r.Closed) || r.Closed == r.Opened && l.rows > 1
}

// latest says that no row was opened after this one.
func (s Subject) latest(r Metering) bool { return s.Rows[len(s.Rows)-1].ID == r.ID }

// looseRow judges what events do not tell apart: only whether a row is open though nothing is left.
func (s Subject) looseRow(t *told, r Metering) AuditVerdict {
	switch {
	case r.Closed != 0 || s.Life == Alive:
		return AuditOK
	case s.Life == Dead && t.pendingClose, s.Life != Dead:
		return AuditUndecided
	case t.closeAfter(r.Opened) != nil:
		return AuditOpenButDead
	}
	return AuditOpenNoDeleteEvent
}

// rowOfLiving judges a row whose life has no end by its events.
func (s Subject) rowOfLiving(t *told, l *stretch, j *Judgement) AuditVerdict {
	known := l.start != 0
	alive, dead := s.Life == Alive || s.Life == Unknown && known, s.Life == Dead
	switch {
	case j.Row.Closed == 0 && alive:
		return AuditOK
	case dead && t.pendingClose:
		return AuditUndecided
	case j.Row.Closed == 0 && dead:
		return AuditOpenNoDeleteEvent
	case j.Row.Closed == 0:
		return AuditUndecided
	case l.replaced(j.Row), alive && l.open > 0: // another row of this life goes on
		return AuditOK
	case alive && known, s.Life == Alive && len(t.lives) == 0 && s.latest(j.Row):
		return AuditClosedButLive
	case !known && j.CrossedBy == 0: // its events were pruned
		return AuditUndecided
	}
	return AuditWrongDate
}

// Span is a stretch for which a resource is to be billed; To is 0 while it lives.
type Span struct{ From, To Moment }

// Lives are the stretches for which the resource is to be billed, by its events and by what is alive in cloud. One
// that is gone without a delete event has no known end, and is told as living: nothing can be said of what it was
// billed too much.
func (s Subject) Lives() []Span {
	t := tell(s.Happenings)
	var spans []Span
	for i, l := range t.lives {
		if i == len(t.lives)-1 && s.Life == Alive && !t.pendingOpen {
			l.end = 0
		}
		spans = append(spans, Span{l.start, l.end})
	}
	for _, r := range s.Rows { // whose create events are gone
		if t.lifeOf(r.Opened) != nil {
			continue
		}
		one := Span{From: r.Opened}
		if c := t.closeAfter(r.Opened); c != nil && s.Life != Alive {
			one.To = c.At
		}
		spans = append(spans, one)
	}
	return spans
}

// Within is how many seconds of the half-open stretch from–to the span covers.
func (s Span) Within(from, to Moment) int64 {
	from = max(from, s.From)
	if s.To != 0 {
		to = min(to, s.To)
	}
	return max(0, int64(to-from))
}
