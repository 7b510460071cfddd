package zone

import (
	"context"
	"slices"
	"time"
)

// task is something that falls due: a group's monitor, a heartbeat, an expunge.
type task struct {
	at   time.Time
	seq  int64
	what string
	run  func(ctx context.Context)
}

// at plans f for time t. f runs with the zone's lock held, after everything that is due earlier; equal times keep the
// order in which they were planned. The lock must be held.
func (z *Zone) at(t time.Time, what string, f func(ctx context.Context)) *task {
	z.taskSeq++
	one := &task{at: t.UTC(), seq: z.taskSeq, what: what, run: f}
	i, _ := slices.BinarySearchFunc(z.tasks, one, func(a, b *task) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return int(a.seq - b.seq)
	})
	z.tasks = slices.Insert(z.tasks, i, one)
	select {
	case z.planned <- struct{}{}:
	default:
	}
	return one
}

// cancel takes a planned task back; one that ran or was cancelled is no error. The lock must be held.
func (z *Zone) cancel(t *task) {
	z.tasks = slices.DeleteFunc(z.tasks, func(o *task) bool { return o == t })
}

// runDue runs what is due by t, in order, a manual clock set to each one's time. The lock is held.
func (z *Zone) runDue(ctx context.Context, t time.Time) {
	for len(z.tasks) > 0 && !z.tasks[0].at.After(t) && ctx.Err() == nil {
		next := z.tasks[0]
		z.tasks = z.tasks[1:]
		if m, ok := z.clock.(*Manual); ok {
			m.set(next.at)
		}
		next.run(ctx)
	}
}

// Advance lets d pass on a manual clock: jobs that are queued end first, then everything that falls due happens in order,
// then the clock stands at the end. On the wall clock it waits for the time to come.
func (z *Zone) Advance(ctx context.Context, d time.Duration) error {
	m, manual := z.clock.(*Manual)
	if !manual {
		select {
		case <-time.After(realTime(z.clock, d)):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	z.advancing.Lock()
	defer z.advancing.Unlock()
	z.mu.Lock()
	defer z.mu.Unlock()
	z.waitJobs()
	end := m.Now().Add(d)
	z.runDue(ctx, end)
	if ctx.Err() == nil {
		m.set(end)
	}
	return ctx.Err()
}

// follow runs due tasks on the wall clock until the zone closes.
func (z *Zone) follow() {
	defer z.working.Done()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		z.mu.Lock()
		z.runDue(z.background, z.clock.Now())
		wait := time.Hour
		if len(z.tasks) > 0 {
			wait = max(realTime(z.clock, z.tasks[0].at.Sub(z.clock.Now())), 0)
		}
		z.mu.Unlock()
		timer.Reset(wait)
		select {
		case <-z.background.Done():
			return
		case <-z.planned:
		case <-timer.C:
		}
	}
}
