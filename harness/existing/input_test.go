package existing

import (
	"context"
	"database/sql"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/scenarios"
	"github.com/stackproof/stackproof/zone"
)

// domains counts what a run would leave behind first.
func (s standing) domains(t *testing.T) int {
	t.Helper()
	var list struct{ Count int }
	require.NoError(t, s.admin(t).Call(t.Context(), "listDomains", cloud.Params{"listall": "true"}, &list))
	return list.Count
}

func (s standing) admin(t *testing.T) *cloud.Client {
	t.Helper()
	c, err := cloud.New(cloud.Options{URL: s.zone.APIURL(), APIKey: s.zone.APIKey(), SecretKey: s.zone.SecretKey()})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close(context.WithoutCancel(t.Context()))) })
	return c
}

func (s standing) root(t *testing.T) *sql.DB {
	t.Helper()
	db, err := s.server.Open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db
}

// as is the DSN of another user.
func (s standing) as(t *testing.T, user, password string) string {
	t.Helper()
	c, err := mysql.ParseDSN(s.server.DSN())
	require.NoError(t, err)
	c.User, c.Passwd = user, password
	return c.FormatDSN()
}

// TestWrongInput opens a target with one thing wrong: one line that says what to do, nothing created, no secret told.
func TestWrongInput(t *testing.T) {
	t.Parallel()
	s := stand(t, "4.20.1.0")
	db := s.root(t)
	for _, statement := range []string{"CREATE USER half@'%' IDENTIFIED BY 'pw-half'",
		"GRANT SELECT ON cloud.* TO half@'%'"} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := free.Addr().String()
	require.NoError(t, free.Close())
	before := s.domains(t)
	for name, c := range map[string]struct {
		wrong func(*config.Config)
		want  []string
	}{
		"URL": {func(c *config.Config) { c.API.URL = "http://" + nobody },
			[]string{"does not answer", "check the URL"}},
		"key":    {func(c *config.Config) { c.API.Key = "nonsense" }, []string{"refuses the keys", "check them"}},
		"secret": {func(c *config.Config) { c.API.Secret = "s3cret" }, []string{"refuses the keys"}},
		"no key": {func(c *config.Config) { c.API = config.API{URL: c.API.URL} },
			[]string{"no way to authenticate"}},
		"scheme": {func(c *config.Config) { c.API.URL = strings.Replace(c.API.URL, "http", "https", 1) },
			[]string{"does not answer"}},
		"authority": {func(c *config.Config) { c.API.CA = "/nowhere.pem" }, []string{"certificate authorities",
			"nowhere.pem"}},
		"database": {func(c *config.Config) { c.DSN = config.Words{"ro:s3cret@tcp(" + nobody + ")/"} },
			[]string{nobody, "host and port"}},
		"password": {func(c *config.Config) { c.DSN = config.Words{s.as(t, "half", "s3cret")} },
			[]string{"half is refused", "GRANT SELECT"}},
		"grant": {func(c *config.Config) { c.DSN = config.Words{s.as(t, "half", "pw-half")} },
			[]string{"GRANT SELECT ON cloud_usage.* TO 'half'@'%'"}},
		"two servers": {func(c *config.Config) {
			c.DSN = config.Words{s.as(t, "half", "pw-half"),
				s.server.ReadOnlyDSN()}
		}, []string{"two servers are not supported"}},
		"log": {func(c *config.Config) { c.Log.File = config.Words{"/nowhere/m.log"} },
			[]string{"/nowhere/m.log", "no such file"}},
		"log command": {func(c *config.Config) {
			c.Log = config.Log{Command: config.Words{"sh", "-c", "echo no route >&2; exit 1"}, Settle: time.Second}
		}, []string{"no route"}},
		"router rules":     {func(c *config.Config) { c.RouterProfile = "3.0" }, []string{"--router-profile"}},
		"zone":             {func(c *config.Config) { c.Zone = "Sandbox-simulater" }, []string{"Sandbox-simulator"}},
		"no such way":      {func(c *config.Config) { c.Usage.Run = "never" }, []string{"on-demand"}},
		"a zone to choose": {func(c *config.Config) { c.Zone = "nosuch" }, []string{"did you mean"}},
	} {
		t.Run(name, func(t *testing.T) {
			conf := s.config()
			c.wrong(&conf)
			target, err := Open(t.Context(), Options{Name: "existing", Config: conf, TempDir: t.TempDir()})
			if err == nil {
				require.NoError(t, target.Close(t.Context()))
			}
			require.Error(t, err)
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "\n", "one line")
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
	assert.Equal(t, before, s.domains(t), "nothing was created")
}

// found is what trying a capability gave.
func found(t *testing.T, c config.Config, of harness.Capability) finding.Finding {
	t.Helper()
	target, err := Open(t.Context(), Options{Name: "existing", Config: c, TempDir: t.TempDir()})
	require.NoError(t, err)
	require.NoError(t, target.Close(t.Context()))
	for _, f := range target.Findings() {
		if f.Capability == of {
			return f
		}
	}
	t.Fatalf("%s was not tried", of)
	return finding.Finding{}
}

// TestDiagnosis breaks the usage server's surroundings one by one.
func TestDiagnosis(t *testing.T) {
	t.Parallel()
	s := stand(t, "4.20.1.0")
	db := s.root(t)
	change := func(statement string) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	f := found(t, s.config(), harness.UsageRun)
	assert.Equal(t, finding.OK, f.State, f)

	const set = "UPDATE cloud.configuration SET value = '%' WHERE name = '"
	for _, c := range []struct{ key, bad, good string }{
		{"usage.stats.job.aggregation.range", "1440", "1"}, {"usage.stats.job.aggregation.range", "6", "5"},
		{"usage.execution.timezone", "CET", "GMT"}, {"usage.aggregation.timezone", "America/New_York", "GMT"},
	} {
		change(strings.Replace(set, "%", c.bad, 1) + c.key + "'")
		f = found(t, s.config(), harness.UsageRun)
		assert.Equal(t, finding.Broken, f.State, c.key)
		assert.Contains(t, f.Evidence, c.key)
		assert.Contains(t, f.Remedy, "restart the usage server")
		change(strings.Replace(set, "%", c.good, 1) + c.key + "'")
		assert.Equal(t, finding.OK, found(t, s.config(), harness.UsageRun).State, c.key)
	}

	// The zone's time runs away from the database's.
	apart := s.config()
	apart.Clock = "database"
	harnesstest.Eventually(t, "the clocks to be apart", func() (bool, string) {
		f = found(t, apart, harness.UsageRun)
		return f.State == finding.Broken && strings.Contains(f.Evidence, "NTP"), f.String()
	})

	without := s.config()
	without.DSN, without.Log = nil, config.Log{}
	without.Release = "4.20.1.0"
	for _, c := range []harness.Capability{harness.UsageDB, harness.PushLog, harness.DataPlane} {
		f = found(t, without, c)
		assert.Equal(t, finding.Missing, f.State, c)
		assert.NotEmpty(t, f.Remedy, c)
	}
	f = found(t, without, harness.UsageRun)
	assert.Equal(t, finding.OK, f.State, "without a database usage runs are seen in listUsageRecords: %s", f)
	change("DELETE FROM cloud_usage.usage_job WHERE end_millis = 0")
	f = found(t, s.config(), harness.UsageRun)
	assert.Equal(t, finding.Broken, f.State)
	assert.Contains(t, f.Remedy, "cloudstack-usage")
}

// TestLogThatMissesPushes follows a log that is not the zone's: nothing is concluded from it.
func TestLogThatMissesPushes(t *testing.T) {
	t.Parallel()
	s := stand(t, "4.20.1.0")
	c := s.config()
	other := filepath.Join(t.TempDir(), "other.log")
	require.NoError(t, os.WriteFile(other, []byte("2026-11-22 00:00:00,000 INFO  nothing here\n"), 0o600))
	c.Log.File = config.Words{other}
	chosen, err := scenarios.Catalogue().Select("L-01")
	require.NoError(t, err)
	target, err := Open(t.Context(), Options{Name: "existing", Config: c, TempDir: t.TempDir()})
	require.NoError(t, err)
	target.watch.patience = 200 * time.Millisecond
	run, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Workers: 1, Seed: 1,
		Progress: harnesstest.Silent{}})
	require.NoError(t, err)
	require.NoError(t, target.Close(context.WithoutCancel(t.Context())))
	require.Len(t, run.Results, 1)
	assert.Equal(t, result.Inconclusive, run.Results[0].Verdict)
	assert.Contains(t, run.Results[0].Reason, "the simulator counted")
}

// TestDeadUsageServer lets the usage server die: the verdict is inconclusive and says so.
func TestDeadUsageServer(t *testing.T) {
	t.Parallel()
	s := stand(t, "4.20.0.0")
	c := s.config()
	c.Usage.Wait = time.Second
	chosen, err := scenarios.Catalogue().Select("U-01", "U-03")
	require.NoError(t, err)
	target, err := Open(t.Context(), Options{Name: "existing", Config: c, TempDir: t.TempDir()})
	require.NoError(t, err)
	require.NoError(t, s.zone.EndUsage(t.Context(), zone.FirstUsageHost, zone.UsageKilled))
	run, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Workers: 2, Seed: 1,
		Progress: harnesstest.Silent{}})
	require.NoError(t, err)
	require.NoError(t, target.Close(context.WithoutCancel(t.Context())))
	for _, c := range run.Results {
		assert.Equal(t, result.Inconclusive, c.Verdict, c.ID)
		assert.Contains(t, c.Reason, "no successful usage run", c.ID)
	}
	assert.Equal(t, 1, s.domains(t), "all was removed")
}
