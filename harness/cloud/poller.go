package cloud

import (
	"context"
	"sync"
	"time"
)

// The budget. Polls are tokens of one bucket per client that holds at most pollBurst and gains pollRate a second. So in
// any second, wherever it begins, at most floor(2.9 + 6.8) = 9 polls are sent, however many jobs wait: a strict bound,
// not an average. (At the server ten may fall into one second only if the network bunches them up by 44 ms.)
//
// A job is due for a look 45 ms after it was accepted, at 120 ms, and then after each further third of its age, at
// least 70 ms and at most 2 s later. The look at 120 ms needs one token; all others need two, so that one stays in the
// bucket for the next young job, and at 45 ms the job goes without. Guaranteed, plus a round trip, for times on the
// client's clock:
//
//   - A lone job that takes 100 ms is seen 20 ms after its end; jobs of 100 ms one after another within 48 ms, because
//     each then costs one token and one comes every 1/6.8 s = 147 ms. Both stay below 60 ms for round trips up to
//     12 ms. The same holds while any number of older jobs wait: they leave the token.
//   - A lone job that takes d is seen within max(150 ms, d/3) of its end, at most 2 s.
//   - Of n jobs started together the last one gets its first look after n/6.8 s. Within the bound nobody can do
//     better: no call of the API answers for several jobs. Whoever is overdue longest goes first; and when young jobs
//     took all tokens for 2 s, an older one may take the kept token, so nobody starves.
const (
	pollRate  = 6.8 // tokens a second
	pollBurst = 2.9

	earlyLook = 45 * time.Millisecond
	firstLook = 120 * time.Millisecond
	leastGap  = 70 * time.Millisecond
	mostGap   = 2 * time.Second
	// starving is how long young jobs may take all tokens.
	starving = 2 * time.Second
	// patience is how long polls of one job may fail before its end counts as not seen. A management server restarts in
	// less.
	patience = 3 * time.Minute

	// An eager poller looks at once, then after each further quarter of the job's age within these bounds.
	eagerLeast = time.Millisecond
	eagerMost  = 50 * time.Millisecond
)

// query is one poll.
type query func(ctx context.Context, id string) (Job, error)

// poller looks after all waiting jobs of one client and those made of it by As. Its goroutine lives while there are
// any.
type poller struct {
	eager bool

	mu      sync.Mutex
	waiting []*waiter
	running bool
	kick    chan struct{}
	tokens  float64
	filled  time.Time
	// spared is when a job that is not young was last looked at, or nobody waited.
	spared time.Time
}

// waiter is one job that somebody waits for.
type waiter struct {
	ctx    context.Context
	query  query
	id     string
	begun  time.Time
	due    time.Time
	looked bool      // the look at firstLook, or a later one, was made
	failed time.Time // since when polls fail; zero: the last one did not
	asking bool
	done   chan outcome
}

type outcome struct {
	job Job
	err error
}

func newPoller(eager bool) *poller {
	return &poller{eager: eager, kick: make(chan struct{}, 1), tokens: pollBurst}
}

// wait returns when the job has ended, ctx has, or the poll was refused.
func (p *poller) wait(ctx context.Context, q query, id string) (Job, error) {
	now := time.Now()
	w := &waiter{ctx: ctx, query: q, id: id, begun: now, done: make(chan outcome, 1)}
	w.due = now.Add(p.first())
	p.add(w)
	select {
	case o := <-w.done:
		return o.job, o.err
	case <-ctx.Done():
		p.forget(w)
		return Job{ID: id}, context.Cause(ctx)
	}
}

func (p *poller) first() time.Duration {
	if p.eager {
		return 0
	}
	return earlyLook
}

// next is when a job of that age should be looked at again.
func (p *poller) next(w *waiter, now time.Time) time.Time {
	age := now.Sub(w.begun)
	switch {
	case p.eager:
		return now.Add(min(max(age/4, eagerLeast), eagerMost))
	case age < firstLook:
		return w.begun.Add(firstLook)
	}
	return now.Add(min(max(age/3, leastGap), mostGap))
}

