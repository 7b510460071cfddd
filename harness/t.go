package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

// T is what a scenario is told in: verbs that act through the API (NewAccount, VPC, Tier, LoadBalancer, Stick, ...), and
// expectations that look through probes. A verb that cannot be carried out ends the scenario as inconclusive: a run that
// could not get that far shows nothing. An expectation that does not hold makes the verdict fail and lets the story go
// on, so that one run shows all that is wrong.
type T struct {
	ctx      context.Context
	site     *Site
	scenario Scenario
	progress Progress
	rng      *rand.Rand
	name     string // prefix of every object's name, unique to this run of the scenario
	prober   *prober
	watch    *watch
	*outcome

	depth  int
	serial int
	tally  [3]int // pushes, reloads and masked pushes of the site so far
	undo   []undo

	seed  int64
	brief bool
	swept bool
	fresh func(context.Context) (*Site, error) // opens another site of the target
	told  int                                  // stories told on fresh sites

	faulted bool // it made agent commands fail
}

// outcome is what is kept of a story that was told: it holds no site.
type outcome struct {
	verdict  result.Verdict
	byDesign bool     // inconclusive for the reason that the scenario states, and for no other
	failures []string // every reason to fail, in order
	reason   string
	steps    []result.Step
	findings []result.Finding
	evidence []result.Evidence
	views    result.Views
	trials   []trial
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

func newT(ctx context.Context, site *Site, s Scenario, p Progress, seed int64, name string) *T {
	t := &T{ctx: ctx, site: site, scenario: s, progress: p, name: name, seed: seed, outcome: &outcome{verdict: result.Pass},
		rng: rand.New(rand.NewPCG(uint64(seed), 0x5eed))} //nolint:gosec // repeatable on purpose, nothing secret
	t.watch = &watch{t: t}
	t.prober = &prober{t: t}
	return t
}

// Context is the scenario's; it ends when the run is interrupted.
func (t *T) Context() context.Context { return t.ctx }

// Release is the release under test.
func (t *T) Release() string { return t.site.Release }

// step shows and times a verb. Verbs that other verbs use are not shown.
func (t *T) step(format string, a ...any) func() {
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
	}
}

// Fail records what does not hold; the scenario goes on.
func (t *T) Fail(reason string, evidence ...result.Evidence) {
	t.find(result.Finding{Says: reason}, reason, evidence...)
}

// find records a fact that makes the verdict fail; the scenario goes on. Signs of known defects are looked for in the reason.
func (t *T) find(f result.Finding, reason string, evidence ...result.Evidence) {
	t.judge(result.Fail, f.Says)
	t.failures = append(t.failures, reason)
	t.findings = result.AddFinding(t.findings, f)
	for _, e := range evidence {
		// Several expectations that fail over the same rows show them once.
		if !slices.ContainsFunc(t.evidence, func(o result.Evidence) bool { return o.Title == e.Title && o.Text == e.Text }) {
			t.evidence = append(t.evidence, e)
		}
	}
	if t.brief {
		panic(halt{})
	}
}

// Inconclusive ends the scenario: what was seen allows no verdict.
func (t *T) Inconclusive(format string, a ...any) {
	t.judge(result.Inconclusive, fmt.Sprintf(format, a...))
	panic(halt{})
}

// Unsupported ends the scenario: the target cannot show what it needs.
func (t *T) Unsupported(format string, a ...any) {
	t.judge(result.Unsupported, fmt.Sprintf(format, a...))
	panic(halt{})
}

// judge keeps the worst verdict and the first reason that led to it.
func (t *T) judge(v result.Verdict, reason string) {
	if t.verdict == result.Pass || result.Worse(v, t.verdict) != t.verdict {
		t.verdict, t.reason = v, reason
	}
}

// Failed says whether an expectation did not hold so far.
func (t *T) Failed() bool { return t.verdict == result.Fail }

// must ends the scenario as inconclusive when a verb's work went wrong.
func (t *T) must(err error, format string, a ...any) {
	if err == nil {
		return
	}
	what := fmt.Sprintf(format, a...)
	if cause := context.Cause(t.ctx); cause != nil {
		t.Inconclusive("interrupted while %s: %v", what, cause)
	}
	t.Inconclusive("%s: %v", what, err)
}

// Note adds evidence that changes no verdict.
func (t *T) Note(title, format string, a ...any) {
	t.evidence = append(t.evidence, result.Evidence{Kind: result.KindNote, Title: title, Text: fmt.Sprintf(format, a...)})
}

// KnownDefect reports a defect that every release has, without a verdict: it is expected, and if it is gone, that is
// reported too.
func (t *T) KnownDefect(present bool, what, source string) {
	state := "present, as in every release seen"
	if !present {
		state = "NOT present here: fixed in this build, or this check is blind"
	}
	t.Note(result.TitleKnownDefect, "%s (%s): %s", what, source, state)
}

// onCleanup registers work for the end of the scenario; it runs in reverse order on a fresh context.
func (t *T) onCleanup(what string, do func(context.Context) error) {
	t.undo = append(t.undo, undo{what, do})
}

// onRemove registers the removal of an API object, unless the whole site is thrown away anyway.
func (t *T) onRemove(what string, do func(context.Context) error) {
	if !t.site.Disposable {
		t.onCleanup("removing "+what, do)
	}
}

// cleanupTime bounds the clean-up of one scenario: long enough for an account removal on a real server.
const cleanupTime = 5 * time.Minute

func (t *T) cleanup(parent context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(parent), cleanupTime)
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

// unique makes an object's name: prefix, word, number.
func (t *T) unique(word string) string {
	t.serial++
	return fmt.Sprintf("%s-%s-%d", t.name, strings.ToLower(word), t.serial)
}
