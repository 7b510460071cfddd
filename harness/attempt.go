package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
)

// Tell tells a scenario's story: it acts on the site and judges through the attempt (package story).
type Tell func(a *Attempt, s *Site)

// Attempt is one telling of a scenario on a site: its verdict, the steps and evidence that led there, and what is to be
// cleaned up. A scenario is one goroutine, and so is its attempt.
type Attempt struct {
	ctx      context.Context
	site     *Site
	scenario Scenario
	progress Progress
	name     string // prefix of every object's name, unique to this run of the scenario
	*outcome

	checks int // expectations that were looked at
	failed int // of them, those that did not hold
	depth  int
	serial int
	tally  [3]int // pushes, reloads and masked pushes of the site so far
	undo   []undo

	seed  int64
	brief bool
	swept bool
	fresh func(context.Context) (*Site, error) // opens another site of the target
	told  int                                  // stories told on fresh sites

	logMark int // lines of the server's log when the story began

	faulted bool // it made agent commands fail

	afterStep func()                // see AfterStep
	onFind    func(*result.Finding) // see OnFind
	halted    bool                  // the story is being broken off
}

// outcome is what is kept of a story that was told: it holds no site. An attempt embeds it.
type outcome struct {
	verdict  result.Verdict
	byDesign bool // inconclusive for the reason that the scenario states, and for no other
	reason   string
	steps    []result.Step
	findings []result.Finding
	facts    []result.Finding // the same, each by itself: what is told as one may be two faults
	foreseen []Foreseen
	evidence []result.Evidence
	views    result.Views
	calls    []result.Call // of a failure
	logged   []string      // by the server, up to the first failure
	trials   []trial
	left     []error             // what could not be removed or closed afterwards
	used     map[Capability]bool // what the story used of its site; nil when that is not known
}

type undo struct {
	what string
	do   func(context.Context) error
}

// halt unwinds a scenario; the runner recovers it.
type halt struct{}

// Progress is told how a run goes. Calls may come from several goroutines.
type Progress interface {
	Scenario(id, title string, repeat int)
	Step(id, step string)
	Finished(c result.Case)
}

// heard is the progress of a plan that names none: nobody listens.
func heard(p Progress) Progress {
	if p == nil {
		return nobody{}
	}
	return p
}

type nobody struct{}

func (nobody) Scenario(string, string, int) {}
func (nobody) Step(string, string)          {}
func (nobody) Finished(result.Case)         {}

func newAttempt(ctx context.Context, site *Site, s Scenario, p Progress, seed int64, name string) *Attempt {
	return &Attempt{ctx: ctx, site: site, scenario: s, progress: p, name: name, seed: seed,
		outcome: &outcome{verdict: result.Pass}}
}

// Context is the scenario's; it ends when the run is interrupted.
func (t *Attempt) Context() context.Context { return t.ctx }

// Release is the release under test.
func (t *Attempt) Release() string { return t.site.Release }

// Seed is that of this repeat.
func (t *Attempt) Seed() int64 { return t.seed }

// Disposable says that fresh sites cost little and leave nothing behind.
func (t *Attempt) Disposable() bool { return t.site.Disposable }

// Brief says that only the verdict is of interest, so that nothing need be spent on explaining it.
func (t *Attempt) Brief() bool { return t.brief }

// Swept says that the run is one of a proof's sweep: a fault is planted that the scenario does not name as its own. Its
// story is told, the variants that are there for faults of its own need not be.
func (t *Attempt) Swept() bool { return t.swept }

// Step shows and times a verb; the function that it returns ends it. Verbs that other verbs use are not shown.
func (t *Attempt) Step(format string, a ...any) func() {
	t.depth++
	if t.depth > 1 {
		return func() { t.depth-- }
	}
	t.enter()
	name := fmt.Sprintf(format, a...)
	t.progress.Step(t.scenario.ID, name)
	began := time.Now()
	t.steps = append(t.steps, result.Step{Name: name, State: "running", At: t.clock()})
	at := len(t.steps) - 1
	failures := len(t.evidence)
	before := t.verdict
	return func() {
		t.depth--
		t.exit()
		t.countPushes(at)
		s := &t.steps[at]
		s.Seconds = time.Since(began).Seconds()
		s.State = "done"
		if len(t.evidence) > failures && t.verdict != before {
			s.State = string(t.verdict)
		}
		if t.afterStep != nil && !t.halted {
			t.afterStep()
		}
	}
}

// AfterStep sets what looks at the site after each step that is shown, unless the story is being broken off. What it
// finds counts as found by the story.
func (t *Attempt) AfterStep(look func()) { t.afterStep = look }

// halt breaks the story off; the runner recovers it.
func (t *Attempt) halt() {
	t.halted = true
	panic(halt{})
}

// Checked counts n expectations that were looked at. A story that checked nothing is inconclusive.
func (t *Attempt) Checked(n int) { t.checks += n }

// Fail records what does not hold, and what kind of failure that is; the scenario goes on.
func (t *Attempt) Fail(class result.Class, reason string, evidence ...result.Evidence) {
	t.Find(result.Finding{Says: reason, Class: class}, evidence...)
}

// OnFind sets what is shown each fact before it is recorded, and may give it the class of what explains it.
func (t *Attempt) OnFind(explain func(*result.Finding)) { t.onFind = explain }

