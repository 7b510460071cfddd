// Package harnesstest is what tests of the runner, of the story language and of proofs share: a target without a zone.
// What a target with a zone does is for the tests of lab, existing and scenarios.
package harnesstest

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
)

// FakeTarget is a target without a zone: it shows how the runner treats what scenarios do.
type FakeTarget struct {
	// Template is what each site is a copy of.
	Template harness.Site
	// Release is the one under test; 4.20.0.0 when it is empty.
	Release string
	// Knobs are those of a lab; nil is none.
	Knobs release.Knobs
	// OpenErr and CloseErr are what opening and closing a site end with.
	OpenErr, CloseErr error

	mu             sync.Mutex
	opened, closed int
}

// Describe implements harness.Target.
func (f *FakeTarget) Describe() harness.Description {
	d := harness.Description{Name: "fake", Release: f.Release, Knobs: f.Knobs}
	if d.Release == "" {
		d.Release = "4.20.0.0"
	}
	return d
}

// Site implements harness.Target.
func (f *FakeTarget) Site(context.Context, string, int64) (*harness.Site, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.OpenErr != nil {
		return nil, f.OpenErr
	}
	f.opened++
	s := f.Template
	s.Description = f.Describe()
	s.OnClose(func(context.Context) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.closed++
		return f.CloseErr
	})
	return &s, nil
}

// Close implements harness.Target.
func (f *FakeTarget) Close(context.Context) error { return nil }

// Sites is how many sites were opened and closed.
func (f *FakeTarget) Sites() (opened, closed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.opened, f.closed
}

// Silent is a progress that nobody sees.
type Silent struct{}

// Scenario implements harness.Progress.
func (Silent) Scenario(string, string, int) {}

// Step implements harness.Progress.
func (Silent) Step(string, string) {}

// Finished implements harness.Progress.
func (Silent) Finished(result.Case) {}

// Checked is a story that looks at one expectation, which holds.
func Checked(a *harness.Attempt, _ *harness.Site) { a.Checked(1) }

// CaseOf tells a story on a site without a zone and gives what a run says of it.
func CaseOf(t testing.TB, site harness.Site, tell harness.Tell) result.Case {
	t.Helper()
	run, err := harness.Run(t.Context(), &FakeTarget{Template: site}, harness.Plan{
		Scenarios: harness.Catalogue{{ID: "X-01", Run: tell}}, Workers: 1, Progress: Silent{}})
	require.NoError(t, err)
	return run.Results[0]
}
