package usage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Clock tells the time that the server lives in.
type Clock interface{ Now() time.Time }

// ErrNotOwner says that the open job belongs to another server, or that there is none; CloudStack skips such a run.
var ErrNotOwner = errors.New("usage: the open usage job is not ours")

// ErrKilled ends the run in which a server was killed; its job's row stays open.
var ErrKilled = errors.New("usage: the usage server was killed in the middle of a run")

// Options are fixed for the life of a server, as CloudStack reads its settings once.
type Options struct {
	Rules  Rules
	Faults Faults
	Clock  Clock // required
	// Range is usage.stats.job.aggregation.range in minutes, at least 1; 0 is 1440.
	Range int
	// ExecTime is usage.stats.job.exec.time, "HH:mm"; empty is 00:15.
	ExecTime string
	// Aggregation is usage.aggregation.timezone, Execution usage.execution.timezone, in which ExecTime is; nil is GMT.
	Aggregation, Execution *time.Location
	// Host and PID own the jobs; empty and 0 are "vm/127.0.0.1" and 1.
	Host string
	PID  int
	// SnapshotVirtualSize is usage.snapshot.virtualsize.select.
	SnapshotVirtualSize bool
	// TieSeed other than 0 shuffles events of the same second; 0 keeps them in order of id.
	TieSeed uint64
	// Log gets CloudStack's messages; nil drops them.
	Log *slog.Logger
}

// Server is a usage server. Its methods may be called from several goroutines; runs follow one another.
type Server struct {
	db      *sql.DB
	options Options
	log     *slog.Logger

	mu      sync.Mutex
	next    time.Time
	windows int            // runs that had a window, for SkipWindow
	lost    map[int64]bool // events dropped by EventLost
	doomed  bool           // KillInRun was called
}

// New makes a server on a pool whose DSN has parseTime=true and loc=UTC. It does nothing before Start.
func New(db *sql.DB, options Options) (*Server, error) {
	if options.Clock == nil {
		return nil, errors.New("usage: Options.Clock is missing: give the zone's clock")
	}
	if options.Range == 0 {
		options.Range = daily
	}
	if options.Range < 1 {
		return nil, fmt.Errorf("usage: range of %d minutes: use 1 or more", options.Range)
	}
	if options.ExecTime == "" {
		options.ExecTime = "00:15"
	}
	if options.Host == "" {
		options.Host = "vm/127.0.0.1"
	}
	if options.PID == 0 {
		options.PID = 1
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	at, err := time.Parse("15:04", options.ExecTime)
	if err != nil {
		return nil, fmt.Errorf("usage: execution time %q: use HH:mm", options.ExecTime)
	}
	if options.Execution == nil {
		options.Execution = time.UTC
	}
	now := options.Clock.Now().In(options.Execution)
	next := time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), 0, 0, options.Execution)
	if next.Before(now) {
		next = next.AddDate(0, 0, 1)
	}
	return &Server{db: db, options: options, log: options.Log, next: next.UTC(), lost: map[int64]bool{}}, nil
}

// NextRun is when the next recurring run is due.
func (s *Server) NextRun() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// HeartbeatDelay and HeartbeatEvery are when the caller calls Heartbeat: once after the delay, then at the interval.
const (
	HeartbeatDelay = 15 * time.Second
	HeartbeatEvery = 60 * time.Second
)

// Start makes the server known: it opens a recurring job when there is no open job at all.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options.Rules.CleanOwnJobsAtStart {
		if _, err := s.db.ExecContext(ctx, "DELETE FROM cloud_usage.usage_job WHERE end_millis = 0 AND host = ?",
			s.options.Host); err != nil {
			return fmt.Errorf("usage: removing our own open jobs: %w", err)
		}
	}
	job, err := s.openJob(ctx, "")
	if err != nil || job != nil {
		return err
	}
	return s.createRecurring(ctx)
}

