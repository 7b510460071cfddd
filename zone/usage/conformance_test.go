package usage_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/usage"
)

// table is a recorded table: rows by column; NULL is the text NULL.
type table []map[string]string

func readTable(t testing.TB, path string) table {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	names := strings.Split(lines[0], "\t")
	var rows table
	for number, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		require.Lenf(t, fields, len(names), "%s line %d", path, number+2)
		row := map[string]string{}
		for i, name := range names {
			row[name] = fields[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func insertRow(t testing.TB, db *sql.DB, name string, row map[string]string) {
	t.Helper()
	var columns, marks []string
	var values []any
	for column, value := range row {
		columns, marks = append(columns, "`"+column+"`"), append(marks, "?")
		if value == "NULL" {
			values = append(values, nil)
		} else {
			values = append(values, value)
		}
	}
	_, err := db.Exec(fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", name, strings.Join(columns, ", "),
		strings.Join(marks, ", ")), values...)
	require.NoError(t, err)
}

// readDB reads a table in the form of a recording, without the columns that differ by nature.
func readDB(t testing.TB, db *sql.DB, query string) table {
	t.Helper()
	rows, err := db.Query(query)
	require.NoError(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(t, err)
	var all table
	for rows.Next() {
		values, targets := make([]sql.RawBytes, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		require.NoError(t, rows.Scan(targets...))
		row := map[string]string{}
		for i, name := range names {
			row[name] = "NULL"
			if values[i] != nil {
				row[name] = strings.TrimSuffix(strings.Replace(string(values[i]), "T", " ", 1), "Z")
				if !strings.HasSuffix(string(values[i]), "Z") {
					row[name] = string(values[i])
				}
			}
		}
		all = append(all, row)
	}
	require.NoError(t, rows.Err())
	return all
}

// conformanceDir is the recordings' folder: this repository's, or another of the same form.
func conformanceDir() string {
	if dir := os.Getenv("STACKPROOF_CONFORMANCE"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "testdata", "conformance")
}

func TestConformance(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(conformanceDir(), "4.*", "tables", "cloud_usage.usage_job.tsv"))
	require.NoError(t, err)
	require.NotEmpty(t, found, "no release folder in %s", conformanceDir())
	for _, path := range found {
		tables := filepath.Dir(path)
		release := filepath.Base(filepath.Dir(tables))
		t.Run(release, func(t *testing.T) { conform(t, release, tables) })
	}
}

// conform loads a recording's events and accounts, runs the recorded jobs at their times, and compares what is left.
func conform(t *testing.T, release, tables string) {
	db := openDB(t, startDB(t, release))
	recorded := func(name string) table { return readTable(t, filepath.Join(tables, name+".tsv")) }
	events := recorded("cloud.usage_event")
	for _, event := range events {
		insertRow(t, db, "cloud.usage_event", event)
	}
	insertAccounts(t, db, events, recorded("cloud_usage.usage_ip_address"))
	jobs, running := asked(recorded("cloud_usage.usage_job"))
	runsOn := replay(t, db, release, jobs)

	compare(t, "usage_job", without(jobs, "exec_time", "heartbeat"),
		without(readDB(t, db, "SELECT * FROM cloud_usage.usage_job ORDER BY id"), "exec_time", "heartbeat"))
	compareRecords(t, db, recorded("cloud_usage.cloud_usage"))
	if running { // what it wrote was there when the recording was made, its records and its own end were not
		runsOn()
	}
	for _, name := range []string{"usage_event", "usage_load_balancer_policy", "usage_port_forwarding",
		"usage_network_offering",
		"usage_ip_address", "usage_vm_instance", "usage_volume", "usage_networks", "usage_vpc"} {
		want := recorded("cloud_usage." + name)
		compare(t, name, want, readDB(t, db, "SELECT * FROM cloud_usage."+name+" ORDER BY id"))
	}
}

// asked leaves out the jobs on demand that had not ended when the recording was made, and says whether one was running.
func asked(jobs table) (ended table, running bool) {
	for _, job := range jobs {
		if job["job_type"] == "1" && job["end_millis"] == "0" {
			running = running || job["scheduled"] == "1"
			continue
		}
		ended = append(ended, job)
	}
	return ended, running
}

// compareRecords leaves out bytes sent and received, which come from user_statistics: that is not recorded. Ids follow
// the order of Java's hash maps.
func compareRecords(t *testing.T, db *sql.DB, want table) {
	kept := want[:0]
	for _, record := range want {
		if kind := record["usage_type"]; kind != "4" && kind != "5" {
			kept = append(kept, record)
		}
	}
	require.NotEmpty(t, kept)
	compare(t, "cloud_usage", sorted(plain(t, without(kept, "id"))),
		sorted(plain(t, without(readDB(t, db, "SELECT * FROM cloud_usage.cloud_usage"), "id"))))
}

// plain writes raw_usage the same way whichever client printed it; the value stays exact.
func plain(t *testing.T, rows table) table {
	for _, row := range rows {
		value, err := strconv.ParseFloat(row["raw_usage"], 64)
		require.NoError(t, err)
		row["raw_usage"] = strconv.FormatFloat(value, 'g', -1, 64)
	}
	return rows
}

func insertAccounts(t *testing.T, db *sql.DB, events, addresses table) {
	domains := map[string]string{}
	for _, event := range events {
		domains[event["account_id"]] = "1"
	}
	for _, address := range addresses {
		domains[address["account_id"]] = address["domain_id"]
	}
	for id, domain := range domains {
		insertRow(t, db, "cloud.account", map[string]string{"id": id, "account_name": "account" + id, "uuid": "uuid-" +
			id, "type": "0",
			"domain_id": domain, "state": "enabled"})
	}
}

// replay runs the recorded jobs in the order in which they ended; of two that ended at one time, the one with a window
// came first. A single job is queued and picked up by a heartbeat, as generateUsageRecords does it.
// The function that it returns runs one more.
func replay(t *testing.T, db *sql.DB, name string, jobs table) (again func()) {
	on, err := release.KnobsOf(name)
	require.NoError(t, err)
	rules := usage.RulesOf(on)
	ended := table{}
	for _, job := range jobs {
		if job["end_millis"] != "0" {
			ended = append(ended, job)
		}
	}
	sort.SliceStable(ended, func(i, j int) bool {
		if ended[i]["end_millis"] != ended[j]["end_millis"] {
			return ended[i]["end_millis"] < ended[j]["end_millis"]
		}
		return ended[i]["success"] > ended[j]["success"]
	})
	pid, err := strconv.Atoi(jobs[0]["pid"])
	require.NoError(t, err)
	at := &clock{now: millis(t, ended[0]["end_millis"]).Add(30 * time.Second)}
	// The next recurring run is never more than half a range away, so that no heartbeat catches up on its own.
	server, err := usage.New(db, usage.Options{Rules: rules, Clock: at, Range: 1, Host: jobs[0]["host"], PID: pid,
		ExecTime: at.now.Add(time.Minute).Format("15:04")})
	require.NoError(t, err)
	_, err = db.Exec("ALTER TABLE cloud_usage.usage_job AUTO_INCREMENT = " + jobs[0]["id"])
	require.NoError(t, err)
	require.NoError(t, server.Start(t.Context()))
	onDemand := func() {
		_, err := db.Exec("INSERT INTO cloud_usage.usage_job (host, pid, job_type, scheduled, heartbeat) VALUES (?, "+
			"?, 1, 0, ?)",
			jobs[0]["host"], pid, at.now)
		require.NoError(t, err)
		_, err = server.Heartbeat(t.Context())
		require.NoError(t, err)
	}
	for _, job := range ended {
		at.now = millis(t, job["end_millis"]).Add(30 * time.Second)
		if job["job_type"] == "0" {
			_, err := server.Run(t.Context())
			require.NoError(t, err)
			continue
		}
		onDemand()
	}
	return func() {
		at.now = at.now.Add(time.Minute)
		onDemand()
	}
}

func millis(t *testing.T, text string) time.Time {
	value, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err)
	return time.UnixMilli(value).UTC()
}

func without(rows table, columns ...string) table {
	var all table
	for _, row := range rows {
		kept := map[string]string{}
		for name, value := range row {
			kept[name] = value
		}
		for _, column := range columns {
			delete(kept, column)
		}
		all = append(all, kept)
	}
	return all
}

func sorted(rows table) table {
	sort.Slice(rows, func(i, j int) bool { return fmt.Sprint(rows[i]) < fmt.Sprint(rows[j]) })
	return rows
}

func compare(t *testing.T, name string, want, got table) {
	t.Helper()
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("%s differs from the recording (- recorded, + ours):\n%.6000s", name, difference)
	}
}

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }
