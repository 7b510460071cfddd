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
	value, found, err := listedSetting(ctx, u.api, key)
	switch {
	case err != nil:
		return broken(harness.UsageRun, "", "%v", err)
	case !found:
		return broken(harness.UsageRun, "", "the server does not list %s", key)
	}
	return u.tryRange(ctx, key, value)
}

// listedSetting reads a global setting through the API.
func listedSetting(ctx context.Context, api *cloud.Client, name string) (value string, found bool, err error) {
	all, err := api.ListConfigurations(ctx, cloud.Params{"name": name})
	for _, c := range all {
		if c.Name == name {
			return c.Value, true, nil
		}
	}
	return "", false, err
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
