package existing

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
)

// usageServer is what is known of the target's usage server, and how it is made to run.
type usageServer struct {
	db       *sql.DB
	api      *cloud.Client
	clock    clock
	check    func(context.Context) error // clocks agree; nil where they cannot be compared
	onDemand bool
	window   time.Duration
	wait     time.Duration
	look     time.Duration // how often the job table is read
	domain   func() string // the run's own; set where there is no database
	base     int64         // the newest job that had ended when runs began to be waited for; 0 while none are. Of the barrier's goroutine.
}

// siteRuns is the usage server as one scenario sees it (harness.UsageRuns).
type siteRuns struct {
	server  *usageServer
	barrier *barrier
	pass    *pass
	id      string
}

// Window implements harness.UsageRuns.
func (s siteRuns) Window() time.Duration { return s.server.window }

// Cover implements harness.UsageRuns. Who waits does not work: others may have the site for themselves meanwhile.
func (s siteRuns) Cover(ctx context.Context, until time.Time) error {
	inside := s.pass.inside
	s.pass.Leave()
	if err := s.barrier.cover(ctx, s.id, until); err != nil || !inside {
		return err
	}
	return s.pass.Enter(ctx)
}

// Ask implements harness.RunAsker. Scheduled runs come by themselves.
func (s siteRuns) Ask(ctx context.Context) error {
	if !s.server.onDemand {
		return nil
	}
	return s.server.ask(ctx)
}

// Shared says that many windows are better covered by one run (harness.SharedRuns).
func (s siteRuns) Shared() bool { return true }

// run implements runner. A window ends just before the current minute (UsageManagerImpl.java@4.20.0.0), so a run can cover
// a time only once its minute is over.
func (u *usageServer) run(ctx context.Context, wanted []time.Time, show func(string)) (covering, error) {
	if u.check != nil {
		if err := u.check(ctx); err != nil {
			return covering{}, err
		}
	}
	end, _, err := u.state(ctx)
	if err != nil {
		return covering{}, err
	}
	if end.After(wanted[0]) {
		return covering{until: end}, nil
	}
	if u.base == 0 { // runs that failed are not waited for once more
		if u.base, err = u.lastJob(ctx); err != nil {
			return covering{}, err
		}
	}
	now, err := u.clock.Now(ctx)
	if err != nil {
		return covering{}, err
	}
	until := choose(now, wanted)
	due := minuteAfter(until).Add(time.Second)
	show("waits for " + due.Format("15:04:05") + ", when the window is over")
	ctx, cancel := context.WithTimeoutCause(ctx, u.wait+due.Sub(now), errNoRun)
	defer cancel()
	end, err = u.await(ctx, until, due, show)
	if failing := (*failingServer)(nil); !errors.As(err, &failing) {
		u.base = 0
	}
	if errors.Is(err, errNoRun) {
		err = fmt.Errorf("no successful usage run covered %s within %s: %s", until.Format(time.DateTime), u.wait, u.diagnosis(context.WithoutCancel(ctx)))
	}
	return covering{end, true}, err
}

// choose says which time the next run is to cover: all that lies behind now, so that one run serves everybody who waits for
// the present; else the earliest time to come. The times are sorted.
func choose(now time.Time, wanted []time.Time) time.Time {
	until := wanted[0]
	for _, t := range wanted {
		if !t.After(now) {
			until = t
		}
	}
	return until
}

func minuteAfter(t time.Time) time.Time { return t.Truncate(time.Minute).Add(time.Minute) }

var errNoRun = errors.New("no usage run in time")

