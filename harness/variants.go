package harness

import (
	"context"
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/result/stats"
)

// trial is one of several that a story consists of, and the condition that they differ in.
type trial struct {
	condition string
	failed    bool
}

// Trial tells a part of the story that is repeated under several conditions; how often it failed under each is reported
// with its interval. One that ended without a verdict does not count.
func (t *Attempt) Trial(condition string, story func()) {
	before, ended := t.failed, false
	defer func() {
		if failed := t.failed > before; ended || failed {
			t.trials = append(t.trials, trial{condition, failed})
		}
	}()
	story()
	ended = true
}

// rates folds trials, those of several repeats too, by condition, in the order in which conditions came.
func rates(trials []trial) []stats.Rate {
	var all []stats.Rate
	at := map[string]int{}
	for _, one := range trials {
		i, ok := at[one.condition]
		if !ok {
			i = len(all)
			at[one.condition] = i
			all = append(all, stats.Rate{Condition: one.condition})
		}
		all[i].Total++
		if one.failed {
			all[i].Failures++
		}
	}
	return all
}

// rateClaim is what trials allow one to say; empty without any.
func rateClaim(id string, all []stats.Rate) string {
	if len(all) == 0 {
		return ""
	}
	words := make([]string, len(all))
	for i, r := range all {
		words[i] = r.String()
	}
	return id + " by condition, each with 95 % confidence: " + strings.Join(words, "; ") + "."
}

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
