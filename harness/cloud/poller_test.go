package cloud

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeJobs is a server with virtual time: a job ends a given time after it was accepted.
type fakeJobs struct {
	mu    sync.Mutex
	ends  map[string]time.Time
	polls []time.Time
	// instead replaces query.
	instead query
}

func (f *fakeJobs) via() query {
	if f.instead != nil {
		return f.instead
	}
	return f.query
}

func (f *fakeJobs) accept(id string, takes time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ends[id] = time.Now().Add(takes)
}

func (f *fakeJobs) query(_ context.Context, id string) (Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.polls = append(f.polls, now)
	j := Job{ID: id}
	if !now.Before(f.ends[id]) {
		j.Status = JobSuccess
	}
	return j, nil
}

// mostInASecond is the largest number of polls in any second, wherever it begins.
func (f *fakeJobs) mostInASecond() int {
	slices.SortFunc(f.polls, time.Time.Compare)
	most, from := 0, 0
	for i, t := range f.polls {
		for t.Sub(f.polls[from]) >= time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// await runs a job through the poller and says how long after its end it was seen.
func (f *fakeJobs) await(t *testing.T, p *poller, id string, takes time.Duration) time.Duration {
	t.Helper()
	f.accept(id, takes)
	j, err := p.wait(t.Context(), f.via(), id)
	require.NoError(t, err)
	require.Equal(t, JobSuccess, j.Status)
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.ends[id])
}

func poll(t *testing.T, body func(t *testing.T, f *fakeJobs, p *poller)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeJobs{ends: map[string]time.Time{}}
		body(t, f, newPoller(false))
		require.Less(t, f.mostInASecond(), 10, "polls in one second")
	})
}

func TestLoneJobsAreSeenSoon(t *testing.T) {
	for _, takes := range []time.Duration{0, 10, 44, 46, 99, 100, 119, 121, 150, 200, 333, 500, 1000, 3000, 5000,
		60000} {
		takes *= time.Millisecond
		t.Run(takes.String(), func(t *testing.T) {
			poll(t, func(t *testing.T, f *fakeJobs, p *poller) {
				late := f.await(t, p, "j", takes)
				bound := min(max(150*time.Millisecond, takes/3), 2*time.Second)
				if takes >= 60*time.Millisecond && takes <= 120*time.Millisecond {
					bound = 60 * time.Millisecond
				}
				require.LessOrEqual(t, late, bound)
			})
		})
	}
}

// TestJobsOneAfterAnother: the budget lasts for 100 ms jobs without a pause between them.
func TestJobsOneAfterAnother(t *testing.T) {
	poll(t, func(t *testing.T, f *fakeJobs, p *poller) {
		for i := range 200 {
			late := f.await(t, p, fmt.Sprint(i), 100*time.Millisecond)
			require.LessOrEqual(t, late, 60*time.Millisecond, "job %d", i)
		}
	})
}

// TestYoungJobAmongOldOnes: a hundred long jobs leave the token that a job of 100 ms needs.
func TestYoungJobAmongOldOnes(t *testing.T) {
	poll(t, func(t *testing.T, f *fakeJobs, p *poller) {
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() { f.await(t, p, fmt.Sprint("old", i), 10*time.Minute) })
		}
		time.Sleep(5 * time.Minute)
		for i := range 20 {
			late := f.await(t, p, fmt.Sprint("young", i), 100*time.Millisecond)
			require.LessOrEqual(t, late, 60*time.Millisecond, "young job %d", i)
			time.Sleep(time.Second)
		}
		wg.Wait()
	})
}

// TestManyJobsAtOnce: the bound holds, everybody is served, and nobody starves.
func TestManyJobsAtOnce(t *testing.T) {
	poll(t, func(t *testing.T, f *fakeJobs, p *poller) {
		const n = 300
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				late := f.await(t, p, fmt.Sprint(i), time.Duration(i)*10*time.Millisecond)
				require.LessOrEqual(t, late.Seconds(), float64(n)/pollRate*1.1+2)
			})
		}
		wg.Wait()
	})
}

// TestWaitEnds: a cancelled wait returns at once, and the poller's goroutine ends with its last waiter (the bubble
// would not end otherwise).
func TestWaitEnds(t *testing.T) {
	poll(t, func(t *testing.T, f *fakeJobs, p *poller) {
		ctx, cancel := context.WithTimeout(t.Context(), 333*time.Millisecond)
		defer cancel()
		f.accept("j", time.Hour)
		begun := time.Now()
		_, err := p.wait(ctx, f.query, "j")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 333*time.Millisecond, time.Since(begun))
		synctest.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		require.False(t, p.running)
		require.Empty(t, p.waiting)
	})
}

// TestPollsThatFail: passing failures are endured for the patience, refusals are not, and both keep to the budget.
func TestPollsThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := error(&transportError{command: "queryAsyncJobResult", sent: true, err: context.DeadlineExceeded})
		f := &fakeJobs{ends: map[string]time.Time{}}
		down := time.Now().Add(2 * time.Minute)
		p := newPoller(false)
		f.instead = func(ctx context.Context, id string) (Job, error) {
			j, _ := f.query(ctx, id)
			if time.Now().Before(down) {
				return Job{}, fail
			}
			return j, nil
		}
		f.await(t, p, "survives a restart", time.Second)

		down = time.Now().Add(time.Hour)
		begun := time.Now()
		_, err := p.wait(t.Context(), f.instead, "does not survive")
		require.ErrorIs(t, err, fail)
		require.InDelta(t, patience.Seconds(), time.Since(begun).Seconds(), 2)

		fail = &Error{Code: CodeParameter, Text: "no such job"}
		begun = time.Now()
		_, err = p.wait(t.Context(), f.instead, "nonsense")
		require.ErrorIs(t, err, fail)
		require.Equal(t, earlyLook, time.Since(begun))
		require.Less(t, f.mostInASecond(), 10)
	})
}

// TestEagerPoller: without the budget a job of 20 ms is seen within milliseconds.
func TestEagerPoller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeJobs{ends: map[string]time.Time{}}
		p := newPoller(true)
		require.LessOrEqual(t, f.await(t, p, "j", 20*time.Millisecond), 6*time.Millisecond)
		require.LessOrEqual(t, f.await(t, p, "k", 10*time.Second), eagerMost)
	})
}

// TestPollIsOneExchange: the poller counts exchanges, so a poll must not repeat itself.
func TestPollIsOneExchange(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable} {
		var polls atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			polls.Add(1)
			w.WriteHeader(status)
		}))
		defer s.Close()
		c, err := New(Options{URL: s.URL, APIKey: "k", SecretKey: "s"})
		require.NoError(t, err)
		_, err = c.queryJob(t.Context(), "j")
		require.Error(t, err)
		require.EqualValues(t, 1, polls.Load(), status)
		require.NoError(t, c.Close(t.Context()))
	}
}
