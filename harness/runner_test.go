package harness_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/release"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testhome.Around(m)) }

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		scenario harness.Scenario
		target   *harnesstest.FakeTarget
		verdict  result.Verdict
		reason   string
		code     int
	}{
		"pass": {harness.Scenario{Run: harnesstest.Checked}, &harnesstest.FakeTarget{}, result.Pass, "", 0},
		"nothing checked": {harness.Scenario{Run: func(*harness.Attempt, *harness.Site) {}}, &harnesstest.FakeTarget{},
			result.Inconclusive, "checked nothing", 3},
		"fail": {harness.Scenario{Run: func(t *harness.Attempt,
			_ *harness.Site) {
			t.Checked(1)
			t.Fail(result.WrongHours, "wrong")
		}}, &harnesstest.FakeTarget{}, result.Fail, "wrong", 1},
		"fail beats a later stop": {harness.Scenario{Run: func(t *harness.Attempt, _ *harness.Site) {
			t.Fail(result.WrongHours, "wrong")
			t.Inconclusive("then stuck")
		}},
			&harnesstest.FakeTarget{}, result.Fail, "wrong", 1},
		"stuck": {harness.Scenario{Run: func(t *harness.Attempt,
			_ *harness.Site) {
			t.Checked(1)
			t.Inconclusive("stuck at %d", 3)
		}}, &harnesstest.FakeTarget{}, result.Inconclusive, "stuck at 3", 3},
		"broken": {harness.Scenario{Run: func(*harness.Attempt, *harness.Site) { panic("a defect of the scenario") }},
			&harnesstest.FakeTarget{}, result.Inconclusive, "the scenario itself broke", 3},
		"missing capability": {harness.Scenario{Run: harnesstest.Checked, Needs: []harness.Capability{harness.UsageDB}},
			&harnesstest.FakeTarget{Template: harness.Site{
				Missing: map[harness.Capability]string{harness.UsageDB: "no DSN given"},
			}}, result.Unsupported, "no DSN given", 3},
		"broken capability": {harness.Scenario{Run: harnesstest.Checked, Needs: []harness.Capability{harness.UsageDB}},
			&harnesstest.FakeTarget{Template: harness.Site{
				Broken: map[harness.Capability]string{harness.UsageDB: "access denied"},
			}}, result.Inconclusive, "access denied", 3},
		"site does not open": {harness.Scenario{Run: harnesstest.Checked},
			&harnesstest.FakeTarget{OpenErr: errors.New("no room")}, result.Inconclusive, "no room", 3},
		"known failure": {harness.Scenario{KnownBad: harness.Known{Releases: release.Where(
			release.NetworkUsageModelOld), Why: "#1", Classes: []result.Class{result.WrongHours}},
			Run: func(t *harness.Attempt, _ *harness.Site) { t.Fail(result.WrongHours, "as known") }},
			&harnesstest.FakeTarget{}, result.Fail, "as known", 0},
		"inconclusive by design": {harness.Scenario{Inconclusive: "by design", Run: harnesstest.Checked},
			&harnesstest.FakeTarget{}, result.Inconclusive, "by design", 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.scenario.ID = "X-01"
			run, err := harness.Run(t.Context(), c.target, harness.Plan{Scenarios: harness.Catalogue{c.scenario},
				Repeat: 1, Workers: 1, Progress: harnesstest.Silent{}})
			require.NoError(t, err)
			require.Len(t, run.Results, 1)
			got := run.Results[0]
			assert.Equal(t, c.verdict, got.Verdict, got.Reason)
			assert.Contains(t, got.Reason, c.reason)
			assert.Equal(t, c.code, run.ExitCode(false))
			opened, closed := c.target.Sites()
			assert.Equal(t, opened, closed, "every opened site is closed")
		})
	}
}

func TestRepeatsAreFolded(t *testing.T) {
	n := 0
	s := harness.Scenario{ID: "X-01", Run: func(t *harness.Attempt, _ *harness.Site) {
		t.Checked(1)
		if n++; n == 3 {
			t.Fail(result.WrongHours, "the third time")
		}
	}}
	run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{}, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 5, Workers: 1, Seed: 10, Progress: harnesstest.Silent{}})
	require.NoError(t, err)
	got := run.Results[0]
	assert.Equal(t, []int{5, 1, 0}, []int{got.Repeats, got.Failures, got.Inconclusives})
	assert.Equal(t, result.Fail, got.Verdict, "one failure is a failure, never retried to green")
	assert.Contains(t, got.Reason, "repeat 3 (seed 12)")
	assert.Contains(t, got.Claim, "1 of 5 repeats failed")
}

