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

	"github.com/stackproof/stackproof/zone/database"
)

// BenchmarkAudit audits a site of a million helper rows, ten million events and twenty million records, times SIZE
// (default 0.002). STACKPROOF_BENCH_DSN names an empty MariaDB with settings of its own (task audit:bench); else a
// private one is started, whose settings are those of a lab. A hundredth of the rows of load balancer rules is left
// open.
func BenchmarkAudit(b *testing.B) {
	size := 0.002
	if text := os.Getenv("SIZE"); text != "" {
		var err error
		size, err = strconv.ParseFloat(text, 64)
		require.NoError(b, err)
	}
	server := benchServer(b)
	db, err := server.Open(b.Context())
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	rows := int64(1_000_000 * size)
	fill(b, db, rows)
	if os.Getenv("PLAIN") != "" {
		plainQuery(b, db)
		return
	}
	var before, after syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &before))
	runs := 0
	for b.Loop() {
		runs++
		r, err := Run(b.Context(), Options{DSN: server.ReadOnlyDSN()})
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

func benchServer(b *testing.B) *database.Server {
	dsn := os.Getenv("STACKPROOF_BENCH_DSN")
	if dsn == "" {
		return newTestSite(b)
	}
	b.Cleanup(func() {
		db, err := sql.Open("mysql", dsn)
		require.NoError(b, err)
		for _, schema := range database.Databases() {
			_, err := db.ExecContext(context.WithoutCancel(b.Context()), "DROP DATABASE "+schema)
			require.NoError(b, err)
		}
		_, err = db.ExecContext(context.WithoutCancel(b.Context()), "DROP USER stackproof_ro")
		require.NoError(b, err)
		require.NoError(b, db.Close())
	})
	server, err := database.Attach(b.Context(), database.AttachOptions{Schema: "4.20.0.0", DSN: dsn})
	require.NoError(b, err)
	return server
}

// fill makes the rows on the server. A helper row has two events; the other events are of kinds that nothing meters.
func fill(b *testing.B, db *sql.DB, rows int64) {
	b.Helper()
	half := rows / 2
	exec := func(query string, args ...any) {
		_, err := db.ExecContext(
			b.Context(),
			strings.NewReplacer("ROWS", itoa(rows), "HALF", itoa(half)).Replace(query),
			args...)
		require.NoError(b, err, query)
	}
	const born = "DATE_ADD('2025-01-01', INTERVAL (seq * 29) % 30000000 SECOND)"
	const died = "DATE_ADD('2025-01-01', INTERVAL (seq * 29) % 30000000 + 86400 SECOND)"
	exec(
		"INSERT INTO cloud_usage.usage_load_balancer_policy (id, zone_id, account_id, domain_id, lb_id, created, " +
			"deleted) SELECT seq, 1, 2 + seq % 500, 1, seq + 7, " +
			born + ", IF(seq % 100 = 0, NULL, " + died + ") FROM cloud.seq_1_to_HALF",
	)
	exec(
		"INSERT INTO cloud_usage.usage_volume (id, zone_id, account_id, domain_id, volume_id, size, created, " +
			"deleted) SELECT seq, 1, 2 + seq % 500, 1, seq, 1, " + born + ", " + died + " FROM cloud.seq_1_to_HALF",
	)
	for _, schema := range []string{"cloud", "cloud_usage"} {
		events := "INSERT INTO " + schema +
			".usage_event (id, type, account_id, created, zone_id, resource_id, resource_name, processed) SELECT "
		exec(events + "seq, 'LB.CREATE', 2 + seq % 500, " + born + ", 1, seq + 7, NULL, 1 FROM cloud.seq_1_to_HALF")
		exec(
			events + "HALF + seq, 'VOLUME.CREATE', 2 + seq % 500, " + born +
				", 1, seq, 'ROOT', 1 FROM cloud.seq_1_to_HALF",
		)
		exec(
			events + "ROWS + seq, 'LB.DELETE', 2 + seq % 500, " + died +
				", 1, seq + 7, NULL, 1 FROM cloud.seq_1_to_HALF",
		)
		exec(
			events + "ROWS + HALF + seq, 'VOLUME.DELETE', 2 + seq % 500, " + died +
				", 1, seq, 'ROOT', 1 FROM cloud.seq_1_to_HALF",
		)
		for part := range int64(8) {
			exec(
				fmt.Sprintf(
					"%sROWS * %d + seq, ELT(1 + seq %% 3, 'SG.ASSIGN', 'NET.IP6ASSIGN', 'VM.RESIZE.NIC'), 2 + seq "+
						"%% 500, %s, 1, seq, 'x', 1 FROM cloud.seq_1_to_ROWS",
					events,
					part+2,
					born,
				),
			)
		}
	}
	for part := range int64(20) { // windows of a day with a two-hundredth of the records each
		exec(
			fmt.Sprintf(
				"INSERT INTO cloud_usage.cloud_usage (id, zone_id, account_id, domain_id, description, "+
					"usage_display, usage_type, raw_usage, usage_id, start_date, end_date) "+
					"SELECT ROWS * %[1]d + seq, 1, 2 + seq %% 500, 1, 'Load Balancing Policy usage time', '24 Hrs', "+
					"IF(seq %% 2, 11, 6), 24, seq, "+
					"DATE_ADD('2025-01-01', INTERVAL %[1]d * 10 + FLOOR(seq * 10 / (ROWS + 1)) DAY), "+
					"DATE_ADD('2025-01-01 23:59:59', INTERVAL %[1]d * 10 + FLOOR(seq * 10 / (ROWS + 1)) DAY) FROM "+
					"cloud.seq_1_to_ROWS",
				part,
			),
		)
	}
	exec(
		"INSERT INTO cloud_usage.usage_job (job_type, scheduled, start_millis, end_millis, exec_time, success, " +
			"heartbeat) VALUES (0, 0, 1735689600000, UNIX_TIMESTAMP() * 1000 - 1, 1, 1, UTC_TIMESTAMP())",
	)
	exec(
		"CREATE TABLE IF NOT EXISTS cloud.volumes (id BIGINT UNSIGNED PRIMARY KEY, account_id BIGINT UNSIGNED, " +
			"state VARCHAR(32), removed DATETIME)",
	)
	exec("INSERT INTO cloud.volumes (id, account_id, state, removed) VALUES (1, 2, 'Expunged', '2025-02-01')")
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
