package router

import (
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/router/supervise"
)

const (
	ruleA = "192.168.2.5:8080"
	ruleB = "192.168.2.5:8082"
	nameA = "192_168_2_5-8080"
	nameB = "192_168_2_5-8082"
)

func backends(t testing.TB, h *testHost) {
	for _, address := range []string{"10.0.1.11:8080", "10.0.1.12:8080", "10.0.1.13:8080", "10.0.1.11:8081",
		"10.0.1.12:8081", "10.0.1.13:8081"} {
		h.backend(t, address)
	}
}

func apply(tb testing.TB, r *Router, p Push) Applied {
	tb.Helper()
	a, err := r.Apply(tb.Context(), p)
	require.NoError(tb, err)
	return a
}

func files(tb testing.TB, r *Router) Files {
	tb.Helper()
	f, err := r.Files(tb.Context())
	require.NoError(tb, err)
	return f
}

// sticky puts a source policy on the rules of the two-rule command whose index is named.
func sticky(tb testing.TB, on ...int) Push {
	p := recordedPush(tb, "mask-1-none")
	for _, i := range on {
		p.LoadBalancers[i].Stickiness = []Stickiness{{Method: "SourceBased"}}
	}
	return p
}

// TestStoryBOnTheWire is the measured sequence of four commands: none, A, A and B, A.
func TestStoryBOnTheWire(t *testing.T) {
	for _, c := range []struct {
		release string
		rules   Rules
		movedB  int // of rule B while both rules carry the policy
		action  Action
	}{
		{"4.19.1.0", rulesFor(t, "4.19.1.0"), 12, ActionNone},
		{"4.20.0.0", rulesFor(t, "4.20.0.0"), 0, ActionReload},
	} {
		t.Run(c.release, func(t *testing.T) {
			h := newTestHost(t)
			backends(t, h)
			r := newTestRouter(t, h, Options{Rules: c.rules})
			assert.Equal(t, ActionStart, apply(t, r, sticky(t)).Action)
			assert.Equal(t, 12, h.moved(t, ruleA, 12))
			assert.Equal(t, ActionReload, apply(t, r, sticky(t, 0)).Action)
			assert.Zero(t, h.moved(t, ruleA, 12))
			assert.Equal(t, 12, h.moved(t, ruleB, 12))
			a := apply(t, r, sticky(t, 0, 1))
			assert.Equal(t, c.action, a.Action)
			assert.Equal(t, c.action == ActionNone, a.Masked)
			assert.Equal(t, c.movedB, h.moved(t, ruleB, 12))
			assert.Zero(t, h.moved(t, ruleA, 12))
			assert.Equal(t, c.action, apply(t, r, sticky(t, 0)).Action)
			assert.Equal(t, 12, h.moved(t, ruleB, 12), "free again")
			require.Len(t, r.History(), 4)
			assert.Equal(t, a, r.History()[2])
		})
	}
}

// TestReload: the new worker has another process id and an empty table, and no connection fails meanwhile.
func TestReload(t *testing.T) {
	h := newTestHost(t)
	backends(t, h)
	r := newTestRouter(t, h, Options{})
	apply(t, r, sticky(t, 0))
	h.moved(t, ruleA, 5)
	table, err := r.ShowTable(t.Context(), nameA)
	require.NoError(t, err)
	assert.EqualValues(t, 6, table.Used)
	assert.Len(t, table.Entries, 6)
	assert.EqualValues(t, 200<<10, table.Size)
	var keys []netip.Addr
	for _, e := range table.Entries {
		keys = append(keys, e.Key)
		assert.Contains(t, e.Server, nameA+"_")
		assert.Positive(t, e.Expires)
		assert.Positive(t, e.ServerID)
	}
	assert.Contains(t, keys, netip.MustParseAddr("10.9.0.1"))
	before, err := r.ShowInfo(t.Context())
	require.NoError(t, err)
	assert.Regexp(t, `^\d+\.\d+`, before.Version)

	stop, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(failed)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := h.dial("10.9.0.77", ruleA); err != nil {
				failed <- err
				return
			}
		}
	}()
	for i := range 10 {
		assert.Equal(t, ActionReload, apply(t, r, sticky(t, 1-i%2)).Action)
	}
	close(stop)
	require.NoError(t, <-failed, "a connection during a reload")

	apply(t, r, sticky(t, 1))
	apply(t, r, sticky(t, 0))
	after, err := r.ShowInfo(t.Context())
	require.NoError(t, err)
	assert.NotEqual(t, before.PID, after.PID)
	table, err = r.ShowTable(t.Context(), nameA)
	require.NoError(t, err)
	assert.Zero(t, table.Used, "a reload empties the table")
	for _, name := range []string{nameB, "", "nowhere", nameA + "; show info"} {
		_, err = r.ShowTable(t.Context(), name)
		assert.ErrorIs(t, err, ErrNoTable, name)
	}
	f := files(t, r)
	assert.Equal(t, f.Live, f.Serving)
	assert.Equal(t, 12, f.Reloads)
	eventually(t, "one worker alone", func() (bool, string) {
		f := files(t, r)
		return f.Workers == 1, strconv.Itoa(f.Workers)
	})
}

