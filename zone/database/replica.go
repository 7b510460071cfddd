package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Replica is a second server that follows one as late as it is told. Its accounts are those of the first.
type Replica struct {
	*Server
	of, own *sql.DB // as the account that may do everything
}

// ErrNoReplica says that the server program cannot be followed: only MariaDB's statements for it are known here.
var ErrNoReplica = errors.New("database: a replica needs MariaDB")

// StartReplica runs a server that follows this one, which must have been started Logged. Dir is where its folder is
// made. Nothing may be written between the start of this one and this call.
func (s *Server) StartReplica(ctx context.Context, dir string) (_ *Replica, err error) {
	if !s.kind.mariadb {
		return nil, ErrNoReplica
	}
	follower := &Server{admin: s.admin, reader: s.reader,
		more: []string{"--server-id=2", "--relay-log=relayed", "--read-only"}}
	if follower, err = follower.start(ctx, Options{Schema: s.release, Dir: dir, Binary: s.kind.path}); err != nil {
		return nil, fmt.Errorf("database: starting a replica: %w", err)
	}
	r := &Replica{Server: follower}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.of, err = s.Open(ctx); err != nil {
		return nil, err
	}
	if r.own, err = r.Open(ctx); err != nil {
		return nil, err
	}
	file, at, err := r.written(ctx)
	if err != nil {
		return nil, err
	}
	_, err = r.own.ExecContext(ctx, fmt.Sprintf("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%d, "+
		"MASTER_USER='%s', MASTER_PASSWORD='%s', MASTER_LOG_FILE='%s', MASTER_LOG_POS=%d, MASTER_CONNECT_RETRY=1, "+
		"MASTER_USE_GTID=no", s.port, adminUser, s.admin, file, at))
	if err != nil {
		return nil, fmt.Errorf("database: telling a replica whom to follow: %w", err)
	}
	if err := r.do(ctx, "START SLAVE"); err != nil {
		return nil, err
	}
	return r, r.CatchUp(ctx)
}

// written is how far the log of the followed server is written.
func (r *Replica) written(ctx context.Context) (file string, at int64, err error) {
	var ignored sql.NullString
	err = r.of.QueryRowContext(ctx, "SHOW MASTER STATUS").Scan(&file, &at, &ignored, &ignored)
	if err != nil {
		return "", 0, fmt.Errorf("database: reading how far the log is written: %w", err)
	}
	return file, at, nil
}

func (r *Replica) do(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := r.own.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("database: replica: %s: %w", s, err)
		}
	}
	return nil
}

// Lag lets the replica be so late from now on, in whole seconds of the computer's time.
func (r *Replica) Lag(ctx context.Context, d time.Duration) error {
	return r.do(ctx, "STOP SLAVE", fmt.Sprintf("CHANGE MASTER TO MASTER_DELAY=%d", d/time.Second), "START SLAVE")
}

// Halt keeps the replica as it is until Resume.
func (r *Replica) Halt(ctx context.Context) error { return r.do(ctx, "STOP SLAVE SQL_THREAD") }

// Resume lets a replica that was halted go on.
func (r *Replica) Resume(ctx context.Context) error { return r.do(ctx, "START SLAVE SQL_THREAD") }

// CatchUp ends all lateness and waits until the replica has all that is written by now.
func (r *Replica) CatchUp(ctx context.Context) error {
	if err := r.Lag(ctx, 0); err != nil {
		return err
	}
	file, at, err := r.written(ctx)
	if err != nil {
		return err
	}
	const patience = 30 // seconds
	var waited sql.NullInt64
	if err := r.own.QueryRowContext(ctx, fmt.Sprintf("SELECT MASTER_POS_WAIT('%s', %d, %d)", file, at,
		patience)).Scan(&waited); err != nil {
		return fmt.Errorf("database: waiting for a replica: %w", err)
	}
	if !waited.Valid || waited.Int64 < 0 {
		return fmt.Errorf("database: the replica did not catch up within %d s: %s", patience, r.LastWords())
	}
	return nil
}

// Close ends the replica and removes its folder; the followed server goes on.
func (r *Replica) Close() error {
	var errs []error
	for _, db := range []*sql.DB{r.of, r.own} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, r.Server.Close())...)
}
