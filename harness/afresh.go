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
	Findings []result.Finding
	Evidence []result.Evidence
}

// Afresh tells a story on a fresh site of the same target and closes it; the outcome judges nothing here. The attempt's
// own site is closed at the first call, since a target may have room for one only: afterwards this attempt has nothing
// to act on.
func (t *Attempt) Afresh(story Tell) Outcome {
	if t.fresh == nil {
		t.Inconclusive("the target gives no second site")
	}
	if err := t.cleanup(t.ctx); err != nil {
		t.leave(err)
	}
	t.Must(t.site.Close(context.WithoutCancel(t.ctx)), "closing the site before a fresh one")
	if t.ctx.Err() != nil {
		t.Must(context.Cause(t.ctx), "opening a fresh site")
	}
	site, err := t.fresh(t.ctx)
	t.Must(err, "opening a fresh site")
	t.told++
	s := t.scenario
	s.Run, s.Inconclusive = story, ""
	inner := newAttempt(t.ctx, site, s, t.progress, t.seed, fmt.Sprintf("%s-%d", t.name, t.told))
	inner.brief, inner.swept = t.brief, t.swept
	inner.tell()
	if err := inner.cleanup(t.ctx); err != nil {
		t.leave(err)
	}
	if err := site.Close(context.WithoutCancel(t.ctx)); err != nil {
		t.leave(fmt.Errorf("closing the site: %w", err))
	}
	t.checks += inner.checks
	return Outcome{inner.verdict, inner.reason, inner.findings, inner.evidence}
}
