package harness_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/release"
)

func TestRouterDefectsGoByTheRoutersCode(t *testing.T) {
	old := release.Where(release.VRCompareAsSet)
	for _, c := range []struct {
		name          string
		router        bool
		release, code string
		known         bool
	}{
		{"the model has the target's rules", true, "4.19.1.0", "", true},
		{"old scripts behind a new server", true, "4.20.1.0", "4.19.1.0", true},
		{"new scripts behind an old server", true, "4.19.1.0", "4.20.1.0", false},
		{"a tree that does not tell", true, "4.19.1.0", harness.UnknownRelease, false},
		{"a defect of the server", false, "4.19.1.0", "4.20.1.0", true},
	} {
		k := harness.Known{Releases: old, Router: c.router}
		assert.Equal(t, c.known, k.In(harness.Description{Release: c.release, RouterCode: c.code}), c.name)
	}
	everywhere := harness.Known{Releases: release.Everywhere(), Router: true}
	assert.False(t, everywhere.In(harness.Description{Release: "4.19.1.0", RouterCode: harness.UnknownRelease}))
}

func TestServerDefectsThatTheRoutersCodeHides(t *testing.T) {
	k := harness.Known{Releases: release.Everywhere(), Shows: release.Without(release.RouterVerifies)}
	for _, c := range []struct {
		release, code string
		known         bool
	}{
		{"4.20.1.0", "", true},
		{"4.22.0.0", "", false},
		{"4.20.1.0", "4.22.0.0", false},
		{"4.22.0.0", "4.20.1.0", true},
		{"4.20.1.0", harness.UnknownRelease, true},
	} {
		assert.Equal(t, c.known, k.In(harness.Description{Release: c.release, RouterCode: c.code}), "%+v", c)
	}
}

// TestReasonsAreOfWhatShowed: a defect that shows only perhaps is named beside a failure where it did show.
func TestReasonsAreOfWhatShowed(t *testing.T) {
	row := harness.Known{Releases: release.Everywhere(), Why: "#1: rows stay open",
		Classes: []result.Class{result.LeakedRow}}
	k := row.Or(harness.Known{Releases: release.Everywhere(), Perhaps: true, Why: "#13399: the run stalls",
		Classes: []result.Class{result.StalledRun}})
	own := k.Or(harness.Known{Releases: release.Everywhere(), Why: "#13399: by the story's own VM",
		Classes: []result.Class{result.StalledRun}})
	both := []result.Class{result.LeakedRow, result.StalledRun}
	for _, c := range []struct {
		known harness.Known
		seen  []result.Class
		want  string
	}{
		{k, []result.Class{result.LeakedRow}, "#1: rows stay open"},
		{k, both, "#1: rows stay open; #13399: the run stalls"},
		{own, both, "#1: rows stay open; #13399: by the story's own VM"},
	} {
		got := harness.RunScenario(t.Context(), &harnesstest.FakeTarget{}, harness.Scenario{ID: "U-01",
			KnownBad: c.known, Run: func(a *harness.Attempt, _ *harness.Site) {
				for _, class := range c.seen {
					a.Fail(class, "something is "+string(class))
				}
			}}, harness.Plan{})
		assert.True(t, got.Known)
		assert.Equal(t, c.want, got.KnownWhy)
	}
}

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

// TestAForeseenDefectIsKnownByItsValues: another value, another subject, one time too many, a fact that shows
// nothing to compare, and a part of the defect that does not come are all news.
func TestAForeseenDefectIsKnownByItsValues(t *testing.T) {
	find := func(class result.Class, subject string, numbers ...float64) result.Finding {
		f := result.Finding{Class: class, Subject: subject, Says: "it is wrong"}
		for _, n := range numbers {
			f.Seen = append(f.Seen, result.Seen{Number: n})
		}
		return f
	}
	foreseen := func(subject string, number float64) harness.Foreseen {
		return harness.Foreseen{Knob: release.NetworkUsageModelOld, Class: result.RowCount, Subject: subject, Most: 1,
			Holds: func(s result.Seen) bool { return s.Number == number }}
	}
	both := []result.Finding{find(result.RowCount, "A", 2), find(result.RowCount, "B", 3)}
	for name, c := range map[string]struct {
		facts []result.Finding
		knobs release.Knobs
		known bool
	}{
		"exactly":                     {both, nil, true},
		"together":                    {[]result.Finding{find(result.RowCount, "A", 2), both[1]}, nil, true},
		"another value":               {[]result.Finding{find(result.RowCount, "A", 4), both[1]}, nil, false},
		"another value beside":        {[]result.Finding{find(result.RowCount, "A", 2, 4), both[1]}, nil, false},
		"another subject":             {append([]result.Finding{find(result.RowCount, "C", 2)}, both...), nil, false},
		"another class":               {append([]result.Finding{find(result.NotBilled, "A", 2)}, both...), nil, false},
		"once more":                   {append([]result.Finding{both[0]}, both...), nil, false},
		"nothing to compare":          {append([]result.Finding{find(result.RowCount, "A")}, both...), nil, false},
		"only a part of it":           {both[:1], nil, false},
		"on a lab without the defect": {both, release.Knobs{}, false},
		"on a lab with it":            {both, release.Knobs{release.NetworkUsageModelOld: true}, true},
	} {
		s := harness.Scenario{ID: "X-01", KnownBad: harness.Known{Releases: release.Everywhere(),
			Knob: release.NetworkUsageModelOld, Why: "#1", Classes: []result.Class{result.RowCount}},
			Run: func(t *harness.Attempt, _ *harness.Site) {
				t.Checked(1)
				t.Foresee(foreseen("A", 2), foreseen("B", 3))
				for _, f := range c.facts {
					t.Find(f)
				}
			}}
		run, err := harness.Run(t.Context(), &harnesstest.FakeTarget{Knobs: c.knobs}, harness.Plan{
			Scenarios: harness.Catalogue{s}, Workers: 1, Progress: harnesstest.Silent{}})
		require.NoError(t, err)
		assert.Equal(t, result.Fail, run.Results[0].Verdict, name)
		assert.Equal(t, c.known, run.Results[0].Known, "%s: %s", name, run.Results[0].Reason)
	}
}
