package existing

import (
	"context"

	"github.com/stackproof/stackproof/harness"
)

// Keeper is a ledger that is closed with its run.
type Keeper interface {
	harness.Ledger
	Close() error
}

// Keep notes from now on what the run creates; the ledger is closed with the target, when all that it names was
// removed.
func (t *Target) Keep(l Keeper) {
	t.opts.Ledger = l
	t.onClose("closing the ledger", func(context.Context) error { return l.Close() })
}

// URL is the address of the target's API.
func (t *Target) URL() string { return t.cloud.URL() }
