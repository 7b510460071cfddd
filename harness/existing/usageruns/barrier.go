// Package usageruns has a usage server that somebody else runs make usage runs: it asks for them, or waits for the
// scheduled ones, and lets the scenarios of a run wait for them together.
package usageruns

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Runner makes one usage run for those who wait for these times, earliest first, and says up to when it covered. Where
// a run that came unasked has covered one of them already, it makes none.
type Runner func(ctx context.Context, wanted []time.Time, show func(string)) (done Covering, err error)

// Covering is what a Runner did.
type Covering struct {
	Until time.Time // up to when is covered
	Made  bool      // a run was waited for
}

// Served is a usage run that was waited for, and whom it let go.
type Served struct {
	Covered time.Time
	IDs     []string
}

// Barrier is where the scenarios of a run wait for usage runs together: one run serves all that wait. It is made when
// every member waits, or when somebody has waited for the grace time. Members join when their site opens and leave when
// their story is told.
type Barrier struct {
	run   Runner
	show  func(id, text string)
	grace time.Duration
	wake  chan struct{}

	mu      sync.Mutex
	members map[string]*ticket // nil ticket: at work
	runs    []Served
	broken  error
	ended   error // what the last run ended with
	failed  error // that the usage server's runs fail, if they ever did
}

// ticket is one wait.
type ticket struct {
	until time.Time
	since time.Time
	done  chan error
}

// NewBarrier is a barrier without members. Grace is how long a member at work may keep the others from a run.
func NewBarrier(run Runner, grace time.Duration, show func(id, text string)) *Barrier {
	return &Barrier{run: run, show: show, grace: grace, wake: make(chan struct{}, 1), members: map[string]*ticket{}}
}

func (b *Barrier) changed() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Join adds a member that is at work; joining twice is fine.
func (b *Barrier) Join(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, there := b.members[id]; !there {
		b.members[id] = nil
	}
}

// Leave takes a member away, whether it waits or not.
func (b *Barrier) Leave(id string) {
	b.mu.Lock()
	delete(b.members, id)
	b.mu.Unlock()
	b.changed()
}

// Cover waits until a usage run has covered the time.
func (b *Barrier) Cover(ctx context.Context, id string, until time.Time) error {
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
func (b *Barrier) tell(doing string) {
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
		text += fmt.Sprintf(", for %s, %s at most", strings.Join(working, " "), b.grace)
	}
	for _, id := range waiting {
		b.show(id, text)
	}
}

// Serve makes runs until the context ends; then whoever waits is told.
func (b *Barrier) Serve(ctx context.Context) {
	for {
		wanted, left := b.wanted()
		switch {
		case len(wanted) > 0 && left <= 0:
			b.tell("starting")
			b.release(b.run(ctx, wanted, b.tell))
		case len(wanted) > 0:
			b.sleep(ctx, left)
		default:
			b.sleep(ctx, time.Hour)
		}
		if ctx.Err() != nil {
			b.release(Covering{}, context.Cause(ctx))
			return
		}
	}
}

func (b *Barrier) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-b.wake:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// wanted are the times that are waited for, earliest first, and how long a run may still be put off.
func (b *Barrier) wanted() (times []time.Time, left time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	working := 0
	var longest time.Duration
	for _, t := range b.members {
		if t == nil {
			working++
			continue
		}
		times = append(times, t.until)
		longest = max(longest, time.Since(t.since))
	}
	slices.SortFunc(times, time.Time.Compare)
	if working > 0 {
		left = b.grace - longest
	}
	return times, left
}

// release lets go whoever the run covered; a run that could not be made lets go all, with the reason.
func (b *Barrier) release(done Covering, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = err
	if failing := (*Failing)(nil); errors.As(err, &failing) {
		b.failed = failing
	}
	free := map[string]*ticket{}
	for id, t := range b.members {
		if t != nil && (err != nil || done.Until.After(t.until)) {
			free[id] = t
			b.members[id] = nil
		}
	}
	if err == nil && done.Made {
		b.runs = append(b.runs, Served{done.Until, slices.Sorted(maps.Keys(free))})
	}
	for _, t := range free {
		t.done <- err
	}
}

// Ends are what the last run ended with, and that runs failed, if they ever did.
func (b *Barrier) Ends() (last, failed error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended, b.failed
}

// Waiting is how many members wait for a run.
func (b *Barrier) Waiting() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.members {
		if t != nil {
			n++
		}
	}
	return n
}

// Made are the runs that were waited for, oldest first.
func (b *Barrier) Made() []Served {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.runs)
}

// Close makes later waits fail at once.
func (b *Barrier) Close(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = err
}
