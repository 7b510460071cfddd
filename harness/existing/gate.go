package existing

import (
	"context"
	"sync"
)

// gate counts the scenarios at work, so that one can have the site for itself.
type gate struct {
	mu      sync.Mutex
	working int
	wanting int  // how many wait to be alone
	alone   bool // somebody is
	changed chan struct{}
}

func newGate() *gate { return &gate{changed: make(chan struct{})} }

// await waits until the condition holds; it is asked, and then acts, under the lock.
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
		select {
		case <-wake:
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
		if p.gate.alone || p.gate.wanting > 0 {
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
	p.gate.do(func() { p.gate.working-- })
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
		if p.gate.alone || p.gate.working > 0 {
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
	p.inside, p.after = p.after, false
	p.gate.do(func() {
		p.gate.alone = false
		if p.inside {
			p.gate.working++
		}
	})
	return err
}
