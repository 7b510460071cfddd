package harness

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/stackproof/stackproof/harness/result"
)

// found is what a run has found so far.
type found struct {
	told func(result.Run) // Plan.Partial

	mu      sync.Mutex
	run     result.Run // without results
	cases   []*result.Case
	remains []string
}

// newFound begins with nothing, which is told too: whatever ends the run from now on, a report names what was planned.
func newFound(run result.Run, p Plan, leaks bool) *found {
	f := &found{told: p.Partial, run: run, cases: make([]*result.Case, len(p.Scenarios))}
	if leaks {
		f.run.Planned = append(slices.Clone(f.run.Planned), LeaksID)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell()
	return f
}

// finished adds the case of a scenario, by its place in the plan.
func (f *found) finished(i int, c result.Case) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cases[i] = &c
	f.tell()
}

// late gives the scenarios that had not begun when the run's time was up their case.
func (f *found) late(p Plan, why *DeadlineError) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, s := range p.Scenarios {
		if f.cases[i] == nil {
			f.cases[i] = &result.Case{ID: s.ID, Title: s.Title, Group: s.Group, Guards: s.Guards, Repeats: 1,
				Verdict: result.Inconclusive, Inconclusives: 1, Reason: "it had not begun: " + why.Error()}
			p.Progress.Finished(*f.cases[i])
		}
	}
}

// left is Plan.Left.
func (f *found) left(id string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remains = append(f.remains, fmt.Sprintf("%s: %v", id, err))
}

// results are the cases so far, in the plan's order.
func (f *found) results() []result.Case {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.soFar()
}

func (f *found) soFar() (all []result.Case) {
	for _, c := range f.cases {
		if c != nil {
			all = append(all, *c)
		}
	}
	return all
}

// tell hands on what is known; the lock is held, so that reports do not overtake one another.
func (f *found) tell() {
	if f.told == nil {
		return
	}
	run := f.run
	run.Results = f.soFar()
	if missing := run.Missing(); len(missing) > 0 {
		run.Notes = append(slices.Clone(run.Notes),
			fmt.Sprintf("this run has not ended: %d of %d have no result yet (%s)", len(missing), len(run.Planned),
				strings.Join(missing, " ")))
	}
	f.told(run)
}
