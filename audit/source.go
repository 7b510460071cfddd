package audit

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// The two schemas of a site.
const (
	schemaCloud = "cloud"
	schemaUsage = "cloud_usage"
)

// source is one schema of a site, read in a snapshot of its own server.
type source struct {
	schema  string
	config  *mysql.Config
	db      *sql.DB
	conn    *sql.Conn
	columns map[string]map[string]bool // table → columns
	batch   int64
	maxLoad int
	tick    func(rows int64) // progress
	wait    func(busy int)   // told while the server has more statements at work than maxLoad
	taken   time.Time        // database time of the snapshot, GMT
	shared  bool             // conn belongs to the other source
}

// readTimeout bounds one answer of a server, so that a dead one ends an audit and not the patience.
const readTimeout = 10 * time.Minute

// dial connects to one server.
func dial(ctx context.Context, dsn string) (*sql.DB, *mysql.Config, error) {
	config, err := usageprobe.ParseDSN(dsn)
	if err != nil {
		return nil, nil, badInput(err)
	}
	config.ParseTime, config.Loc, config.InterpolateParams = false, time.UTC, true
	config.Logger = &mysql.NopLogger{} // what it would say is in the errors
	config.Timeout, config.ReadTimeout, config.WriteTimeout = 10*time.Second, readTimeout, readTimeout
	db, err := usageprobe.Connect(config)
	if err != nil {
		return nil, nil, badInput(err)
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, nil, errors.Join(
			fmt.Errorf("database %s: %w", config.Addr, usageprobe.Explain(err, config, "")),
			db.Close(),
		)
	}
	return db, config, nil
}

// open begins the snapshot.
func (s *source) open(ctx context.Context) (err error) {
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return fmt.Errorf("database %s: %w", s.config.Addr, usageprobe.Explain(err, s.config, ""))
	}
	for _, statement := range []string{"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"} {
		if _, err := s.conn.ExecContext(ctx, statement); err != nil {
			return s.failed("beginning a snapshot", err)
		}
	}
	var now string
	if err := s.conn.QueryRowContext(ctx, "SELECT CAST(UTC_TIMESTAMP() AS CHAR)").Scan(&now); err != nil {
		return s.failed("reading the database's time", err)
	}
	if s.taken, err = time.Parse(time.DateTime, now); err != nil {
		return s.failed("reading the database's time", err)
	}
	return nil
}

func (s *source) failed(what string, err error) error {
	return fmt.Errorf("database %s: %s: %w", s.config.Addr, what, err)
}

// learn reads which tables and columns the account can see. A table without SELECT is not listed by the server.
func (s *source) learn(ctx context.Context) error {
	s.columns = map[string]map[string]bool{}
	rows, err := s.conn.QueryContext(
		ctx,
		"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ?",
		s.schema,
	)
	if err != nil {
		return s.failed("listing the columns of "+s.schema, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return s.failed("listing the columns of "+s.schema, err)
		}
		if s.columns[table] == nil {
			s.columns[table] = map[string]bool{}
		}
		s.columns[table][strings.ToLower(column)] = true
	}
	if err := rows.Err(); err != nil {
		return s.failed("listing the columns of "+s.schema, err)
	}
	return nil
}

