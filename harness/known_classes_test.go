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

// TestAKnownDefectIsKnownByItsClasses: in whatever words it is told. A failure of another class is news, alone or
// beside the known ones, and is what the verdict says.
func TestAKnownDefectIsKnownByItsClasses(t *testing.T) {
	known := harness.Known{Releases: release.Where(release.NetworkUsageModelOld), Why: "#1",
		Classes: []result.Class{result.LeakedRow, result.CrossedClose}}
	for name, c := range map[string]struct {
		fails []result.Finding
		known bool
		says  string
	}{
		"as known": {[]result.Finding{{Class: result.LeakedRow, Says: "row 3 is open"}}, true,
			"row 3 is open"},
		"in other words": {[]result.Finding{{Class: result.LeakedRow, Says: "it is billed for ever"}}, true,
			"it is billed for ever"},
		"all that is known": {[]result.Finding{{Class: result.LeakedRow, Says: "a"},
			{Class: result.CrossedClose, Says: "b"}}, true, "a"},
		"of another class": {[]result.Finding{{Class: result.NotBilled, Says: "row 3 is open"}}, false,
			"row 3 is open"},
		"of another class, too": {[]result.Finding{{Class: result.LeakedRow, Says: "a"},
			{Class: result.UsageJob, Says: "no run"}}, false, "no run"},
		"of no class that is so": {[]result.Finding{{Says: "row 3 is open"}}, false, "row 3 is open"},
	} {
		s := harness.Scenario{ID: "X-01", KnownBad: known, Run: func(t *harness.Attempt, _ *harness.Site) {
			for _, f := range c.fails {
				t.Checked(1)
				t.Find(f)
			}
		}}
		run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{}, harness.Plan{Scenarios: harness.Catalogue{s},
			Workers: 1, Progress: harnesstest.Silent{}})
		require.NoError(t, err)
		assert.Equal(t, result.Fail, run.Results[0].Verdict, name)
		assert.Equal(t, c.known, run.Results[0].Known, name)
		assert.Contains(t, run.Results[0].Reason, c.says, name)
		assert.Equal(t, map[bool]int{true: 0, false: 1}[c.known], run.ExitCode(false), name)
	}
}

// TestNewsOfALaterRepeatIsShown: the case tells of the repeat with the failure that nobody knew, and not of the first,
// whose failure is known.
func TestNewsOfALaterRepeatIsShown(t *testing.T) {
	n := 0
	s := harness.Scenario{ID: "X-01", KnownBad: harness.Known{Releases: release.Where(release.NetworkUsageModelOld),
		Why:     "#1",
		Classes: []result.Class{result.LeakedRow}}, Run: func(t *harness.Attempt, _ *harness.Site) {
		t.Checked(1)
		class, says := result.LeakedRow, "known"
		if n++; n == 2 {
			class, says = result.NotBilled, "news"
		}
		t.Note("told", "%s", says)
		t.Find(result.Finding{Class: class, Says: says})
	}}
	run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{}, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 3, Workers: 1, Seed: 10, Progress: harnesstest.Silent{}})
	require.NoError(t, err)
	got := run.Results[0]
	assert.False(t, got.Known)
	assert.Equal(t, "repeat 2 (seed 11): beside the known defect: news", got.Reason)
	require.Len(t, got.Findings, 1)
	assert.Equal(t, "news", got.Findings[0].Says)
	require.NotEmpty(t, got.Evidence)
	assert.Equal(t, "news", got.Evidence[0].Text)
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
		run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{}, harness.Plan{Scenarios: harness.Catalogue{s},
			Workers: 1, Progress: harnesstest.Silent{}})
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
	run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{}, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 20, Workers: 1, Progress: harnesstest.Silent{}})
	require.NoError(t, err)
	assert.Equal(t, 1, run.Results[0].Inconclusives)
	assert.Contains(t, run.Results[0].Claim, "0 of 19 decided repeats failed")
}
