package usageruns

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing/clock"
	"github.com/stackproof/stackproof/harness/existing/finding"
)

// Server is what is known of the target's usage server, and how it is made to run.
type Server struct {
	DB    *sql.DB // nil: runs are seen by the records that they leave
	API   *cloud.Client
	Clock clock.Clock
	// Check says whether the clocks agree; nil where they cannot be compared.
	Check func(context.Context) error
	// OnDemand has runs asked for; else the scheduled ones are waited for.
	OnDemand bool
	// Window is the aggregation range, as trying it found it.
	Window time.Duration
	// Wait bounds the wait for one run after its window is over.
	Wait time.Duration
	// Look is how often the job table is read.
	Look time.Duration
	// Domain is the run's own; needed where there is no database.
	Domain func() string

	base int64 // the newest job that had ended when runs began to be waited for; 0 while none are
}

// Run implements Runner. A window ends just before the current minute (UsageManagerImpl.java@4.20.0.0), so a run can
// cover a time only once its minute is over.
func (u *Server) Run(ctx context.Context, wanted []time.Time, show func(string)) (Covering, error) {
	if u.Check != nil {
		if err := u.Check(ctx); err != nil {
			return Covering{}, err
		}
	}
	end, _, err := u.state(ctx)
	if err != nil {
		return Covering{}, err
	}
	if err := u.ahead(ctx, end); err != nil {
		return Covering{}, err
	}
	if end.After(wanted[0]) {
		return Covering{Until: end}, nil
	}
	if u.base == 0 { // runs that failed are not waited for once more
		if u.base, err = u.lastJob(ctx); err != nil {
			return Covering{}, err
		}
	}
	now, err := u.Clock.Now(ctx)
	if err != nil {
		return Covering{}, err
	}
	until := choose(now, wanted)
	due := minuteAfter(until).Add(time.Second)
	show(fmt.Sprintf("waits for %s, when the window is over, and then %s at most for the usage server",
		due.Format(time.TimeOnly), u.Wait.Round(time.Second)))
	ctx, cancel := context.WithTimeoutCause(ctx, bound(u.Wait, now, due), errNoRun)
	defer cancel()
	end, err = u.await(ctx, until, due, show)
	if failing := (*Failing)(nil); !errors.As(err, &failing) {
		u.base = 0
	}
	if errors.Is(err, errNoRun) {
		err = fmt.Errorf("no successful usage run covered %s within %s: %s", until.Format(time.DateTime), u.Wait,
			u.diagnosis(context.WithoutCancel(ctx)))
	}
	return Covering{end, true}, err
}

// ahead is an error where a usage run has ended in the future: it cannot have covered what is done now.
func (u *Server) ahead(ctx context.Context, end time.Time) error {
	now, err := u.Clock.Now(ctx)
	if err != nil {
		return err
	}
	if by := end.Sub(now); by > tolerated {
		return fmt.Errorf("the newest usage run ends at %s, %s in the future: the clock was set back since, "+
			"and no run can cover the present before that", end.Format(time.DateTime), by.Round(time.Second))
	}
	return nil
}

// choose says which time the next run is to cover: all that lies behind now, so that one run serves everybody who waits
// for the present; else the earliest time to come. The times are sorted.
func choose(now time.Time, wanted []time.Time) time.Time {
	until := wanted[0]
	for _, t := range wanted {
		if !t.After(now) {
			until = t
		}
	}
	return until
}

// bound is how long a run is waited for: wait from the end of its window on. A window that is long over, since other
// runs were made meanwhile, leaves no less time.
func bound(wait time.Duration, now, due time.Time) time.Duration { return wait + max(0, due.Sub(now)) }

func minuteAfter(t time.Time) time.Time { return t.Truncate(time.Minute).Add(time.Minute) }

var errNoRun = errors.New("no usage run in time")

