package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Bounds of a pacer.
const (
	// defaultParallel is how many changes are at work at once at most, where nobody says otherwise.
	defaultParallel = 16
	// firstWindow is how many a run begins with, leastWindow how many it keeps on the slowest server: one that hangs
	// must not stop all.
	firstWindow = 4
	leastWindow = 2
	// removalsAtOnce is how many accounts and domains are removed at a time. Each takes one of the server's job workers
	// and waits for another one: 14 at once stop a server with workers=10 for four minutes (docs: confirmed.md 46).
	removalsAtOnce = 3
	// slowTimes and slowLeast say what slow is: so many times the least that the same command took lately, and no less
	// than that.
	slowTimes = 4
	slowLeast = time.Second
	// recently is how long the least time of a command counts: what a server could do an hour ago says nothing.
	recently = 2 * time.Minute
	// jobCounts is how long a waited-for job takes up room. One that takes longer may wait for something else than
	// work.
	jobCounts = 2 * time.Minute
	// mostPatient bounds the deadline of one exchange: no call of a server waits longer for the database
	// (db.cloud.maxWait, client/conf/db.properties.in@4.20.0.0: 600 s).
	mostPatient = 10 * time.Minute
)

// Pacer gives a server as much work at once as it takes: one more change at a time while answers come as quickly as
// before (additive increase), fewer by a factor when they become slow or stay away (multiplicative decrease). All
// clients made by As share one, so it paces a run and not a user. It also knows how long calls take, and so how long to
// wait for an answer. It is safe for concurrent use; a nil Pacer lets everything through.
type Pacer struct {
	most     float64
	removals chan struct{}

	mu      sync.Mutex
	window  float64
	rested  time.Time // no second decrease before: what was sent before the first one still comes in late
	reads   int
	changes int
	jobs    int
	waiting []*place
	paces   map[string]*pace
	seen    PacerStats
}

// PacerStats say what a pacer saw and did.
type PacerStats struct {
	// Window is how many changes may be at work at once now; Least and Most what it was.
	Window, Least, Most int
	// Slow and Lost are the decreases, by slow answers and by answers that did not come.
	Slow, Lost int
	// Slowest is the longest time of an answered call.
	Slowest        time.Duration
	SlowestCommand string
	// Answer is how long answers of calls take, smoothed over all commands; 0 before the first.
	Answer time.Duration
}

// place is one call that waits for room.
type place struct {
	change bool
	room   int // for Room: how many are at work
	ready  chan struct{}
}

// pace is what is known of one command.
type pace struct {
	mean, spread time.Duration // smoothed time and its smoothed deviation, as TCP does (RFC 6298)
	least        [2]time.Duration
	turned       time.Time
	raised       time.Duration // deadline after one that was missed; 0 after an answer
}

// NewPacer makes a pacer that lets at most so many changes be at work at once; 0 is 16.
func NewPacer(most int) *Pacer {
	if most <= 0 {
		most = defaultParallel
	}
	p := &Pacer{most: float64(most), removals: make(chan struct{}, min(removalsAtOnce, most)),
		window: min(firstWindow, float64(most)), paces: map[string]*pace{}}
	p.seen = PacerStats{Least: int(p.window), Most: int(p.window)}
	return p
}

// Stats are what was seen so far.
func (p *Pacer) Stats() PacerStats {
	if p == nil {
		return PacerStats{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.seen
	s.Window = int(p.window)
	return s
}

// String says in one line how the server took the work.
func (s PacerStats) String() string {
	text := fmt.Sprintf("%d changes at once at the end (%d to %d)", s.Window, s.Least, s.Most)
	if s.Slow+s.Lost > 0 {
		text += fmt.Sprintf("; slowed down %d times because answers were slow, %d times because they did not come",
			s.Slow, s.Lost)
	}
	if s.Slowest > 0 {
		text += fmt.Sprintf("; the longest call: %s, %s", s.SlowestCommand, s.Slowest.Round(time.Millisecond))
	}
	return text
}

// Room returns when the server takes more than so many things at once: a runner asks it before it starts one more
// scenario.
func (p *Pacer) Room(ctx context.Context, working int) error {
	if p == nil {
		return nil
	}
	return p.wait(ctx, &place{room: working + 1, ready: make(chan struct{})})
}

// enter waits for room for one exchange; leave must be called after it.
func (p *Pacer) enter(ctx context.Context, change bool) (leave func(), err error) {
	if p == nil {
		return func() {}, nil
	}
	if err := p.wait(ctx, &place{change: change, ready: make(chan struct{})}); err != nil {
		return nil, err
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if change {
			p.changes--
		} else {
			p.reads--
		}
		p.admit()
	}, nil
}

func (p *Pacer) wait(ctx context.Context, w *place) error {
	p.mu.Lock()
	p.waiting = append(p.waiting, w)
	p.admit()
	p.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-w.ready: // it was let in at the same moment
		return nil
	default:
	}
	for i, x := range p.waiting {
		if x == w {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			break
		}
	}
	return context.Cause(ctx)
}

// admit lets in whom there is room for, in order of arrival. The lock is held.
func (p *Pacer) admit() {
	left := p.waiting[:0]
	for _, w := range p.waiting {
		if !p.fits(w) {
			left = append(left, w)
			continue
		}
		close(w.ready)
	}
	clear(p.waiting[len(left):])
	p.waiting = left
}

// fits says whether there is room, and takes it. Reads and changes have room of their own: a look must not wait for
// jobs.
func (p *Pacer) fits(w *place) bool {
	window := int(p.window)
	switch {
	case w.room > 0:
		return w.room <= window
	case w.change && p.changes+p.jobs < window:
		p.changes++
		return true
	case !w.change && p.reads < window:
		p.reads++
		return true
	}
	return false
}

// working notes a job that somebody waits for; ended must be called when the wait is over.
func (p *Pacer) working() (ended func()) {
	if p == nil {
		return func() {}
	}
	p.mu.Lock()
	p.jobs++
	p.mu.Unlock()
	free := sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.jobs--
		p.admit()
	})
	timer := time.AfterFunc(jobCounts, free)
	return func() {
		timer.Stop()
		free()
	}
}

