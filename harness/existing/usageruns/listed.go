package usageruns

import (
	"context"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing/finding"
)

// TryListed looks whether usage runs can be seen by their records, where there is no database.
func (u *Server) TryListed(ctx context.Context) finding.Finding {
	const key = "usage.stats.job.aggregation.range"
	value, found, err := u.API.Setting(ctx, key)
	switch {
	case err != nil:
		return finding.Fails(harness.UsageRun, "", "%v", err)
	case !found:
		return finding.Fails(harness.UsageRun, "", "the server does not list %s", key)
	}
	return u.tryRange(ctx, key, value)
}

// listedEnd is the end of the newest usage record of the run's accounts: a run has covered what it has billed. Networks
// and addresses are billed in every window, so there is one as soon as a scenario has any.
func (u *Server) listedEnd(ctx context.Context) (time.Time, error) {
	now, err := u.Clock.Now(ctx)
	if err != nil {
		return time.Time{}, err
	}
	// The server reads the dates in its own time zone, and lists the oldest first: a wide range, and all pages of it.
	const wide = 24 * time.Hour
	records, err := u.API.ListUsageRecords(ctx, now.Add(-wide), now.Add(wide), cloud.Params{"domainid": u.Domain(),
		"isrecursive": "true"})
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
