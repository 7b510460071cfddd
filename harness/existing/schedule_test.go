package existing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/zone"
)

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
