package usage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// deletedKept is how long after its removal an account is still billed for what is left of it.
const deletedKept = 3 * 24 * time.Hour

// Run does one run on the open job, as the recurring schedule does. It returns ErrNotOwner when the job is not ours,
// and an error of its own only when the job's row could not be written; a failed run is a Job without Success.
func (s *Server) Run(ctx context.Context) (Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.run(ctx)
}

func (s *Server) run(ctx context.Context) (Job, error) {
	now := s.options.Clock.Now().UTC()
	if s.next.Before(now.Add(2 * time.Second)) { // jobs can start a little early
		s.next = s.next.Add(time.Duration(s.options.Range) * time.Minute)
	}
	open, err := s.openJob(ctx, "")
	if err != nil {
		return Job{}, err
	}
	if open == nil || !s.owns(open) {
		s.log.DebugContext(ctx, "Not owner of usage job, skipping...")
		return Job{}, ErrNotOwner
	}
	job := Job{ID: open.id, Type: open.kind}
	job.Start, job.End = s.options.window(now)
	if job.End.After(now) {
		job.End = now.Truncate(time.Millisecond)
	}
	success, any, err := s.lastSuccess(ctx)
	if err != nil {
		return Job{}, err
	}
	if any && !(s.options.Faults.ForgetSuccess && s.windows == 0) {
		job.Start = success.Add(time.Millisecond)
		if s.options.Faults.GapWindow {
			job.Start = job.Start.Add(time.Second)
		}
		if days := job.End.Sub(job.Start) / (daily * time.Minute); s.options.Faults.DayOf24Hours &&
			s.options.Range == daily {
			job.End = job.Start.Add(max(days, 1)*daily*time.Minute - time.Millisecond)
		}
	}
	began := time.Now()
	if !job.Start.Before(job.End) {
		s.log.InfoContext(ctx, "not parsing usage records since start time mills is on or after end time millis",
			"start", job.Start.UnixMilli(), "end", job.End.UnixMilli())
	} else {
		if any && s.options.Faults.OverlapWindow {
			job.Start = job.Start.Add(-time.Duration(s.options.Range) * time.Minute)
		}
		if job.Err = s.parse(ctx, now, &job); errors.Is(job.Err, ErrKilled) {
			return job, ErrKilled // the row stays as it is
		} else if job.Err != nil {
			s.log.ErrorContext(ctx, "Usage job failed", "job", job.ID, "error", job.Err)
		}
		job.Success = job.Err == nil
	}
	return job, s.closeJob(ctx, job, time.Since(began))
}

// statements are what a transaction, or a database without one, carries out.
type statements interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// pass is the work of one run inside a transaction.
type pass struct {
	*Server
	tx       statements
	open     *sql.Tx // nil once the transaction was rolled back: statements stand for themselves from then on
	now      time.Time
	accounts []account
	domains  map[int64]int64
}

type account struct {
	id, domain int64
	removed    sql.Null[time.Time]
}

// parse does the steps of UsageManagerImpl.parse: accounts, events, helper rows, then records slice by slice. Helper
// rows are committed before records are made, so a failure in the second part leaves them in place.
func (s *Server) parse(ctx context.Context, now time.Time, job *Job) error {
	if err := s.copyAccounts(ctx, job.Start); err != nil {
		return err
	}
	if err := s.copyEvents(ctx, job.End); err != nil {
		return err
	}
	events, err := s.pendingEvents(ctx, job.End)
	if err != nil {
		return err
	}
	events = s.options.Faults.events(events)
	job.Events = len(events)
	if len(events) > 0 && events[0].Created.Before(job.Start) {
		job.Start = events[0].Created
	}
	err = s.inTransaction(ctx, now, func(p *pass) error { return p.handleAll(ctx, events) })
	if err != nil && !errors.Is(err, errDuplicate) {
		return err
	}
	if s.doomed {
		return ErrKilled
	}
	return s.inTransaction(ctx, now, func(p *pass) (err error) {
		job.Records, err = billing{p}.recordAll(ctx, job.Start, job.End)
		return err
	})
}

func (s *Server) inTransaction(ctx context.Context, now time.Time, work func(*pass) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("usage: beginning a transaction: %w", err)
	}
	p := &pass{Server: s, tx: tx, open: tx, now: now, domains: map[int64]int64{}}
	if err = p.readAccounts(ctx); err == nil {
		err = work(p)
	}
	if p.open == nil {
		return err
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("usage: committing: %w", err)
	}
	return nil
}

