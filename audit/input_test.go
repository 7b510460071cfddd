package audit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/harness/harnesstest"
)

// TestBadInput: each mistake has one clear line that names what to do, and no password.
func TestBadInput(t *testing.T) {
	s := damaged(t)
	s.exec("CREATE USER 'half'@'127.0.0.1' IDENTIFIED BY 's3cret'")
	s.exec("GRANT SELECT ON cloud.* TO 'half'@'127.0.0.1'")
	s.exec("CREATE USER 'tables'@'127.0.0.1' IDENTIFIED BY 's3cret'")
	s.exec("GRANT SELECT ON cloud.* TO 'tables'@'127.0.0.1'")
	s.exec("GRANT SELECT ON cloud_usage.usage_job TO 'tables'@'127.0.0.1'")
	as := func(user, password string) string {
		return s.dsnWith(func(c *mysql.Config) { c.User, c.Passwd = user, password })
	}
	for name, tt := range map[string]struct {
		dsn, usage, want string
		input            bool
	}{
		"no address":      {dsn: "s3cret", want: "want user:password@tcp(host:3306)/", input: true},
		"nobody listens":  {dsn: "ro:s3cret@tcp(127.0.0.1:1)/", want: "check the dsn's host and port"},
		"wrong password":  {dsn: as("half", "s3cretwrong"), want: "user half is refused: check user and password"},
		"one schema only": {dsn: as("half", "s3cret"), want: "half may not read cloud_usage."},
		"one table only":  {dsn: as("tables", "s3cret"), want: "GRANT SELECT ON cloud_usage.* TO 'tables'@'%';"},
		"usage server down": {dsn: s.server.ReadOnlyDSN(), usage: "ro:s3cret@tcp(127.0.0.1:1)/",
			want: "check the dsn's host and port"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Run(t.Context(), Options{DSN: tt.dsn, UsageDSN: tt.usage})
			require.Nil(t, r)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "s3cret")
			require.NotContains(t, err.Error(), "\n")
			var input InputError
			require.Equal(t, tt.input, errors.As(err, &input))
		})
	}
}

func TestNotCloudStack(t *testing.T) {
	s := site4(t)
	s.exec("ALTER TABLE cloud_usage.usage_load_balancer_policy CHANGE lb_id rule_id BIGINT UNSIGNED NOT NULL")
	_, err := s.try()
	require.ErrorContains(
		t,
		err,
		"cloud_usage.usage_load_balancer_policy has no column lb_id: is this CloudStack 4.16.1 or later?",
	)
	s.exec("DROP TABLE cloud_usage.usage_job")
	_, err = s.try()
	require.ErrorContains(t, err, "usage_job: is this CloudStack's database server?")
}

// TestGoneHalfWay: a database that goes away leaves no result, not a part of one.
func TestGoneHalfWay(t *testing.T) {
	s := damaged(t)
	stages := 0
	r, err := s.try(func(o *Options) {
		o.Progress = func(p Progress) {
			if p.Stage == "records" && stages == 0 {
				stages++
				var id int64
				require.NoError(
					t,
					s.db.QueryRowContext(t.Context(),
						"SELECT id FROM information_schema.processlist WHERE user = 'stackproof_ro'").
						Scan(&id),
				)
				s.exec(fmt.Sprintf("KILL %d", id))
			}
		}
	})
	require.Equal(t, 1, stages)
	require.Nil(t, r)
	require.ErrorContains(t, err, "the audit ended half-way and has no result")
	require.NotContains(t, err.Error(), "stackproof_ro:")
}