// Find records a fact that makes the verdict fail; the scenario goes on.
func (t *Attempt) Find(f result.Finding, evidence ...result.Evidence) {
	if t.onFind != nil {
		t.onFind(&f)
	}
	t.judge(result.Fail, f.Says)
	if t.failed++; t.failed == 1 && t.site.Log != nil && !t.brief {
		t.logged = t.site.Log.Since(t.ctx, t.logMark)
	}
	t.findings = result.AddFinding(t.findings, f)
	t.facts = append(t.facts, f)
	for _, e := range evidence {
		// Several expectations that fail over the same rows show them once.
		if !slices.ContainsFunc(t.evidence, func(o result.Evidence) bool {
			return o.Title == e.Title &&
				o.Text == e.Text
		}) {
			t.Show(e)
		}
	}
	if t.brief {
		t.halt()
	}
}

// FailNow records what does not hold and ends the scenario.
func (t *Attempt) FailNow(class result.Class, reason string, evidence ...result.Evidence) {
	t.Fail(class, reason, evidence...)
	t.halt()
}

// Inconclusive ends the scenario: what was seen allows no verdict.
func (t *Attempt) Inconclusive(format string, a ...any) {
	t.judge(result.Inconclusive, fmt.Sprintf(format, a...))
	t.halt()
}

// InconclusiveByDesign ends the scenario for the reason that it states itself (Scenario.Inconclusive), after what was
// seen.
func (t *Attempt) InconclusiveByDesign(format string, a ...any) {
	t.byDesign = true
	t.Inconclusive("%s; %s", fmt.Sprintf(format, a...), t.scenario.Inconclusive)
}

// Unsupported ends the scenario: the target cannot show what it needs.
func (t *Attempt) Unsupported(format string, a ...any) {
	t.judge(result.Unsupported, fmt.Sprintf(format, a...))
	t.halt()
}

// judge keeps the worst verdict and the first reason that led to it.
func (t *outcome) judge(v result.Verdict, reason string) {
	if t.verdict == result.Pass || result.Worse(v, t.verdict) != t.verdict {
		t.verdict, t.reason = v, reason
	}
}

// Failed says whether an expectation did not hold so far.
func (t *outcome) Failed() bool { return t.verdict == result.Fail }

// Undecided says whether the attempt is no pass so far.
func (t *outcome) Undecided() bool { return t.verdict != result.Pass }

// Must ends the scenario as inconclusive when a verb's work went wrong: a run that could not get that far shows
// nothing. Where the server's own code failed on the call that is a failure of the release, in set-up as well.
func (t *Attempt) Must(err error, format string, a ...any) {
	if err == nil {
		return
	}
	what := fmt.Sprintf(format, a...)
	if cause := context.Cause(t.ctx); cause != nil {
		t.Inconclusive("interrupted while %s: %v", what, cause)
	}
	if t.Thrown(err, "%s", what) {
		panic(halt{})
	}
	t.Inconclusive("%s: %v", what, err)
}

// Thrown records as a failure that the server's own code failed on a call, and says whether it did.
func (t *Attempt) Thrown(err error, format string, a ...any) bool {
	if !cloud.IsThrown(err) {
		return false
	}
	t.checks++
	t.Fail(result.ServerException, fmt.Sprintf("%s: the server's own code failed: %v", fmt.Sprintf(format, a...), err))
	return true
}

// Show adds evidence that changes no verdict.
func (t *outcome) Show(evidence ...result.Evidence) {
	for _, e := range evidence {
		e.Step = cmp.Or(e.Step, len(t.steps))
		t.evidence = append(t.evidence, e)
	}
}

// Note adds a text that changes no verdict.
func (t *outcome) Note(title, format string, a ...any) {
	t.Show(result.Evidence{Kind: result.KindNote, Title: title, Text: fmt.Sprintf(format, a...)})
}

// KnownDefect reports a defect that every release has, without a verdict: it is expected, and if it is gone, that is
// reported too.
func (t *outcome) KnownDefect(present bool, what, source string) {
	state := "present, as in every release seen"
	if !present {
		state = "NOT present here: fixed in this build, or this check is blind"
	}
	t.Note(result.TitleKnownDefect, "%s (%s): %s", what, source, state)
}

// UsesPushFaults notes that the story makes agent commands fail: it can tell a fault of pushes without a look at a
// router.
func (t *Attempt) UsesPushFaults() { t.faulted = true }

// UsedPushFaults says whether it did.
func (t *Attempt) UsedPushFaults() bool { return t.faulted }

// OnCleanup registers work for the end of the scenario; it runs in reverse order on a fresh context.
func (t *Attempt) OnCleanup(what string, do func(context.Context) error) {
	t.undo = append(t.undo, undo{what, do})
}

// OnRemove registers the removal of an API object, unless the whole site is thrown away anyway.
func (t *Attempt) OnRemove(what string, do func(context.Context) error) {
	if !t.site.Disposable {
		t.OnCleanup("removing "+what, do)
	}
}

// CleanupTime bounds the clean-up of one scenario: long enough for an account removal on a real server.
const CleanupTime = 5 * time.Minute

func (t *Attempt) cleanup(parent context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(parent), CleanupTime)
	defer cancel()
	var errs []error
	for _, u := range slices.Backward(t.undo) {
		if err := t.inside(ctx, u.do); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", u.what, err))
		}
	}
	t.undo = nil
	return errors.Join(errs...)
}

// leave notes what could not be removed or closed. What was judged stands: it was seen before.
func (t *outcome) leave(err error) {
	t.left = append(t.left, err)
	t.Note("not removed", "%v", err)
}

// Unique makes an object's name: prefix, word, number.
func (t *Attempt) Unique(word string) string {
	t.serial++
	return fmt.Sprintf("%s-%s-%d", t.name, strings.ToLower(word), t.serial)
}
