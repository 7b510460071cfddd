package harness_test

import (
	"testing"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"

	"github.com/stretchr/testify/assert"
)

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