// await waits for a successful run that covers a time. The error is a *failingServer when the runs since u.base all fail.
func (u *usageServer) await(ctx context.Context, until, due time.Time, show func(string)) (time.Time, error) {
	if err := u.clock.until(ctx, due); err != nil {
		return time.Time{}, err
	}
	// The window is over: from here on it is the usage server that is waited for.
	ctx, cancel := context.WithTimeoutCause(ctx, u.wait, errNoRun)
	defer cancel()
	asked := 0
	for next := due; ; {
		end, pending, err := u.state(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if end.After(until) {
			return end, nil
		}
		if u.db != nil {
			if f, err := u.failing(ctx, u.base); err != nil || f != nil {
				return time.Time{}, errors.Join(err, f.or())
			}
		}
		now, err := u.clock.Now(ctx)
		if err != nil {
			return time.Time{}, err
		}
		// A job that was there before us may have cut its window before the wanted time, or found it empty
		// (confirmed: the job after an on-demand one ends without success): then another one is asked for.
		if u.onDemand && !pending && !now.Before(next) {
			if err := u.ask(ctx); err != nil {
				return time.Time{}, err
			}
			asked++
			next = now.Add(time.Minute)
		}
		if u.onDemand {
			show(fmt.Sprintf("asked for (%d), waits for the usage server", asked))
		} else {
			show("waits for the scheduled run")
		}
		if err := wait(ctx, u.look); err != nil {
			return time.Time{}, err
		}
	}
}

// ask queues a usage run.
func (u *usageServer) ask(ctx context.Context) error {
	now, err := u.clock.Now(ctx)
	if err != nil {
		return err
	}
	day := now.Format(time.DateOnly)
	err = u.api.Call(ctx, "generateUsageRecords", cloud.Params{"startdate": day, "enddate": day}, nil)
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
func (u *usageServer) state(ctx context.Context) (end time.Time, pending bool, err error) {
	if u.db == nil {
		end, err = u.listedEnd(ctx)
		return end, false, err
	}
	var millis, queued int64
	err = u.db.QueryRowContext(ctx, "SELECT COALESCE(MAX(CASE WHEN success = 1 THEN end_millis END), 0), "+
		"COALESCE(SUM(job_type = 1 AND scheduled = 0 AND end_millis = 0), 0) FROM cloud_usage.usage_job").Scan(&millis, &queued)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("reading the usage jobs: %w", err)
	}
	if millis == 0 {
		return time.Time{}, queued > 0, nil
	}
	return time.UnixMilli(millis).UTC(), queued > 0, nil
}

// diagnosis says why no run came.
func (u *usageServer) diagnosis(ctx context.Context) string {
	if u.db == nil {
		return "no usage record of the run's accounts was listed for that time; is the usage server alive (systemctl status cloudstack-usage)?"
	}
	if f := u.alive(ctx); f.State != OK {
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
	return fmt.Sprintf("the usage server is alive, %s, a job is queued: %t; see its log, and restart it if its settings were changed since it started",
		newest, pending)
}

// heartbeatMax is how old the usage server's heartbeat may be; it comes every 60 s.
const heartbeatMax = 2 * time.Minute

// alive looks for a fresh heartbeat.
func (u *usageServer) alive(ctx context.Context) Finding {
	var text sql.NullString
	var host sql.NullString
	err := u.db.QueryRowContext(ctx, "SELECT DATE_FORMAT(heartbeat, '%Y-%m-%d %H:%i:%s'), host FROM cloud_usage.usage_job WHERE end_millis = 0 AND job_type = 0 "+
		"ORDER BY id DESC LIMIT 1").Scan(&text, &host)
	if errors.Is(err, sql.ErrNoRows) {
		return broken(harness.UsageRun, startUsage, noOpenJob)
	}
	if err != nil {
		return broken(harness.UsageRun, "", "reading the usage server's heartbeat: %v", err)
	}
	now, err := u.clock.Now(ctx)
	if err != nil {
		return broken(harness.UsageRun, "", "%v", err)
	}
	beat, err := time.Parse(time.DateTime, text.String)
	if err != nil {
		return broken(harness.UsageRun, startUsage, "the usage server's heartbeat %q is no date", text.String)
	}
	return judgeHeartbeat(host.String, beat, now)
}

// noOpenJob is what a usage server leaves that was stopped, and what one shows that has just been started.
const noOpenJob = "the usage server has no open job in cloud_usage.usage_job"

// firstBeat is how long a started usage server may take to open its job: a heartbeat, and what its start takes (confirmed.md 35).
const firstBeat = 75 * time.Second

// restarted is alive, but it waits for the first heartbeat of a usage server that may have been started just now: for a while
// such a server looks like one that was stopped.
func (u *usageServer) restarted(ctx context.Context) (Finding, error) {
	f := u.alive(ctx)
	if f.State == OK || f.Evidence != noOpenJob {
		return f, nil
	}
	began, err := u.clock.Now(ctx)
	if err != nil {
		return f, err
	}
	for {
		if err := wait(ctx, u.look); err != nil {
			return f, err
		}
		if f = u.alive(ctx); f.Evidence != noOpenJob {
			return f, nil
		}
		now, err := u.clock.Now(ctx)
		if err != nil {
			return f, err
		}
		if now.Sub(began) > firstBeat {
			f.Evidence += fmt.Sprintf(", and none came within %s, as one of a server that was started just now would", firstBeat)
			return f, nil
		}
	}
}

// startUsage is what to do where no usage server runs.
const startUsage = "start it: systemctl start cloudstack-usage"

// takeover is the age of a heartbeat at which another usage server takes the job (UsageJobDaoImpl.java@4.20.0.0); it looks once a minute.
const takeover = 5 * time.Minute

// judgeHeartbeat says what a usage server's newest heartbeat shows. One in the future is a wrong clock: it would look alive
// long after it died.
func judgeHeartbeat(host string, beat, now time.Time) Finding {
	age := now.Sub(beat)
	switch {
	case age > heartbeatMax && age < takeover+heartbeatMax/2:
		return broken(harness.UsageRun, fmt.Sprintf("look again after %s: a usage server that was started after a crash takes over the dead one's job then; or %s",
			beat.Add(takeover+heartbeatMax/2).Format(time.TimeOnly), startUsage),
			"no heartbeat of the usage server (%s) since %s, %s ago", host, beat.Format(time.DateTime), age.Round(time.Second))
	case age > heartbeatMax:
		return broken(harness.UsageRun, startUsage+", or set the clocks of usage server and database by NTP", "no heartbeat of the usage server (%s) since %s, %s ago",
			host, beat.Format(time.DateTime), age.Round(time.Second))
	case age < -tolerated:
		return broken(harness.UsageRun, "set the clocks by NTP", "the usage server's heartbeat is %s in the future", -age)
	}
	return ok(harness.UsageRun, "usage server %s, heartbeat %s ago", host, age.Round(time.Second))
}

// Ranges of usage.stats.job.aggregation.range that give windows of minutes, short enough to wait for.
const (
	minRange = 1
	maxRange = 5
)

// tryUsage looks whether usage runs can be had, and how long their windows are.
func (u *usageServer) tryUsage(ctx context.Context) Finding {
	const key = "usage.stats.job.aggregation.range"
	text, err := setting(ctx, u.db, key)
	if err != nil {
		return broken(harness.UsageRun, "", "%v", err)
	}
	return u.tryRange(ctx, key, text)
}

func (u *usageServer) tryRange(ctx context.Context, key, text string) Finding {
	minutes, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || minutes < minRange || minutes > maxRange {
		return broken(harness.UsageRun, fmt.Sprintf("set it between %d and %d minutes (update configuration) and restart the usage server", minRange, maxRange),
			"%s is %q", key, text)
	}
	u.window = time.Duration(minutes) * time.Minute
	if u.db == nil {
		return ok(harness.UsageRun, "range %d min; without a database runs are seen by the records that they leave", minutes)
	}
	for _, zone := range []string{"usage.execution.timezone", "usage.aggregation.timezone"} {
		v, err := setting(ctx, u.db, zone)
		if err != nil {
			return broken(harness.UsageRun, "", "%v", err)
		}
		if v != "GMT" && v != "UTC" && !(v == "" && zone == "usage.aggregation.timezone") {
			return broken(harness.UsageRun, "set it to GMT and restart the usage server", "%s is %q", zone, v)
		}
	}
	f, err := u.restarted(ctx)
	if err != nil {
		return broken(harness.UsageRun, "", "%v", err)
	}
	if f.State == OK {
		if failed, err := u.failing(ctx, 0); err != nil || failed != nil {
			if err != nil {
				return broken(harness.UsageRun, "", "%v", err)
			}
			return broken(harness.UsageRun, failed.remedy(), "%s", failed.says())
		}
	}
	if f.State == OK && !u.onDemand {
		if late := u.scheduled(ctx); late.State != OK {
			return late
		}
	}
	if f.State == OK {
		how := "on demand (generateUsageRecords)"
		if !u.onDemand {
			how = "by schedule"
		}
		f.Evidence += fmt.Sprintf("; range %d min, time zones GMT, runs %s", minutes, how)
		if u.check != nil {
			f.Evidence += "; the clocks of database and management server agree"
		}
	}
	return f
}
