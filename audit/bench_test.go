package audit

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/stackproof/stackproof/internal/testdb"
	"github.com/stackproof/stackproof/zone/database"
)

// BenchmarkAudit audits a site of a million helper rows, ten million events and twenty million records, times SIZE
// (default 0.002). STACKPROOF_BENCH_DSN names an empty MariaDB with settings of its own (task audit:bench); else a
// private one is started, whose settings are those of a lab. A hundredth of the rows of load balancer rules is left
// open. With KEEP=1 the rows stay on the named server, and the next measurement takes them as they are: filling takes
// many times longer than an audit, and a server that has just been filled is still at work.
func BenchmarkAudit(b *testing.B) {
	size := 0.002
	if text := os.Getenv("SIZE"); text != "" {
		var err error
		size, err = strconv.ParseFloat(text, 64)
		require.NoError(b, err)
	}
	rows := int64(1_000_000 * size)
	dsn := os.Getenv("STACKPROOF_BENCH_DSN")
	if dsn == "" {
		server := testdb.Start(b, "4.20.0.0")
		dsn = server.DSN()
	} else {
		attach(b, dsn)
	}
	db, err := sql.Open("mysql", dsn)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	if !filled(b, db, rows) {
		fill(b, db, rows)
	}
	if os.Getenv("PLAIN") != "" {
		plainQuery(b, db)
		return
	}
	var before, after syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &before))
	runs := 0
	for b.Loop() {
		runs++
		r, err := Run(b.Context(), Options{DSN: dsn})
		require.NoError(b, err)
		require.EqualValues(b, 20*rows, r.Site.Records)
		require.EqualValues(b, rows, r.Site.Rows)
		require.Len(b, r.Findings, int(rows/2/100))
		b.ReportMetric(r.Seconds, "s/audit")
	}
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &after))
	own := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	b.ReportMetric(own.Seconds()/float64(runs), "own-cpu-s/audit")
	b.ReportMetric(float64(peak(b)), "MB-peak")
}

// attach makes the databases on a server, unless an earlier measurement has kept them there. It drops none that it did
// not make.
func attach(b *testing.B, dsn string) {
	db, err := sql.Open("mysql", dsn)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	keep := os.Getenv("KEEP") != ""
	var there int
	require.NoError(b, db.QueryRowContext(b.Context(), "SELECT COUNT(*) FROM information_schema.schemata WHERE "+
		"schema_name IN ('cloud', 'cloud_usage')").Scan(&there))
	if there > 0 { // somebody's, or kept: never to be dropped here
		require.True(b, keep, "the server has a database cloud or cloud_usage: KEEP=1 measures the rows that an "+
			"earlier measurement kept; if you no longer need them drop the databases by hand")
		return
	}
	if !keep {
		b.Cleanup(func() {
			for _, schema := range database.Databases() {
				_, err := db.ExecContext(context.WithoutCancel(b.Context()), "DROP DATABASE IF EXISTS "+schema)
				require.NoError(b, err)
			}
		})
	}
	_, err = database.Attach(b.Context(), database.AttachOptions{Schema: "4.20.0.0", DSN: dsn})
	require.NoError(b, err)
	_, err = db.ExecContext(b.Context(), "DROP USER stackproof_ro")
	require.NoError(b, err)
}

// filled tells whether an earlier measurement with KEEP=1 has left just these rows.
func filled(b *testing.B, db *sql.DB, rows int64) bool {
	b.Helper()
	var there int64
	require.NoError(b, db.QueryRowContext(b.Context(), "SELECT COALESCE(MAX(id), 0) FROM cloud_usage.cloud_usage").
		Scan(&there))
	if there != 0 {
		require.Equal(b, 20*rows, there, "the kept rows are of another SIZE")
	}
	return there != 0
}

// filling is how rows are made on the server: WINDOW, ROWS and HALF stand for numbers of records and rows.
type filling struct {
	b    *testing.B
	db   *sql.DB
	rows int64
}

func (f filling) try(query string) error {
	query = strings.NewReplacer("WINDOW", itoa(f.rows/10), "ROWS", itoa(f.rows), "HALF", itoa(f.rows/2)).Replace(query)
	if _, err := f.db.ExecContext(f.b.Context(), query); err != nil {
		return fmt.Errorf("%w: %s", err, query)
	}
	return nil
}

// fillers is how many connections fill one table at the same time.
const fillers = 8

