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