func (p *poller) add(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(p.waiting, w)
	if !p.running {
		p.running = true
		p.spared = time.Now()
		go p.run()
		return
	}
	p.wake()
}

func (p *poller) forget(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(w)
	p.wake()
}

func (p *poller) remove(w *waiter) {
	for i, x := range p.waiting {
		if x == w {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			return
		}
	}
}

func (p *poller) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// run sends looks as they come due and ends with the last waiter.
func (p *poller) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		pause, more := p.step(time.Now())
		if !more {
			return
		}
		timer.Reset(pause)
		select {
		case <-timer.C:
		case <-p.kick:
		}
	}
}

// step sends what may be sent now. It returns how long nothing more can be sent, and whether anybody waits.
func (p *poller) step(now time.Time) (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.running = false
		return 0, false
	}
	p.fill(now)
	for {
		w, pause := p.pick(now)
		if w == nil {
			return pause, true
		}
		if !p.eager { // an eager poller's bucket stays full
			p.tokens--
		}
		if !young(w, now) {
			p.spared = now
		}
		w.asking = true
		w.looked = now.Sub(w.begun) >= firstLook
		go p.ask(w)
	}
}

func (p *poller) fill(now time.Time) {
	if !p.filled.IsZero() {
		p.tokens = min(pollBurst, p.tokens+now.Sub(p.filled).Seconds()*pollRate)
	}
	p.filled = now
}

// young says whether a job is due for its look at firstLook.
func young(w *waiter, now time.Time) bool { return !w.looked && now.Sub(w.begun) >= firstLook }

// need is how many tokens must be in the bucket for a look: one that may take the reserve needs 1, others 2.
func (p *poller) need(w *waiter, now time.Time) float64 {
	if young(w, now) || now.Sub(p.spared) > starving {
		return 1
	}
	return 2
}

// pick is the waiter to look at now, the one that is overdue longest first; or how long to pause until one can be.
func (p *poller) pick(now time.Time) (*waiter, time.Duration) {
	var best *waiter
	pause := mostGap
	for _, w := range p.waiting {
		if w.asking {
			continue
		}
		if late := w.due.Sub(now); late > 0 {
			pause = min(pause, late)
			continue
		}
		missing := p.need(w, now) - p.tokens
		if missing > 0 {
			pause = min(pause, time.Duration(missing/pollRate*float64(time.Second))+time.Millisecond)
			// What cannot be spared for an early look may be taken when the due one comes.
			if due := w.begun.Add(firstLook).Sub(now); due > 0 {
				pause = min(pause, due)
			}
			continue
		}
		if best == nil || w.due.Before(best.due) {
			best = w
		}
	}
	return best, pause
}

// ask makes one look and either ends the wait or plans the next.
func (p *poller) ask(w *waiter) {
	j, err := w.query(w.ctx, w.id)
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	w.asking = false
	if p.again(w, j, err, now) {
		p.wake()
		return
	}
	p.remove(w)
	w.done <- outcome{job: j, err: err}
	p.wake()
}

// again plans the next look of a job that has not ended, or whose poll may do better next time.
func (p *poller) again(w *waiter, j Job, err error, now time.Time) bool {
	switch {
	case w.ctx.Err() != nil:
		return false
	case err == nil:
		w.failed = time.Time{}
		w.due = p.next(w, now)
		return j.Status == JobPending
	case Code(err) != CodeThrottled && !isPassing(err):
		return false
	}
	if w.failed.IsZero() {
		w.failed = now
	}
	pause := jitter(3)
	if Code(err) == CodeThrottled {
		pause = throttlePause(err, 2)
	}
	w.due = now.Add(pause)
	return now.Sub(w.failed) < patience
}
