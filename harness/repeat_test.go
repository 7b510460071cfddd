package harness_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
)

// TestBudgetEndsRepeats: at least one repeat runs, and none begins when the budget is used up.
func TestBudgetEndsRepeats(t *testing.T) {
	s := harness.Scenario{ID: "X-01", Run: func(t *harness.Attempt,
		_ *harness.Site) {
		t.Checked(1)
		<-time.After(2 * time.Millisecond)
	}}
	c := harness.RunScenario(t.Context(), &harnesstest.FakeTarget{}, s, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 1000, Budget: time.Millisecond, Progress: harnesstest.Silent{}})
	assert.Equal(t, 1, c.Repeats)
	assert.Contains(t, c.Claim, "0 of 1 repeat failed (X-01, fake, 4.20.0.0)")
	c = harness.RunScenario(t.Context(), &harnesstest.FakeTarget{}, s, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 3, Budget: time.Hour, Progress: harnesstest.Silent{}})
	assert.Equal(t, 3, c.Repeats)
}

// TestInconclusivesLeaveTheDenominator and are never a pass.
func TestInconclusivesLeaveTheDenominator(t *testing.T) {
	n := 0
	s := harness.Scenario{ID: "X-01", Run: func(t *harness.Attempt, _ *harness.Site) {
		t.Checked(1)
		if n++; n == 7 {
			t.Inconclusive("no position to tell")
		}
	}}
	c := harness.RunScenario(t.Context(), &harnesstest.FakeTarget{}, s, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 20, Progress: harnesstest.Silent{}})
	assert.Equal(t, []int{20, 0, 1}, []int{c.Repeats, c.Failures, c.Inconclusives})
	assert.Equal(t, result.Inconclusive, c.Verdict)
	assert.Contains(t, c.Claim, "0 of 19 decided repeats failed")
	assert.Contains(t, c.Reason, "repeat 7")
}

// TestInterruptedRepeatDoesNotCount: what was found before still allows a claim.
func TestInterruptedRepeatDoesNotCount(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	n := 0
	s := harness.Scenario{ID: "X-01", Run: func(t *harness.Attempt, _ *harness.Site) {
		t.Checked(1)
		if n++; n == 4 {
			cancel(harness.ErrInterrupted)
			t.Must(context.Cause(t.Context()), "working")
		}
	}}
	c := harness.RunScenario(ctx, &harnesstest.FakeTarget{}, s, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 20, Progress: harnesstest.Silent{}})
	assert.Equal(t, []int{3, 0, 0}, []int{c.Repeats, c.Failures, c.Inconclusives})
	assert.Contains(t, c.Claim, "0 of 3 repeats failed")
}

// A hundred repeats cost the memory of one: nothing keeps the sites, and with them whole zones, of those that are over.
func TestRepeatsKeepNoSites(t *testing.T) {
	var sites []weak.Pointer[harness.Site]
	alive := 0
	s := harness.Scenario{ID: "x", Run: func(t *harness.Attempt, site *harness.Site) {
		if len(sites) == 99 {
			runtime.GC()
			for _, one := range sites {
				if one.Value() != nil {
					alive++
				}
			}
		}
		sites = append(sites, weak.Make(site))
		t.Checked(1)
		t.Note("a page of evidence", "%s", strings.Repeat("x", 4096))
	}}
	c := harness.RunScenario(t.Context(), &harnesstest.FakeTarget{}, s, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 100, Progress: harnesstest.Silent{}})
	require.Equal(t, result.Pass, c.Verdict, c.Reason)
	require.Equal(t, 100, c.Repeats)
	require.NotEmpty(t, c.Evidence, "the first pass shows what was seen")
	require.LessOrEqual(t, alive, 2, "of 99 sites that are over")
}

// TestTrialsAreCountedByCondition, over all repeats; one that decides nothing does not count.
func TestTrialsAreCountedByCondition(t *testing.T) {
	n := 0
	s := harness.Scenario{ID: "X-01", Run: func(t *harness.Attempt, _ *harness.Site) {
		n++
		t.Trial("slow", func() { t.Checked(1) })
		t.Trial("fast", func() {
			t.Checked(1)
			if n == 2 {
				t.Fail(result.WrongHours, "the last change is not in force")
				t.Fail(result.WrongHours, "nor is the one before")
			}
		})
		t.Trial("slow", func() {
			if n == 3 {
				t.Inconclusive("no position to tell")
			}
		})
	}}
	c := harness.RunScenario(t.Context(), &harnesstest.FakeTarget{}, s, harness.Plan{Scenarios: harness.Catalogue{s},
		Repeat: 3, Progress: harnesstest.Silent{}})
	assert.Contains(t, c.Claim, "1 of 2 decided repeats failed")
	assert.Contains(t, c.Claim, "X-01 by condition, each with 95 % confidence: slow: 0 of 5 failed (rate 0.0 % to "+
		"45.1 %); fast: 1 of 3 failed (rate 0.84 % to 90.6 %).")
}

// TestTrialOfABriefStory: a story that is broken off at its first failure still counts the trial that failed.
func TestTrialOfABriefStory(t *testing.T) {
	s := harness.Scenario{ID: "X-01", Run: func(t *harness.Attempt, _ *harness.Site) {
		t.Trial("fast", func() { t.Fail(result.WrongHours, "the last change is not in force") })
		t.Trial("slow", func() { t.Checked(1) })
	}}
	c := harness.RunScenario(t.Context(), &harnesstest.FakeTarget{}, s, harness.Plan{Scenarios: harness.Catalogue{s},
		Brief: true, Progress: harnesstest.Silent{}})
	assert.Equal(t, "X-01 by condition, each with 95 % confidence: fast: 1 of 1 failed (rate 2.5 % to 100.0 %).",
		c.Claim)
}
