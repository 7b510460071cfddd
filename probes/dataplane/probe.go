package dataplane

import (
	"context"
	"fmt"
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

// Probe looks at one rule. The error is for a configuration that makes no sense, a watch that cannot be read and an ended
// context; whatever the network does is in the observation.
func Probe(ctx context.Context, config Config) (Observation, error) {
	c, err := config.checked()
	if err != nil {
		return Observation{}, err
	}
	o := Observation{
		Target: Side{Target: c.Target}, Control: Side{Target: c.Control},
		Method: c.Method, Seed: c.Seed, Clients: len(c.Clients), Requests: c.Requests,
		Watched: c.Watch != nil, Started: c.Now(),
	}
	for o.Passes < maxPasses {
		o.Passes++
		before, err := mark(ctx, c.Watch)
		if err != nil {
			return o, fmt.Errorf("stickiness probe of %s: look at the router before pass %d: %w", c.Target.Rule, o.Passes, err)
		}
		p := newPass(&c, o.Passes)
		p.run(ctx)
		if err := ctx.Err(); err != nil {
			return o, fmt.Errorf("stickiness probe of %s: %w", c.Target.Rule, err)
		}
		after, err := mark(ctx, c.Watch)
		if err != nil {
			return o, fmt.Errorf("stickiness probe of %s: look at the router after pass %d: %w", c.Target.Rule, o.Passes, err)
		}
		o.Mark = after
		if before == after {
			err := evaluate(ctx, &o, &c, p)
			o.Seconds = c.Now().Sub(o.Started).Seconds()
			return o, err
		}
		o.Discarded = append(o.Discarded, fmt.Sprintf("the router changed from %q to %q", before, after))
	}
	o.Verdict, o.Reason = Inconclusive, fmt.Sprintf("the router changed in each of %d passes", o.Passes)
	o.Seconds = c.Now().Sub(o.Started).Seconds()
	return o, nil
}

func mark(ctx context.Context, w Watch) (string, error) {
	if w == nil {
		return "", nil
	}
	return w.Mark(ctx)
}

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

func newPass(c *Config, number int) *pass {
	p := &pass{config: c, random: rand.New(rand.NewPCG(c.Seed, uint64(number)))}
	for _, a := range c.Clients {
		p.clients = append(p.clients, client{from: a})
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

// run primes both rules serially, then goes through the shuffled rounds, each first on the target, then in the same order on
// the control rule. It stops at a failed request: there is no verdict any more.
func (p *pass) run(ctx context.Context) {
	order := make([]int, len(p.clients))
	for i := range order {
		order[i] = i
	}
	for round := range p.config.Requests {
		workers := len(p.askers)
		if round == 0 {
			// Parallel first connections of one client may be split by design (haproxy/haproxy#3243): first contact is
			// serial and completed.
			workers = 1
		} else {
			p.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		for side := range sides {
			p.round(ctx, round, side, order, workers)
			if p.failed.Load() || ctx.Err() != nil {
				return
			}
		}
	}
}

// round sends one request for each client. It returns when all are answered, so that no two requests of a client overlap.
func (p *pass) round(ctx context.Context, round, side int, order []int, workers int) {
	if workers == 1 {
		for _, i := range order {
			if !p.step(ctx, p.askers[0], round, side, i) {
				return
			}
		}
		return
	}
	var next atomic.Int64
	var running sync.WaitGroup
	for w := range workers {
		running.Go(func() {
			for {
				k := int(next.Add(1)) - 1
				if k >= len(order) || !p.step(ctx, p.askers[w], round, side, order[k]) {
					return
				}
			}
		})
	}
	running.Wait()
}

func (p *pass) step(ctx context.Context, a *asker, round, side, i int) bool {
	if p.failed.Load() || ctx.Err() != nil {
		return false
	}
	c := &p.clients[i]
	at := p.config.Now()
	origin, err := a.ask(ctx, c, side, round == 0)
	if err != nil {
		p.fail(side, round, c, at, err)
		return false
	}
	if origin.Told || origin.Source == c.from.String() {
		c.source = origin.Source
	}
	p.traces[side][i] = append(p.traces[side][i], Step{At: at, Backend: origin.Backend})
	return true
}

func (p *pass) fail(side, round int, c *client, at time.Time, err error) {
	rule := p.config.Target.Rule
	if side == controlSide {
		rule = p.config.Control.Rule
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = append(p.failures, Failure{Rule: rule, Client: c.from, Round: round, At: at, Error: err.Error()})
	p.failed.Store(true)
}