func TestInterrupted(t *testing.T) {
	s := damaged(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	_, err := Run(ctx, Options{DSN: s.server.ReadOnlyDSN(), Batch: 1000, Progress: func(p Progress) {
		if p.Stage == "events" {
			cancel(stop)
		}
	}})
	require.ErrorContains(t, err, "has no result")
}

// TestMaxLoad: an audit waits while the database has much to do, says so, and is whole afterwards.
func TestMaxLoad(t *testing.T) {
	s := damaged(t)
	want := lines(s.audit())
	holder, err := s.db.Conn(t.Context())
	require.NoError(t, err)
	locked := func(query string) {
		_, err := holder.ExecContext(t.Context(), query)
		require.NoError(t, err)
	}
	locked("DO GET_LOCK('busy', 10)")
	var work errgroup.Group
	for range 6 {
		work.Go(func() error {
			_, err := s.db.ExecContext(t.Context(), "DO GET_LOCK('busy', 600) + RELEASE_LOCK('busy')")
			return err
		})
	}
	harnesstest.Eventually(t, "six statements at work", func() (bool, string) {
		var name string
		var running int
		err := holder.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Threads_running'").Scan(&name, &running)
		require.NoError(t, err)
		return running > 6, itoa(int64(running))
	})
	var free sync.Once
	most := 0
	r, err := s.try(func(o *Options) {
		o.MaxLoad = 5
		o.Progress = func(p Progress) {
			if most = max(most, p.Busy); p.Busy > 0 {
				free.Do(func() { locked("DO RELEASE_LOCK('busy')") })
			}
		}
	})
	free.Do(func() { locked("DO RELEASE_LOCK('busy')") })
	require.NoError(t, work.Wait())
	require.NoError(t, holder.Close())
	require.NoError(t, err)
	require.Greater(t, most, 6)
	require.Equal(t, want, lines(r))
}

// TestSessionTimeZone: no setting of the connection or of the session moves a date.
func TestSessionTimeZone(t *testing.T) {
	s := damaged(t)
	want := lines(s.audit())
	require.NotEmpty(t, want)
	for name, change := range map[string]func(*mysql.Config){
		"New York": func(c *mysql.Config) { c.Params = map[string]string{"time_zone": "'-05:00'"} },
		"Auckland": func(c *mysql.Config) {
			c.Params, c.ParseTime = map[string]string{"time_zone": "'+13:00'"}, false
		},
	} {
		r := s.audit(func(o *Options) { o.DSN = s.dsnWith(change) })
		require.Equal(t, want, lines(r), name)
		require.Equal(t, Clean, r.Check("U12").Outcome, name)
	}
}

// TestTwoServers: each schema on a server of its own gives the same findings, and the difference in time is told.
func TestTwoServers(t *testing.T) {
	s := damaged(t)
	want := lines(s.audit())
	// Each account sees one schema only, as it does on servers apart.
	for user, schema := range map[string]string{"one": "cloud", "two": "cloud_usage"} {
		s.exec("CREATE USER '" + user + "'@'127.0.0.1' IDENTIFIED BY 'p'")
		s.exec("GRANT SELECT ON " + schema + ".* TO '" + user + "'@'127.0.0.1'")
	}
	as := func(user string) string {
		return s.dsnWith(func(c *mysql.Config) { c.User, c.Passwd = user, "p" })
	}
	r := s.audit(func(o *Options) { o.DSN, o.UsageDSN = as("one"), as("two") })
	require.Equal(t, want, lines(r))
	require.NotNil(t, r.Site.UsageTaken)
	require.Contains(t, strings.Join(r.Notes, "\n"), "the schemas are on two servers, and their snapshots are")
}

// TestSmallBatches: ids with gaps and batches of any size give the same result.
func TestSmallBatches(t *testing.T) {
	s := damaged(t)
	want := lines(s.audit())
	s.exec("UPDATE cloud_usage.cloud_usage SET id = id + 5000000 ORDER BY id DESC LIMIT 500")
	for _, batch := range []int{7, 1000, 10_000_000} {
		require.Equal(t, want, lines(s.audit(func(o *Options) { o.Batch = batch })), "%d", batch)
	}
}

// TestNoDatabase: a server that is no database is told in one line.
func TestNoDatabase(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = c.Close()
		}
	}()
	_, err = Run(t.Context(), Options{DSN: "ro:s3cret@tcp(" + l.Addr().String() + ")/"})
	require.ErrorContains(t, err, "check the dsn's host and port")
	require.NotContains(t, err.Error(), "s3cret")
	require.NoError(t, l.Close())
	<-done
}
