package harness_test

import (
	"testing"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/release"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// TestAnotherFailureOfAKnownBadScenarioIsNews: only what shows the known defect is excused by it.
func TestAnotherFailureOfAKnownBadScenarioIsNews(t *testing.T) {
	known := harness.Known{Releases: release.Where(release.NetworkUsageModelOld), Why: "#1", Signs: []string{"[leaked-row]"}}
	for reason, want := range map[string]struct {
		known bool
		code  int
	}{
		"row 3 is open [leaked-row]": {true, 0},
		"row 3 is gone":              {false, 1},
	} {
		s := harness.Scenario{ID: "X-01", KnownBad: known, Run: func(t *harness.Attempt, _ *harness.Site) { t.Checked(1); t.Fail("first"); t.Fail(reason) }}
		run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{}, harness.Plan{Scenarios: harness.Catalogue{s}, Workers: 1, Progress: harnesstest.Silent{}})
		require.NoError(t, err)
		assert.Equal(t, want.known, run.Results[0].Known, reason)
		assert.Equal(t, want.code, run.ExitCode(false), reason)
	}
}

// TestOnlyTheStatedReasonIsByDesign: a control that could not even be told is not excused by being a control.
func TestOnlyTheStatedReasonIsByDesign(t *testing.T) {
	for name, c := range map[string]struct {
		run  harness.Tell
		code int
	}{
		"told to its end": {harnesstest.Checked, 0},
		"stuck":           {func(t *harness.Attempt, _ *harness.Site) { t.Inconclusive("the database is gone") }, 3},
	} {
		s := harness.Scenario{ID: "X-01", Inconclusive: "shows nothing", Run: c.run}
		run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{}, harness.Plan{Scenarios: harness.Catalogue{s}, Workers: 1, Progress: harnesstest.Silent{}})
		require.NoError(t, err)
		assert.Equal(t, result.Inconclusive, run.Results[0].Verdict, name)
		assert.Equal(t, c.code, run.ExitCode(false), name)
	}
}

// TestInconclusivesAreCounted: they leave the denominator of a claim, so they must be seen.
func TestInconclusivesAreCounted(t *testing.T) {
	n := 0
	s := harness.Scenario{ID: "X-01", Run: func(t *harness.Attempt, _ *harness.Site) {
		t.Checked(1)
		if n++; n == 2 {
			t.Inconclusive("undecided")
		}
	}}
	run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{}, harness.Plan{Scenarios: harness.Catalogue{s}, Repeat: 20, Workers: 1, Progress: harnesstest.Silent{}})
	require.NoError(t, err)
	assert.Equal(t, 1, run.Results[0].Inconclusives)
	assert.Contains(t, run.Results[0].Claim, "0 of 19 decided repeats failed")
}
