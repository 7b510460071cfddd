package harness

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/release"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

// fakeTarget is a target without a zone: it shows how the runner treats what scenarios do.
type fakeTarget struct {
	mu       sync.Mutex
	opened   int
	closed   int
	site     Site
	openErr  error
	closeErr error
}

func (f *fakeTarget) Describe() Description { return Description{Name: "fake", Release: "4.20.0.0"} }

func (f *fakeTarget) Site(context.Context, string, int64) (*Site, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.openErr != nil {
		return nil, f.openErr
	}
	f.opened++
	s := f.site
	s.Description = f.Describe()
	s.OnClose(func(context.Context) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.closed++
		return f.closeErr
	})
	return &s, nil
}

func (f *fakeTarget) Close(context.Context) error { return nil }

type silent struct{}

func (silent) Scenario(string, string, int) {}
func (silent) Step(string, string)          {}
func (silent) Finished(result.Case)         {}

func checked(t *T) { t.watch.checks++ }

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		scenario Scenario
		target   *fakeTarget
		verdict  result.Verdict
		reason   string
		code     int
	}{
		"pass":            {Scenario{Run: checked}, &fakeTarget{}, result.Pass, "", 0},
		"nothing checked": {Scenario{Run: func(*T) {}}, &fakeTarget{}, result.Inconclusive, "checked nothing", 3},
		"fail":            {Scenario{Run: func(t *T) { checked(t); t.Fail("wrong") }}, &fakeTarget{}, result.Fail, "wrong", 1},
		"fail beats a later stop": {Scenario{Run: func(t *T) { t.Fail("wrong"); t.Inconclusive("then stuck") }},
			&fakeTarget{}, result.Fail, "wrong", 1},
		"stuck":  {Scenario{Run: func(t *T) { checked(t); t.Inconclusive("stuck at %d", 3) }}, &fakeTarget{}, result.Inconclusive, "stuck at 3", 3},
		"broken": {Scenario{Run: func(*T) { panic("a defect of the scenario") }}, &fakeTarget{}, result.Inconclusive, "the scenario itself broke", 3},
		"missing capability": {Scenario{Run: checked, Needs: []Capability{UsageDB}},
			&fakeTarget{site: Site{Missing: map[Capability]string{UsageDB: "no DSN given"}}}, result.Unsupported, "no DSN given", 3},
		"broken capability": {Scenario{Run: checked, Needs: []Capability{UsageDB}},
			&fakeTarget{site: Site{Broken: map[Capability]string{UsageDB: "access denied"}}}, result.Inconclusive, "access denied", 3},
		"site does not open":  {Scenario{Run: checked}, &fakeTarget{openErr: errors.New("no room")}, result.Inconclusive, "no room", 3},
		"site does not close": {Scenario{Run: checked}, &fakeTarget{closeErr: errors.New("stuck process")}, result.Inconclusive, "stuck process", 3},
		"known failure": {Scenario{KnownBad: Known{Releases: release.Where(release.NetworkUsageModelOld), Why: "#1"}, Run: func(t *T) { t.Fail("as known") }},
			&fakeTarget{}, result.Fail, "as known", 0},
		"inconclusive by design": {Scenario{Inconclusive: "by design", Run: checked}, &fakeTarget{}, result.Inconclusive, "by design", 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.scenario.ID = "X-01"
			run, err := Run(t.Context(), c.target, Plan{Scenarios: Catalogue{c.scenario}, Repeat: 1, Workers: 1, Progress: silent{}})
			require.NoError(t, err)
			require.Len(t, run.Results, 1)
			got := run.Results[0]
			assert.Equal(t, c.verdict, got.Verdict, got.Reason)
			assert.Contains(t, got.Reason, c.reason)
			assert.Equal(t, c.code, run.ExitCode(false))
			assert.Equal(t, c.target.opened, c.target.closed, "every opened site is closed")
		})
	}
}

func TestRepeatsAreFolded(t *testing.T) {
	n := 0
	s := Scenario{ID: "X-01", Run: func(t *T) {
		checked(t)
		if n++; n == 3 {
			t.Fail("the third time")
		}
	}}
	run, err := Run(t.Context(), &fakeTarget{}, Plan{Scenarios: Catalogue{s}, Repeat: 5, Workers: 1, Seed: 10, Progress: silent{}})
	require.NoError(t, err)
	got := run.Results[0]
	assert.Equal(t, []int{5, 1, 0}, []int{got.Repeats, got.Failures, got.Inconclusives})
	assert.Equal(t, result.Fail, got.Verdict, "one failure is a failure, never retried to green")
	assert.Contains(t, got.Reason, "repeat 3 (seed 12)")
	assert.Contains(t, got.Claim, "1 of 5 repeats failed")
}

func TestUntilFailureStops(t *testing.T) {
	s := Scenario{ID: "X-01", Run: func(t *T) { checked(t); t.Fail("always") }}
	run, err := Run(t.Context(), &fakeTarget{}, Plan{Scenarios: Catalogue{s}, Repeat: 5, Workers: 1, UntilFailure: true, Progress: silent{}})
	require.NoError(t, err)
	assert.Equal(t, 1, run.Results[0].Repeats)
}

func TestInterruptedRunMissesResults(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	first := Scenario{ID: "X-01", Run: func(t *T) {
		checked(t)
		cancel(ErrInterrupted)
		t.must(context.Cause(t.Context()), "working")
	}}
	run, err := Run(ctx, &fakeTarget{}, Plan{Scenarios: Catalogue{first, {ID: "X-02", Run: checked}}, Workers: 1, Progress: silent{}})
	require.ErrorIs(t, err, ErrInterrupted)
	assert.Equal(t, []string{"X-02"}, run.Missing())
	assert.Equal(t, 1, run.ExitCode(false), "fewer results than planned is a failure")
}

func TestCleanupRunsInReverseAndReportsAll(t *testing.T) {
	var order []string
	s := Scenario{ID: "X-01", Run: func(t *T) {
		checked(t)
		for _, name := range []string{"first", "second"} {
			t.onCleanup(name, func(context.Context) error { order = append(order, name); return errors.New(name + " is stuck") })
		}
		panic("halfway")
	}}
	run, err := Run(t.Context(), &fakeTarget{}, Plan{Scenarios: Catalogue{s}, Workers: 1, Progress: silent{}})
	require.NoError(t, err)
	assert.Equal(t, []string{"second", "first"}, order)
	var notes string
	for _, e := range run.Results[0].Evidence {
		notes += e.Text
	}
	assert.Contains(t, notes, "first is stuck")
	assert.Contains(t, notes, "second is stuck")
}
