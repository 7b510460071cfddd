package lab

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/zone"
)

// Epoch is the time at which a lab's zones open by default. It is fixed, so that a seed reproduces a run at any hour of
// any day. Noon of an ordinary day is far from the scheduled usage run at 00:15, from a new year and from changes of
// clocks.
func Epoch() time.Time { return time.Date(2026, time.June, 1, 12, 0, 10, 0, time.UTC) }

// CheckStart refuses a time that the tables of a zone cannot hold. TIMESTAMP columns end in January 2038, and the
// longest scenario lets two years pass.
func CheckStart(at time.Time) error {
	first, last := time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(2036, time.January, 1, 0, 0, 0, 0,
		time.UTC)
	if at.Before(first) || !at.Before(last) {
		return fmt.Errorf("%s is out of range: want a time from 2001 to 2035", at.UTC().Format(time.RFC3339))
	}
	return nil
}

// clock is the zone's.
type clock struct {
	z   *zone.Zone
	now *zone.Manual
}

func (c clock) Now(context.Context) (time.Time, error)          { return c.now.Now(), nil }
func (c clock) Pass(ctx context.Context, d time.Duration) error { return c.z.Advance(ctx, d) }

// usageRuns lets the virtual clock jump past the end of a window and runs the usage server there.
type usageRuns struct {
	clock
	db *sql.DB
}

// Window is the aggregation range that the zone's usage server has.
func (usageRuns) Window() time.Duration { return time.Minute }

// Cover implements harness.UsageRuns. Where a scheduled run has covered the time already, a run on demand would find
// its window empty and end without success (UsageManagerImpl.java@4.20.0.0), so none is asked for.
func (u usageRuns) Cover(ctx context.Context, until time.Time) error {
	// A window ends just before the current minute, so the run must start in the minute after.
	next := until.Truncate(time.Minute).Add(time.Minute + time.Second)
	if d := next.Sub(u.now.Now()); d > 0 {
		if err := u.z.Advance(ctx, d); err != nil {
			return err
		}
	}
	end, err := u.covered(ctx)
	if err != nil || end.After(until) {
		return err
	}
	job, err := u.z.RunUsage(ctx)
	if err != nil {
		return err
	}
	if job.Err != nil {
		return fmt.Errorf("usage job %d failed: %w", job.ID, job.Err)
	}
	if end, err = u.covered(ctx); err != nil || end.After(until) {
		return err
	}
	return fmt.Errorf("no successful usage job covers %s: the newest one ends at %s, and job %d, which was asked "+
		"for, at %s with success %t",
		until.Format(time.DateTime), end.Format(time.DateTime), job.ID, job.End.Format(time.DateTime), job.Success)
}

// covered is the end of the newest successful usage job, whoever started it; the zero time of Unix for none.
func (u usageRuns) covered(ctx context.Context) (time.Time, error) {
	var millis int64
	err := u.db.QueryRowContext(
		ctx, "SELECT COALESCE(MAX(end_millis), 0) FROM cloud_usage.usage_job WHERE success = 1").Scan(&millis)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the usage jobs: %w", err)
	}
	return time.UnixMilli(millis).UTC(), nil
}
