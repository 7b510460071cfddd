package usageprobe

import (
	"cmp"
	"slices"
	"time"
)

// life is one stretch for which a resource is to be billed, as its own events tell it.
type life struct {
	start     time.Time
	end       *time.Time // nil: not ended
	startID   int64      // event ids, for what happens within one second
	endID     int64
	openDates []time.Time // when a row may have been opened: creates and changes
	shutDates []time.Time // when a row may have been closed by a change
}

// history is all that the events tell of one resource.
type history struct {
	spec  kindSpec
	lives []life
	// every delete event, also the ones after the end of a life (a delete that was rolled back and repeated)
	closes []UsageEvent
	events []UsageEvent
}

// alive says whether the resource is to be billed at the end of its events.
func (h *history) alive() bool {
	return h != nil && len(h.lives) > 0 && h.lives[len(h.lives)-1].end == nil
}

// died is the end of the last life; nil while alive or without events.
func (h *history) died() *time.Time {
	if h == nil || len(h.lives) == 0 {
		return nil
	}
	return h.lives[len(h.lives)-1].end
}

// histories cuts the events up to the cutoff (all when it is nil) into lives per resource.
func histories(events []UsageEvent, cutoff *time.Time) map[Ref]*history {
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b UsageEvent) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	all := map[Ref]*history{}
	specs := kindSpecs()
	for _, e := range sorted {
		if cutoff != nil && e.Created.After(*cutoff) {
			continue
		}
		for _, spec := range specs {
			if !spec.concerns(e) {
				continue
			}
			ref := spec.eventRef(e)
			if all[ref] == nil {
				all[ref] = &history{spec: spec}
			}
			all[ref].add(e)
		}
	}
	return all
}

func (h *history) add(e UsageEvent) {
	h.events = append(h.events, e)
	last := (*life)(nil)
	if h.alive() {
		last = &h.lives[len(h.lives)-1]
	}
	if h.spec.isOpen(e) {
		if last == nil {
			h.lives = append(h.lives, life{start: e.Created, startID: e.ID})
			last = &h.lives[len(h.lives)-1]
		}
		last.openDates = append(last.openDates, e.Created)
	}
	if h.spec.isChange(e) && last != nil {
		last.openDates = append(last.openDates, e.Created)
		last.shutDates = append(last.shutDates, e.Created)
	}
	if h.spec.isClose(e) {
		h.closes = append(h.closes, e)
		if last != nil {
			end := e.Created
			last.end, last.endID = &end, e.ID
		}
	}
}

// of returns the life that a row opened at t belongs to: one with an event at t, else the one that contains t, else
// nil. Of several (an address released and taken again within a second) the last: its row is the one that is still to
// be told.
func (h *history) of(t time.Time) *life {
	if h == nil {
		return nil
	}
	for i := len(h.lives) - 1; i >= 0; i-- {
		if slices.ContainsFunc(h.lives[i].openDates, t.Equal) {
			return &h.lives[i]
		}
	}
	for i := range h.lives {
		l := &h.lives[i]
		if !t.Before(l.start) && (l.end == nil || !t.After(*l.end)) {
			return l
		}
	}
	return nil
}

// closeDates are the right close dates of a row opened at t. For strict kinds it is the end of the life that the row
// belongs to; a row of a changing kind may also have been replaced at a change.
func (h *history) closeDates(t time.Time) []time.Time {
	if h == nil {
		return nil
	}
	var dates []time.Time
	for _, l := range h.lives {
		opened := slices.ContainsFunc(l.openDates, t.Equal)
		for _, d := range l.shutDates {
			if !d.Before(t) && opened {
				dates = append(dates, d)
			}
		}
		if opened && l.end != nil {
			dates = append(dates, *l.end)
		}
	}
	if len(dates) > 0 {
		return dates
	}
	for _, e := range h.closes { // opened at a wrong time, or the create event is gone: the first delete after it
		if !e.Created.Before(t) {
			return []time.Time{e.Created}
		}
	}
	return nil
}

// span is a half-open stretch of time.
type span struct{ from, to time.Time }

func (s span) length() time.Duration { return max(0, s.to.Sub(s.from)) }

func (s span) and(o span) span {
	if o.from.After(s.from) {
		s.from = o.from
	}
	if o.to.Before(s.to) {
		s.to = o.to
	}
	return s
}

// within is how much of s the resource was to be billed.
func (h *history) within(s span) time.Duration {
	var sum time.Duration
	for _, l := range h.lives {
		to := s.to
		if l.end != nil {
			to = *l.end
		}
		sum += s.and(span{l.start, to}).length()
	}
	return sum
}

// window of a record: end_date is its last second.
func (r Record) window() span { return span{r.Start, r.End.Add(time.Second)} }

// History is what the usage events up to a snapshot's cutoff tell of a resource.
type History struct{ h *history }

// History of a resource; without events it tells nothing.
func (s Snapshot) History(ref Ref) History { return History{histories(s.Events, &s.Cutoff)[ref]} }

// Rows is how many usage rows the resource may have at most: one for each of its lives, and of a kind whose rows are
// replaced when it changes, one more for each change. Zero says that nothing is told.
func (h History) Rows() int {
	if h.h == nil {
		return 0
	}
	n := 0
	for _, l := range h.h.lives {
		n += 1 + len(l.shutDates)
	}
	return n
}

// CloseDates are the right close dates of a row that was opened at a time; none when nothing is told.
func (h History) CloseDates(opened time.Time) []time.Time { return h.h.closeDates(opened) }
