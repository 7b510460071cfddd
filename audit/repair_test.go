package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackproof/stackproof/audit/damage"
	"github.com/stackproof/stackproof/internal/testhome"
)

// killEnv makes the test binary apply a plan and kill itself, as kill -9 does, after some rows: "plan|undo|dsn|rows".
const killEnv = "STACKPROOF_TEST_APPLY"

func TestMain(m *testing.M) {
	if job := os.Getenv(killEnv); job != "" {
		os.Exit(applyAndDie(job))
	}
	goleak.VerifyTestMain(testhome.Around(m))
}

func applyAndDie(job string) int {
	words := strings.Split(job, "|")
	data, err := os.ReadFile(words[0])
	if err != nil {
		return 3
	}
	plan, err := ReadPlan(bytes.NewReader(data))
	if err != nil {
		return 4
	}
	die := 0
	_, _ = fmt.Sscan(words[3], &die)
	_, err = Apply(
		context.Background(),
		plan,
		ApplyOptions{
			Options:  Options{DSN: words[2]},
			UndoFile: words[1],
			Release:  "4.20.1.0",
			Done: func(_ PlanRow, n, _ int) {
				if n == die {
					_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				}
			},
		},
	)
	fmt.Fprintln(os.Stderr, err)
	return 5
}

// damaged is a site with the history of an affected server that was upgraded, whose usage server stands still.
func damaged(t *testing.T) *testSite {
	t.Helper()
	s := site4(t)
	s.volumes()
	s.play(
		damage.Options{
			Handler:  damage.ByHelperID,
			Actions:  500,
			Seed:     11,
			Accounts: []int64{2, 5},
			Start:    time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		},
	)
	s.insert("cloud.account", map[string]any{"id": 2, "account_name": "acme", "uuid": "a-2"})
	s.insert("cloud.account", map[string]any{"id": 5, "account_name": "beta", "uuid": "a-5"})
	s.exec(
		"INSERT INTO cloud_usage.account (id, account_name, uuid, type, role_id, domain_id) SELECT id, " +
			"account_name, uuid, type, role_id, domain_id FROM cloud.account",
	)
	return s
}

func (s *testSite) apply(p *Plan, undo string) (int, error) {
	return Apply(
		s.t.Context(),
		p,
		ApplyOptions{Options: Options{DSN: s.server.DSN()}, UndoFile: undo, Release: "4.20.1.0"},
	)
}

// contents is a digest of all rows of the helper tables.
func (s *testSite) contents() string {
	s.t.Helper()
	sum := sha256.New()
	for _, table := range []string{"usage_load_balancer_policy", "usage_port_forwarding", "usage_ip_address",
		"usage_vm_instance", "usage_volume", "cloud_usage", "usage_event"} {
		s.digest(sum, table)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// digest adds the rows of one table.
func (s *testSite) digest(sum io.Writer, table string) {
	s.t.Helper()
	rows, err := s.db.QueryContext(s.t.Context(), "SELECT * FROM cloud_usage."+table+" ORDER BY id")
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, rows.Close()) }()
	names, err := rows.Columns()
	require.NoError(s.t, err)
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(s.t, rows.Scan(into...))
		fmt.Fprintf(sum, "%s %v\n", table, values)
	}
	require.NoError(s.t, rows.Err())
}

func savePlan(t *testing.T, p *Plan) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, p.Encode(&b))
	path := filepath.Join(t.TempDir(), "plan")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}

// TestRepair: a damaged site has nothing left to repair afterwards, and undo gives back every byte.
func TestRepair(t *testing.T) {
	s := damaged(t)
	before := s.contents()
	r := s.audit()
	plan, left := MakePlan(r, true)
	require.NotEmpty(t, plan.Rows)
	for _, f := range left {
		require.Contains(t, []string{"LIVE_WITH_DELETE_EVENT", "OPEN_BUT_DEAD", "WRONG_DATE"}, f.Class)
		if f.Class != "LIVE_WITH_DELETE_EVENT" {
			require.Greater(t, f.Deletes, 1, "%s", f.Text)
		}
	}
	undo := filepath.Join(t.TempDir(), "undo")
	n, err := s.apply(plan, undo)
	require.NoError(t, err)
	require.Len(t, plan.Rows, n)
	require.NotEqual(t, before, s.contents())

	again, rest := MakePlan(s.audit(), true)
	require.Empty(t, again.Rows)
	require.Len(t, rest, len(left), "what was for a person still is")

	n, err = s.apply(plan, undo)
	require.NoError(t, err, "run again, it changes nothing")
	require.Zero(t, n)

	data, err := os.ReadFile(undo)
	require.NoError(t, err)
	back, err := ReadUndo(bytes.NewReader(data))
	require.NoError(t, err)
	n, err = Undo(t.Context(), back, ApplyOptions{Options: Options{DSN: s.server.DSN()}})
	require.NoError(t, err)
	require.Len(t, plan.Rows, n)
	require.Equal(t, before, s.contents())
}

