package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/result/stats"
)

// Plan says what to run.
type Plan struct {
	Scenarios Catalogue
	Seed      int64
	Repeat    int      // independent repeats of each scenario, folded into one case; at least 1
	Workers   int      // scenarios at once; at least 1
	Progress  Progress // is told how it goes; nil for nobody
	// UntilFailure ends the repeats of a scenario at its first failure.
	UntilFailure bool
	// Budget ends the repeats when it is used up; 0 is no limit. At least one repeat runs.
	Budget time.Duration
	// Deadline is how long the run may take: then what is under way is ended and what has not begun is not begun. Both
	// are inconclusive, and the run ends as any other, with its clean-up. 0 is no limit.
	Deadline time.Duration
	// Brief says that only verdicts are of interest: nothing is spent on explaining a failure.
	Brief bool
	// Used is told what each run used of its site; nil for nobody.
	Used func(map[Capability]bool)
	// Swept says that a fault is planted which the scenario does not name as its own.
	Swept bool
	// Partial is told what is known so far: when the run begins and after each scenario. Calls follow one another. Nil
	// for nobody.
	Partial func(result.Run)
	// Left is told what could not be removed after a scenario; nil for nobody. It never changes the scenario's verdict.
	Left func(id string, err error)
	// Sensitivity is what a proof showed of scenarios; it becomes part of what their repeats allow one to claim.
	Sensitivity map[string]Sensitivity
}

// Sensitivity is how many planted faults a scenario was held against and how many of them it caught.
type Sensitivity struct{ Planted, Caught int }

// Run runs a plan against a target. The error says that the run as a whole could not be carried out; whatever was found
// until then is in the result all the same, and what is missing there counts as a failure.
func Run(ctx context.Context, target Target, p Plan) (result.Run, error) {
	began := time.Now()
	p.Progress = heard(p.Progress)
	d := target.Describe()
	if planner, ok := target.(Planner); ok {
		planner.Planned(p)
	}
	run := result.Run{Schema: result.SchemaVersion, Target: d.Name, Release: d.Release, Seed: p.Seed, Router: d.Router,
		Started: began.UTC(), Planned: p.Scenarios.IDs()}
	leaks, err := watchLeaks(ctx, target)
	if err != nil {
		return run, err
	}
	found := newFound(run, p, leaks != nil)
	p.Left = found.left
	limited, cancel := p.limit(ctx)
	defer cancel()
	group, gctx := errgroup.WithContext(limited)
	group.SetLimit(max(1, p.Workers))
	for _, i := range LongestFirst(p.Scenarios) {
		group.Go(func() error {
			if gctx.Err() != nil {
				return context.Cause(gctx)
			}
			leave, err := admit(gctx, target)
			if err != nil {
				return err
			}
			defer leave()
			c := RunScenario(gctx, target, p.Scenarios[i], p)
			found.finished(i, c)
			p.Progress.Finished(c)
			return nil
		})
	}
	err = group.Wait()
	if late := (*DeadlineError)(nil); errors.As(err, &late) {
		err = nil
		found.late(p, late)
	}
	run.Results = found.results()
	if late := (*DeadlineError)(nil); errors.As(context.Cause(limited), &late) {
		run.Notes = append(run.Notes, late.Error()+": what was under way was ended, what had not begun was not begun, "+
			"and neither has a verdict for it")
	}
	if teller, ok := target.(SiteTeller); ok {
		for _, c := range teller.SiteCases() {
			run.Planned, run.Results = append(run.Planned, c.ID), append(run.Results, c)
			p.Progress.Finished(c)
		}
	}
	if c := leakCase(ctx, leaks, found.remains); c != nil {
		run.Planned, run.Results = append(run.Planned, c.ID), append(run.Results, *c)
		p.Progress.Finished(*c)
	}
	run.Seconds = time.Since(began).Seconds()
	if cause := context.Cause(ctx); cause != nil {
		err = fmt.Errorf("interrupted: %w", cause)
	}
	return run, err
}

// DeadlineError says that a run's time is up.
type DeadlineError struct{ After time.Duration }

func (e *DeadlineError) Error() string {
	return fmt.Sprintf("the run's time of %s is up (--deadline)", e.After)
}

// limit is the context in which scenarios run.
func (p Plan) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.Deadline <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, p.Deadline, &DeadlineError{p.Deadline})
}

// admit waits until the target has room for one more scenario.
func admit(ctx context.Context, target Target) (leave func(), err error) {
	if a, ok := target.(Admitter); ok {
		return a.Admit(ctx)
	}
	return func() {}, nil
}

// LongestFirst orders by weight, so that the longest scenario does not start last; results keep the catalogue's order.
func LongestFirst(c Catalogue) []int {
	order := make([]int, len(c))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return c[b].Weight - c[a].Weight })
	return order
}

