package harness

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/harness/result"
)

// Outcome is how a story went that was told on a site of its own.
type Outcome struct {
	Verdict  result.Verdict
	Reason   string
	Evidence []result.Evidence
}

// Afresh tells a story on a fresh site of the same target and closes it; the outcome judges nothing here. The scenario's own
// site is closed at the first call, since a target may have room for one only: afterwards this T has nothing to act on.
func (t *T) Afresh(story func(*T)) Outcome {
	if t.fresh == nil {
		t.Inconclusive("the target gives no second site")
	}
	t.must(t.cleanup(t.ctx), "cleaning up before a fresh site")
	t.must(t.site.Close(context.WithoutCancel(t.ctx)), "closing the site before a fresh one")
	if t.ctx.Err() != nil {
		t.must(context.Cause(t.ctx), "opening a fresh site")
	}
	site, err := t.fresh(t.ctx)
	t.must(err, "opening a fresh site")
	t.told++
	s := t.scenario
	s.Run, s.Inconclusive = story, ""
	inner := newT(t.ctx, site, s, t.progress, t.seed, fmt.Sprintf("%s-%d", t.name, t.told))
	inner.brief, inner.swept = t.brief, t.swept
	inner.tell()
	if err := inner.cleanup(t.ctx); err != nil {
		inner.judge(result.Inconclusive, fmt.Sprintf("cleaning up: %v", err))
	}
	if err := site.Close(context.WithoutCancel(t.ctx)); err != nil {
		inner.judge(result.Inconclusive, fmt.Sprintf("closing the site: %v", err))
	}
	t.watch.checks += inner.watch.checks
	return Outcome{inner.verdict, inner.reason, inner.evidence}
}

// Disposable says that fresh sites cost little and leave nothing behind.
func (t *T) Disposable() bool { return t.site.Disposable }

// Brief says that only the verdict is of interest, so that nothing need be spent on explaining it.
func (t *T) Brief() bool { return t.brief }

// Swept says that the run is one of a proof's sweep: a fault is planted that the scenario does not name as its own. Its story
// is told, the variants that are there for faults of its own need not be.
func (t *T) Swept() bool { return t.swept }

// Seed is that of this repeat.
func (t *T) Seed() int64 { return t.seed }