// TestRepairSurvivesAKill: a process that is killed in the middle leaves what the next one finishes, or undo takes
// back.
func TestRepairSurvivesAKill(t *testing.T) {
	s := damaged(t)
	before := s.contents()
	plan, _ := MakePlan(s.audit(), false)
	require.Greater(t, len(plan.Rows), 20)
	path := savePlan(t, plan)
	undo := filepath.Join(t.TempDir(), "undo")
	kill := func(rows int) {
		child := exec.CommandContext(t.Context(), os.Args[0]) // this test's own binary
		child.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%s|%s|%d", killEnv, path, undo, s.server.DSN(), rows))
		out, err := child.CombinedOutput()
		require.Error(t, err, "%s", out)
		require.Equal(t, "signal: killed", err.Error(), "%s", out)
	}
	kill(7)
	require.NotEqual(t, before, s.contents())
	kill(5) // the second one goes on, and dies too
	data, err := os.ReadFile(undo)
	require.NoError(t, err)
	back, err := ReadUndo(bytes.NewReader(data))
	require.NoError(t, err)
	n, err := Undo(t.Context(), back, ApplyOptions{Options: Options{DSN: s.server.DSN()}})
	require.NoError(t, err)
	require.Equal(t, 12, n)
	require.Equal(t, before, s.contents())

	kill(3)
	n, err = s.apply(plan, undo)
	require.NoError(t, err)
	require.Equal(t, len(plan.Rows)-3, n)
}

// TestRepairRefuses: each reason once, and nothing is changed.
func TestRepairRefuses(t *testing.T) {
	s := damaged(t)
	plan, _ := MakePlan(s.audit(), true)
	before := s.contents()
	undo := filepath.Join(t.TempDir(), "undo")
	first := plan.Rows[0]
	for name, tt := range map[string]struct {
		do, back string
		change   func(*ApplyOptions)
		want     string
	}{
		"release with the fault": {"DO 0", "DO 0", func(o *ApplyOptions) { o.Release = "4.19.2.0" },
			"release 4.19.2.0 still closes rows by the wrong id"},
		"release not known": {"DO 0", "DO 0", func(o *ApplyOptions) { o.Release = "" },
			"cloud.version does not tell the release"},
		"release of the database": {"INSERT INTO cloud.version (id, version, updated, step) VALUES (1, '4.20.0.0', " +
			"NOW(), 'Complete')", "DELETE FROM cloud.version", func(o *ApplyOptions) { o.Release = "" },
			"release 4.20.0.0 still"},
		"usage server at work": {"INSERT INTO cloud_usage.usage_job (id, job_type, scheduled, start_millis, " +
			"end_millis, exec_time, heartbeat) VALUES (99, 0, 0, 0, 0, 0, UTC_TIMESTAMP())",
			"DELETE FROM cloud_usage.usage_job WHERE id = 99", nil, "a usage server is at work"},
		"row changed since": {fmt.Sprintf("UPDATE cloud_usage.%s SET %s = '2020-01-01 00:00:00' WHERE id = %d",
			first.Table, first.Column, first.HelperID),
			fmt.Sprintf("UPDATE cloud_usage.%s SET %s = %s WHERE id = %d", first.Table, first.Column,
				literal(first.Old), first.HelperID), nil, "has deleted '2020-01-01 00:00:00', not NULL"},
		"rule alive again": {fmt.Sprintf("INSERT INTO cloud.firewall_rules (id, state, protocol, purpose, "+
			"account_id, domain_id, network_id, xid) VALUES (%d, 'Active', 'tcp', 'LoadBalancing', %d, 1, 1, 'x')",
			first.ResourceID, first.AccountID),
			fmt.Sprintf("DELETE FROM cloud.firewall_rules WHERE id = %d", first.ResourceID), nil,
			"is alive: its row is not closed"},
		"no UPDATE": {"DO 0", "DO 0", func(o *ApplyOptions) { o.DSN = s.server.ReadOnlyDSN() },
			"the account may not change cloud_usage.usage_load_balancer_policy: GRANT UPDATE"},
		"another site": {"UPDATE cloud.account SET uuid = 'b-2' WHERE id = 2",
			"UPDATE cloud.account SET uuid = 'a-2' WHERE id = 2", nil, "the plan is of site"},
	} {
		t.Run(name, func(t *testing.T) {
			s.exec(tt.do)
			o := ApplyOptions{Options: Options{DSN: s.server.DSN()}, UndoFile: undo, Release: "4.20.1.0"}
			if tt.change != nil {
				tt.change(&o)
			}
			n, err := Apply(t.Context(), plan, o)
			var refused RefusedError
			require.ErrorAs(t, err, &refused)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "\n")
			require.Zero(t, n)
			s.exec(tt.back)
			_ = os.Remove(undo)
			require.Equal(t, before, s.contents())
		})
	}
	t.Run("undo file of another plan", func(t *testing.T) {
		other := &Plan{Head: plan.Head, Rows: plan.Rows[:1]}
		require.NoError(t, writeUndo(undo, other))
		_, err := s.apply(plan, undo)
		require.ErrorContains(t, err, "is the undo file of another plan")
	})
	t.Run("half an undo file", func(t *testing.T) {
		require.NoError(
			t,
			os.WriteFile(undo, []byte(`{"document":"stackproof repair undo","schema":1,"rows":4}`+"\n"), 0o600),
		)
		_, err := s.apply(plan, undo)
		require.ErrorContains(t, err, "is no whole undo file of this plan")
	})
	require.Equal(t, before, s.contents())
}