// TestEvidenceKnowsItsStep: whoever reads two pieces of one title must know which came first.
func TestEvidenceKnowsItsStep(t *testing.T) {
	s := harness.Scenario{ID: "X-01", Run: func(t *harness.Attempt, _ *harness.Site) {
		t.Checked(1)
		t.Show(result.Evidence{Title: "before all steps"})
		t.Step("make")()
		end := t.Step("look")
		t.Fail(result.WrongHours, "wrong", result.Evidence{Title: "rows"})
		end()
		t.Show(result.Evidence{Title: "elsewhere", Step: 1})
	}}
	run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{}, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 1, Workers: 1, Progress: harnesstest.Silent{}})
	require.NoError(t, err)
	steps := map[string]int{}
	for _, e := range run.Results[0].Evidence {
		steps[e.Title] = e.Step
	}
	assert.Equal(t, map[string]int{"before all steps": 0, "rows": 2, "elsewhere": 1}, steps)
}

func TestUntilFailureStops(t *testing.T) {
	s := harness.Scenario{ID: "X-01", Run: func(t *harness.Attempt,
		_ *harness.Site) {
		t.Checked(1)
		t.Fail(result.WrongHours, "always")
	}}
	run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{}, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 5, Workers: 1, UntilFailure: true, Progress: harnesstest.Silent{}})
	require.NoError(t, err)
	assert.Equal(t, 1, run.Results[0].Repeats)
}

func TestInterruptedRunMissesResults(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	first := harness.Scenario{ID: "X-01", Run: func(t *harness.Attempt, _ *harness.Site) {
		t.Checked(1)
		cancel(harness.ErrInterrupted)
		t.Must(context.Cause(t.Context()), "working")
	}}
	run, err := harness.Run(ctx, &harnesstest.FakeTarget{},
		harness.Plan{Scenarios: harness.Catalogue{first, {ID: "X-02", Run: harnesstest.Checked}}, Workers: 1,
			Progress: harnesstest.Silent{}})
	require.ErrorIs(t, err, harness.ErrInterrupted)
	assert.Equal(t, []string{"X-02"}, run.Missing())
	assert.Equal(t, 1, run.ExitCode(false), "fewer results than planned is a failure")
}

func TestCleanupRunsInReverseAndReportsAll(t *testing.T) {
	var order []string
	s := harness.Scenario{ID: "X-01", Run: func(t *harness.Attempt, _ *harness.Site) {
		t.Checked(1)
		for _, name := range []string{"first", "second"} {
			t.OnCleanup(name, func(context.Context) error {
				order = append(order, name)
				return errors.New(name +
					" is stuck")
			})
		}
		panic("halfway")
	}}
	run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{}, harness.Plan{Scenarios: harness.Catalogue{s},
		Workers: 1, Progress: harnesstest.Silent{}})
	require.NoError(t, err)
	assert.Equal(t, []string{"second", "first"}, order)
	var notes string
	for _, e := range run.Results[0].Evidence {
		notes += e.Text
	}
	assert.Contains(t, notes, "first is stuck")
	assert.Contains(t, notes, "second is stuck")
}

// TestCleanUpChangesNoVerdict lets what comes after the story go wrong: what was judged stands, and the case leaks
// tells the rest.
func TestCleanUpChangesNoVerdict(t *testing.T) {
	stuck := func(a *harness.Attempt) {
		a.OnRemove("account x", func(context.Context) error { return errors.New("the server is busy") })
	}
	for name, c := range map[string]struct {
		run     harness.Tell
		close   error
		verdict result.Verdict
		remains string
	}{
		"a pass": {func(a *harness.Attempt, _ *harness.Site) { a.Checked(1); stuck(a) }, nil,
			result.Pass, "X-01: removing account x: the server is busy"},
		"a fail": {func(a *harness.Attempt, _ *harness.Site) {
			stuck(a)
			a.Fail(result.WrongHours,
				"wrong")
		}, nil, result.Fail, "X-01: removing account x: the server is busy"},
		"a stop": {func(a *harness.Attempt, _ *harness.Site) { stuck(a); a.Inconclusive("stuck") },
			nil, result.Inconclusive, "the server is busy"},
		"a site that does not close": {harnesstest.Checked, errors.New("a process that stays"), result.Pass,
			"X-01: closing the site: a process that stays"},
		"a fresh site": {func(a *harness.Attempt, _ *harness.Site) {
			out := a.Afresh(func(a *harness.Attempt, _ *harness.Site) { a.Checked(1); stuck(a) })
			a.Checked(1)
			if out.Verdict != result.Pass {
				a.Fail(result.WrongHours, out.Reason)
			}
		}, nil, result.Pass, "the server is busy"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, watched := range []bool{false, true} {
				var target harness.Target = &harnesstest.FakeTarget{CloseErr: c.close}
				if watched {
					target = leaking{FakeTarget: &harnesstest.FakeTarget{CloseErr: c.close},
						found: []string{"account x"}}
				}
				run, err := harness.Run(t.Context(), target,
					harness.Plan{Scenarios: harness.Catalogue{{ID: "X-01", Run: c.run}}, Repeat: 1, Workers: 1,
						Progress: harnesstest.Silent{}})
				require.NoError(t, err)
				require.Len(t, run.Results, 2)
				assert.Equal(t, c.verdict, run.Results[0].Verdict, run.Results[0].Reason)
				leaks := run.Results[1]
				assert.Equal(t, harness.LeaksID, leaks.ID)
				assert.Equal(t, map[bool]result.Verdict{true: result.Fail, false: result.Inconclusive}[watched],
					leaks.Verdict)
				assert.Contains(t, leaks.Evidence[0].Text, c.remains)
			}
		})
	}
}

