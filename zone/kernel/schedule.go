package kernel

import (
	"context"
	"slices"
	"time"
)

// Task is something that falls due: a group's monitor, a heartbeat, an expunge.
type Task struct {
	at   time.Time
	seq  int64
	what string
	run  func(ctx context.Context)
}

// At plans f for time t. f runs with the zone's lock held, after everything that is due earlier; equal times keep the
// order in which they were planned. The lock must be held.
func (k *Kernel) At(t time.Time, what string, f func(ctx context.Context)) *Task {
	k.taskSeq++
	one := &Task{at: t.UTC(), seq: k.taskSeq, what: what, run: f}
	i, _ := slices.BinarySearchFunc(k.tasks, one, func(a, b *Task) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return int(a.seq - b.seq)
	})
	k.tasks = slices.Insert(k.tasks, i, one)
	select {
	case k.planned <- struct{}{}:
	default:
	}
	return one
}

// Cancel takes a planned task back; one that ran or was cancelled is no error. The lock must be held.
func (k *Kernel) Cancel(t *Task) {
	k.tasks = slices.DeleteFunc(k.tasks, func(o *Task) bool { return o == t })
}

// runDue runs what is due by t, in order, a manual clock set to each one's time. The lock is held.
func runDue(ctx context.Context, k *Kernel, t time.Time) {
	for len(k.tasks) > 0 && !k.tasks[0].at.After(t) && ctx.Err() == nil {
		next := k.tasks[0]
		k.tasks = k.tasks[1:]
		if m, ok := k.Clock.(*Manual); ok {
			m.set(next.at)
		}
		next.run(ctx)
	}
}

// Advance lets d pass on a manual clock: jobs that are queued end first, then everything that falls due happens in
// order, then the clock stands at the end. On the wall clock it waits for the time to come.
func (k *Kernel) Advance(ctx context.Context, d time.Duration) error {
	m, manual := k.Clock.(*Manual)
	if !manual {
		select {
		case <-time.After(RealTime(k.Clock, d)):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	k.advancing.Lock()
	defer k.advancing.Unlock()
	k.Lock()
	defer k.Unlock()
	k.WaitJobs()
	end := m.Now().Add(d)
	runDue(ctx, k, end)
	if ctx.Err() == nil {
		m.set(end)
	}
	return ctx.Err()
}

// Follow runs due tasks on the wall clock until the zone closes.
func follow(k *Kernel) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		k.Lock()
		runDue(k.background, k, k.Clock.Now())
		wait := time.Hour
		if len(k.tasks) > 0 {
			wait = max(RealTime(k.Clock, k.tasks[0].at.Sub(k.Clock.Now())), 0)
		}
		k.Unlock()
		timer.Reset(wait)
		select {
		case <-k.background.Done():
			return
		case <-k.planned:
		case <-timer.C:
		}
	}
}