// rollBack takes back what was done so far. What is done from now on is committed statement by statement.
func (p *pass) rollBack() error {
	if p.open == nil {
		return nil
	}
	tx := p.open
	p.open, p.tx = nil, p.db
	if err := tx.Rollback(); err != nil {
		return fmt.Errorf("usage: rolling back: %w", err)
	}
	return nil
}

// copyAccounts adds new accounts to cloud_usage and refreshes names and removal dates of those still alive or removed
// since start (UsageDaoImpl@4.20.0.0).
func (s *Server) copyAccounts(ctx context.Context, start time.Time) error {
	var last sql.Null[int64]
	if err := s.db.QueryRowContext(ctx, "SELECT MAX(id) FROM cloud_usage.account").Scan(&last); err != nil {
		return fmt.Errorf("usage: reading the last account: %w", err)
	}
	_, err := s.db.ExecContext(ctx, "UPDATE cloud_usage.account u JOIN cloud.account c ON u.id = c.id "+
		"SET u.account_name = c.account_name, u.removed = c.removed WHERE c.id <= ? AND (c.removed IS NULL OR "+
		"c.removed >= ?)",
		last.V, second(start))
	if err != nil {
		return fmt.Errorf("usage: refreshing accounts: %w", err)
	}
	unseen, err := s.unseenAccount(ctx, last)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, "INSERT INTO cloud_usage.account (id, account_name, uuid, type, role_id, "+
		"domain_id, removed, cleanup_needed) "+
		"SELECT id, account_name, uuid, type, role_id, domain_id, removed, cleanup_needed FROM cloud.account WHERE "+
		"id > ? AND id <> ?", last.V, unseen)
	if err != nil {
		return fmt.Errorf("usage: copying accounts: %w", err)
	}
	return nil
}

// unseenAccount is the account that AccountLost hides from a run: the oldest of several new ones. 0 is none.
func (s *Server) unseenAccount(ctx context.Context, last sql.Null[int64]) (int64, error) {
	if !s.options.Faults.AccountLost || !last.Valid {
		return 0, nil
	}
	var oldest sql.Null[int64]
	var count int
	err := s.db.QueryRowContext(ctx, "SELECT MIN(id), COUNT(*) FROM cloud.account WHERE id > ?", last.V).Scan(&oldest,
		&count)
	if err != nil {
		return 0, fmt.Errorf("usage: reading new accounts: %w", err)
	}
	if count < 2 {
		return 0, nil
	}
	return oldest.V, nil
}

func (p *pass) readAccounts(ctx context.Context) (err error) {
	rows, err := p.tx.QueryContext(ctx, "SELECT id, COALESCE(domain_id, 0), removed FROM cloud_usage.account ORDER "+
		"BY id")
	if err != nil {
		return fmt.Errorf("usage: reading accounts: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var a account
		if err := rows.Scan(&a.id, &a.domain, &a.removed); err != nil {
			return fmt.Errorf("usage: reading an account: %w", err)
		}
		p.accounts = append(p.accounts, a)
		p.domains[a.id] = a.domain
	}
	return rows.Err()
}

// billed are the accounts of a run in order: those alive, then those removed less than three days before its window.
func (p billing) billed(start time.Time) []account {
	var alive, gone []account
	for _, a := range p.accounts {
		switch {
		case a.removed.Valid && p.options.Faults.DeadAccountUnbilled:
		case !a.removed.Valid:
			alive = append(alive, a)
		case !a.removed.V.Before(second(start.Add(-deletedKept))):
			gone = append(gone, a)
		}
	}
	return append(alive, gone...)
}

// removed tells whether an account is gone.
func (p *pass) removed(account int64) bool {
	for _, a := range p.accounts {
		if a.id == account {
			return a.removed.Valid
		}
	}
	return false
}

func (p billing) recordAll(ctx context.Context, start, end time.Time) (int, error) {
	accounts := p.billed(start)
	if len(accounts) == 0 {
		return 0, errors.New("usage: no account to bill: cloud.account is empty")
	}
	parts := slicesOf(start, end, p.options.Range)
	p.windows++
	if p.options.Faults.SkipWindow && p.windows%2 == 0 {
		parts = parts[:len(parts)-1]
	}
	var ids []int64
	for _, a := range accounts {
		ids = append(ids, a.id)
	}
	total := 0
	for _, part := range parts {
		for _, a := range accounts {
			made, err := p.recordsOf(ctx, a, part)
			if err != nil {
				return total, err
			}
			made = p.options.Faults.records(made, ids)
			if err := p.write(ctx, made); err != nil {
				return total, err
			}
			total += len(made)
		}
	}
	return total, nil
}