// await waits for a successful run that covers a time. The error is a *Failing when the runs since u.base all fail, and
// errNoRun when time is up, also in the middle of a look.
func (u *Server) await(ctx context.Context, until, due time.Time, show func(string)) (_ time.Time, err error) {
	if err := u.Clock.Until(ctx, due); err != nil {
		return time.Time{}, err
	}
	// The window is over: from here on it is the usage server that is waited for.
	ctx, cancel := context.WithTimeoutCause(ctx, u.Wait, errNoRun)
	defer cancel()
	defer func() {
		if errors.Is(err, context.DeadlineExceeded) && errors.Is(context.Cause(ctx), errNoRun) {
			err = errNoRun
		}
	}()
	most := time.Now().Add(u.Wait).Local().Format(time.TimeOnly)
	asked := 0
	for next := due; ; {
		end, pending, err := u.state(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if end.After(until) {
			return end, nil
		}
		if u.DB != nil {
			if f, err := u.failing(ctx, u.base); err != nil || f != nil {
				return time.Time{}, errors.Join(err, f.or())
			}
		}
		now, err := u.Clock.Now(ctx)
		if err != nil {
			return time.Time{}, err
		}
		// A job that was there before us may have cut its window before the wanted time, or found it empty
		// (confirmed: the job after an on-demand one ends without success): then another one is asked for.
		if u.OnDemand && !pending && !now.Before(next) {
			if err := u.API.Call(ctx, "generateUsageRecords", cloud.Params{"startdate": now.Format(time.DateOnly),
				"enddate": now.Format(time.DateOnly)}, nil); err != nil && !isUnknown(err) {
				return time.Time{}, fmt.Errorf("asking for a usage run: %w", err)
			}
			asked++
			next = now.Add(time.Minute)
		}
		if u.OnDemand {
			show(fmt.Sprintf("asked for (%d), waits for the usage server until %s at most", asked, most))
		} else {
			show("waits for the scheduled run until " + most + " at most")
		}
		if err := clock.Wait(ctx, u.Look); err != nil {
			return time.Time{}, err
		}
	}
}

// Ask queues a usage run; where runs come by schedule it does nothing.
func (u *Server) Ask(ctx context.Context) error {
	if !u.OnDemand {
		return nil
	}
	now, err := u.Clock.Now(ctx)
	if err != nil {
		return err
	}
	day := now.Format(time.DateOnly)
	err = u.API.Call(ctx, "generateUsageRecords", cloud.Params{"startdate": day, "enddate": day}, nil)
	if err != nil && !isUnknown(err) {
		return fmt.Errorf("asking for a usage run: %w", err)
	}
	return nil
}

// isUnknown says whether an answer was lost. Asking twice for a usage run is harmless: one is pending at most
// (UsageServiceImpl.java@4.20.0.0), and whether it came is seen in the job table.
func isUnknown(err error) bool {
	var lost *cloud.OutcomeUnknown
	return errors.As(err, &lost)
}

// state reads the end of the newest successful job, and whether a single job is queued.
func (u *Server) state(ctx context.Context) (end time.Time, pending bool, err error) {
	if u.DB == nil {
		end, err = u.listedEnd(ctx)
		return end, false, err
	}
	var millis, queued int64
	err = u.DB.QueryRowContext(ctx, "SELECT COALESCE(MAX(CASE WHEN success = 1 THEN end_millis END), 0), "+
		"COALESCE(SUM(job_type = 1 AND scheduled = 0 AND end_millis = 0), 0) FROM cloud_usage.usage_job").Scan(&millis,
		&queued)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("reading the usage jobs: %w", err)
	}
	if millis == 0 {
		return time.Time{}, queued > 0, nil
	}
	return time.UnixMilli(millis).UTC(), queued > 0, nil
}

// diagnosis says why no run came.
func (u *Server) diagnosis(ctx context.Context) string {
	if u.DB == nil {
		return "no usage record of the run's accounts was listed for that time; is the usage server alive " +
			"(systemctl status cloudstack-usage)?"
	}
	if f := u.alive(ctx); f.State != finding.OK {
		return f.String()
	}
	end, pending, err := u.state(ctx)
	if err != nil {
		return err.Error()
	}
	newest := "it has had no successful job"
	if !end.IsZero() {
		newest = "its newest successful job ends at " + end.Format(time.DateTime)
	}
	return fmt.Sprintf("the usage server is alive, %s, a job is queued: %t; see its log, and restart it if its "+
		"settings were changed since it started",
		newest, pending)
}

// heartbeatMax is how old the usage server's heartbeat may be; it comes every 60 s.
const heartbeatMax = 2 * time.Minute

// alive looks for a fresh heartbeat.
func (u *Server) alive(ctx context.Context) finding.Finding {
	var text sql.NullString
	var host sql.NullString
	err := u.DB.QueryRowContext(ctx, "SELECT DATE_FORMAT(heartbeat, '%Y-%m-%d %H:%i:%s'), host FROM "+
		"cloud_usage.usage_job WHERE end_millis = 0 AND job_type = 0 "+
		"ORDER BY id DESC LIMIT 1").Scan(&text, &host)
	if errors.Is(err, sql.ErrNoRows) {
		return finding.Fails(harness.UsageRun, startUsage, noOpenJob)
	}
	if err != nil {
		return finding.Fails(harness.UsageRun, "", "reading the usage server's heartbeat: %v", err)
	}
	now, err := u.Clock.Now(ctx)
	if err != nil {
		return finding.Fails(harness.UsageRun, "", "%v", err)
	}
	beat, err := time.Parse(time.DateTime, text.String)
	if err != nil {
		return finding.Fails(harness.UsageRun, startUsage, "the usage server's heartbeat %q is no date", text.String)
	}
	return judgeHeartbeat(host.String, beat, now)
}