// each calls take for every row of a query, whose rows are closed in any case.
func (s *source) each(ctx context.Context, query string, take func(scan func(into ...any) error) error) (err error) {
	rows, err := s.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := take(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// has says whether the table is there with all these columns.
func (s *source) has(table string, columns ...string) bool {
	there := s.columns[table]
	return there != nil && !slices.ContainsFunc(columns, func(c string) bool { return !there[c] })
}

// either is the first expression when the table has the column, else the other.
func (s *source) either(table, column, expression, otherwise string) string {
	if s.has(table, column) {
		return expression
	}
	return otherwise
}

func (s *source) close() error {
	var errs []error
	if s.conn != nil && !s.shared {
		// Also after an interrupt, the server is told that nobody needs the snapshot any more.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err := s.conn.ExecContext(ctx, "ROLLBACK"); err != nil && !gone(err) {
			errs = append(errs, s.failed("ending the snapshot", err))
		}
		errs = append(errs, s.conn.Close())
	}
	if s.db != nil && !s.shared {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

func gone(err error) bool {
	return errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn)
}

// seconds is a SQL expression for a DATETIME column as seconds since 1970 of a GMT clock; 0 for NULL. Nothing in it
// depends on the session's time zone.
func seconds(column string) string {
	return "COALESCE(TO_SECONDS(" + column + ") - 62167219200, 0)"
}

func number(column string) string { return "COALESCE(" + column + ", 0)" }

// fields are the values of one row, in the order of its expressions. They are valid until the next row.
type fields struct {
	rest []byte
	err  error
}

// int takes the next value, a whole number.
func (f *fields) int() int64 {
	text := f.text()
	var n int64
	negative := false
	for i, c := range text {
		switch {
		case c == '-' && i == 0:
			negative = true
		case c < '0' || c > '9':
			f.fail(text)
			return 0
		default:
			n = n*10 + int64(c-'0')
		}
	}
	if len(text) == 0 {
		f.fail(text)
	}
	if negative {
		return -n
	}
	return n
}

// id takes the next value, an id. Ids of four thousand millions and more do not occur on any site known.
func (f *fields) id() uint32 {
	n := f.int()
	if n < 0 || n > 1<<32-1 {
		f.fail(strconv.AppendInt(nil, n, 10))
		return 0
	}
	return uint32(n)
}

func (f *fields) fail(text []byte) {
	if f.err == nil {
		f.err = fmt.Errorf("%q is not a number that fits", text)
	}
}

// separator stands between values; texts come last, so that it may occur in them.
const separator = '\x1f'

// text takes the next value as it is.
func (f *fields) text() []byte {
	for i, c := range f.rest {
		if c == separator {
			value := f.rest[:i]
			f.rest = f.rest[i+1:]
			return value
		}
	}
	value := f.rest
	f.rest = nil
	return value
}

// scan goes through a table in order of id, in statements over at most batch ids each. expressions must not be NULL.
func (s *source) scan(ctx context.Context, table string, expressions []string, where string,
	each func(id int64, f *fields) error) error {
	name := s.schema + "." + table
	var last sql.NullInt64
	if err := s.conn.QueryRowContext(ctx, "SELECT MAX(id) FROM "+name).Scan(&last); err != nil {
		return fmt.Errorf("reading %s: %w", name, usageprobe.Explain(err, s.config, name))
	}
	text := query{table: table, expressions: expressions}.text(s, where)
	for from := int64(0); from < last.Int64; {
		if err := s.breathe(ctx); err != nil {
			return err
		}
		to := min(from+s.batch, last.Int64)
		n, err := s.part(ctx, text, from, to, each)
		if err != nil {
			return fmt.Errorf("reading %s, ids %d to %d: %w", name, from+1, to, err)
		}
		if s.tick != nil {
			s.tick(to - from)
		}
		from = to
		if n == 0 && from < last.Int64 { // ids may have wide gaps
			var next int64
			if err := s.conn.QueryRowContext(ctx, "SELECT MIN(id) FROM "+name+" WHERE id > ?", from).
				Scan(&next); err != nil {
				return fmt.Errorf("reading %s: %w", name, err)
			}
			from = next - 1
		}
	}
	return nil
}

func (s *source) part(
	ctx context.Context,
	query string,
	from, to int64,
	each func(id int64, f *fields) error,
) (n int, err error) {
	rows, err := s.conn.QueryContext(ctx, query, from, to)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var raw sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&raw); err != nil {
			return n, err
		}
		f := fields{rest: raw}
		id := f.int()
		if err := each(id, &f); err != nil {
			return n, err
		}
		if f.err != nil {
			return n, fmt.Errorf("id %d: %w", id, f.err)
		}
		n++
	}
	return n, rows.Err()
}

// breathe waits while the server has more statements at work than it may, so that the site is not held up.
func (s *source) breathe(ctx context.Context) error {
	for s.maxLoad > 0 {
		var name string
		var running int
		if err := s.conn.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Threads_running'").
			Scan(&name, &running); err != nil {
			return s.failed("reading the server's load", err)
		}
		if running <= s.maxLoad {
			return nil
		}
		if s.wait != nil {
			s.wait(running)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
	return context.Cause(ctx)
}
