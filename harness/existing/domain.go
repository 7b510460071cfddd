package existing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/harness/ledger"
)

// begin makes the run's domain with the first site, and begins to count pushes; every account of the run lies in it.
func (t *Target) begin(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.domained {
		return t.domain, nil
	}
	if err := t.gate.beside(ctx, func() error { return t.startCount(ctx) }); err != nil {
		return "", err
	}
	name := fmt.Sprintf("stackproof-%x", time.Now().UnixMilli())
	var entry int
	if t.opts.Ledger != nil {
		name = t.opts.Ledger.Prefix() + "-domain"
		var err error
		if entry, err = t.opts.Ledger.Intend("domain", name, ""); err != nil {
			return "", fmt.Errorf("noting the run's domain in the ledger: %w", err)
		}
	}
	// Before the call: its answer may be lost.
	t.undo = append(t.undo, undo{"removing the run's domain " + name,
		func(ctx context.Context) error { return t.dropOnce(ctx, name) }})
	made, err := t.cloud.CreateDomain(ctx, name, "")
	if err != nil {
		return "", fmt.Errorf("making the run's domain %s: %w", name, err)
	}
	t.domain, t.domainName, t.domained = made.Id, name, true
	if t.opts.Ledger != nil {
		if err := t.opts.Ledger.Created(entry, made.Id, 0); err != nil {
			return "", fmt.Errorf("noting the run's domain in the ledger: %w", err)
		}
	}
	if !t.config.KeepLimits {
		if err := t.cloud.LiftLimits(ctx, made.Id, ""); err != nil {
			return "", fmt.Errorf("domain %s: %w", name, err)
		}
	}
	return t.domain, nil
}

// DropTime bounds the removal of the domain and of whatever the run left in it. The server cleans up after accounts by
// itself, every 20 s on a simulator zone (account.cleanup.interval).
const DropTime = 2 * time.Minute

// dropOnce removes the run's domain unless that was tried already: what came of it is in the case leaks, and nowhere
// else.
func (t *Target) dropOnce(ctx context.Context, name string) error {
	t.mu.Lock()
	tried := t.dropped
	t.mu.Unlock()
	if tried {
		return nil
	}
	return t.dropDomain(ctx, name)
}

// dropDomain removes the run's domain, and looks whether it is gone. What other people put into it keeps it.
func (t *Target) dropDomain(ctx context.Context, name string) error {
	scope := cleanup.OfLedger([]ledger.Entry{{Kind: ledger.Domain, Name: name}})
	if t.opts.Ledger != nil { // whatever the server committed late carries the run's prefix
		scope = cleanup.OfRun(t.opts.Ledger.Prefix(), []ledger.Entry{{Kind: ledger.Domain, Name: name}})
	}
	report, err := cleanup.Remove(ctx, cleanup.Options{Cloud: t.cloud, Scope: scope, Wait: DropTime,
		Show: func(format string, a ...any) { t.show("clean-up", fmt.Sprintf(format, a...)) }})
	if err := errors.Join(err, report.Err()); err != nil || t.opts.Ledger == nil {
		return err
	}
	return t.opts.Ledger.Gone(name)
}

// runDomain is the domain of this run, "" before it is made.
func (t *Target) runDomain() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.domain
}

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
