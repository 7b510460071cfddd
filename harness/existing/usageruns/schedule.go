package usageruns

import (
	"context"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/finding"
)

// scheduled looks whether recurring runs come. After a start of the usage server the first one is at
// usage.stats.job.exec.time, which is 00:15 as installed and so up to a day away; from then on there is one every range
// (UsageManagerImpl.java@4.20.0.0, start).
func (u *Server) scheduled(ctx context.Context) finding.Finding {
	const remedy = "set usage.stats.job.exec.time to a few minutes from now and restart the usage server, or have " +
		"runs on demand (usage: {run: on-demand})"
	at, err := setting(ctx, u.DB, "usage.stats.job.exec.time")
	if err != nil {
		return finding.Fails(harness.UsageRun, "", "%v", err)
	}
	var millis int64
	if err := u.DB.QueryRowContext(ctx, "SELECT COALESCE(MAX(end_millis), 0) FROM cloud_usage.usage_job WHERE "+
		"job_type = 0").Scan(&millis); err != nil {
		return finding.Fails(harness.UsageRun, "", "reading the usage jobs: %v", err)
	}
	if millis == 0 {
		return finding.Fails(harness.UsageRun, remedy, "no scheduled usage run has come yet; the first comes at %s GMT",
			at)
	}
	now, err := u.Clock.Now(ctx)
	if err != nil {
		return finding.Fails(harness.UsageRun, "", "%v", err)
	}
	last := time.UnixMilli(millis).UTC()
	if now.Sub(last) > 2*u.Window+heartbeatMax {
		return finding.Fails(harness.UsageRun, remedy,
			"no scheduled usage run since %s; after a start of the usage server they begin at %s GMT",
			last.Format(time.DateTime), at)
	}
	return finding.Works(harness.UsageRun, "scheduled runs come, the last until %s", last.Format(time.DateTime))
}
