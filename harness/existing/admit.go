package existing

import (
	"context"
	"errors"
	"sync"
	"time"
)

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