// TestReloadIsComplete: once Apply returned, no connection is served by the old configuration.
func TestReloadIsComplete(t *testing.T) {
	h := newTestHost(t)
	backends(t, h)
	r := newTestRouter(t, h, Options{})
	only := func(ip string) Push {
		p := sticky(t)
		p.LoadBalancers[0].Destinations = []Destination{{IP: ip, Port: 8080}}
		return p
	}
	apply(t, r, only("10.0.1.13"))
	for i := range 10 {
		ip := []string{"10.0.1.11", "10.0.1.12"}[i%2]
		require.Equal(t, ActionReload, apply(t, r, only(ip)).Action)
		for range 5 {
			answer, err := h.dial("10.9.0.1", ruleA)
			require.NoError(t, err)
			require.Equal(t, ip+":8080", answer, "reload %d", i)
		}
	}
}

// TestReloadWaitsForFormerWorker: a worker that has not heard of its end still takes connections, so the reload is not
// over, although the master says that it is ready.
func TestReloadWaitsForFormerWorker(t *testing.T) {
	h := newTestHost(t)
	r := newTestRouter(t, h, Options{})
	apply(t, r, sticky(t))
	workers, err := r.proc.workers()
	require.NoError(t, err)
	require.Len(t, workers, 1)
	require.NoError(t, syscall.Kill(workers[0], syscall.SIGSTOP))
	r.proc.patience = 2 * time.Second
	_, err = r.Apply(t.Context(), sticky(t, 0))
	require.NoError(t, syscall.Kill(workers[0], syscall.SIGCONT))
	assert.ErrorContains(t, err, "waiting for the former worker")
	eventually(t, "the former worker deaf", func() (bool, string) {
		n, err := supervise.Listening(workers[0])
		require.NoError(t, err)
		return n == 0, strconv.Itoa(n)
	})
}

// TestServerHealth: "show stat" tells a live backend from a dead one.
func TestServerHealth(t *testing.T) {
	h := newTestHost(t)
	for _, address := range []string{"10.0.1.11:8080", "10.0.1.12:8080"} {
		h.backend(t, address)
	}
	require.NoError(t, h.EnsureAddress(t.Context(), netip.MustParseAddr("10.0.1.13")))
	r := newTestRouter(t, h, Options{})
	apply(t, r, sticky(t))
	eventually(t, "the dead server DOWN and its sister UP", func() (bool, string) {
		stats, err := r.ShowStat(t.Context())
		require.NoError(t, err)
		status := map[string]string{}
		for _, s := range stats {
			if s.Proxy == nameA && s.Server() {
				status[s.Name] = s.Status
			}
		}
		require.Len(t, status, 3)
		return status[nameA+"_0"] == "UP" && status[nameA+"_2"] == "DOWN", status[nameA+"_0"] + ", " +
			status[nameA+"_2"]
	})
}

// TestBadFile: copied, refused by the check, the old worker and its table go on; the next good push repairs.
func TestBadFile(t *testing.T) {
	h := newTestHost(t)
	backends(t, h)
	r := newTestRouter(t, h, Options{Rules: rulesFor(t, "4.20.0.0")})
	apply(t, r, sticky(t, 0))
	h.moved(t, ruleA, 5)
	before, err := r.ShowInfo(t.Context())
	require.NoError(t, err)
	good := files(t, r)

	bad := recordedPush(t, "mask-10-appcookie")
	a := apply(t, r, bad)
	assert.Equal(t, ActionReloadRefused, a.Action)
	assert.True(t, a.Copied)
	assert.Contains(t, a.CheckOutput, "'appsession' is not supported")
	f := files(t, r)
	assert.Equal(t, renderFile(t, bad, Rules{}), f.Live)
	assert.Equal(t, good.Live, f.Serving)
	assert.Equal(t, good.MasterPID, f.MasterPID)
	assert.Equal(t, good.RunningSince, f.RunningSince)
	assert.Contains(t, f.Refusal, "appsession")
	after, err := r.ShowInfo(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before.PID, after.PID)
	table, err := r.ShowTable(t.Context(), nameA)
	require.NoError(t, err)
	assert.EqualValues(t, 6, table.Used)

	a = apply(t, r, bad)
	assert.Equal(t, ActionNone, a.Action, "an identical file is not tried again")
	assert.Equal(t, ActionReload, apply(t, r, sticky(t, 1)).Action)
	assert.Empty(t, files(t, r).Refusal)

	// A restart of the router with a bad file leaves HAProxy down; the next good push starts it.
	apply(t, r, bad)
	require.NoError(t, r.Stop(t.Context()))
	_, err = r.Apply(t.Context(), bad)
	require.ErrorIs(t, err, ErrStopped)
	action, err := r.Start(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ActionStartRefused, action)
	assert.Zero(t, files(t, r).MasterPID)
	_, err = r.ShowInfo(t.Context())
	require.ErrorIs(t, err, ErrNotRunning)
	assert.Equal(t, ActionStart, apply(t, r, sticky(t)).Action)
}

