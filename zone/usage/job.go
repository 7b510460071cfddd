package usage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Kinds of a usage job (usage_job.job_type).
const (
	Recurring = 0
	Single    = 1
)

// staleAfter is the age of a heartbeat after which another server takes a recurring job over
// (UsageJobDaoImpl@4.20.0.0).
const staleAfter = 5 * time.Minute

// Job is one run, as its row of cloud_usage.usage_job says, and what it did.
type Job struct {
	ID      int64
	Type    int
	Start   time.Time // begin of the window, after events that came late moved it back
	End     time.Time // end of the window, inclusive, on .999 of a second
	Success bool
	// Events and Records count what the run handled and wrote.
	Events, Records int
	// Err is why a run failed. It is nil when there was just nothing to cover (Start on or after End).
	Err error
}

type jobRow struct {
	id        int64
	host      sql.Null[string]
	pid       sql.Null[int64]
	kind      int
	heartbeat time.Time
}

func (s *Server) owns(job *jobRow) bool {
	return job.host.Valid && job.host.V == s.options.Host && job.pid.Valid && job.pid.V == int64(s.options.PID)
}

// openJob returns the open job with the highest id among those that also meet the condition, or nil.
func (s *Server) openJob(ctx context.Context, condition string) (*jobRow, error) {
	var job jobRow
	err := s.db.QueryRowContext(ctx, "SELECT id, host, pid, job_type, heartbeat FROM cloud_usage.usage_job WHERE "+
		"end_millis = 0 "+
		condition+" ORDER BY id DESC LIMIT 1").Scan(&job.id, &job.host, &job.pid, &job.kind, &job.heartbeat)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("usage: reading the open job: %w", err)
	}
	return &job, nil
}

func (s *Server) createRecurring(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, "INSERT INTO cloud_usage.usage_job (host, pid, job_type, scheduled, heartbeat) "+
		"VALUES (?, ?, ?, 0, ?)",
		s.options.Host, s.options.PID, Recurring, second(s.options.Clock.Now()))
	if err != nil {
		return fmt.Errorf("usage: creating a recurring job: %w", err)
	}
	return nil
}

// closeJob writes the result of a run and, after a recurring one, opens the next.
func (s *Server) closeJob(ctx context.Context, job Job, took time.Duration) error {
	_, err := s.db.ExecContext(
		ctx, "UPDATE cloud_usage.usage_job SET start_millis = ?, end_millis = ?, exec_time = ?, "+
			"start_date = ?, end_date = ?, success = ? WHERE id = ?", job.Start.UnixMilli(), job.End.UnixMilli(),
		took.Milliseconds(), second(job.Start), second(job.End), job.Success, job.ID)
	if err != nil {
		return fmt.Errorf("usage: closing job %d: %w", job.ID, err)
	}
	if job.Type == Recurring {
		return s.createRecurring(ctx)
	}
	return nil
}

// lastSuccess is the end of the last successful window; false when there is none.
func (s *Server) lastSuccess(ctx context.Context) (time.Time, bool, error) {
	var millis int64
	err := s.db.QueryRowContext(ctx, "SELECT end_millis FROM cloud_usage.usage_job WHERE end_millis > 0 AND success "+
		"= 1 "+
		"ORDER BY end_millis DESC LIMIT 1").Scan(&millis)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("usage: reading the last success: %w", err)
	}
	return time.UnixMilli(millis).UTC(), true, nil
}
