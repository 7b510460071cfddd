package existing

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stackproof/stackproof/harness/existing/usageruns"
)

// gate counts the scenarios at work, so that one can have the site for itself.
type gate struct {
	mu      sync.Mutex
	working int
	wanting int  // how many wait to be alone
	alone   bool // somebody is
	changed chan struct{}
	others  *others // nil where other runs are not looked at
}

func newGate() *gate { return &gate{changed: make(chan struct{})} }

// await waits until the condition holds; it is asked, and then acts, under the lock. Other runs do not tell when they
// have ended, so it is asked again and again where there may be some.
func (g *gate) await(ctx context.Context, take func() bool) error {
	for {
		g.mu.Lock()
		if take() {
			g.tell()
			g.mu.Unlock()
			return nil
		}
		wake := g.changed
		g.mu.Unlock()
		var again <-chan time.Time
		if g.others != nil {
			again = time.After(relook)
		}
		select {
		case <-wake:
		case <-again:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// tell wakes all that wait; the lock is held.
func (g *gate) tell() {
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *gate) do(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
	g.tell()
}

// pass is one scenario at the gate (harness.Gate). A scenario is one goroutine.
type pass struct {
	gate     *gate
	inside   bool
	alone    bool
	after    bool                            // is inside once it is no longer alone
	together func(ctx context.Context) error // called before the others go on
	parted   func()                          // called when the others have stopped
}

// beside does something while no run has the zone for itself: there is one rule of the simulator for a zone and
// command, and what one run sets or removes is the other's, too.
func (g *gate) beside(ctx context.Context, do func() error) error {
	p := &pass{gate: g}
	if err := p.Enter(ctx); err != nil {
		return err
	}
	defer p.Leave()
	return do()
}

// Enter implements harness.Gate.
func (p *pass) Enter(ctx context.Context) error {
	if p.alone {
		p.after = true
		return nil
	}
	if p.inside {
		return nil
	}
	err := p.gate.await(ctx, func() bool {
		if p.gate.alone || p.gate.wanting > 0 || p.gate.working == 0 && !p.gate.others.join() {
			return false
		}
		p.gate.working++
		return true
	})
	p.inside = err == nil
	return err
}

// Leave implements harness.Gate.
func (p *pass) Leave() {
	p.after = false
	if !p.inside {
		return
	}
	p.inside = false
	p.gate.do(func() {
		if p.gate.working--; p.gate.working == 0 {
			p.gate.others.leave()
		}
	})
}

// Alone implements harness.Gate.
func (p *pass) Alone(ctx context.Context) error {
	if p.alone {
		return nil
	}
	inside := p.inside
	p.Leave()
	p.gate.do(func() { p.gate.wanting++ })
	err := p.gate.await(ctx, func() bool {
		if p.gate.alone || p.gate.working > 0 || !p.gate.others.exclude() {
			return false
		}
		p.gate.alone = true
		return true
	})
	p.gate.do(func() { p.gate.wanting-- })
	p.alone = err == nil
	if p.alone {
		p.after = inside
		p.parted()
	}
	return err
}

// Together implements harness.Gate.
func (p *pass) Together(ctx context.Context) error {
	if !p.alone {
		return nil
	}
	p.alone = false
	err := p.together(ctx)
	enter := p.after
	p.inside, p.after = false, false
	p.gate.do(func() {
		p.gate.alone = false
		p.gate.others.leave()
	})
	if !enter {
		return err
	}
	return errors.Join(err, p.Enter(ctx))
}

// admission counts the scenarios that were let in.
type admission struct {
	turn chan struct{} // one is let in at a time, so that each sees those before it

	mu      sync.Mutex
	present int
}

func newAdmission() *admission { return &admission{turn: make(chan struct{}, 1)} }

func (a *admission) add(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.present += n
}

func (a *admission) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.present
}

// relook is how often it is looked anew how many scenarios work: those that wait for a usage run do not.
const relook = 250 * time.Millisecond

// Admit implements harness.Admitter. A scenario makes one call after another, so the server takes as many scenarios as
// it takes calls at once; a management server on two cores answers 24 that begin together later than any deadline.
func (t *Target) Admit(ctx context.Context) (func(), error) {
	select {
	case t.admission.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-t.admission.turn }()
	for {
		look, cancel := context.WithTimeoutCause(ctx, relook, errRelook)
		err := t.cloud.Pacer().Room(look, max(0, t.admission.count()-t.waiting()))
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, errRelook) {
			return nil, err
		}
	}
	t.admission.add(1)
	return func() { t.admission.add(-1) }, nil
}

var errRelook = errors.New("time to look again")

// waiting is how many scenarios wait for a usage run.
func (t *Target) waiting() int {
	t.mu.Lock()
	b := t.barrier
	t.mu.Unlock()
	if b == nil {
		return 0
	}
	return b.Waiting()
}

// siteRuns is the usage server as one scenario sees it (harness.UsageRuns).
type siteRuns struct {
	server  *usageruns.Server
	barrier *usageruns.Barrier
	pass    *pass
	id      string
}

// Window implements harness.UsageRuns.
func (s siteRuns) Window() time.Duration { return s.server.Window }

// Cover implements harness.UsageRuns. Who waits does not work: others may have the site for themselves meanwhile.
func (s siteRuns) Cover(ctx context.Context, until time.Time) error {
	inside := s.pass.inside
	s.pass.Leave()
	if err := s.barrier.Cover(ctx, s.id, until); err != nil || !inside {
		return err
	}
	return s.pass.Enter(ctx)
}

// Ask implements harness.RunAsker. Scheduled runs come by themselves.
func (s siteRuns) Ask(ctx context.Context) error { return s.server.Ask(ctx) }

// Shared says that many windows are better covered by one run (harness.SharedRuns).
func (s siteRuns) Shared() bool { return true }
