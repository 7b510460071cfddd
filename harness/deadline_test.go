package harness_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
)

// TestDeadline: when a run's time is up it ends with a full report: what was judged stands, what was under way and what
// had not begun is inconclusive and says why, and its sites are closed. A run with enough time is as without a bound.
func TestDeadline(t *testing.T) {
	long := func(t *harness.Attempt, _ *harness.Site) {
		t.Checked(1)
		select {
		case <-time.After(time.Hour):
		case <-t.Context().Done():
			t.Must(context.Cause(t.Context()), "waiting for a usage run")
		}
	}
	all := harness.Catalogue{{ID: "X-01", Run: harnesstest.Checked, Weight: 2}, {ID: "X-02", Run: long, Weight: 1},
		{ID: "X-03", Run: harnesstest.Checked}}
	for name, c := range map[string]struct {
		deadline, took time.Duration
		want           []result.Verdict
		code           int
	}{
		"no limit":    {0, time.Hour, []result.Verdict{result.Pass, result.Pass, result.Pass}, 0},
		"enough time": {2 * time.Hour, time.Hour, []result.Verdict{result.Pass, result.Pass, result.Pass}, 0},
		"too short": {time.Minute, time.Minute,
			[]result.Verdict{result.Pass, result.Inconclusive, result.Inconclusive}, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			target := &harnesstest.FakeTarget{}
			began := time.Now()
			run, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: all, Workers: 1,
				Deadline: c.deadline, Progress: harnesstest.Silent{}})
			require.NoError(t, err, name)
			assert.Equal(t, c.took, time.Since(began), name)
			require.Len(t, run.Results, len(all), name)
			for i, one := range run.Results {
				assert.Equal(t, c.want[i], one.Verdict, "%s: %s", name, one.ID)
				if one.Verdict == result.Inconclusive {
					assert.Contains(t, one.Reason, "the run's time of 1m0s is up (--deadline)")
				}
			}
			assert.Empty(t, run.Missing(), name)
			assert.Equal(t, c.code, run.ExitCode(false), name)
			assert.Len(t, run.Notes, map[bool]int{true: 1}[c.code != 0], name)
			opened, closed := target.Sites()
			assert.Equal(t, opened, closed, name)
		})
	}
}
