package usageruns

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bench is a barrier whose runs a test makes.
type bench struct {
	*Barrier
	mu    sync.Mutex
	asked []time.Time
	shown map[string]string
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newBench(t *testing.T, grace time.Duration, run func(until time.Time) (time.Time, error)) *bench {
	t.Helper()
	b := &bench{shown: map[string]string{}}
	b.Barrier = NewBarrier(func(_ context.Context, wanted []time.Time, show func(string)) (Covering, error) {
		show("working")
		b.mu.Lock()
		b.asked = append(b.asked, wanted[0])
		b.mu.Unlock()
		until, err := run(wanted[0])
		return Covering{until, true}, err
	}, grace, func(id, text string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.shown[id] = text
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); b.Serve(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return b
}

func minuteEnd(until time.Time) (time.Time, error) {
	return until.Truncate(time.Minute).Add(time.Minute), nil
}

func (b *bench) all(t *testing.T, waits map[string]time.Time) map[string]error {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	errs := map[string]error{}
	for id, until := range waits {
		group.Add(1)
		go func() {
			defer group.Done()
			err := b.Cover(t.Context(), id, until)
			mu.Lock()
			defer mu.Unlock()
			errs[id] = err
		}()
	}
	group.Wait()
	return errs
}

func TestOneRunServesAll(t *testing.T) {
	b := newBench(t, time.Hour, minuteEnd)
	waits := map[string]time.Time{}
	for i := range 5 {
		id := fmt.Sprint("U-", i)
		b.Join(id)
		waits[id] = noon.Add(time.Duration(i) * time.Second)
	}
	for id, err := range b.all(t, waits) {
		assert.NoError(t, err, id)
	}
	assert.Equal(t, []Served{{noon.Add(time.Minute), []string{"U-0", "U-1", "U-2", "U-3", "U-4"}}}, b.runs)
	assert.Equal(t, []time.Time{noon}, b.asked, "the earliest time that anybody waits for")
}

func TestLaterTimesTakeAnotherRun(t *testing.T) {
	b := newBench(t, time.Hour, minuteEnd)
	b.Join("early")
	b.Join("late")
	done := make(chan error)
	go func() {
		err := b.Cover(t.Context(), "early", noon)
		b.Leave("early")
		done <- err
	}()
	require.NoError(t, b.Cover(t.Context(), "late", noon.Add(90*time.Second)))
	require.NoError(t, <-done)
	assert.Equal(t, []time.Time{noon, noon.Add(90 * time.Second)}, b.asked)
}

// TestOneRunForThePresent chooses what a run is to cover: a run for the earliest alone would let the others wait for a
// second one, and one for times to come would keep those waiting who are through.
func TestOneRunForThePresent(t *testing.T) {
	at := func(seconds ...int) []time.Time {
		times := make([]time.Time, len(seconds))
		for i, s := range seconds {
			times[i] = noon.Add(time.Duration(s) * time.Second)
		}
		return times
	}
	now := noon.Add(65 * time.Second)
	for name, c := range map[string]struct{ wanted, want []time.Time }{
		"some straddle the minute": {at(57, 58, 62, 64), at(64)},
		"some wait for later":      {at(57, 58, 117, 180), at(58)},
		"now":                      {at(65, 66), at(65)},
		"all wait for later":       {at(117, 180), at(117)},
	} {
		assert.Equal(t, c.want[0], choose(now, c.wanted), name)
	}
}

// TestRunsThatCameUnasked let go whom they covered, and nobody else; they are not counted as waited for.
func TestRunsThatCameUnasked(t *testing.T) {
	var made []time.Time
	b := NewBarrier(func(_ context.Context, wanted []time.Time, _ func(string)) (Covering, error) {
		if len(wanted) == 2 {
			return Covering{Until: wanted[0].Add(time.Second)}, nil
		}
		made = append(made, wanted[0])
		return Covering{wanted[0].Add(time.Second), true}, nil
	}, time.Hour, func(string, string) {})
	b.Join("early")
	b.Join("late")
	early, late := async(func() error { defer b.Leave("early"); return b.Cover(t.Context(), "early", noon) }),
		async(func() error {
			return b.Cover(t.Context(), "late", noon.Add(time.Hour))
		})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); b.Serve(ctx) }()
	require.NoError(t, <-early)
	require.NoError(t, <-late)
	stop()
	<-ended
	assert.Equal(t, []time.Time{noon.Add(time.Hour)}, made)
	assert.Equal(t, []Served{{noon.Add(time.Hour + time.Second), []string{"late"}}}, b.Made())
}

func TestWhoWorksIsWaitedFor(t *testing.T) {
	b := newBench(t, time.Hour, minuteEnd)
	b.Join("works")
	done := make(chan error)
	go func() { done <- b.Cover(t.Context(), "waits", noon) }()
	harnesstest.Eventually(t, "the state to be shown", func() (bool, string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.shown["waits"] == "usage run: 1 of 2 wait, for works, 1h0m0s at most", b.shown["waits"]
	})
	assert.Empty(t, b.asked)
	b.Leave("works")
	require.NoError(t, <-done)
}

func TestGraceEndsThePatience(t *testing.T) {
	b := newBench(t, 20*time.Millisecond, minuteEnd)
	b.Join("works")
	assert.NoError(t, b.Cover(t.Context(), "waits", noon))
}

func TestAFailedRunLetsAllGo(t *testing.T) {
	dead := errors.New("the usage server is dead")
	b := newBench(t, time.Hour, func(time.Time) (time.Time, error) { return time.Time{}, dead })
	b.Join("a")
	b.Join("b")
	for id, err := range b.all(t, map[string]time.Time{"a": noon, "b": noon.Add(time.Hour)}) {
		assert.ErrorIs(t, err, dead, id)
	}
	assert.Empty(t, b.Made())
}

func TestInterruptedWait(t *testing.T) {
	b := newBench(t, time.Hour, minuteEnd)
	b.Join("works")
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("interrupted")
	cancel(gone)
	assert.ErrorIs(t, b.Cover(ctx, "waits", noon), gone)
	b.Close(gone)
	assert.ErrorIs(t, b.Cover(t.Context(), "waits", noon), gone)
}

func async(f func() error) chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}
