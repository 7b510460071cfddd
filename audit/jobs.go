package audit

import (
	"context"
	"fmt"
	"time"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// job is a row of usage_job that has ended. Times are milliseconds since 1970.
type job struct {
	id         int64
	start, end int64
	success    bool
}

// chain is what the jobs tell.
type chain struct {
	Jobs
	ended    []job
	gaps     []string
	overlaps []string
	repeated int // jobs that began where the one before began
	streak   int // failed jobs since the last success, of those that had a window
	latest   int64
}

// readJobs reads all jobs. They are few: some hundreds a year, or some hundred thousand of a lab that runs each minute.
func (l *ledger) readJobs(ctx context.Context) (*chain, error) {
	c := &chain{}
	c.AgeSeconds, c.OpenHeartbeatSeconds = -1, -1
	beat := "COALESCE(TIMESTAMPDIFF(SECOND, heartbeat, UTC_TIMESTAMP()), -1)"
	columns := []string{number("start_millis"), number("end_millis"), number("success"), beat}
	err := l.usage.scan(ctx, "usage_job", columns, "", func(id int64, f *fields) error {
		j := job{id: id, start: f.int(), end: f.int(), success: f.int() == 1}
		age := f.int()
		switch {
		case j.end == 0:
			c.Open++
			if c.OpenHeartbeatSeconds < 0 || age < c.OpenHeartbeatSeconds {
				c.OpenHeartbeatSeconds = age
			}
		case j.success:
			c.Successful++
			c.ended = append(c.ended, j)
			c.latest = max(c.latest, j.end)
			c.streak = 0
		case j.start < j.end:
			c.Failed++
			c.streak++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.follow()
	if c.latest > 0 {
		end := time.UnixMilli(c.latest).UTC()
		c.LastEnd = &end
		c.AgeSeconds = int64(l.usage.taken.Sub(end).Seconds())
		l.cutoff = usageprobe.MomentOf(end)
	}
	c.RangeMinutes, err = l.aggregation(ctx)
	return c, err
}

// follow compares each successful job with the one before. A job whose window was empty is left out by the caller.
func (c *chain) follow() {
	for i := 1; i < len(c.ended); i++ {
		before, j := c.ended[i-1], c.ended[i]
		switch {
		case j.start == before.end+1:
		case j.start == before.start:
			c.repeated++
		case j.start > before.end+1:
			c.gaps = append(
				c.gaps,
				fmt.Sprintf(
					"nothing covers %s to %s (jobs %d and %d)",
					milli(before.end+1),
					milli(j.start-1),
					before.id,
					j.id,
				),
			)
		default:
			c.overlaps = append(
				c.overlaps,
				fmt.Sprintf(
					"job %d began at %s, before job %d ended at %s: that time was billed again",
					j.id,
					milli(j.start),
					before.id,
					milli(before.end),
				),
			)
		}
	}
}

func milli(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000") }

// aggregation is usage.stats.job.aggregation.range in minutes; 1440 is CloudStack's default.
func (l *ledger) aggregation(ctx context.Context) (int64, error) {
	const daily = 1440
	if !l.cloud.has("configuration", "name", "value") {
		return daily, nil
	}
	rows, err := l.cloud.conn.QueryContext(
		ctx,
		"SELECT value FROM cloud.configuration WHERE name = 'usage.stats.job.aggregation.range' AND value IS NOT NULL",
	)
	if err != nil {
		return 0, l.cloud.failed("reading the configuration", err)
	}
	defer func() { _ = rows.Close() }()
	minutes := int64(daily)
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return 0, l.cloud.failed("reading the configuration", err)
		}
		if n, _, ok := measure(text); ok && n > 0 {
			minutes = n
		}
	}
	if err := rows.Err(); err != nil {
		return 0, l.cloud.failed("reading the configuration", err)
	}
	return minutes, nil
}

// staleAfter is how old a heartbeat of a running usage server may be (UsageManagerImpl: five minutes).
const staleAfter = 5 * 60

// check is U8.
func (c *chain) check() Check {
	out := Check{ID: "U8", Title: "usage jobs follow one another, and the last one is young"}
	add := func(format string, a ...any) {
		out.Count++
		if len(out.Evidence) < evidenceLines {
			out.Evidence = append(out.Evidence, fmt.Sprintf(format, a...))
		}
	}
	if c.Successful == 0 {
		out.Outcome, out.Text = Undecidable,
			"no usage job has ever ended well: nothing can be expected of the helper tables"
		if c.streak > 0 {
			out.Outcome, out.Count, out.Text = Found, c.streak, fmt.Sprintf(
				"no usage job has ever ended well, %d failed: look into usage.log",
				c.streak,
			)
		}
		return out
	}
	for _, text := range c.gaps {
		add("%s", text)
	}
	for _, text := range c.overlaps {
		add("%s", text)
	}
	if c.repeated > 0 {
		add(
			"%d jobs began at the very time at which the one before began: the usage server stands still (#13399)",
			c.repeated,
		)
	}
	if c.streak > 1 {
		add("the last %d jobs with something to do failed", c.streak)
	}
	if limit := 2*c.RangeMinutes*60 + 3600; c.AgeSeconds > limit {
		add("the last success ended %d s ago, with a range of %d minutes", c.AgeSeconds, c.RangeMinutes)
	}
	if c.Open > 0 && c.OpenHeartbeatSeconds > staleAfter {
		add("an open job has had no heartbeat for %d s: no usage server is running", c.OpenHeartbeatSeconds)
	}
	out.Outcome = Clean
	out.Text = fmt.Sprintf("%d successful jobs, the last one ended at %s", c.Successful, milli(c.latest))
	if out.Count > 0 {
		out.Outcome = Found
		out.Text = out.Evidence[0]
	}
	return out
}
