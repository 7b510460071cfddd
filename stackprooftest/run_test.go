package stackprooftest

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
)

// TestBound: before go test's end a scenario's clean-up and the removal of the domain fit, of a short time a quarter is
// kept, and a late run names the flag that go test has.
func TestBound(t *testing.T) {
	for name, c := range map[string]struct {
		left, limit time.Duration
		said        string
	}{
		"an hour": {time.Hour, 53 * time.Minute,
			"the run's time of 53m0s is up (go test's -timeout, less 7m0s for the clean-up)"},
		"go test's default": {10 * time.Minute, 7*time.Minute + 30*time.Second,
			"the run's time of 7m30s is up (go test's -timeout, less 2m30s for the clean-up)"},
		"fractions": {time.Hour - time.Millisecond, 53*time.Minute - time.Second,
			"the run's time of 52m59s is up (go test's -timeout, less 7m0s for the clean-up)"},
		"none": {0, time.Second,
			"the run's time of 1s is up (go test's -timeout, less 0s for the clean-up)"},
		"late": {-time.Minute, time.Second,
			"the run's time of 1s is up (go test's -timeout, less 0s for the clean-up)"},
	} {
		r := &running{target: &Target{Target: &harnesstest.FakeTarget{}}}
		r.bound(c.left)
		assert.Equal(t, c.limit, r.limit, name)
		late := (&harness.DeadlineError{After: r.limit}).Error()
		told := r.told(result.Case{ID: "X-01", Verdict: result.Inconclusive, Inconclusives: 1, Repeats: 1,
			Reason: "it had not begun: " + late})
		assert.Contains(t, told, c.said, name)
		assert.NotContains(t, told, "--deadline", name)
		r.whole.Notes = []string{late + ": what was under way was ended"}
		assert.Equal(t, []string{c.said + ": what was under way was ended"}, r.notes(), name)
	}
}

// TestNotes: what a target says of a run is logged beside what the run says.
func TestNotes(t *testing.T) {
	ofTarget := func(run result.Run) []string { return []string{"left out: a population of " + run.Results[0].ID} }
	whole := result.Run{Notes: []string{"of the run"}, Results: []result.Case{{ID: "L-04"}}}
	for name, c := range map[string]struct {
		notes func(result.Run) []string
		want  []string
	}{
		"a lab":           {nil, []string{"of the run"}},
		"an existing one": {ofTarget, []string{"of the run", "left out: a population of L-04"}},
	} {
		r := &running{target: &Target{notes: c.notes}, whole: whole}
		assert.Equal(t, c.want, r.notes(), name)
	}
}

// TestInterruptible: an interrupt of one run is kept, and a run that ends by itself is none.
func TestInterruptible(t *testing.T) {
	t.Cleanup(func() { interrupted.Store(false) })
	for _, signalled := range []bool{false, true} {
		ctx, stop := interruptible(t.Context())
		if signalled {
			require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGINT))
			<-ctx.Done()
		}
		stop()
		assert.Equal(t, signalled, refusal() != nil)
	}
}

// TestInterruptBetweenRuns: an interrupt while a target is open and no scenario runs ends nothing at once, and the next
// test opens nothing. When no target is open any more nobody keeps it.
func TestInterruptBetweenRuns(t *testing.T) {
	t.Cleanup(func() { interrupted.Store(false) })
	t.Run("quiet", func(t *testing.T) { heed(t) })
	require.NoError(t, refusal(), "nobody interrupted")
	t.Run("interrupted", func(t *testing.T) {
		heed(t)
		require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGINT))
		harnesstest.Eventually(t, "the interrupt", func() (bool, string) { return refusal() != nil, "not noted" })
	})
	require.Error(t, refusal())
}
