package existing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bench is a barrier whose runs a test makes.
type bench struct {
	*barrier
	mu    sync.Mutex
	asked []time.Time
	shown map[string]string
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newBench(t *testing.T, grace time.Duration, run func(until time.Time) (time.Time, error)) *bench {
	t.Helper()
	b := &bench{shown: map[string]string{}}
	b.barrier = newBarrier(func(_ context.Context, wanted []time.Time, show func(string)) (covering, error) {
		show("working")
		b.mu.Lock()
		b.asked = append(b.asked, wanted[0])
		b.mu.Unlock()
		until, err := run(wanted[0])
		return covering{until, true}, err
	}, grace, func(id, text string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.shown[id] = text
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); b.serve(ctx) }()
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
			err := b.cover(t.Context(), id, until)
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
		b.join(id)
		waits[id] = noon.Add(time.Duration(i) * time.Second)
	}
	for id, err := range b.all(t, waits) {
		assert.NoError(t, err, id)
	}
	assert.Equal(t, []served{{noon.Add(time.Minute), []string{"U-0", "U-1", "U-2", "U-3", "U-4"}}}, b.runs)
	assert.Equal(t, []time.Time{noon}, b.asked, "the earliest time that anybody waits for")
}

func TestLaterTimesTakeAnotherRun(t *testing.T) {
	b := newBench(t, time.Hour, minuteEnd)
	b.join("early")
	b.join("late")
	done := make(chan error)
	go func() {
		err := b.cover(t.Context(), "early", noon)
		b.leave("early")
		done <- err
	}()
	require.NoError(t, b.cover(t.Context(), "late", noon.Add(90*time.Second)))
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
	b := newBarrier(func(_ context.Context, wanted []time.Time, _ func(string)) (covering, error) {
		if len(wanted) == 2 {
			return covering{until: wanted[0].Add(time.Second)}, nil
		}
		made = append(made, wanted[0])
		return covering{wanted[0].Add(time.Second), true}, nil
	}, time.Hour, func(string, string) {})
	b.join("early")
	b.join("late")
	early, late := async(func() error { defer b.leave("early"); return b.cover(t.Context(), "early", noon) }), async(func() error {
		return b.cover(t.Context(), "late", noon.Add(time.Hour))
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); b.serve(ctx) }()
	require.NoError(t, <-early)
	require.NoError(t, <-late)
	stop()
	<-ended
	assert.Equal(t, []time.Time{noon.Add(time.Hour)}, made)
	assert.Equal(t, []served{{noon.Add(time.Hour + time.Second), []string{"late"}}}, b.made())
}

func TestWhoWorksIsWaitedFor(t *testing.T) {
	b := newBench(t, time.Hour, minuteEnd)
	b.join("works")
	done := make(chan error)
	go func() { done <- b.cover(t.Context(), "waits", noon) }()
	eventually(t, "the state to be shown", func() (bool, string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.shown["waits"] == "usage run: 1 of 2 wait, for works", b.shown["waits"]
	})
	assert.Empty(t, b.asked)
	b.leave("works")
	require.NoError(t, <-done)
}

func TestGraceEndsThePatience(t *testing.T) {
	b := newBench(t, 20*time.Millisecond, minuteEnd)
	b.join("works")
	assert.NoError(t, b.cover(t.Context(), "waits", noon))
}

func TestAFailedRunLetsAllGo(t *testing.T) {
	dead := errors.New("the usage server is dead")
	b := newBench(t, time.Hour, func(time.Time) (time.Time, error) { return time.Time{}, dead })
	b.join("a")
	b.join("b")
	for id, err := range b.all(t, map[string]time.Time{"a": noon, "b": noon.Add(time.Hour)}) {
		assert.ErrorIs(t, err, dead, id)
	}
	assert.Empty(t, b.made())
}

func TestInterruptedWait(t *testing.T) {
	b := newBench(t, time.Hour, minuteEnd)
	b.join("works")
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("interrupted")
	cancel(gone)
	assert.ErrorIs(t, b.cover(ctx, "waits", noon), gone)
	b.close(gone)
	assert.ErrorIs(t, b.cover(t.Context(), "waits", noon), gone)
}

func TestGate(t *testing.T) {
	g := newGate()
	var counting []string
	newPass := func() *pass {
		return &pass{gate: g, parted: func() { counting = append(counting, "off") },
			together: func(context.Context) error { counting = append(counting, "on"); return nil }}
	}
	worker, loner, later := newPass(), newPass(), newPass()
	require.NoError(t, worker.Enter(t.Context()))
	require.NoError(t, loner.Enter(t.Context()))
	// Nobody waits in a context that has ended: an error says that it would have had to.
	ended, end := context.WithCancel(t.Context())
	end()
	require.ErrorIs(t, newPass().Alone(ended), context.Canceled, "alone while others work")
	alone := async(func() error { return loner.Alone(t.Context()) })
	worker.Leave()
	require.NoError(t, <-alone)
	require.NoError(t, loner.Enter(t.Context()), "who is alone goes on working")
	loner.Leave()
	require.ErrorIs(t, newPass().Enter(ended), context.Canceled, "in while another is alone")
	entered := async(func() error { return later.Enter(t.Context()) })
	require.NoError(t, loner.Together(t.Context()))
	require.NoError(t, <-entered)
	require.NoError(t, loner.Together(t.Context()), "twice is fine")
	assert.Equal(t, []string{"off", "on"}, counting)
}

func async(f func() error) chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}
