package scenarios_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/scenarios"
)

// knownUsage are the usage scenarios outside the default set that fail on a release, written down a second time: a
// range of releases that is wrong in a scenario does not pass because the zone is wrong in the same way.
func knownUsage() map[string][]string {
	always := []string{"U-17", "U-18", "U-24", "U-27", "U-29", "U-31"}
	late := append(slices.Clone(always), "U-25")
	broken := append(slices.Clone(late), "U-12", "U-13", "U-14", "U-15", "U-19", "U-22", "U-35")
	return map[string][]string{
		"4.19.1.0": append(slices.Clone(broken), "U-16"), "4.19.2.0": broken, "4.19.3.0": late, "4.20.0.0": broken,
		sound: late, "4.20.2.0": always,
	}
}

// furtherUsage are the usage scenarios that are not in the default set.
func furtherUsage(t *testing.T) []harness.Scenario {
	chosen, err := scenarios.Catalogue().Select("U-*")
	require.NoError(t, err)
	return slices.DeleteFunc(chosen, func(s harness.Scenario) bool { return s.Priority == 0 })
}

// TestKnownUsage compares the two lists. What tells a release from the one before it is run by TestReleases.
func TestKnownUsage(t *testing.T) {
	for release, want := range knownUsage() {
		known := []string{}
		for _, s := range furtherUsage(t) {
			if s.KnownBad.On(release) {
				known = append(known, s.ID)
			}
		}
		assert.Subset(t, known, want, release)
	}
}

// TestUsageReleases tells every usage scenario that is not in the default set on the release that most of them fail on.
// TestTwins does so on the sound one.
func TestUsageReleases(t *testing.T) {
	needLab(t)
	const broken = "4.19.1.0"
	got := run(t, broken, nil, furtherUsage(t))
	asKnown(t, broken, got.Results)
	known, _ := fails(got)
	assert.Subset(t, known, knownUsage()[broken])
}