// large fills a table with rows that are made of the numbers 1 to last, several parts at the same time, and makes its
// keys afterwards: that takes a tenth of the time.
func (f filling) large(table, query string, last int64) error {
	rows, err := f.db.QueryContext(f.b.Context(), "SELECT index_name, non_unique, GROUP_CONCAT(column_name ORDER BY "+
		"seq_in_index) FROM information_schema.statistics WHERE CONCAT(table_schema, '.', table_name) = ? AND "+
		"index_name <> 'PRIMARY' GROUP BY index_name, non_unique", table)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var drop, add []string
	for rows.Next() {
		var name, columns string
		var double bool
		if err := rows.Scan(&name, &double, &columns); err != nil {
			return err
		}
		drop = append(drop, "DROP KEY `"+name+"`")
		add = append(add, fmt.Sprintf("ADD %s KEY `%s` (%s)", map[bool]string{false: "UNIQUE"}[double], name, columns))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(drop) > 0 {
		if err := f.try("ALTER TABLE " + table + " " + strings.Join(drop, ", ")); err != nil {
			return err
		}
	}
	var parts errgroup.Group
	parts.SetLimit(fillers)
	const size = 100_000
	for from := int64(1); from <= last; from += size {
		parts.Go(func() error {
			return f.try(fmt.Sprintf("INSERT INTO %s%s FROM cloud.seq_%d_to_%d", table, query, from,
				min(from+size-1, last)))
		})
	}
	if err := parts.Wait(); err != nil || len(add) == 0 {
		return err
	}
	return f.try("ALTER TABLE " + table + " " + strings.Join(add, ", "))
}

// fill makes the rows. A helper row has two events; the other events are of kinds that nothing meters. Records are
// those of days, with a two-hundredth each.
func fill(b *testing.B, db *sql.DB, rows int64) {
	b.Helper()
	f := filling{b, db, rows}
	const born = "DATE_ADD('2025-01-01', INTERVAL (seq * 29) % 30000000 SECOND)"
	const died = "DATE_ADD('2025-01-01', INTERVAL (seq * 29) % 30000000 + 86400 SECOND)"
	const resource = "((seq - 1) % HALF + 1)"
	const part = "LEAST((seq - 1) DIV HALF, 4)"
	var parts errgroup.Group
	events := " (id, type, account_id, created, zone_id, resource_id, resource_name, processed) SELECT seq, " +
		"ELT(1 + " + part + ", 'LB.CREATE', 'VOLUME.CREATE', 'LB.DELETE', 'VOLUME.DELETE', ELT(1 + seq % 3, " +
		"'SG.ASSIGN', 'NET.IP6ASSIGN', 'VM.RESIZE.NIC')), 2 + " + resource + " % 500, DATE_ADD('2025-01-01', " +
		"INTERVAL (" + resource + " * 29) % 30000000 + IF(" + part + " IN (2, 3), 86400, 0) SECOND), 1, " +
		resource + " + IF(" + part + " IN (0, 2), 7, 0), ELT(1 + " + part + ", NULL, 'ROOT', NULL, 'ROOT', 'x'), 1"
	for _, one := range []struct {
		table, query string
		last         int64
	}{
		{"cloud_usage.usage_load_balancer_policy", " (id, zone_id, account_id, domain_id, lb_id, created, deleted) " +
			"SELECT seq, 1, 2 + seq % 500, 1, seq + 7, " + born + ", IF(seq % 100 = 0, NULL, " + died + ")", rows / 2},
		{"cloud_usage.usage_volume", " (id, zone_id, account_id, domain_id, volume_id, size, created, deleted) " +
			"SELECT seq, 1, 2 + seq % 500, 1, seq, 1, " + born + ", " + died, rows / 2},
		{"cloud_usage.cloud_usage", " (id, zone_id, account_id, domain_id, description, usage_display, usage_type, " +
			"raw_usage, usage_id, start_date, end_date) SELECT seq, 1, 2 + (seq - 1) % ROWS % 500, 1, " +
			"'Load Balancing Policy usage time', '24 Hrs', IF(seq % 2, 11, 6), 24, (seq - 1) % ROWS + 1, " +
			"DATE_ADD('2025-01-01', INTERVAL (seq - 1) DIV WINDOW DAY), " +
			"DATE_ADD('2025-01-01 23:59:59', INTERVAL (seq - 1) DIV WINDOW DAY)", 20 * rows},
		{"cloud_usage.usage_event", events, 10 * rows},
		{"cloud.usage_event", events, 10 * rows},
	} {
		parts.Go(func() error { return f.large(one.table, one.query, one.last) })
	}
	require.NoError(b, parts.Wait())
	for _, query := range []string{
		"INSERT INTO cloud_usage.usage_job (job_type, scheduled, start_millis, end_millis, exec_time, success, " +
			"heartbeat) VALUES (0, 0, 1735689600000, UNIX_TIMESTAMP() * 1000 - 1, 1, 1, UTC_TIMESTAMP())",
		"CREATE TABLE IF NOT EXISTS cloud.volumes (id BIGINT UNSIGNED PRIMARY KEY, account_id BIGINT UNSIGNED, " +
			"state VARCHAR(32), removed DATETIME)",
		"INSERT INTO cloud.volumes (id, account_id, state, removed) VALUES (1, 2, 'Expunged', '2025-02-01')",
	} {
		require.NoError(b, f.try(query))
	}
}

// plainQuery is the query of facts 3.4 on the same rows, for load balancer rules only.
func plainQuery(b *testing.B, db *sql.DB) {
	for b.Loop() {
		var n int
		err := db.QueryRowContext(b.Context(), `WITH ev AS (SELECT account_id, resource_id, type, MIN(created) AS at_ FROM cloud_usage.usage_event
			WHERE type IN ('LB.CREATE','LB.DELETE') GROUP BY account_id, resource_id, type),
			model AS (SELECT c.account_id, c.resource_id AS lb_id, c.at_ AS born, d.at_ AS died FROM ev c
				LEFT JOIN ev d ON d.account_id = c.account_id AND d.resource_id = c.resource_id AND d.type = 'LB.DELETE'
				AND d.at_ >= c.at_ WHERE c.type = 'LB.CREATE')
			SELECT COUNT(*) FROM model m
			LEFT JOIN cloud_usage.usage_load_balancer_policy h ON h.account_id = m.account_id AND h.lb_id = m.lb_id
			LEFT JOIN cloud.firewall_rules f ON f.id = m.lb_id AND f.purpose = 'LoadBalancing' WHERE f.id IS NULL AND h.deleted IS NULL`).
			Scan(&n)
		require.NoError(b, err)
		require.NotZero(b, n)
	}
}

// peak is the largest resident size of this process in MB.
func peak(b *testing.B) int64 {
	data, err := os.ReadFile("/proc/self/status")
	require.NoError(b, err)
	for line := range strings.Lines(string(data)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			require.NoError(b, err)
			return kb / 1024
		}
	}
	b.Fatal("the kernel does not tell VmHWM")
	return 0
}
