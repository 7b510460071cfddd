package existing

import (
	"context"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
)

// runDomain is the domain of this run, "" before it is made.
func (t *Target) runDomain() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.domain
}

// tryListed looks whether usage runs can be seen by their records, where there is no database.
func (u *usageServer) tryListed(ctx context.Context) Finding {
	const key = "usage.stats.job.aggregation.range"
	var list struct {
		Configuration []struct{ Name, Value string }
	}
	if err := u.api.Call(ctx, "listConfigurations", cloud.Params{"name": key}, &list); err != nil {
		return broken(harness.UsageRun, "", "%v", err)
	}
	for _, c := range list.Configuration {
		if c.Name == key {
			return u.tryRange(ctx, key, c.Value)
		}
	}
	return broken(harness.UsageRun, "", "the server does not list %s", key)
}

// listedEnd is the end of the newest usage record of the run's accounts: a run has covered what it has billed. Networks and
// addresses are billed in every window, so there is one as soon as a scenario has any.
func (u *usageServer) listedEnd(ctx context.Context) (time.Time, error) {
	now, err := u.clock.Now(ctx)
	if err != nil {
		return time.Time{}, err
	}
	// The server reads the dates in its own time zone, and lists the oldest first: a wide range, and all pages of it.
	const wide = 24 * time.Hour
	records, err := u.api.ListUsageRecords(ctx, now.Add(-wide), now.Add(wide), cloud.Params{"domainid": u.domain(), "isrecursive": "true"})
	if err != nil {
		return time.Time{}, fmt.Errorf("listing usage records: %w", err)
	}
	var end time.Time
	for _, r := range records {
		if r.End.After(end) {
			end = r.End
		}
	}
	return end, nil
}
