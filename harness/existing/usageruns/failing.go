package usageruns

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
)

// failedRuns is from how many failed usage runs in a row on the usage server is said to fail. One may have been cut off
// by a restart.
const failedRuns = 2

// Failing says that the usage server runs and that each of its runs fails: no scenario of the site can see a run.
type Failing struct {
	jobs  []failedJob // oldest first
	event *stuckEvent // nil where no event waits
}

// failedJob is a usage job that had a window and ended without success.
type failedJob struct {
	id         int64
	start, end time.Time
}

// stuckEvent is the event at which the runs most likely end.
type stuckEvent struct {
	id, account, resource int64
	kind                  string
	created               time.Time
	lacks                 string // empty: nothing that we know of
	remedy                string
}

// or is the error, or none.
func (f *Failing) or() error {
	if f == nil {
		return nil
	}
	return f
}

// Error is short, for the reasons of scenarios; the whole is told once, as a finding of the site.
func (f *Failing) Error() string {
	return "the usage server runs, and each of its runs fails (see the case " + harness.SiteID + ")"
}

// Says is the whole of it in one sentence.
func (f *Failing) Says() string {
	text := fmt.Sprintf("the usage server runs, but its last %d runs failed (%s)", len(f.jobs),
		strings.Join(f.named(), ", "))
	if f.event == nil {
		return text + "; no event waits: its log says why (/var/log/cloudstack/usage/usage.log)"
	}
	text += fmt.Sprintf("; the oldest event that keeps them from it is %d, %s of resource %d, account %d, created %s",
		f.event.id, f.event.kind, f.event.resource,
		f.event.account, f.event.created.Format(time.DateTime))
	if f.event.lacks == "" {
		return text + ", and nothing that it needs is missing: the log says why (/var/log/cloudstack/usage/usage.log)"
	}
	return text + ": " + f.event.lacks
}

// Remedy is what mends it.
func (f *Failing) Remedy() string {
	if f.event == nil {
		return ""
	}
	return f.event.remedy
}

func (f *Failing) named() []string {
	names := make([]string, len(f.jobs))
	for i, j := range f.jobs {
		names[i] = fmt.Sprintf("job %d to %s", j.id, j.end.Format(time.DateTime))
	}
	return names
}

// Case tells it as a case of the run.
func (f *Failing) Case() result.Case {
	c := result.Case{ID: harness.SiteID, Title: "the site's usage server does its runs", Verdict: result.Fail,
		Repeats: 1, Failures: 1, Reason: f.Says()}
	finding := result.Finding{Says: f.Says(), Subject: "usage server", Numbers: f.named()}
	if f.event != nil && f.event.account != 0 && strings.Contains(f.event.lacks, "cloud_usage.account") {
		finding.Class = "lost-account"
	}
	if remedy := f.Remedy(); remedy != "" {
		finding.Numbers = append(finding.Numbers, "to mend it: "+remedy)
	}
	c.Findings = []result.Finding{finding}
	return c
}

// failing looks whether every run since a job has failed, failedRuns of them at least; nil when not. A run whose window
// was empty ends without success too, and is none of them (confirmed.md 21).
func (u *Server) failing(ctx context.Context, after int64) (*Failing, error) {
	rows, err := u.DB.QueryContext(ctx, "SELECT id, start_millis, end_millis FROM cloud_usage.usage_job WHERE "+
		"end_millis > start_millis AND success = 0 AND id > ? "+
		"AND id > (SELECT COALESCE(MAX(id), 0) FROM cloud_usage.usage_job WHERE end_millis > 0 AND success = 1) "+
		"ORDER BY id DESC LIMIT 5", after)
	if err != nil {
		return nil, fmt.Errorf("reading failed usage jobs: %w", err)
	}
	defer rows.Close()
	f := &Failing{}
	for rows.Next() {
		var j failedJob
		var start, end int64
		if err := rows.Scan(&j.id, &start, &end); err != nil {
			return nil, fmt.Errorf("reading failed usage jobs: %w", err)
		}
		j.start, j.end = time.UnixMilli(start).UTC(), time.UnixMilli(end).UTC()
		f.jobs = append([]failedJob{j}, f.jobs...)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading failed usage jobs: %w", err)
	}
	if len(f.jobs) < failedRuns {
		return nil, nil
	}
	f.event, err = u.stuck(ctx)
	return f, err
}

// lastJob is the id of the newest job that has ended.
func (u *Server) lastJob(ctx context.Context) (id int64, err error) {
	if u.DB == nil {
		return 0, nil
	}
	if err := u.DB.QueryRowContext(
		ctx, "SELECT COALESCE(MAX(id), 0) FROM cloud_usage.usage_job WHERE end_millis > 0").Scan(&id); err != nil {
		return 0, fmt.Errorf("reading the usage jobs: %w", err)
	}
	return id, nil
}

// stuckKinds are what is known to end usage runs, the surest first. Each picks its oldest event.
func stuckKinds() []struct{ where, lacks, remedy string } {
	return []struct{ where, lacks, remedy string }{
		{"a.id IS NULL", "its account has no row in cloud_usage.account, so the server ends each run there (it " +
			"copies accounts above the largest copied id only, " +
			"and this one was committed late)",
			"copy the account's row from cloud.account into cloud_usage.account, all columns that both have; the " +
				"next run then handles all events that wait"},
		{"e.type IN ('VOLUME.CREATE', 'VOLUME.RESIZE', 'VOLUME.UPLOAD', 'TEMPLATE.CREATE', 'ISO.CREATE', " +
			"'SNAPSHOT.CREATE') AND e.size IS NULL",
			"it has no size, which the server needs", "give the event its size in cloud_usage.usage_event"},
		{"e.type LIKE '%.CREATE' AND EXISTS (SELECT 1 FROM cloud_usage.usage_event o WHERE o.type = e.type AND " +
			"o.resource_id = e.resource_id AND o.account_id = e.account_id AND o.id < e.id)",
			"the same create event came before, so its row would be there twice (a duplicate key, #13399)",
			"mark the event processed in cloud_usage.usage_event"},
		{"TRUE", "", ""},
	}
}

// stuck finds the oldest event that ends the runs, or else the oldest that waits.
func (u *Server) stuck(ctx context.Context) (*stuckEvent, error) {
	for _, kind := range stuckKinds() {
		e := &stuckEvent{lacks: kind.lacks, remedy: kind.remedy}
		var resource sql.Null[int64]
		var created string
		err := u.DB.QueryRowContext(ctx,
			"SELECT e.id, e.type, e.account_id, e.resource_id, DATE_FORMAT(e.created, '%Y-%m-%d %H:%i:%s') FROM "+
				"cloud_usage.usage_event e "+
				"LEFT JOIN cloud_usage.account a ON a.id = e.account_id WHERE e.processed = 0 AND "+kind.where+
				" ORDER BY e.created, e.id LIMIT 1").
			Scan(&e.id, &e.kind, &e.account, &resource, &created)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err == nil {
			e.resource = resource.V
			e.created, err = time.Parse(time.DateTime, created)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the events that wait for a usage run: %w", err)
		}
		return e, nil
	}
	return nil, nil
}
