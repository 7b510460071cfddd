package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/audit"
	"github.com/stackproof/stackproof/audit/damage"
	"github.com/stackproof/stackproof/internal/testdb"
)

// said runs a command line and answers its status, output and errors.
func said(args ...string) (int, string, string) {
	var out, errs bytes.Buffer
	code := run(args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// TestAuditAndRepairByCommand: the verbs of an operator, one after another, on a site that an affected release has
// left.
func TestAuditAndRepairByCommand(t *testing.T) {
	server := testdb.Start(t, "4.20.0.0")
	db, err := server.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	h := damage.Play(
		damage.Options{
			Handler: damage.ByHelperID,
			Actions: 300,
			Seed:    2,
			Start:   time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		},
	)
	require.NoError(t, h.Write(t.Context(), db))
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }

	// What was found is shown also when a document cannot be written.
	code, out, errs := said("audit", "-q", "--dsn", server.ReadOnlyDSN(), "--json", "/dev/full")
	require.Equal(t, exitCannotRun, code)
	require.Contains(t, out, "U1")
	require.Contains(t, errs, "no space left")
	code, out, errs = said(
		"audit",
		"-q",
		"--dsn",
		server.ReadOnlyDSN(),
		"--json",
		in("before.json"),
		"--csv",
		in("a.csv"),
		"--money",
		in("m.csv"),
		"--html",
		in("a.html"),
		"--junit",
		in("a.xml"),
		"--metrics",
		in("a.prom"),
	)
	require.Equal(t, exitFailure, code, errs)
	require.Contains(t, out, "OPEN_BUT_DEAD")
	for _, name := range []string{"before.json", "a.csv", "m.csv", "a.html", "a.xml", "a.prom"} {
		info, err := os.Stat(in(name))
		require.NoError(t, err)
		require.NotZero(t, info.Size(), name)
	}
	code, out, _ = said("audit", "--nagios", "--dsn", server.ReadOnlyDSN())
	require.Equal(t, 2, code)
	require.Equal(t, 1, strings.Count(out, "\n"))
	code, out, _ = said("audit", "-q", "--dsn", server.ReadOnlyDSN(), "--gate", "4.22.1.0")
	require.Equal(t, exitFailure, code)
	require.Contains(t, out, "NO-GO for the upgrade")

	code, out, errs = said(
		"repair",
		"plan",
		"-q",
		"--dsn",
		server.ReadOnlyDSN(),
		"--out",
		in("plan"),
		"--credits",
		in("credits.csv"),
		"--debits",
		in("debits.csv"),
	)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "rows are planned in")
	credits, err := os.ReadFile(in("credits.csv"))
	require.NoError(t, err)
	require.Contains(t, string(credits), "2,,2026-03,11,")
	code, out, _ = said("repair", "sql", in("plan"))
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "UPDATE cloud_usage.usage_load_balancer_policy SET deleted = '2026-03-")

	code, _, errs = said("repair", "apply", in("plan"), "--dsn", server.DSN(), "--release", "4.20.1.0")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "confirm both with --backed-up")
	code, _, errs = said("repair", "apply", in("plan"), "--dsn", server.DSN(), "--backed-up")
	require.Equal(t, exitFailure, code)
	require.Contains(t, errs, "cloud.version does not tell the release")
	code, out, errs = said("repair", "apply", in("plan"), "--dsn", server.DSN(), "--release", "4.20.1.0", "--backed-up")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "takes them back")

	code, _, _ = said("audit", "-q", "--dsn", server.ReadOnlyDSN(), "--json", in("after.json"))
	require.Equal(t, exitFailure, code)
	code, out, errs = said("compare", in("before.json"), in("after.json"))
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "shrunk")

	code, _, errs = said("repair", "undo", in("plan.undo"), "--dsn", server.DSN(), "--backed-up")
	require.Equal(t, exitOK, code, errs)
	code, _, _ = said("audit", "-q", "--dsn", server.ReadOnlyDSN(), "--json", in("again.json"))
	require.Equal(t, exitFailure, code)
	code, out, _ = said("compare", in("after.json"), in("again.json"), "--json", in("c.json"))
	require.Equal(t, exitFailure, code, "the damage is back")
	require.Contains(t, out, "grown")
}

// TestAuditSaysThatItWaits: once, not at every look.
func TestAuditSaysThatItWaits(t *testing.T) {
	var b bytes.Buffer
	tell := auditProgress(&b)
	for _, busy := range []int{0, 7, 9, 0, 7} {
		tell(audit.Progress{Stage: "events", Done: 1, Total: 10, Busy: busy})
	}
	require.Equal(t, "audit: events, 10 %\naudit: events, 10 %, waiting: the database has 7 statements at work "+
		"(--max-load)\n", b.String())
}

// TestAuditWarnsOfItsFile: once, and not where a line too many is taken for a failure.
func TestAuditWarnsOfItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "targets.yaml")
	require.NoError(t, os.WriteFile(file, []byte("targets:\n  a:\n    dsn: u:p@tcp(127.0.0.1:1)/\n"), 0o600))
	require.NoError(t, os.Chmod(file, 0o644))
	for args, want := range map[string]int{"": 1, "--nagios": 0} {
		_, _, errs := said(append([]string{"audit", "--target", "a", "--config", file}, strings.Fields(args)...)...)
		require.Equal(t, want, strings.Count(errs, "warning"), errs)
	}
}

