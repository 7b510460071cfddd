package dataplane

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	targetSide = iota
	controlSide
	sides
)

// pass is one run through the schedule: traces by side, client and round.
type pass struct {
	config  *Config
	clients []client
	traces  [sides][][]Step
	random  *rand.Rand
	askers  []*asker

	mu       sync.Mutex
	failures []Failure
	failed   atomic.Bool
}

// item is one request of the schedule.
type item struct{ round, side, client int }

// batch is a part of the schedule that workers share.
type batch struct {
	items []item
	next  atomic.Int64
	done  sync.WaitGroup
}

func newPass(c *Config, number int) *pass {
	p := &pass{config: c, random: rand.New(rand.NewPCG(c.Seed, uint64(number)))}
	for _, a := range c.Clients {
		p.clients = append(p.clients, client{from: a, name: a.String()})
	}
	for side := range p.traces {
		p.traces[side] = make([][]Step, len(p.clients))
		for i := range p.traces[side] {
			p.traces[side][i] = make([]Step, 0, c.Requests)
		}
	}
	for range c.Parallel {
		p.askers = append(p.askers, newAsker(c))
	}
	return p
}

// run primes both rules serially, then goes through the shuffled rounds, each first on the target, then in the same
// order on the control rule. It stops at a failed request: there is no verdict any more.
func (p *pass) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	batches := make(chan *batch)
	var running sync.WaitGroup
	defer running.Wait()
	defer close(batches)
	defer cancel()
	running.Go(func() { p.guard(ctx, cancel) })
	for _, a := range p.askers {
		running.Go(func() {
			for b := range batches {
				p.work(ctx, a, b)
				b.done.Done()
			}
		})
	}
	order := make([]int, len(p.clients))
	for i := range order {
		order[i] = i
	}
	for round := range p.config.Requests {
		if round > 0 {
			p.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		p.round(ctx, round, order, batches)
		if p.stopped(ctx) {
			return
		}
	}
}

// round sends one request for each client to each rule. It returns when all are answered, so that no two requests of a
// client to the same rule overlap.
func (p *pass) round(ctx context.Context, round int, order []int, batches chan<- *batch) {
	b := &batch{items: make([]item, 0, sides*len(order))}
	for side := range sides {
		for _, i := range order {
			b.items = append(b.items, item{round: round, side: side, client: i})
		}
	}
	if round == 0 || len(p.askers) == 1 {
		// Parallel first connections of one client may be split by design (haproxy/haproxy#3243): first contact is
		// serial and completed.
		p.work(ctx, p.askers[0], b)
		return
	}
	b.done.Add(len(p.askers))
	for range p.askers {
		batches <- b
	}
	b.done.Wait()
}

func (p *pass) work(ctx context.Context, a *asker, b *batch) {
	for !p.stopped(ctx) {
		k := int(b.next.Add(1)) - 1
		if k >= len(b.items) {
			return
		}
		p.step(ctx, a, b.items[k])
	}
}

func (p *pass) stopped(ctx context.Context) bool { return p.failed.Load() || ctx.Err() != nil }

func (p *pass) step(ctx context.Context, a *asker, it item) {
	c := &p.clients[it.client]
	at := p.config.Now()
	origin, err := a.ask(ctx, c, it.side, it.round == 0)
	if errors.Is(err, errInterrupted) {
		return
	}
	if err != nil {
		p.fail(it, at, err)
		return
	}
	if origin.Told || origin.Source == c.name {
		c.sources[it.side] = origin.Source
	}
	p.traces[it.side][it.client] = append(p.traces[it.side][it.client], Step{At: at, Backend: origin.Backend})
}

// fail notes a failed request; those that were under way may fail after the first one.
func (p *pass) fail(it item, at time.Time, err error) {
	rule := p.config.Target.Rule
	if it.side == controlSide {
		rule = p.config.Control.Rule
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed.Store(true)
	p.failures = append(p.failures, Failure{Rule: rule, Client: p.clients[it.client].from, Round: it.round, At: at,
		Error: err.Error()})
}

// guard ends requests that take longer than the time-out, and all of them when the context ends. One guard for the pass
// costs less than a timer for each connection.
func (p *pass) guard(ctx context.Context, cancel context.CancelFunc) {
	tick := time.NewTicker(max(p.config.Timeout/20, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			for _, a := range p.askers {
				a.interrupt()
			}
			return
		case <-tick.C:
		}
		for _, a := range p.askers {
			if a.expire(p.config.Timeout) {
				cancel()
			}
		}
	}
}