// RunScenario repeats one scenario and folds the outcomes into one case; the worst verdict wins and is never retried.
func RunScenario(ctx context.Context, target Target, s Scenario, p Plan) result.Case {
	began := time.Now()
	p.Progress = heard(p.Progress)
	release := target.Describe().Release
	c := result.Case{ID: s.ID, Title: s.Title, Group: s.Group, Guards: s.Guards, Verdict: result.Pass,
		ByDesign: s.Inconclusive != ""}
	if s.KnownBad.In(target.Describe()) {
		c.Known = true
	}
	var trials []trial
	var facts []result.Finding
	for i, one := range repeats(ctx, target, s, p) {
		if one != nil {
			trials, facts = append(trials, one.trials...), append(facts, one.facts...)
			fold(&c, one, i, p)
			if news := s.KnownBad.News(target.Describe(), one.facts, one.foreseen); c.Known && len(news) > 0 {
				one.reason = "beside the known defect: " + news[0].Says
				show(&c, one, i, p) // what is new is what a reader must see, and its evidence with it
				c.Known = false
			}
			if one.verdict == result.Inconclusive && !one.byDesign {
				c.ByDesign = false
			}
			if p.Used != nil {
				p.Used(one.used)
			}
			if err := errors.Join(one.left...); err != nil && p.Left != nil {
				p.Left(s.ID, err)
			}
		}
	}
	if c.Verdict != result.Fail && !s.KnownBad.Sure(target.Describe()) {
		c.Known = false
	}
	if c.Known {
		c.KnownWhy = s.KnownBad.Reason(target.Describe(), facts)
	}
	c.Seconds = time.Since(began).Seconds()
	if p.Repeat > 1 {
		c.Claim = stats.Repeats{Total: c.Repeats, Failures: c.Failures, Inconclusives: c.Inconclusives, Scenario: c.ID,
			Target: target.Describe().Name, Release: release,
			Planted: p.Sensitivity[s.ID].Planted, Caught: p.Sensitivity[s.ID].Caught}.Claim()
	}
	c.Claim = strings.TrimSpace(c.Claim + " " + rateClaim(s.ID, rates(trials)))
	return c
}

// repeats runs a scenario as often as planned: workers at a time when it is the only one, since each has a site of its
// own. Those that did not run, because a failure or the budget ended them, are nil.
func repeats(ctx context.Context, target Target, s Scenario, p Plan) []*outcome {
	began := time.Now()
	outcomes := make([]*outcome, max(1, p.Repeat))
	lanes := 1
	if len(p.Scenarios) == 1 {
		lanes = max(1, p.Workers)
	}
	var failed atomic.Bool
	var group errgroup.Group
	group.SetLimit(lanes)
	for i := range outcomes {
		group.Go(func() error {
			over := ctx.Err() != nil || p.Budget > 0 && time.Since(began) > p.Budget || p.UntilFailure && failed.Load()
			if i > 0 && over {
				return nil
			}
			p.Progress.Scenario(s.ID, s.Title, i+1)
			one := runOnce(ctx, target, s, p, p.Seed+int64(i), i)
			if i > 0 && ctx.Err() != nil && one.verdict == result.Inconclusive {
				return nil // cut off: no repeat
			}
			if i > 0 && one.verdict == result.Pass {
				// a case shows the first pass, and what is worse
				one.steps, one.evidence, one.views = nil, nil, result.Views{}
			}
			outcomes[i] = one
			if one.verdict == result.Fail {
				failed.Store(true)
			}
			return nil
		})
	}
	_ = group.Wait() // no repeat answers an error: what went wrong is its verdict
	return outcomes
}

// fold adds one repeat to the case.
func fold(c *result.Case, one *outcome, i int, p Plan) {
	first := c.Repeats == 0
	c.Repeats++
	switch one.verdict {
	case result.Fail:
		c.Failures++
	case result.Inconclusive:
		c.Inconclusives++
	}
	worst := result.Worse(one.verdict, c.Verdict)
	if first || worst != c.Verdict {
		show(c, one, i, p)
	}
	c.Verdict = worst
}

// show lets the case tell of one repeat.
func show(c *result.Case, one *outcome, i int, p Plan) {
	c.Reason, c.Steps, c.Evidence = one.reason, one.steps, one.evidence
	c.Findings, c.Calls, c.Log, c.Views = one.findings, one.calls, one.logged, one.views
	if p.Repeat > 1 && one.verdict != result.Pass {
		c.Reason = fmt.Sprintf("repeat %d (seed %d): %s", i+1, p.Seed+int64(i), one.reason)
	}
}

