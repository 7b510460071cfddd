package stackprooftest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/reports"
	"github.com/stackproof/stackproof/scenarios"
)

// Run runs scenarios of the catalogue, a subtest each: those whose ids match a pattern such as U-01 or L-*. Without
// patterns it runs the default ones. It returns when all have ended, and go test -run chooses among them:
//
//	go test -run 'TestUsage/lab-4.20.0.0/U-01'
func (g *Target) Run(t *testing.T, patterns ...string) {
	t.Helper()
	chosen, err := scenarios.Catalogue().Select(patterns...)
	if err != nil {
		t.Fatalf("stackprooftest: %v", err)
	}
	g.Tell(t, chosen...)
}

// Tell runs scenarios of one's own, as Run does.
func (g *Target) Tell(t *testing.T, stories ...Scenario) {
	t.Helper()
	if err := errors.Join(refusal(), sound(stories)); err != nil {
		t.Fatalf("stackprooftest: %v", err)
	}
	t.Run(g.name(), func(t *testing.T) { g.group(t, stories) })
}

// sound refuses scenarios that would show nothing, or not be told apart.
func sound(stories []Scenario) error {
	if len(stories) == 0 {
		return errors.New("no scenario was given: nothing would be shown")
	}
	seen := map[string]bool{}
	for _, s := range stories {
		switch {
		case s.ID == "" || strings.ContainsAny(s.ID, "/ "):
			return errors.New("a scenario needs an ID without blanks and slashes, such as MY-01, not \"" + s.ID + "\"")
		case seen[s.ID]:
			return errors.New("scenario " + s.ID + " is there twice")
		case s.Run == nil:
			return errors.New("scenario " + s.ID + " has no Run: give it a Story")
		case len(s.Needs) == 0:
			return errors.New("scenario " + s.ID + " says nothing of what it Needs: give it UsageNeeds or RouterNeeds")
		}
		seen[s.ID] = true
	}
	return nil
}

// group makes a subtest of each scenario. They wait side by side: which of them go test -run has chosen is known when
// each has been offered, and only then the run begins.
func (g *Target) group(t *testing.T, stories []Scenario) {
	r := &running{target: g, cases: map[string]chan result.Case{}, done: make(chan struct{})}
	for _, s := range stories {
		t.Run(s.ID, func(t *testing.T) {
			mine := make(chan result.Case, 1)
			r.chosen, r.cases[s.ID] = append(r.chosen, s), mine
			t.Parallel()
			select {
			case c := <-mine:
				r.judge(t, c)
			case <-r.done:
				select {
				case c := <-mine:
					r.judge(t, c)
				default:
					t.Errorf("%s has no result: the run was broken off", s.ID)
				}
			}
		})
	}
	if len(r.chosen) == 0 {
		return
	}
	if deadline, bounded := t.Deadline(); bounded {
		r.bound(time.Until(deadline))
	}
	ctx, stop := interruptible(context.WithoutCancel(t.Context()))
	t.Cleanup(func() {
		<-r.done
		stop()
		r.conclude(t)
	})
	go r.run(ctx)
}

// running is one run of a group.
type running struct {
	target *Target
	chosen harness.Catalogue
	cases  map[string]chan result.Case // of the chosen; never changed while the run goes on
	done   chan struct{}
	limit  time.Duration     // of the run; 0 is no limit
	words  *strings.Replacer // turns the command's words for the limit into those of go test; nil without a limit

	mu    sync.Mutex
	other []result.Case // of no scenario: leaks, the site
	whole result.Run
	err   error
}

// closeTime bounds the closing of a target: of what is left of its scenarios, and then of its domain.
const closeTime = harness.CleanupTime + existing.DropTime

// bound sets the run's limit. go test ends a test that is late without any clean-up: the run must end before, so that
// the last scenario's clean-up and the removal of the domain still fit. Of a short time a quarter is kept for them.
func (r *running) bound(left time.Duration) {
	kept := max(0, min(left/4, closeTime)).Round(time.Second)
	r.limit = max(time.Second, (left - kept).Truncate(time.Second))
	r.words = strings.NewReplacer((&harness.DeadlineError{After: r.limit}).Error(),
		fmt.Sprintf("the run's time of %s is up (go test's -timeout, less %s for the clean-up)", r.limit, kept))
}

// said is a text in the words of go test.
func (r *running) said(text string) string {
	if r.words == nil {
		return text
	}
	return r.words.Replace(text)
}

func (r *running) run(ctx context.Context) {
	defer close(r.done)
	plan := harness.Plan{Scenarios: r.chosen, Seed: r.target.Seed, Repeat: max(1, r.target.Repeat),
		Workers: r.target.Workers, Progress: r, Deadline: r.limit}
	if plan.Workers < 1 {
		plan.Workers = len(r.chosen)
	}
	r.whole, r.err = harness.Run(ctx, r.target.Target, plan)
}

// Scenario implements harness.Progress.
func (r *running) Scenario(string, string, int) {}

// Step implements harness.Progress.
func (r *running) Step(string, string) {}

// Finished implements harness.Progress: the scenario's subtest is told.
func (r *running) Finished(c result.Case) {
	if mine, ok := r.cases[c.ID]; ok {
		mine <- c
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.other = append(r.other, c)
}

// conclude tells what is about the run as a whole.
func (r *running) conclude(t *testing.T) {
	t.Helper()
	for _, n := range r.notes() {
		t.Log(n)
	}
	if r.err != nil {
		t.Errorf("stackprooftest: %v", r.err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.other {
		if c.Gates(r.target.Strict) != result.ExitOK {
			t.Error(r.told(c))
		}
	}
	if r.whole.NothingShown() {
		t.Error("the target could show nothing of what was asked: every scenario is unsupported")
	}
}

// notes are what a reader of the run must know, of the run and of the target: that populations were left out, say.
func (r *running) notes() []string {
	all := slices.Clone(r.whole.Notes)
	if r.target.notes != nil {
		all = append(all, r.target.notes(r.whole)...)
	}
	for i, n := range all {
		all[i] = r.said(n)
	}
	return all
}

// judge ends a scenario's subtest with its verdict. What the exit status of the command gates on is an error here.
func (r *running) judge(t *testing.T, c result.Case) {
	t.Helper()
	g := r.target
	if c.Claim != "" {
		t.Log(c.Claim)
	}
	switch {
	case c.Gates(g.Strict) != result.ExitOK:
		t.Error(r.told(c))
	case c.Verdict == result.Pass && c.Known:
		t.Logf("%s passed, and %s is known to fail it (%s): the build is patched, or the scenario is blind here", c.ID,
			g.Describe().Release, c.KnownWhy)
	case c.Verdict == result.Pass:
	default:
		t.Skip(r.told(c))
	}
}

// told is a case as the report on a terminal tells it, in the words of go test. The reason gets them first: a report
// may shorten it.
func (r *running) told(c result.Case) string {
	c.Reason = r.said(c.Reason)
	return r.said(reports.Case(c, r.target.Describe().Release))
}
