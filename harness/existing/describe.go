package existing

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/harness/existing/usageruns"
	"github.com/stackproof/stackproof/harness/result"
)

// Findings is what trying the capabilities gave.
func (t *Target) Findings() []finding.Finding { return slices.Clone(t.findings) }

// Release is the release under test.
func (t *Target) Release() string { return t.release }

// Describe implements harness.Target.
func (t *Target) Describe() harness.Description {
	d := harness.Description{Name: t.opts.Name, Release: t.release, Router: "none", Groups: t.room.Groups(t.chosen)}
	if t.watch != nil {
		d.Router = t.watch.describe()
		d.RouterCode = t.config.RouterProfile
		if s := t.opts.Scripts; s != nil && t.watch.fleet != nil {
			d.Router, d.RouterCode = s.String()+" (shadow)", cmp.Or(s.Release(), harness.UnknownRelease)
		}
	}
	if t.routers != nil {
		d.Router = "real, by command"
	}
	return d
}

// checks says who answers for the routers' health checks: of simulated hosts no script does.
func (t *Target) checks() harness.Checks {
	switch {
	case t.watch != nil && t.watch.fleet != nil && t.opts.Scripts != nil:
		return harness.ChecksNotRun
	case t.simulated:
		return harness.ChecksOfModel
	}
	return harness.ChecksOfRouter
}

// Notes are what a reader of the run must know of the target.
func (t *Target) Notes(run result.Run) []string {
	notes := slices.Clone(t.notes)
	var ids []string
	for _, c := range run.Results {
		if c.UnexpectedPass() {
			ids = append(ids, c.ID)
		}
	}
	if len(ids) > 0 {
		notes = append(notes, fmt.Sprintf("patched build: the server calls itself %s, which is known to fail %s, "+
			"and they passed", t.release, strings.Join(ids, ", ")))
	}
	notes = append(notes, t.room.Note(run, t.chosen)...)
	if runs := t.usageRuns(); len(runs) > 0 {
		said := make([]string, len(runs))
		for i, r := range runs {
			said[i] = fmt.Sprintf("to %s for %s", r.Covered.Format(time.TimeOnly), strings.Join(r.IDs, " "))
		}
		notes = append(notes, waitedFor(said))
	}
	if t.cloud != nil && t.cloud.Pacer() != nil { // neither before it was opened
		notes = append(notes, "API calls: "+t.cloud.Pacer().Stats().String())
	}
	if t.watch != nil && t.watch.fleet != nil {
		notes = append(notes, t.watch.past.notes()...)
	}
	return notes
}

// waitedFor says how many usage runs served whom.
func waitedFor(runs []string) string {
	were := "usage runs were"
	if len(runs) == 1 {
		were = "usage run was"
	}
	return fmt.Sprintf("%d %s waited for: %s", len(runs), were, strings.Join(runs, "; "))
}

// failures say whether the last run that was waited for ended with a usage server that fails, and whether any did.
func (t *Target) failures() (last, ever *usageruns.Failing) {
	t.mu.Lock()
	b := t.barrier
	t.mu.Unlock()
	if b != nil {
		end, failed := b.Ends()
		errors.As(end, &last)
		errors.As(failed, &ever)
	}
	return last, ever
}

// SiteCases implements harness.SiteTeller.
func (t *Target) SiteCases() []result.Case {
	if _, f := t.failures(); f != nil {
		return []result.Case{f.Case()}
	}
	return nil
}
