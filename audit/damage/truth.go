package damage

import (
	"fmt"
	"slices"
)

// Truth is what is wrong with one row, or with one life that has none.
type Truth struct {
	Class     string
	Kind      string
	Account   int64
	ID        int64
	HelperID  int64 // 0: there is no row
	CrossedBy int64
	Stalled   bool
	// Hours that were billed though it was dead, and not billed though it lived, of the whole resource.
	Surplus, Deficit float64
}

// String is the truth in one line.
func (t Truth) String() string {
	s := fmt.Sprintf("%s %s %d of %d, row %d", t.Class, t.Kind, t.ID, t.Account, t.HelperID)
	if t.CrossedBy != 0 {
		s += fmt.Sprintf(", crossed by %d", t.CrossedBy)
	}
	if t.Stalled {
		s += ", stalled"
	}
	return s
}

// Truth lists everything that is wrong. What the last usage job does not cover is not wrong yet.
func (h *History) Truth() []Truth {
	all := slices.Clone(h.extra)
	for _, kind := range kinds() {
		rows := map[[2]int64][]helper{}
		for _, r := range h.tables[kind] {
			k := [2]int64{r.account, r.resource}
			rows[k] = append(rows[k], r)
		}
		for _, t := range h.things[kind] {
			all = append(all, h.truthOf(t, rows[[2]int64{t.account, t.id}])...)
		}
	}
	slices.SortFunc(all, compareThings)
	return all
}

// covered is the end of the last job, in seconds; what happened then or later waits for the next one.
func (h *History) covered() int64 {
	if len(h.jobs) == 0 {
		return 0
	}
	return (h.jobs[len(h.jobs)-1].end + 1) / 1000
}

func (h *History) isStuck(id int64) bool {
	return slices.ContainsFunc(h.stuck, func(i int) bool { return h.events[i].id == id })
}

func (h *History) truthOf(t *thing, rows []helper) []Truth {
	var all []Truth
	end := h.covered()
	for i, l := range t.lives {
		if l.born >= end {
			continue // not due
		}
		last := i == len(t.lives)-1
		died, dieEvent := l.died, int64(0)
		if died != 0 {
			dieEvent = t.deleteIDs[slices.Index(t.deletes, died)]
		}
		if died >= end { // the delete is not due either
			died = 0
		}
		one := Truth{Kind: t.kind, Account: t.account, ID: t.id}
		at := slices.IndexFunc(rows, func(r helper) bool { return r.opened == l.born })
		if at < 0 {
			if l.died != l.born {
				one.Class, one.Stalled = "MISSING", h.isStuck(t.createID[i])
				all = append(all, one)
			}
			continue
		}
		r := rows[at]
		one.HelperID, one.CrossedBy = r.id, r.crossedBy
		switch {
		case last && t.alive && died != 0:
			one.Class = "LIVE_WITH_DELETE_EVENT"
		case last && t.alive && r.closed != 0:
			one.Class = "CLOSED_BUT_LIVE"
		case died == 0 && l.died != 0: // dead, and the delete waits for a job
			continue
		case r.closed == 0 && died != 0:
			one.Class, one.Stalled = "OPEN_BUT_DEAD", h.isStuck(dieEvent)
		case r.closed != 0 && r.closed != died:
			one.Class = "WRONG_DATE"
		default:
			continue
		}
		all = append(all, one)
	}
	return all
}

// Repeated counts the records that are there more than once, beyond the first of each.
func (h *History) Repeated() (n int64) {
	type same struct {
		account, resource, part, from, to int64
		usageType                         int
	}
	seen := map[same]bool{}
	for _, r := range h.records {
		k := same{r.account, r.resource, r.part, r.from, r.to, r.usageType}
		if seen[k] {
			n++
		}
		seen[k] = true
	}
	return n
}

// Stuck is how many events were never processed.
func (h *History) Stuck() int { return len(h.stuck) }

// Money is what a resource was billed too much and too little, by its records and its lives.
func (h *History) Money(kind string, account, id int64) (surplus, deficit float64) {
	var t *thing
	for _, one := range h.things[kind] {
		if one.id == id && one.account == account {
			t = one
		}
	}
	billed := map[[2]int64]float64{}
	windows := map[[2]int64]bool{}
	for _, r := range h.records {
		w := [2]int64{r.from, r.to}
		windows[w] = true
		if r.usageType == usageType(kind) && r.account == account && r.resource == id {
			billed[w] += r.hours
		}
	}
	for w := range windows {
		right := 0.0
		for i, l := range t.lives {
			to := w[1]
			if l.died != 0 && l.died < h.covered() && (i < len(t.lives)-1 || !t.alive) {
				to = min(to, l.died)
			}
			right += max(0, float64(to-max(w[0], l.born))/3600)
		}
		if diff := billed[w] - right; diff > 2.0/3600 {
			surplus += diff
		} else {
			deficit += max(0, -diff)
		}
	}
	return surplus, deficit
}
