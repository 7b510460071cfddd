package stackprooftest

import (
	"context"
	"errors"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stackproof/stackproof/harness"
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
	if err := sound(stories); err != nil {
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
				g.judge(t, c)
			case <-r.done:
				select {
				case c := <-mine:
					g.judge(t, c)
				default:
					t.Errorf("%s has no result: the run was broken off", s.ID)
				}
			}
		})
	}
	if len(r.chosen) == 0 {
		return
	}
	ctx, stop := signal.NotifyContext(context.WithoutCancel(t.Context()), syscall.SIGINT, syscall.SIGTERM)
	t.Cleanup(func() {
		<-r.done
		stop()
		r.conclude(t)
	})
	deadline, _ := t.Deadline()
	go r.run(ctx, deadline)
}

// running is one run of a group.
type running struct {
	target *Target
	chosen harness.Catalogue
	cases  map[string]chan result.Case // of the chosen; never changed while the run goes on
	done   chan struct{}

	mu    sync.Mutex
	other []result.Case // of no scenario: leaks, the site
	whole result.Run
	err   error
}

func (r *running) run(ctx context.Context, deadline time.Time) {
	defer close(r.done)
	plan := harness.Plan{Scenarios: r.chosen, Seed: r.target.Seed, Repeat: max(1, r.target.Repeat),
		Workers: r.target.Workers, Progress: r}
	if plan.Workers < 1 {
		plan.Workers = len(r.chosen)
	}
	if !deadline.IsZero() {
		// go test ends a test that is late without any clean-up: the run must end before, and clean up.
		left := time.Until(deadline)
		plan.Deadline = max(time.Second, left-min(left/4, harness.CleanupTime))
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
	for _, n := range r.whole.Notes {
		t.Log(n)
	}
	if r.err != nil {
		t.Errorf("stackprooftest: %v", r.err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.other {
		if c.Gates(r.target.Strict) != result.ExitOK {
			t.Error(told(r.target, c))
		}
	}
	if r.whole.NothingShown() {
		t.Error("the target could show nothing of what was asked: every scenario is unsupported")
	}
}

// judge ends a scenario's subtest with its verdict. What the exit status of the command gates on is an error here.
func (g *Target) judge(t *testing.T, c result.Case) {
	t.Helper()
	if c.Claim != "" {
		t.Log(c.Claim)
	}
	switch {
	case c.Gates(g.Strict) != result.ExitOK:
		t.Error(told(g, c))
	case c.Verdict == result.Pass && c.Known:
		t.Logf("%s passed, and %s is known to fail it (%s): the build is patched, or the scenario is blind here", c.ID,
			g.Describe().Release, c.KnownWhy)
	case c.Verdict == result.Pass:
	default:
		t.Skip(told(g, c))
	}
}

// told is a case as the report on a terminal tells it.
func told(g *Target, c result.Case) string { return reports.Case(c, g.Describe().Release) }
