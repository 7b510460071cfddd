package harness

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

// TestBudgetEndsRepeats: at least one repeat runs, and none begins when the budget is used up.
func TestBudgetEndsRepeats(t *testing.T) {
	s := Scenario{ID: "X-01", Run: func(t *T) { checked(t); <-time.After(2 * time.Millisecond) }}
	c := runScenario(t.Context(), &fakeTarget{}, s, Plan{Scenarios: Catalogue{s}, Repeat: 1000, Budget: time.Millisecond, Progress: silent{}})
	assert.Equal(t, 1, c.Repeats)
	assert.Contains(t, c.Claim, "0 of 1 repeat failed (X-01, fake, 4.20.0.0)")
	c = runScenario(t.Context(), &fakeTarget{}, s, Plan{Scenarios: Catalogue{s}, Repeat: 3, Budget: time.Hour, Progress: silent{}})
	assert.Equal(t, 3, c.Repeats)
}

// TestInconclusivesLeaveTheDenominator and are never a pass.
func TestInconclusivesLeaveTheDenominator(t *testing.T) {
	n := 0
	s := Scenario{ID: "X-01", Run: func(t *T) {
		checked(t)
		if n++; n == 7 {
			t.Inconclusive("no position to tell")
		}
	}}
	c := runScenario(t.Context(), &fakeTarget{}, s, Plan{Scenarios: Catalogue{s}, Repeat: 20, Progress: silent{}})
	assert.Equal(t, []int{20, 0, 1}, []int{c.Repeats, c.Failures, c.Inconclusives})
	assert.Equal(t, result.Inconclusive, c.Verdict)
	assert.Contains(t, c.Claim, "0 of 19 decided repeats failed")
	assert.Contains(t, c.Reason, "repeat 7")
}

// TestSensitivityIsPartOfTheClaim, as a proof measured it.
func TestSensitivityIsPartOfTheClaim(t *testing.T) {
	const proof = `{"schema":1,"complete":true,"twins":[
		{"id":"x","caught":true,"caught_by":["X-01","X-02"],"expected_by":["X-01"]},
		{"id":"y","caught":true,"caught_by":["X-01"],"expected_by":["X-01","X-02"]},
		{"id":"z","caught":false,"caught_by":[],"expected_by":["X-01"]}]}`
	p, err := ReadProof(strings.NewReader(proof))
	require.NoError(t, err)
	measured := p.Sensitivities()
	assert.Equal(t, map[string]Sensitivity{"X-01": {3, 2}, "X-02": {1, 0}}, measured)
	s := Scenario{ID: "X-01", Run: checked}
	c := runScenario(t.Context(), &fakeTarget{}, s, Plan{Scenarios: Catalogue{s}, Repeat: 59, Progress: silent{}, Sensitivity: measured})
	assert.Contains(t, c.Claim, "allowing for measured sensitivity 2/3 (at least 14 %), below 36.6 %")
}

func TestReadProofRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"no json":                       "reading a proof",
		`{"schema":2,"complete":true}`:  "this program reads 1",
		`{"schema":1,"complete":false}`: "broken off",
	} {
		_, err := ReadProof(strings.NewReader(text))
		assert.ErrorContains(t, err, says, text)
	}
}

// TestInterruptedRepeatDoesNotCount: what was found before still allows a claim.
func TestInterruptedRepeatDoesNotCount(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	n := 0
	s := Scenario{ID: "X-01", Run: func(t *T) {
		checked(t)
		if n++; n == 4 {
			cancel(ErrInterrupted)
			t.must(context.Cause(t.Context()), "working")
		}
	}}
	c := runScenario(ctx, &fakeTarget{}, s, Plan{Scenarios: Catalogue{s}, Repeat: 20, Progress: silent{}})
	assert.Equal(t, []int{3, 0, 0}, []int{c.Repeats, c.Failures, c.Inconclusives})
	assert.Contains(t, c.Claim, "0 of 3 repeats failed")
}

// A hundred repeats cost the memory of one: nothing keeps the sites, and with them whole zones, of those that are over.
func TestRepeatsKeepNoSites(t *testing.T) {
	var sites []weak.Pointer[Site]
	alive := 0
	s := Scenario{ID: "x", Run: func(t *T) {
		if len(sites) == 99 {
			runtime.GC()
			for _, one := range sites {
				if one.Value() != nil {
					alive++
				}
			}
		}
		sites = append(sites, weak.Make(t.site))
		checked(t)
		t.Note("a page of evidence", "%s", strings.Repeat("x", 4096))
	}}
	c := runScenario(t.Context(), &fakeTarget{}, s, Plan{Scenarios: Catalogue{s}, Repeat: 100, Progress: silent{}})
	require.Equal(t, result.Pass, c.Verdict, c.Reason)
	require.Equal(t, 100, c.Repeats)
	require.NotEmpty(t, c.Evidence, "the first pass shows what was seen")
	require.LessOrEqual(t, alive, 2, "of 99 sites that are over")
}
