package cloud

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// workers is a server whose answers take longer, the more it has to do beyond what it can.
type workers struct {
	mu        sync.Mutex
	capacity  int
	quick     time.Duration
	now, most int
}

// serve is one call; it takes virtual time.
func (w *workers) serve() time.Duration {
	w.mu.Lock()
	w.now++
	w.most = max(w.most, w.now)
	took := w.quick
	if over := w.now - w.capacity; over > 0 {
		took += time.Duration(over*over) * w.quick
	}
	w.mu.Unlock()
	time.Sleep(took)
	w.mu.Lock()
	w.now--
	w.mu.Unlock()
	return took
}

// flood sends calls from so many callers until the time is over. It returns the windows seen in the second half.
func flood(p *Pacer, w *workers, callers int, during time.Duration) (least, most int) {
	began := time.Now()
	least = int(p.most)
	var mu sync.Mutex
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for time.Since(began) < during {
				leave, err := p.enter(context.Background(), true)
				if err != nil {
					return
				}
				took := w.serve()
				p.note("createVPC", took, time.Minute, nil)
				leave()
				if s := p.Stats(); time.Since(began) > during/2 {
					mu.Lock()
					least, most = min(least, s.Window), max(most, s.Window)
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return least, most
}

// A run settles near what the server can do at once, whatever that is, and never exceeds its bound.
func TestPacerFindsWhatAServerTakes(t *testing.T) {
	for _, tt := range []struct{ capacity, bound, least, most int }{
		{capacity: 3, bound: 16, least: 2, most: 7},
		{capacity: 8, bound: 32, least: 4, most: 14},
		{capacity: 100, bound: 10, least: 10, most: 10},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, w := NewPacer(tt.bound), &workers{capacity: tt.capacity, quick: 500 * time.Millisecond}
			least, most := flood(p, w, 50, 20*time.Minute)
			assert.GreaterOrEqual(t, least, tt.least, "capacity %d: %s", tt.capacity, p.Stats())
			assert.LessOrEqual(t, most, tt.most, "capacity %d: %s", tt.capacity, p.Stats())
			assert.LessOrEqual(t, w.most, tt.bound)
		})
	}
}

// A server that becomes slow for reasons of its own is worked on as before once that is what it takes.
func TestPacerGetsUsedToASlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := NewPacer(16), &workers{capacity: 100, quick: 100 * time.Millisecond}
		flood(p, w, 50, time.Minute)
		require.Equal(t, 16, p.Stats().Window)
		w.quick = 5 * time.Second
		_, most := flood(p, w, 50, 10*time.Minute)
		s := p.Stats()
		assert.Positive(t, s.Slow, "it is noticed")
		assert.Less(t, s.Least, 16)
		assert.Equal(t, 16, most, "%s", s)
		assert.Equal(t, 5*time.Second, s.Slowest)
	})
}

// Answers that do not come halve the window, once for all that was under way.
func TestPacerHalvesOnMissedAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(16)
		p.window = 16
		late := &transportError{command: "createAccount", sent: true, late: true, err: context.DeadlineExceeded}
		for range 16 {
			p.note("createAccount", time.Minute, time.Minute, late)
		}
		assert.Equal(t, 8, p.Stats().Window)
		assert.Equal(t, 1, p.Stats().Lost)
		time.Sleep(time.Minute)
		p.note("createAccount", time.Minute, time.Minute, &gatewayError{command: "createAccount", status: 504})
		assert.Equal(t, 4, p.Stats().Window)
		time.Sleep(time.Hour)
		p.note("createAccount", time.Millisecond, time.Minute, &transportError{command: "createAccount", sent: true,
			err: errors.New("reset")})
		p.note("createAccount", time.Millisecond, time.Minute, &Error{Code: CodeInternal})
		assert.Equal(t, 4, p.Stats().Window, "a connection that broke and a refusal are no signs of load")
		assert.Contains(t, p.Stats().String(), "2 times because they did not come")
	})
}

// The deadline of a command follows its times, doubles when it is missed, and is bounded.
func TestDeadlinesFollowWhatIsMeasured(t *testing.T) {
	p := NewPacer(0)
	const base = 10 * time.Second
	assert.Equal(t, base, p.deadline("createVPC", base))
	for range 50 {
		p.answered("createVPC", 20*time.Second)
	}
	assert.Equal(t, 80*time.Second, p.deadline("createVPC", base))
	assert.Equal(t, base, p.deadline("listVPCs", base), "another command has its own")
	p.missed("createAccount", base)
	assert.Equal(t, 2*base, p.deadline("createAccount", base))
	for range 12 {
		p.missed("createAccount", p.deadline("createAccount", base))
	}
	assert.Equal(t, mostPatient, p.deadline("createAccount", base))
	p.answered("createAccount", time.Second)
	assert.Equal(t, base, p.deadline("createAccount", base))
	var none *Pacer
	assert.Equal(t, base, none.deadline("createVPC", base))
}

// Changes wait for the jobs that somebody waits for; reads do not, and a job that takes very long gives its room back.
func TestPacerLeavesRoomForReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(2)
		first, second := p.working(), p.working()
		leave, err := p.enter(t.Context(), false)
		require.NoError(t, err)
		leave()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = p.enter(ctx, true)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		first()
		leave, err = p.enter(t.Context(), true)
		require.NoError(t, err)
		leave()
		first = p.working()
		began := time.Now()
		leave, err = p.enter(t.Context(), true)
		require.NoError(t, err)
		leave()
		assert.Equal(t, jobCounts-time.Minute, time.Since(began), "the second job was a minute old")
		first()
		second()
		assert.Zero(t, p.jobs)
		assert.Empty(t, p.waiting)
	})
}

// Accounts are removed a few at a time.
func TestRemovalsGoAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(0)
		var mu sync.Mutex
		now, most := 0, 0
		for range 14 {
			go func() {
				over, err := p.removal(context.Background())
				if err != nil {
					return
				}
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(13 * time.Second)
				mu.Lock()
				now--
				mu.Unlock()
				over()
			}()
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, removalsAtOnce, most)
		assert.Zero(t, now)
	})
}

// A runner starts one more scenario when the server takes it.
func TestRoomForOneMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(8)
		require.NoError(t, p.Room(t.Context(), firstWindow-1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, p.Room(ctx, firstWindow), context.DeadlineExceeded)
		begun := make(chan error, 1)
		go func() { begun <- p.Room(t.Context(), firstWindow) }()
		synctest.Wait()
		w := &workers{capacity: 100, quick: time.Millisecond}
		flood(p, w, 10, time.Second)
		require.NoError(t, <-begun)
		var none *Pacer
		require.NoError(t, none.Room(t.Context(), 1000))
	})
}