// removal waits until few enough accounts and domains are being removed; over must be called after it.
func (p *Pacer) removal(ctx context.Context) (over func(), err error) {
	if p == nil {
		return func() {}, nil
	}
	select {
	case p.removals <- struct{}{}:
		return func() { <-p.removals }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// isRemoval says whether a command's job removes an account with all that it owns.
func isRemoval(command string) bool {
	return command == "deleteAccount" || command == "deleteDomain" || command == "deleteProject"
}

// deadline is how long to wait for one answer: at least base, longer where the command takes long or a deadline was
// missed.
func (p *Pacer) deadline(command string, base time.Duration) time.Duration {
	if p == nil {
		return base
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.paces[command]
	if c == nil {
		return base
	}
	return max(base, min(mostPatient, max(c.raised, c.mean+slowTimes*c.spread, slowTimes*c.mean)))
}

// typical is how long a command takes; 0 when that is not known.
func (p *Pacer) typical(command string) time.Duration {
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.paces[command]; c != nil {
		return c.mean
	}
	return 0
}

// jobOf begins the name under which the time of a command's job is noted.
const jobOf = "job of "

// answered notes the time of an exchange, or of a job as "job of COMMAND".
func (p *Pacer) answered(command string, took time.Duration) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	c := p.pace(command)
	c.took(took, now)
	switch {
	case strings.HasPrefix(command, jobOf):
	case p.seen.Answer == 0:
		p.seen.Answer = took
	default:
		p.seen.Answer += (took - p.seen.Answer) / 8
	}
	if took > p.seen.Slowest {
		p.seen.Slowest, p.seen.SlowestCommand = took, command
	}
	switch {
	case took > slowLeast && took > slowTimes*c.usual():
		if p.lower(0.7, now, took) {
			p.seen.Slow++
		}
		if p.window <= leastWindow {
			c.least = [2]time.Duration{took, took} // it is not our work that makes it slow
		}
	case 2*(p.changes+p.jobs+p.reads) >= int(p.window): // room that nobody uses proves nothing
		p.window = min(p.most, p.window+1/p.window)
		p.seen.Most = max(p.seen.Most, int(p.window))
		p.admit()
	}
}

// missed notes that no answer came within the deadline, or that something in front of the server gave up on it.
func (p *Pacer) missed(command string, deadline time.Duration) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pace(command).raised = min(mostPatient, 2*deadline)
	if p.lower(0.5, time.Now(), deadline) {
		p.seen.Lost++
	}
}

// lower is one multiplicative decrease, at most one in the time that an answer takes.
func (p *Pacer) lower(factor float64, now time.Time, took time.Duration) bool {
	if now.Before(p.rested) || p.window <= leastWindow {
		return false
	}
	p.window = max(leastWindow, p.window*factor)
	p.seen.Least = min(p.seen.Least, int(p.window))
	p.rested = now.Add(max(took, slowLeast))
	return true
}

func (p *Pacer) pace(command string) *pace {
	c := p.paces[command]
	if c == nil {
		c = &pace{}
		p.paces[command] = c
	}
	return c
}

// took adds one time.
func (c *pace) took(d time.Duration, now time.Time) {
	c.raised = 0
	if c.turned.IsZero() {
		c.mean, c.spread, c.least, c.turned = d, d/2, [2]time.Duration{d, d}, now
		return
	}
	c.spread += ((c.mean - d).Abs() - c.spread) / 4
	c.mean += (d - c.mean) / 8
	if now.Sub(c.turned) >= recently {
		c.least[1], c.least[0], c.turned = c.least[0], d, now
	}
	c.least[0] = min(c.least[0], d)
}

// usual is the least time lately.
func (c *pace) usual() time.Duration { return min(c.least[0], c.least[1]) }

// note tells the pacer how an exchange went.
func (p *Pacer) note(command string, took, deadline time.Duration, err error) {
	var late *gatewayError
	switch {
	case err == nil, IsRefused(err) && Code(err) != CodeThrottled:
		p.answered(command, took)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.status == http.StatusGatewayTimeout,
		Code(err) == CodeThrottled:
		p.missed(command, deadline)
	}
}
