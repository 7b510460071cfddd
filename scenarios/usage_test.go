package scenarios_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/scenarios"
)

// TestUsageReleases tells every usage scenario that is not in the default set on every profile: it fails where it is
// known to, and passes everywhere else.
func TestUsageReleases(t *testing.T) {
	needLab(t)
	chosen, err := scenarios.Catalogue().Select("U-*")
	require.NoError(t, err)
	chosen = slices.DeleteFunc(chosen, func(s harness.Scenario) bool { return s.Priority == 0 })
	always := []string{"U-17", "U-18", "U-24", "U-27", "U-29", "U-31"}
	late := append(slices.Clone(always), "U-25")
	broken := append(slices.Clone(late), "U-12", "U-13", "U-14", "U-15", "U-19", "U-20", "U-22", "U-35")
	for release, want := range map[string][]string{
		"4.19.1.0": append(slices.Clone(broken), "U-16"), "4.19.2.0": broken, "4.19.3.0": late, "4.20.0.0": broken,
		"4.20.1.0": late, "4.20.2.0": always,
	} {
		t.Run(release, func(t *testing.T) {
			got := run(t, release, nil, chosen)
			known, unknown := fails(got)
			assert.Empty(t, unknown, verdicts(got))
			for _, id := range want {
				assert.Contains(t, known, id)
			}
			for _, c := range got.Results {
				assert.False(t, c.UnexpectedPass(), "%s is known to fail on %s and passed", c.ID, release)
				if !c.Known {
					assert.Equal(t, result.Pass, c.Verdict, "%s: %s", c.ID, c.Reason)
				}
			}
		})
	}
}