// runOnce runs a scenario once, on a site of its own.
func runOnce(ctx context.Context, target Target, s Scenario, p Plan, seed int64, repeat int) *outcome {
	var t *Attempt
	site, err := target.Site(ctx, s.ID, seed)
	if site != nil {
		defer func() {
			if err := site.Close(context.WithoutCancel(ctx)); err != nil {
				t.leave(fmt.Errorf("closing the site: %w", err))
			}
		}()
	}
	prefix := fmt.Sprintf("sp%x", uint32(seed)) // a label
	if site != nil && site.Ledger != nil {
		prefix = site.Ledger.Prefix() // a seed may come again while its first run's objects are still there
	}
	name := prefix + "-" + strings.ToLower(strings.ReplaceAll(s.ID, "/", "-"))
	if repeat > 0 {
		name = fmt.Sprintf("%s-r%d", name, repeat)
	}
	t = newAttempt(ctx, site, s, p.Progress, seed, name)
	t.brief, t.swept = p.Brief, p.Swept
	t.fresh = func(ctx context.Context) (*Site, error) { return target.Site(ctx, s.ID, seed) }
	if err != nil {
		t.judge(result.Inconclusive, fmt.Sprintf("opening a site: %v", err))
		return t.outcome
	}
	defer func() {
		if err := t.cleanup(ctx); err != nil {
			t.leave(err)
		}
	}()
	t.tell()
	if site.told != nil {
		site.told()
	}
	return t.outcome
}

// tell runs the story and turns every way out of it into a verdict.
func (t *Attempt) tell() {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case halt:
		default:
			t.judge(result.Inconclusive, fmt.Sprintf("the scenario itself broke: %v", r))
			t.Note("stack", "%s", debug.Stack())
		}
		troubles(t)
		if t.verdict == result.Fail && !t.brief {
			t.calls = t.site.Calls.Newest()
		}
		for i := range t.steps {
			if t.steps[i].State == "running" {
				t.steps[i].State = string(t.verdict)
			}
		}
	}()
	if t.site.Log != nil {
		t.logMark = t.site.Log.Mark()
	}
	for _, need := range t.scenario.Needs {
		if need == UsageDB && onlyAPI(t) {
			continue
		}
		if why := t.site.Broken[need]; why != "" {
			t.Inconclusive("%s should be there but does not work: %s", need, why)
		}
		if why := cmp.Or(t.site.Missing[need], t.site.lacks(need)); why != "" {
			t.Unsupported("needs %s: %s", need, why)
		}
	}
	if onlyAPI(t) {
		defer t.apiOnly()
		t.scenario.APIOnly(t, t.site)
	} else {
		t.scenario.Run(t, t.site)
	}
	noteUsed(t)
	if t.verdict == result.Pass && t.scenario.Inconclusive != "" {
		t.byDesign = true
		t.judge(result.Inconclusive, t.scenario.Inconclusive)
	}
	if t.verdict == result.Pass && t.checks == 0 {
		t.judge(result.Inconclusive, "the scenario checked nothing")
	}
}

// noteUsed notes what the story used of its site, for a proof. It is not called for a story that was broken off, and an
// error is no reason to judge the story: then nothing is known to be unused.
func noteUsed(t *Attempt) {
	if t.site.used == nil {
		return
	}
	used, err := t.site.used(t.ctx)
	if err != nil {
		return
	}
	used[PushFault] = t.faulted
	t.used = used
}

// ErrInterrupted is the cause of a context that a signal ended.
var ErrInterrupted = errors.New("interrupted by a signal")

// onlyAPI says whether the story is told without a database.
func onlyAPI(t *Attempt) bool {
	return t.scenario.APIOnly != nil && t.site.DB == nil && t.site.Missing[UsageDB] != ""
}

// apiOnly marks a verdict as the weaker one that listUsageRecords alone allows: rows and helper ids were not seen.
func (t *Attempt) apiOnly() {
	const weaker = "API only, without a database"
	t.Note(weaker, "judged by listUsageRecords oldformat=true; helper rows, events and close dates were not seen")
	if t.reason == "" {
		t.reason = "no wrong record was listed"
	}
	t.reason = weaker + ": " + t.reason
}

// Troubled are routers that know when they themselves did not work, such as those whose scripts crashed: what such a
// router shows decides nothing, and the API tells no more of it than that a change failed.
type Troubled interface {
	Troubles() []error
}

// troubles takes a pass away from a run whose routers did not work, and says why an undecided one is undecided.
func troubles(t *Attempt) {
	routers, ok := t.site.Routers.(Troubled)
	if !ok {
		return
	}
	for _, err := range routers.Troubles() {
		if t.verdict == result.Inconclusive {
			t.reason += "; " + err.Error()
		}
		t.judge(result.Inconclusive, err.Error())
		t.Note("a router in trouble", "%v", err)
	}
}
