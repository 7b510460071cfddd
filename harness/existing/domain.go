package existing

import (
	"context"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
)

// begin makes the run's domain with the first site, and begins to count pushes; every account of the run lies in it.
func (t *Target) begin(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.domained {
		return t.domain, nil
	}
	if err := t.startCount(ctx); err != nil {
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
	var made struct{ Domain struct{ ID string } }
	if err := t.cloud.Call(ctx, "createDomain", cloud.Params{"name": name}, &made); err != nil {
		return "", fmt.Errorf("making the run's domain %s: %w", name, err)
	}
	t.domain, t.domained = made.Domain.ID, true
	t.undo = append(t.undo, undo{"removing the run's domain " + name, func(ctx context.Context) error { return t.dropDomain(ctx, made.Domain.ID) }})
	if t.opts.Ledger != nil {
		if err := t.opts.Ledger.Created(entry, made.Domain.ID, 0); err != nil {
			return "", fmt.Errorf("noting the run's domain in the ledger: %w", err)
		}
	}
	return t.domain, nil
}

// dropTime bounds the removal of a domain with everything that is still in it.
const dropTime = 5 * time.Minute

func (t *Target) dropDomain(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, dropTime)
	defer cancel()
	_, err := t.cloud.Job(ctx, "deleteDomain", cloud.Params{"id": id, "cleanup": "true"}, nil)
	if err != nil && !cloud.IsNotFound(err) {
		return err
	}
	if t.opts.Ledger != nil {
		return t.opts.Ledger.Removed(id)
	}
	return nil
}
