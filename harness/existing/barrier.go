package existing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// runner makes one usage run that covers a time, and says up to when it covered.
type runner func(ctx context.Context, until time.Time, show func(string)) (covered time.Time, err error)

// barrier is where the scenarios of a run wait for usage runs together: one run serves all that wait. It is made when
// every member waits, or when somebody has waited for the grace time. Members join when their site opens and leave when
// their story is told.
type barrier struct {
	run   runner
	show  func(id, text string)
	grace time.Duration
	wake  chan struct{}

	mu      sync.Mutex
	members map[string]*ticket // nil ticket: at work
	runs    int
	broken  error
}

// ticket is one wait.
type ticket struct {
	until time.Time
	since time.Time
	done  chan error
}

func newBarrier(run runner, grace time.Duration, show func(id, text string)) *barrier {
	return &barrier{run: run, show: show, grace: grace, wake: make(chan struct{}, 1), members: map[string]*ticket{}}
}

func (b *barrier) changed() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// join adds a member that is at work; joining twice is fine.
func (b *barrier) join(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, there := b.members[id]; !there {
		b.members[id] = nil
	}
}

// leave takes a member away, whether it waits or not.
func (b *barrier) leave(id string) {
	b.mu.Lock()
	delete(b.members, id)
	b.mu.Unlock()
	b.changed()
}

// cover waits until a usage run has covered the time.
func (b *barrier) cover(ctx context.Context, id string, until time.Time) error {
	t := &ticket{until: until, since: time.Now(), done: make(chan error, 1)}
	b.mu.Lock()
	if b.broken != nil {
		defer b.mu.Unlock()
		return b.broken
	}
	b.members[id] = t
	b.mu.Unlock()
	b.tell("")
	b.changed()
	select {
	case err := <-t.done:
		return err
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.members[id] == t {
			b.members[id] = nil
		}
		return context.Cause(ctx)
	}
}

// tell shows every waiting member who else waits, or what the run does.
func (b *barrier) tell(doing string) {
	b.mu.Lock()
	var waiting, working []string
	for id, t := range b.members {
		if t != nil {
			waiting = append(waiting, id)
		} else {
			working = append(working, id)
		}
	}
	b.mu.Unlock()
	slices.Sort(waiting)
	slices.Sort(working)
	text := fmt.Sprintf("usage run: %d of %d wait", len(waiting), len(waiting)+len(working))
	switch {
	case doing != "":
		text = fmt.Sprintf("usage run for %d: %s", len(waiting), doing)
	case len(working) > 0:
		text += ", for " + strings.Join(working, " ")
	}
	for _, id := range waiting {
		b.show(id, text)
	}
}

// serve makes runs until the context ends; then whoever waits is told.
func (b *barrier) serve(ctx context.Context) {
	for {
		due, left, any := b.due()
		switch {
		case any && left <= 0:
			b.tell("starting")
			covered, err := b.run(ctx, due, b.tell)
			b.release(covered, err)
			continue
		case any:
			if !b.sleep(ctx, left) {
				b.release(time.Time{}, context.Cause(ctx))
				return
			}
		default:
			if !b.sleep(ctx, time.Hour) {
				b.release(time.Time{}, context.Cause(ctx))
				return
			}
		}
		if ctx.Err() != nil {
			b.release(time.Time{}, context.Cause(ctx))
			return
		}
	}
}

func (b *barrier) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-b.wake:
		return true
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// due says which time the next run must cover, the earliest that anybody waits for, and how long it may still be put off.
func (b *barrier) due() (until time.Time, left time.Duration, any bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	working := 0
	var longest time.Duration
	for _, t := range b.members {
		if t == nil {
			working++
			continue
		}
		if !any || t.until.Before(until) {
			until = t.until
		}
		longest = max(longest, time.Since(t.since))
		any = true
	}
	if working > 0 {
		left = b.grace - longest
	}
	return until, left, any
}

// release lets go whoever the run covered; a run that could not be made lets go all, with the reason.
func (b *barrier) release(covered time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.runs++
	}
	for id, t := range b.members {
		if t != nil && (err != nil || covered.After(t.until)) {
			t.done <- err
			b.members[id] = nil
		}
	}
}

// close makes later waits fail at once.
func (b *barrier) close(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = err
}
