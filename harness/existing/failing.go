package existing

import (
	"errors"

	"github.com/stackproof/stackproof/harness/existing/usageruns"
	"github.com/stackproof/stackproof/harness/result"
)

// failures say whether the last run that was waited for ended with a usage server that fails, and whether any did.
func (t *Target) failures() (last, ever *usageruns.Failing) {
	t.mu.Lock()
	b := t.barrier
	t.mu.Unlock()
	if b != nil {
		end, failed := b.Ends()
		errors.As(end, &last)
		errors.As(failed, &ever)
	}
	return last, ever
}

// SiteCases implements harness.SiteTeller.
func (t *Target) SiteCases() []result.Case {
	if _, f := t.failures(); f != nil {
		return []result.Case{f.Case()}
	}
	return nil
}
