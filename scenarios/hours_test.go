package scenarios_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/scenarios"
)

// TestAwkwardHours tells stories of several usage windows at hours at which the scheduled usage run, a new day, a new
// year or a change of clocks (Asia/Jerusalem, as in U-29) falls among them. ci/hours does it with all scenarios and all
// their twins.
func TestAwkwardHours(t *testing.T) {
	needLab(t)
	chosen, err := scenarios.Catalogue().Select("U-01", "U-07", "U-08", "U-29")
	require.NoError(t, err)
	pool := lab.NewPool("")
	defer func() { require.NoError(t, pool.Close()) }()
	for _, start := range []string{"2026-11-25T00:05:00Z", "2026-11-25T00:14:00Z", "2026-11-25T23:59:00Z",
		"2026-12-31T23:50:00Z",
		"2026-03-26T23:50:00Z", "2026-10-24T22:50:00Z"} {
		t.Run(start, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, start)
			require.NoError(t, err)
			target, err := lab.New(lab.Options{Release: "4.20.1.0", Workers: 2, Start: at, Pool: pool})
			require.NoError(t, err)
			began := time.Now()
			got, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Workers: 2,
				Progress: silent{}})
			require.NoError(t, errors.Join(err, target.Close(t.Context())))
			assert.False(t, got.Started.Before(began), "a report says %s, want the real date of the run", got.Started)
			require.Len(t, got.Results, len(chosen))
			for _, c := range got.Results {
				want := result.Pass
				if c.ID == "U-29" {
					want = result.Fail // on every release; known
				}
				assert.Equal(t, want, c.Verdict, "%s: %s", c.ID, c.Reason)
				assert.Equal(t, want == result.Fail, c.Known, c.ID)
			}
		})
	}
}
