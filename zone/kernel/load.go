package kernel

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/stackproof/stackproof/zone/api"
)

// Load is how a management server behaves that has much to do. The zero value is a server with nothing else to do.
// Times are the zone's; on a Manual clock, which does not run, nothing takes time.
type Load struct {
	// JobTimes are how long jobs take, by command.
	JobTimes map[string]time.Duration
	// Workers are how many jobs run at a time; 0 is no bound. The removal of an account holds one of them while it
	// waits for another one, so that as many removals as there are workers keep all jobs from running, for as long as
	// StandsStill.
	Workers     int
	StandsStill time.Duration
	// LateEvery makes every so manieth create of an account commit Late after it was sent, whoever still waits; 0 is
	// none.
	LateEvery int
	Late      time.Duration
	// LostEvery loses every so manieth answer to a change that was carried out; 0 is none.
	LostEvery int
	// Refuses says of a job of a command whether it fails with 530, as it does on a loaded server where the router is
	// not up in time; nil is none. It is asked once a job and must not call the zone.
	Refuses func(command string) bool
}

// Busy is a server of two cores on which 24 scenarios were started at once: job times, ten job workers, and the four
// minutes that removals of accounts kept all of them waiting were measured on 4.20.0.0 and 4.22.0.0 (confirmed.md 33,
// 46).
func Busy() Load {
	return Load{
		JobTimes: map[string]time.Duration{
			"deleteAccount": 13 * time.Second, "createVPC": 6 * time.Second, "deployVirtualMachine": 5 * time.Second,
			"restartVPC":         10 * time.Second,
			"associateIpAddress": time.Second, "assignToLoadBalancerRule": 2 * time.Second,
			"createLBStickinessPolicy": time.Second,
			"createAutoScaleVmGroup":   time.Second, "createLoadBalancerRule": time.Second,
		},
		Workers: 10, StandsStill: 230 * time.Second, LateEvery: 5, Late: 75 * time.Second, LostEvery: 50,
	}
}

// loaded is a load at work.
type loaded struct {
	Load
	clock   Clock
	workers chan struct{} // nil: no bound
	over    chan struct{} // closed when the server ends: then nothing takes time
	ending  sync.Once

	mu             sync.Mutex
	creates, calls int
}

func newLoaded(l Load, c Clock) *loaded {
	b := &loaded{Load: l, clock: c, over: make(chan struct{})}
	_, still := c.(*Manual)
	if still {
		b.JobTimes, b.LateEvery = nil, 0
	}
	if l.Workers > 0 && !still {
		b.workers = make(chan struct{}, l.Workers)
	}
	return b
}

func (b *loaded) end() { b.ending.Do(func() { close(b.over) }) }

// pass lets time go by until the server ends.
func (b *loaded) pass(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(RealTime(b.clock, d))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.over:
	}
}

// take waits for a worker, at most so long; 0 is without end. It says whether it got one.
func (b *loaded) take(most time.Duration) bool {
	if b.workers == nil {
		return false
	}
	var late <-chan time.Time
	if most > 0 {
		timer := time.NewTimer(RealTime(b.clock, most))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case b.workers <- struct{}{}:
		return true
	case <-late:
	case <-b.over:
	}
	return false
}

func (b *loaded) give(taken bool) {
	if taken {
		<-b.workers
	}
}

// work lets a job take its worker and its time before it does anything; done gives the worker back. The zone's lock is
// not held.
func (b *loaded) work(command string) (done func()) {
	worker := b.take(0)
	takes := b.JobTimes[command]
	if command == "deleteAccount" {
		b.pass(takes / 2)
		takes -= takes / 2
		second := b.take(b.StandsStill) // for what it stops and releases
		defer b.give(second)
	}
	b.pass(takes)
	return func() { b.give(worker) }
}

// refusal is why a job fails before it has done anything; nil for one that does not.
func (b *loaded) refusal(command string) error {
	if b.Refuses == nil || !b.Refuses(command) {
		return nil
	}
	return api.Internal("Unable to start a virtual router in time for %s", command)
}

// hold lets a create be late. What comes back is a context that outlives whoever waited for the answer.
func (b *loaded) hold(ctx context.Context, command string) context.Context {
	if command != "createAccount" || b.LateEvery == 0 {
		return ctx
	}
	b.mu.Lock()
	b.creates++
	late := b.creates%b.LateEvery == 0
	b.mu.Unlock()
	if !late {
		return ctx
	}
	b.pass(b.Late)
	return context.WithoutCancel(ctx)
}

// lost says whether the answer to a call is lost: of changes only, which are what a client must not simply repeat.
func (b *loaded) lost(command string) bool {
	lower := strings.ToLower(command)
	if b.LostEvery == 0 || strings.HasPrefix(lower, "list") || strings.HasPrefix(lower, "query") ||
		strings.HasPrefix(lower, "get") {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	return b.calls%b.LostEvery == 0
}
