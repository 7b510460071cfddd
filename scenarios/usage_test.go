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
	broken := append(slices.Clone(late), "U-12", "U-13", "U-14", "U-15", "U-19", "U-20", "U-22", "U-35")
	return map[string][]string{
		"4.19.1.0": append(slices.Clone(broken), "U-16"), "4.19.2.0": broken, "4.19.3.0": late, "4.20.0.0": broken,
		sound: late, "4.20.2.0": always,
	}
}

// TestUsageReleases tells every usage scenario that is not in the default set on every profile of that list but the
// sound one, on which TestTwins does.
func TestUsageReleases(t *testing.T) {
	needLab(t)
	chosen, err := scenarios.Catalogue().Select("U-*")
	require.NoError(t, err)
	chosen = slices.DeleteFunc(chosen, func(s harness.Scenario) bool { return s.Priority == 0 })
	for release := range knownUsage() {
		if release == sound {
			continue
		}
		t.Run(release, func(t *testing.T) {
			got := run(t, release, nil, chosen)
			asKnown(t, release, got.Results)
			known, _ := fails(got)
			assert.Subset(t, known, knownUsage()[release])
		})
	}
}