// TestAuditWrongUse: each mistake of the command line has one line and status 2.
func TestAuditWrongUse(t *testing.T) {
	t.Setenv("STACKPROOF_DSN", "")
	file := filepath.Join(t.TempDir(), "x.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"document":"other"}`), 0o600))
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no database":     {[]string{"audit"}, "which database? Give --dsn"},
		"no address":      {[]string{"audit", "--dsn", "s3cret"}, "want user:password@tcp(host:3306)/"},
		"watch too often": {[]string{"audit", "--dsn", "x", "--watch", "1s"}, "--watch 1s is too often"},
		"watch and gate": {[]string{"audit", "--dsn", "x", "--watch", "1h", "--gate", "4.22.0.0"},
			"--watch goes with neither --gate nor --nagios"},
		"gate of nothing": {[]string{"audit", "--dsn", "x", "--gate", "next"}, "is not of the form 4.22.1.0"},
		"small batch":     {[]string{"audit", "--dsn", "x", "--batch", "1"}, "--batch must be between"},
		"two names": {[]string{"audit", "--dsn", "x", "--json", "a", "--csv", "./a"},
			"--json and --csv name the same file"},
		"no folder":   {[]string{"audit", "--dsn", "x", "--json", "/nowhere/a"}, "/nowhere/a cannot be written"},
		"a folder":    {[]string{"audit", "--dsn", "x", "--json", t.TempDir()}, "is a folder; name a file in it"},
		"two places":  {[]string{"audit", "--dsn", "x", "--target", "y"}, "--dsn and --target both say which database"},
		"plan folder": {[]string{"repair", "plan", "--dsn", "x", "--out", t.TempDir()}, "--out: "},
		"debits nowhere": {[]string{"repair", "plan", "--dsn", "x", "--out", file, "--debits", "/nowhere/a"},
			"--debits: /nowhere/a cannot be written"},
		"plan nowhere":      {[]string{"repair", "plan", "--dsn", "x"}, "Give --out FILE"},
		"no plan":           {[]string{"repair", "apply", file, "--dsn", "x"}, "this is no stackproof repair plan"},
		"no plan named":     {[]string{"repair", "apply"}, "needs one file: the plan"},
		"repair what":       {[]string{"repair"}, "needs one of: apply, plan, sql, undo"},
		"compare one":       {[]string{"compare", file}, "needs two files"},
		"compare something": {[]string{"compare", file, file}, "is neither the JSON of an audit nor that of a run"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := said(tt.args...)
			require.Equal(t, exitUsage, code)
			require.Contains(t, errs, tt.want)
			require.Equal(t, 1, strings.Count(errs, "\n"), errs)
			require.Empty(t, out)
			require.NotContains(t, errs, "s3cret")
		})
	}
}

// TestAuditVariablesAreAPair: the variable of the usage database belongs to that of the other, and to no other word.
func TestAuditVariablesAreAPair(t *testing.T) {
	t.Setenv("STACKPROOF_DSN", "env")
	t.Setenv("STACKPROOF_USAGE_DSN", "env-usage")
	dir := t.TempDir()
	config := filepath.Join(dir, "targets.yaml")
	require.NoError(t, os.WriteFile(config, []byte("targets:\n  a:\n    dsn: [of-a]\n  b:\n    dsn: [of-b, "+
		"usage-of-b]\n"), 0o600))
	for name, c := range map[string]struct {
		flags siteFlags
		want  [2]string
	}{
		"variables":       {siteFlags{}, [2]string{"env", "env-usage"}},
		"flag":            {siteFlags{dsn: "x"}, [2]string{"x", ""}},
		"both flags":      {siteFlags{dsn: "x", usageDSN: "y"}, [2]string{"x", "y"}},
		"target":          {siteFlags{target: "a", config: config}, [2]string{"of-a", ""}},
		"target of two":   {siteFlags{target: "b", config: config}, [2]string{"of-b", "usage-of-b"}},
		"flag and target": {siteFlags{target: "b", config: config, usageDSN: "y"}, [2]string{"of-b", "y"}},
		"usage flag only": {siteFlags{usageDSN: "y"}, [2]string{"env", "y"}},
	} {
		c.flags.batch = 1000
		o, err := c.flags.options()
		require.NoError(t, err, name)
		require.Equal(t, c.want, [2]string{o.DSN, o.UsageDSN}, name)
	}
}

// TestNagiosIsToldOfWrongUse: whatever is wrong, the program that calls the check gets its one line and its status.
func TestNagiosIsToldOfWrongUse(t *testing.T) {
	t.Setenv("STACKPROOF_DSN", "")
	for _, args := range [][]string{
		{"audit", "--nagios"},
		{"audit", "--nagios", "--dsn", "x", "--batch", "1"},
		{"audit", "--nagios", "--dsn", "x", "word"},
		{"audit", "--nagios", "--nonsense"},
		{"audit", "--nagios", "--batch", "many"},
		{"audit", "--nagios", "--dsn", "x", "--json", t.TempDir()},
	} {
		code, out, errs := said(args...)
		require.Equal(t, audit.MonitorUnknown, code, "%v", args)
		require.Regexp(t, `^STACKPROOF UNKNOWN - [^\n]+\n$`, out, "%v", args)
		require.Empty(t, errs, "%v", args)
	}
}