// startUsage is what to do where no usage server runs.
const startUsage = "start it: systemctl start cloudstack-usage"

// judgeHeartbeat says what a usage server's newest heartbeat shows. One in the future is a wrong clock: it would look
// alive long after it died.
func judgeHeartbeat(host string, beat, now time.Time) finding.Finding {
	age := now.Sub(beat)
	switch {
	case age > heartbeatMax && age < takeover+heartbeatMax/2:
		return finding.Fails(harness.UsageRun,
			fmt.Sprintf("look again after %s: a usage server that was started after a crash takes over the dead "+
				"one's job then; or %s",
				beat.Add(takeover+heartbeatMax/2).Format(time.TimeOnly), startUsage),
			"no heartbeat of the usage server (%s) since %s, %s ago", host, beat.Format(time.DateTime),
			age.Round(time.Second))
	case age > heartbeatMax:
		return finding.Fails(harness.UsageRun, startUsage+", or set the clocks of usage server and database by NTP",
			"no heartbeat of the usage server (%s) since %s, %s ago",
			host, beat.Format(time.DateTime), age.Round(time.Second))
	case age < -tolerated:
		return finding.Fails(harness.UsageRun, "set the clocks by NTP",
			"the usage server's heartbeat is %s in the future", -age)
	}
	return finding.Works(harness.UsageRun, "usage server %s, heartbeat %s ago", host, age.Round(time.Second))
}

// Ranges of usage.stats.job.aggregation.range that give windows of minutes, short enough to wait for.
const (
	minRange = 1
	maxRange = 5
)

// TryUsage looks whether usage runs can be had, and how long their windows are.
func (u *Server) TryUsage(ctx context.Context) finding.Finding {
	const key = "usage.stats.job.aggregation.range"
	text, err := setting(ctx, u.DB, key)
	if err != nil {
		return finding.Fails(harness.UsageRun, "", "%v", err)
	}
	return u.tryRange(ctx, key, text)
}

func (u *Server) tryRange(ctx context.Context, key, text string) finding.Finding {
	minutes, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || minutes < minRange || minutes > maxRange {
		return finding.Fails(harness.UsageRun,
			fmt.Sprintf("set it between %d and %d minutes (update configuration) and restart the usage server",
				minRange, maxRange),
			"%s is %q", key, text)
	}
	u.Window = time.Duration(minutes) * time.Minute
	if u.DB == nil {
		return finding.Works(harness.UsageRun,
			"range %d min; without a database runs are seen by the records that they leave", minutes)
	}
	for _, zone := range []string{"usage.execution.timezone", "usage.aggregation.timezone"} {
		v, err := setting(ctx, u.DB, zone)
		if err != nil {
			return finding.Fails(harness.UsageRun, "", "%v", err)
		}
		if v != "GMT" && v != "UTC" && !(v == "" && zone == "usage.aggregation.timezone") {
			return finding.Fails(harness.UsageRun, "set it to GMT and restart the usage server", "%s is %q", zone, v)
		}
	}
	f, err := u.restarted(ctx)
	if err != nil {
		return finding.Fails(harness.UsageRun, "", "%v", err)
	}
	if f.State == finding.OK {
		if failed, err := u.failing(ctx, 0); err != nil || failed != nil {
			if err != nil {
				return finding.Fails(harness.UsageRun, "", "%v", err)
			}
			return finding.Fails(harness.UsageRun, failed.Remedy(), "%s", failed.Says())
		}
	}
	if f.State == finding.OK && !u.OnDemand {
		if late := u.scheduled(ctx); late.State != finding.OK {
			return late
		}
	}
	if f.State == finding.OK {
		how := "on demand (generateUsageRecords)"
		if !u.OnDemand {
			how = "by schedule"
		}
		f.Evidence += fmt.Sprintf("; range %d min, time zones GMT, runs %s", minutes, how)
		if u.Check != nil {
			f.Evidence += "; the clocks of database and management server agree"
		}
	}
	return f
}

// setting reads a configuration value; "" when it is not set.
func setting(ctx context.Context, db *sql.DB, name string) (string, error) {
	var v sql.NullString
	err := db.QueryRowContext(ctx, "SELECT COALESCE(value, default_value) FROM cloud.configuration WHERE name = ?",
		name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the configuration %s: %w", name, err)
	}
	return v.String, nil
}
