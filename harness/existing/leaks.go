package existing

import (
	"context"
	"errors"
	"fmt"

	"github.com/stackproof/stackproof/harness/inventory"
)

// WatchLeaks implements harness.LeakWatcher. Without a ledger the run's objects have no prefix of their own by which
// they could be told from other people's.
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
			t.mu.Lock()
			t.dropped = true
			t.mu.Unlock()
		}
		found, err := leaks(ctx)
		switch {
		case err != nil:
			err = errors.Join(dropped, err)
		case len(found) > 0 && dropped != nil:
			found = append(found, fmt.Sprintf("why: %v", dropped))
		}
		return found, err
	}, nil
}