// TestTakenPort: a valid file that cannot be used leaves the old worker, too.
func TestTakenPort(t *testing.T) {
	h := newTestHost(t)
	backends(t, h)
	h.backend(t, "192.168.2.5:8090")
	r := newTestRouter(t, h, Options{})
	apply(t, r, sticky(t))
	p := sticky(t)
	p.LoadBalancers[1].SrcPort = 8090
	a := apply(t, r, p)
	assert.Equal(t, ActionReloadFailed, a.Action)
	assert.Contains(t, a.CheckOutput, "192.168.2.5:8090")
	answer, err := h.dial("10.9.0.1", ruleB)
	require.NoError(t, err, "the old worker goes on")
	assert.Contains(t, answer, ":8081")
}

func TestDeadHAProxy(t *testing.T) {
	h := newTestHost(t)
	r := newTestRouter(t, h, Options{})
	apply(t, r, sticky(t))
	kill := func() {
		master, err := os.FindProcess(files(t, r).MasterPID)
		require.NoError(t, err)
		require.NoError(t, master.Kill())
		eventually(t, "the end of HAProxy", func() (bool, string) {
			return files(t, r).Killed, "still running, or not waited for yet"
		})
	}
	kill()
	a := apply(t, r, sticky(t))
	assert.Equal(t, ActionNone, a.Action)
	assert.Zero(t, files(t, r).MasterPID, "an identical push does not start it")
	assert.Equal(t, ActionStart, apply(t, r, sticky(t, 0)).Action)
	assert.NotZero(t, files(t, r).MasterPID)
	kill()
	a = apply(t, r, recordedPush(t, "mask-10-appcookie"))
	assert.Equal(t, ActionStartRefused, a.Action)
	assert.Contains(t, a.CheckOutput, "appsession")
}

func TestCheckBeforeUse(t *testing.T) {
	h := newTestHost(t)
	r := newTestRouter(t, h, Options{Rules: rulesFor(t, "4.22.0.0")})
	good := apply(t, r, sticky(t))
	live := files(t, r).Live
	a, err := r.Apply(t.Context(), recordedPush(t, "mask-10-appcookie"))
	var rejected *RejectedError
	require.ErrorAs(t, err, &rejected)
	assert.Contains(t, rejected.Output, "haproxy.cfg.new")
	assert.Equal(t, ActionRejected, a.Action)
	assert.False(t, a.Copied)
	assert.Equal(t, good.LiveHash, a.LiveHash)
	f := files(t, r)
	assert.Equal(t, live, f.Live)
	assert.Contains(t, string(f.New), "appsession")
	// Keep-alive with a cookie is refused from 4.22 (#14131).
	_, err = r.Apply(t.Context(), recordedPush(t, "lbcookie-keepalive"))
	require.ErrorAs(t, err, &rejected)
	assert.Contains(t, rejected.Output, "forceclose")
}

// TestRestartWithAggregatedPush is the measured behaviour after a router start: blanks differ, so the first direct push
// is applied although nothing changed.
func TestRestartWithAggregatedPush(t *testing.T) {
	h := newTestHost(t)
	r := newTestRouter(t, h, Options{Rules: rulesFor(t, "4.19.1.0")})
	apply(t, r, sticky(t, 0))
	require.NoError(t, r.Stop(t.Context()))
	require.NoError(t, r.Stop(t.Context()))
	assert.Zero(t, files(t, r).MasterPID)
	action, err := r.Start(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ActionStart, action)
	p := sticky(t, 0)
	p.Aggregated = true
	assert.Equal(t, ActionReload, apply(t, r, p).Action)
	assert.Equal(t, ActionReload, apply(t, r, sticky(t, 0)).Action)
	assert.Equal(t, ActionNone, apply(t, r, sticky(t, 0)).Action)
}

// TestRecordedVerdicts has the installed HAProxy judge every rendered file as the recording's did.
func TestRecordedVerdicts(t *testing.T) {
	r := newTestRouter(t, newTestHost(t), Options{})
	refusals := 0
	for _, c := range recordedCases(t) {
		if c.Exception != "" {
			continue
		}
		p, err := ParsePush(c.Command)
		require.NoError(t, err)
		require.NoError(t, r.writeFile(livePath, renderFile(t, p, rulesFor(t, c.Release))))
		refused, err := r.check(t.Context(), livePath)
		require.NoError(t, err)
		assert.Equal(t, c.HAProxyCheck.OK, refused == "", "%s: %s", c.Name, refused)
		if refused != "" {
			refusals++
			assert.Contains(t, refused, "[ALERT]")
			assert.NotContains(t, refused, "[NOTICE]")
		}
	}
	assert.Positive(t, refusals, "no refused file among the cases")
}
