package existing

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

// shifted is a management server whose clock is wrong.
type shifted struct{ by time.Duration }

func (s shifted) Now() time.Time { return time.Now().UTC().Add(s.by) }

func standAt(t *testing.T, c zone.Clock) standing {
	t.Helper()
	harnesstest.NeedLab(t)
	server, err := database.Start(t.Context(), database.Options{Schema: "4.20.1.0"})
	if server != nil {
		t.Cleanup(func() { assert.NoError(t, server.Close()) })
	}
	require.NoError(t, err)
	z, err := zone.Open(t.Context(), zone.Options{Release: "4.20.1.0", DB: server, Clock: c, Seed: 1})
	if z != nil {
		t.Cleanup(func() { assert.NoError(t, z.Close(context.WithoutCancel(t.Context()))) })
	}
	require.NoError(t, err)
	return standing{zone: z, server: server}
}

// TestServerThatTellsNoTime opens a target as a packaged management server is: its answers have no Date header.
func TestServerThatTellsNoTime(t *testing.T) {
	t.Parallel()
	s := standAt(t, zone.Wall{})
	conf := s.config()
	conf.Log, conf.Clock = config.Log{}, ""
	f := found(t, conf, harness.UsageRun)
	assert.Equal(t, finding.OK, f.State, f)
	assert.Contains(t, f.Evidence, "clocks of database and management server agree")

	conf.Clock = "api"
	_, err := Open(t.Context(), Options{Name: "existing", Config: conf, TempDir: t.TempDir()})
	require.ErrorContains(t, err, "no Date header")

	conf.Clock, conf.DSN, conf.Release = "", nil, "4.20.1.0"
	target, err := Open(t.Context(), Options{Name: "existing", Config: conf, TempDir: t.TempDir()})
	require.NoError(t, err)
	assert.Contains(t, target.notes[0], "NTP")
	require.NoError(t, target.Close(t.Context()))
}

// TestClocksApart looks at management servers that are ahead, behind and silent.
func TestClocksApart(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{"ahead": 20 * time.Second, "behind": -20 * time.Second,
		"hours behind": -3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := standAt(t, shifted{by})
			conf := s.config()
			conf.Log, conf.Clock = config.Log{}, ""
			f := found(t, conf, harness.UsageRun)
			assert.Equal(t, finding.Broken, f.State, f)
			assert.Contains(t, f.Evidence, "clocks of the database and management server mgmt")
		})
	}
}

// TestScheduleThatDoesNotRun: a usage server that was just started runs at 00:15, and not before.
func TestScheduleThatDoesNotRun(t *testing.T) {
	t.Parallel()
	s := standAt(t, zone.NewManual(time.Now())) // nothing runs by itself
	db := s.root(t)
	ended := func(ago time.Duration) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), "DELETE FROM cloud_usage.usage_job WHERE end_millis <> 0")
		require.NoError(t, err)
		if ago > 0 {
			_, err = db.ExecContext(t.Context(),
				"INSERT INTO cloud_usage.usage_job (host, pid, job_type, scheduled, start_millis, end_millis, "+
					"exec_time, success, heartbeat) VALUES ('h', 1, 0, 0, 1, ?, 1, 1, UTC_TIMESTAMP())",
				time.Now().Add(-ago).UnixMilli())
			require.NoError(t, err)
		}
	}
	conf := s.config()
	conf.Log, conf.Usage.Run = config.Log{}, "schedule"
	for _, c := range []struct {
		ago  time.Duration
		want finding.State
		says string
	}{{0, finding.Broken, "no scheduled usage run has come yet; the first comes at 00:15 GMT"},
		{time.Minute, finding.OK, "by schedule"}, {time.Hour, finding.Broken, "begin at 00:15 GMT"}} {
		ended(c.ago)
		f := found(t, conf, harness.UsageRun)
		assert.Equal(t, c.want, f.State, f)
		assert.Contains(t, f.Evidence, c.says)
		assert.Equal(t, c.want == finding.Broken, f.Remedy != "", f)
	}
	conf.Usage.Run = ""
	assert.Equal(t, finding.OK, found(t, conf, harness.UsageRun).State, "on demand the schedule does not matter")
}
