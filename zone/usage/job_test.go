package usage_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/usage"
)

func (l *lab) jobs() []string {
	return l.lines("SELECT id, job_type, scheduled, success, end_date FROM cloud_usage.usage_job ORDER BY id")
}

// queue does what generateUsageRecords does.
func (l *lab) queue() {
	_, err := l.db.Exec("INSERT INTO cloud_usage.usage_job (host, pid, job_type, scheduled, heartbeat) " +
		"SELECT host, pid, 1, 0, heartbeat FROM cloud_usage.usage_job WHERE end_millis = 0 ORDER BY id DESC LIMIT 1")
	require.NoError(l.t, err)
}

func TestSingleJobThenEmptyRecurringRun(t *testing.T) {
	l := newLab(t, usage.Options{})
	l.queue()
	l.clock.now = at(t, "10:00:40")
	jobs, err := l.server.Heartbeat(t.Context())
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	require.Equal(t, usage.Single, jobs[0].Type)
	require.Equal(t, []string{"1 0 0 - -", "2 1 1 1 09:59:59"}, l.jobs(), "the recurring row stays open")
	l.clock.now = at(t, "10:00:50")
	job, err := l.server.Run(t.Context())
	require.NoError(t, err)
	require.False(t, job.Success)
	require.NoError(t, job.Err, "an empty window is no failure")
	require.Equal(t, []string{"1 0 0 0 09:59:59", "2 1 1 1 09:59:59", "3 0 0 - -"}, l.jobs())
	require.Contains(t, l.log.String(), "not parsing usage records")
}

func TestHeartbeatRefreshesTheRecurringJob(t *testing.T) {
	l := newLab(t, usage.Options{})
	l.clock.now = at(t, "10:00:25")
	jobs, err := l.server.Heartbeat(t.Context())
	require.NoError(t, err)
	require.Empty(t, jobs)
	require.Equal(t, []string{"10:00:25"}, l.lines("SELECT heartbeat FROM cloud_usage.usage_job"))
}

func TestTakeOverAfterFiveMinutes(t *testing.T) {
	l := newLab(t, usage.Options{})
	require.NoError(t, l.server.Stop(t.Context(), false))
	second, err := usage.New(l.db, usage.Options{Clock: l.clock, Range: 1, Host: "other/127.0.0.1", PID: 7})
	require.NoError(t, err)
	require.NoError(t, second.Start(t.Context()))
	for _, c := range []struct{ when, owner string }{{"10:05:10", "vm/127.0.0.1 1"},
		{"10:05:11", "other/127.0.0.1 7"}} {
		l.clock.now = at(t, c.when)
		_, err = second.Heartbeat(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{c.owner}, l.lines("SELECT host, pid FROM cloud_usage.usage_job"), c.when)
	}
	_, err = l.server.Run(t.Context())
	require.ErrorIs(t, err, usage.ErrNotOwner)
}

func TestCatchUpWhenARangeWasMissed(t *testing.T) {
	l := newLab(t, usage.Options{})
	l.run("10:01:10")
	l.clock.now = at(t, "10:00:00").AddDate(0, 0, -1) // next recurring run is now far away
	server, err := usage.New(l.db, usage.Options{Clock: l.clock, Range: 1, ExecTime: "09:00"})
	require.NoError(t, err)
	l.clock.now = at(t, "08:30:00")
	_, err = l.db.Exec("UPDATE cloud_usage.usage_job SET end_millis = ? WHERE success = 1",
		at(t, "08:00:00").UnixMilli())
	require.NoError(t, err)
	jobs, err := server.Heartbeat(t.Context())
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	require.True(t, jobs[0].Success)
	require.Equal(t, at(t, "08:00:00").Add(time.Millisecond), jobs[0].Start)
}

