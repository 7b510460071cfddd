package harness

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestTrialsAreCountedByCondition, over all repeats; one that decides nothing does not count.
func TestTrialsAreCountedByCondition(t *testing.T) {
	n := 0
	s := Scenario{ID: "X-01", Run: func(t *T) {
		n++
		t.Trial("slow", func() { checked(t) })
		t.Trial("fast", func() {
			checked(t)
			if n == 2 {
				t.Fail("the last change is not in force")
				t.Fail("nor is the one before")
			}
		})
		t.Trial("slow", func() {
			if n == 3 {
				t.Inconclusive("no position to tell")
			}
		})
	}}
	c := runScenario(t.Context(), &fakeTarget{}, s, Plan{Scenarios: Catalogue{s}, Repeat: 3, Progress: silent{}})
	assert.Contains(t, c.Claim, "1 of 2 decided repeats failed")
	assert.Contains(t, c.Claim, "X-01 by condition, each with 95 % confidence: slow: 0 of 5 failed (rate 0.0 % to 45.1 %); fast: 1 of 3 failed (rate 0.84 % to 90.6 %).")
}

// TestTrialOfABriefStory: a story that is broken off at its first failure still counts the trial that failed.
func TestTrialOfABriefStory(t *testing.T) {
	s := Scenario{ID: "X-01", Run: func(t *T) {
		t.Trial("fast", func() { t.Fail("the last change is not in force") })
		t.Trial("slow", func() { checked(t) })
	}}
	c := runScenario(t.Context(), &fakeTarget{}, s, Plan{Scenarios: Catalogue{s}, Brief: true, Progress: silent{}})
	assert.Equal(t, "X-01 by condition, each with 95 % confidence: fast: 1 of 1 failed (rate 2.5 % to 100.0 %).", c.Claim)
}
