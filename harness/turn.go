package harness

import "context"

// Turn lets the scenarios of a shared site do something one after another.
//
// It is for accounts. Their ids are given out when a transaction begins and seen when it commits; the usage server
// copies those with an id greater than the largest copied one. Of two accounts that are made side by side it may so
// miss one for ever, and every usage run of the site fails from its first event on (docs/facts/confirmed.md 31).
type Turn chan struct{}

// NewTurn returns a turn that nobody has.
func NewTurn() Turn { return make(Turn, 1) }

// Take waits for the turn; give gives it back. A nil Turn is everybody's.
func (t Turn) Take(ctx context.Context) (give func(), err error) {
	if t == nil {
		return func() {}, nil
	}
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
