package existing

import (
	"context"
	"errors"

	"github.com/stackproof/stackproof/harness/inventory"
)

// WatchLeaks implements harness.LeakWatcher. Without a ledger the run's objects have no prefix of their own by which they
// could be told from other people's.
func (t *Target) WatchLeaks(ctx context.Context) (func(context.Context) ([]string, error), error) {
	if t.opts.Ledger == nil {
		return nil, nil
	}
	leaks, err := inventory.Watch(ctx, t.cloud, t.db, t.opts.Ledger.Prefix())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) ([]string, error) {
		t.mu.Lock()
		domain := t.domainName
		t.mu.Unlock()
		var dropped error
		if domain != "" {
			dropped = t.dropDomain(ctx, domain)
		}
		found, err := leaks(ctx)
		if err != nil {
			err = errors.Join(dropped, err)
		}
		return found, err
	}, nil
}