// TestPartialResults listens to what is known so far: nothing but the plan at first, then each scenario, in the plan's
// order.
func TestPartialResults(t *testing.T) {
	var told []string
	scenarios := harness.Catalogue{{ID: "X-01", Run: harnesstest.Checked},
		{ID: "X-02", Weight: 9, Run: harnesstest.Checked}}
	run, err := harness.Run(t.Context(), leaking{FakeTarget: &harnesstest.FakeTarget{}},
		harness.Plan{Scenarios: scenarios, Workers: 1, Progress: harnesstest.Silent{},
			Partial: func(run result.Run) {
				line := ""
				for _, c := range run.Results {
					line += c.ID + " " + string(c.Verdict) + ", "
				}
				told = append(told, line+strings.Join(run.Notes, "; "))
			}})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"this run has not ended: 3 of 3 have no result yet (X-01 X-02 leaks)",
		"X-02 pass, this run has not ended: 2 of 3 have no result yet (X-01 leaks)",
		"X-01 pass, X-02 pass, this run has not ended: 1 of 3 have no result yet (leaks)",
	}, told)
	assert.Len(t, run.Results, 3)
	assert.Empty(t, run.Missing())
	assert.Empty(t, run.Notes)
}

// logged is a server's log of which the story writes a line.
type logged struct{ lines []string }

func (l *logged) Mark() int { return len(l.lines) }

func (l *logged) Since(_ context.Context, mark int) []string { return slices.Clone(l.lines[mark:]) }

// TestAFailureHasTheServersLog: from the story's beginning to the first failure; a pass has none.
func TestAFailureHasTheServersLog(t *testing.T) {
	log := &logged{lines: []string{"before"}}
	target := &harnesstest.FakeTarget{Template: harness.Site{Log: log}}
	told := harness.RunScenario(t.Context(), target, harness.Scenario{ID: "X", Run: func(a *harness.Attempt,
		_ *harness.Site) {
		log.lines = append(log.lines, "the call failed")
		a.Fail(result.FalseSuccess, "it answered success")
		log.lines = append(log.lines, "afterwards")
		a.Fail(result.StillListed, "it is still listed")
	}}, harness.Plan{})
	assert.Equal(t, []string{"the call failed"}, told.Log)
	told = harness.RunScenario(t.Context(), target, harness.Scenario{ID: "X", Run: harnesstest.Checked}, harness.Plan{})
	assert.Empty(t, told.Log)
}

// TestDeadline: when a run's time is up it ends with a full report: what was judged stands, what was under way and what
// had not begun is inconclusive and says why, and its sites are closed. A run with enough time is as without a bound.
func TestDeadline(t *testing.T) {
	long := func(t *harness.Attempt, _ *harness.Site) {
		t.Checked(1)
		select {
		case <-time.After(time.Hour):
		case <-t.Context().Done():
			t.Must(context.Cause(t.Context()), "waiting for a usage run")
		}
	}
	all := harness.Catalogue{{ID: "X-01", Run: harnesstest.Checked, Weight: 2}, {ID: "X-02", Run: long, Weight: 1},
		{ID: "X-03", Run: harnesstest.Checked}}
	for name, c := range map[string]struct {
		deadline, took time.Duration
		want           []result.Verdict
		code           int
	}{
		"no limit":    {0, time.Hour, []result.Verdict{result.Pass, result.Pass, result.Pass}, 0},
		"enough time": {2 * time.Hour, time.Hour, []result.Verdict{result.Pass, result.Pass, result.Pass}, 0},
		"too short": {time.Minute, time.Minute,
			[]result.Verdict{result.Pass, result.Inconclusive, result.Inconclusive}, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			target := &harnesstest.FakeTarget{}
			began := time.Now()
			run, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: all, Workers: 1,
				Deadline: c.deadline, Progress: harnesstest.Silent{}})
			require.NoError(t, err, name)
			assert.Equal(t, c.took, time.Since(began), name)
			require.Len(t, run.Results, len(all), name)
			for i, one := range run.Results {
				assert.Equal(t, c.want[i], one.Verdict, "%s: %s", name, one.ID)
				if one.Verdict == result.Inconclusive {
					assert.Contains(t, one.Reason, "the run's time of 1m0s is up (--deadline)")
				}
			}
			assert.Empty(t, run.Missing(), name)
			assert.Equal(t, c.code, run.ExitCode(false), name)
			assert.Len(t, run.Notes, map[bool]int{true: 1}[c.code != 0], name)
			opened, closed := target.Sites()
			assert.Equal(t, opened, closed, name)
		})
	}
}