// TestPlanFiles: what is no plan, or was changed by hand, is refused in one line.
func TestPlanFiles(t *testing.T) {
	row := PlanRow{
		Table:      "usage_load_balancer_policy",
		HelperID:   1,
		IDColumn:   "lb_id",
		ResourceID: 3,
		AccountID:  2,
		Column:     "deleted",
		New:        "2026-03-04 10:00:00",
		Kind:       "load balancer rule",
		Class:      "OPEN_BUT_DEAD",
		Event:      7,
	}
	plan := &Plan{
		Head: PlanHead{
			Document: documentPlan,
			Schema:   SchemaVersion,
			Site:     "x",
			Rows:     1,
			Digest:   digest([]PlanRow{row}),
		},
		Rows: []PlanRow{row},
	}
	var b bytes.Buffer
	require.NoError(t, plan.Encode(&b))
	good := b.String()
	read, err := ReadPlan(strings.NewReader(good))
	require.NoError(t, err)
	require.Equal(t, plan.Rows, read.Rows)
	require.Contains(
		t,
		read.SQL(),
		"UPDATE cloud_usage.usage_load_balancer_policy SET deleted = '2026-03-04 10:00:00' WHERE id = 1 AND lb_id = "+
			"3 AND account_id = 2 AND deleted <=> NULL; -- OPEN_BUT_DEAD",
	)
	for name, tt := range map[string]struct{ text, want string }{
		"empty":          {"", "it is empty"},
		"an audit":       {`{"document":"stackproof audit"}`, "its first line does not say so"},
		"a date changed": {strings.Replace(good, "10:00:00", "10:00:01", 1), "was changed since it was made"},
		"a row more":     {good + strings.Split(good, "\n")[1] + "\n", "was changed since it was made"},
		"a row less":     {strings.SplitAfter(good, "\n")[0], "was changed since it was made"},
		"another table": {strings.Replace(good, "usage_load_balancer_policy", "cloud_usage", 1),
			"are not a helper table"},
		"injected column": {strings.Replace(good, `"lb_id"`, `"lb_id = 3; --"`, 1), "are not a helper table"},
		"no date":         {strings.Replace(good, "2026-03-04 10:00:00", "soon", 1), "is not a date and time"},
		"newer schema":    {strings.Replace(good, `"schema":1`, `"schema":9`, 1), "has schema 9"},
	} {
		_, err := ReadPlan(strings.NewReader(tt.text))
		var input InputError
		require.ErrorAs(t, err, &input, name)
		require.ErrorContains(t, err, tt.want, name)
		require.NotContains(t, err.Error(), "\n", name)
	}
}

// TestAuditWritesNothing: the account of the audit has SELECT only, and all tables are as they were.
func TestAuditWritesNothing(t *testing.T) {
	s := damaged(t)
	before := s.contents()
	c, err := mysql.ParseDSN(s.server.ReadOnlyDSN())
	require.NoError(t, err)
	require.Equal(t, "stackproof_ro", c.User)
	require.True(t, s.audit().Damaged())
	require.Equal(t, before, s.contents())
}