// Stop ends the server. A clean stop removes its open job (from 4.19.1 on, #8896; older releases leave it, and the lab
// does not); one that is not (kill -9) leaves it, and the next server waits until its heartbeat is five minutes old.
func (s *Server) Stop(ctx context.Context, clean bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !clean {
		return nil
	}
	job, err := s.openJob(ctx, "")
	if err != nil || job == nil || !s.owns(job) {
		return err
	}
	if _, err := s.db.ExecContext(ctx, "DELETE FROM cloud_usage.usage_job WHERE id = ?", job.id); err != nil {
		return fmt.Errorf("usage: removing job %d: %w", job.id, err)
	}
	return nil
}

// KillInRun makes the next run with a window die between its two transactions, as kill -9 would have it: helper rows
// are written, records are not, the job stays open. The run returns ErrKilled, and the server must not be used again.
func (s *Server) KillInRun() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doomed = true
}

// Heartbeat refreshes the recurring job, takes over one whose owner has been silent for five minutes, runs a single job
// that generateUsageRecords queued, and catches up when more than a range has passed. It returns the runs it made.
func (s *Server) Heartbeat(ctx context.Context) ([]Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	runs := 0
	single, err := s.openJob(ctx, "AND job_type = 1 AND scheduled = 0")
	if err != nil {
		return nil, err
	}
	if single != nil && s.owns(single) {
		if _, err := s.db.ExecContext(ctx, "UPDATE cloud_usage.usage_job SET scheduled = 1 WHERE id = ?",
			single.id); err != nil {
			return nil, fmt.Errorf("usage: scheduling job %d: %w", single.id, err)
		}
		runs++
	}
	late, err := s.beat(ctx)
	if err != nil {
		return nil, err
	}
	if late {
		runs++
	}
	var jobs []Job
	for range runs {
		job, err := s.run(ctx)
		if errors.Is(err, ErrNotOwner) {
			continue
		}
		if err != nil {
			return jobs, err
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// beat refreshes or takes over the recurring job, and tells whether a run must catch up.
func (s *Server) beat(ctx context.Context) (late bool, err error) {
	job, err := s.openJob(ctx, "AND job_type = 0")
	if err == nil && job == nil && s.options.Rules.OwnsAtHeartbeat && !s.options.Faults.NeverTakeOver {
		if err = s.createRecurring(ctx); err == nil {
			job, err = s.openJob(ctx, "AND job_type = 0")
		}
	}
	if err != nil || job == nil {
		return false, err
	}
	now := s.options.Clock.Now()
	ours := s.owns(job)
	if !ours && s.options.Faults.NeverTakeOver {
		return false, nil
	}
	if !ours && now.Sub(job.heartbeat) <= staleAfter {
		return false, nil
	}
	if late, err = s.mustCatchUp(ctx, now); err != nil {
		return false, err
	}
	_, err = s.db.ExecContext(ctx, "UPDATE cloud_usage.usage_job SET host = ?, pid = ?, heartbeat = ?, scheduled = "+
		"0 WHERE id = ?",
		s.options.Host, s.options.PID, second(now), job.id)
	if err != nil {
		return false, fmt.Errorf("usage: refreshing job %d: %w", job.id, err)
	}
	if ours {
		return late, nil
	}
	_, err = s.db.ExecContext(ctx, "DELETE FROM cloud_usage.usage_job WHERE end_millis = 0 AND job_type = 1 AND "+
		"scheduled = 0 "+
		"AND (host <> ? OR pid <> ?)", s.options.Host, s.options.PID)
	if err != nil {
		return false, fmt.Errorf("usage: removing single jobs of the former owner: %w", err)
	}
	return late, nil
}

func (s *Server) mustCatchUp(ctx context.Context, now time.Time) (bool, error) {
	success, any, err := s.lastSuccess(ctx)
	if err != nil || !any {
		return false, err
	}
	length := time.Duration(s.options.Range) * time.Minute
	return now.Sub(success) > length-100*time.Millisecond && s.next.Sub(now) > length/2, nil
}