func TestStopAndStart(t *testing.T) {
	l := newLab(t, usage.Options{})
	require.NoError(t, l.server.Stop(t.Context(), true))
	require.Empty(t, l.jobs())
	require.NoError(t, l.server.Start(t.Context()))
	for clean, want := range map[bool]int{false: 1, true: 1} {
		again, err := usage.New(l.db, usage.Options{Clock: l.clock, PID: 99,
			Rules: usage.Rules{CleanOwnJobsAtStart: clean}})
		require.NoError(t, err)
		require.NoError(t, again.Start(t.Context()))
		pid := "1"
		if clean {
			pid = "99"
		}
		jobs := l.lines("SELECT pid FROM cloud_usage.usage_job WHERE end_millis = 0")
		require.Len(t, jobs, want)
		require.Equal(t, pid, jobs[0], "clean-up at start: %v", clean)
		_, err = l.db.Exec("UPDATE cloud_usage.usage_job SET pid = 1")
		require.NoError(t, err)
	}
}

func TestEventOfUnknownAccountFailsTheRun(t *testing.T) {
	l := newLab(t, usage.Options{})
	l.event("10:00:20", "LB.CREATE", 2, 7)
	l.event("10:00:21", "LB.CREATE", 77, 8)
	l.clock.now = at(t, "10:01:10")
	job, err := l.server.Run(t.Context())
	require.NoError(t, err)
	require.False(t, job.Success)
	require.ErrorContains(t, job.Err, "account 77")
	require.Empty(t, l.balancers(), "the helper rows of a failed run are rolled back")
	require.Equal(t, []string{"1 0 0 0 10:00:59", "2 0 0 - -"}, l.jobs())
}

func TestDuplicateKeyIsAWarning(t *testing.T) {
	l := newLab(t, usage.Options{})
	for range 2 {
		l.event("10:00:20", "NET.IPASSIGN", 2, 5, "resource_name", "10.1.1.5", "template_id", 0, "size", 1)
	}
	l.event("10:00:21", "LB.CREATE", 2, 8)
	l.run("10:01:10")
	require.Equal(t, []string{"5 10.1.1.5 1"},
		l.lines("SELECT ip_id, public_ip_address, is_source_nat FROM cloud_usage.usage_ip_address"))
	require.Len(t, l.balancers(), 1)
	require.Contains(t, l.log.String(), "Failed to create usage event id: 2 type: NET.IPASSIGN")
}

func TestRemovedAccountIsBilledForThreeDays(t *testing.T) {
	for removed, want := range map[string]int{"2026-03-07 10:00:00": 1, "2026-03-07 09:59:59": 0} {
		l := newLab(t, usage.Options{})
		l.event("10:00:20", "LB.CREATE", 2, 7)
		_, err := l.db.Exec("UPDATE cloud.account SET removed = ? WHERE id = 2", removed)
		require.NoError(t, err)
		l.run("10:01:10")
		require.Len(t, l.records(usage.TypeLoadBalancer), want, removed)
	}
}

func TestTiesFollowTheSeed(t *testing.T) {
	order := func(seed uint64) []string {
		l := newLab(t, usage.Options{TieSeed: seed})
		for id := range int64(8) {
			l.event("10:00:20", "LB.CREATE", 2, 10+id)
		}
		l.run("10:01:10")
		return l.lines("SELECT lb_id FROM cloud_usage.usage_load_balancer_policy ORDER BY id")
	}
	require.Equal(t, []string{"10", "11", "12", "13", "14", "15", "16", "17"}, order(0))
	shuffled := order(5)
	require.NotEqual(t, order(0), shuffled)
	require.Equal(t, shuffled, order(5))
}

func TestNewRefusesBadOptions(t *testing.T) {
	at := &clock{now: at(t, "10:00:00")}
	for want, options := range map[string]usage.Options{
		"clock": {},
		"-1":    {Clock: at, Range: -1},
		"noon":  {Clock: at, ExecTime: "noon"},
	} {
		_, err := usage.New(nil, options)
		require.ErrorContains(t, err, want)
	}
}

func TestRulesOfReleases(t *testing.T) {
	for name, want := range map[string]usage.Rules{
		"4.19.1.0": broken(), "4.19.2.0": broken(), "4.19.3.0": {}, "4.20.0.0": broken(), "4.20.1.0": {},
		"4.20.2.0": {CleanOwnJobsAtStart: true},
	} {
		on, err := release.KnobsOf(name)
		require.NoError(t, err)
		require.Equal(t, want, usage.RulesOf(on), name)
	}
}
