package router

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOnDemand compares a router that starts HAProxy at the first look with one that ran it all along, over sequences
// with good and bad files.
func TestOnDemand(t *testing.T) {
	bad := recordedPush(t, "mask-10-appcookie")
	for name, pushes := range map[string][]Push{
		"good":              {sticky(t), sticky(t, 0)},
		"newest bad":        {sticky(t), sticky(t, 0), bad},
		"bad between":       {sticky(t), bad, sticky(t, 1)},
		"all bad":           {bad},
		"bad, good, masked": {bad, sticky(t, 0), sticky(t, 0, 1)},
		"nothing":           nil,
	} {
		t.Run(name, func(t *testing.T) {
			rules := rulesFor(t, "4.19.1.0")
			always := newTestRouter(t, newTestHost(t), Options{Rules: rules})
			late := newTestRouter(t, newTestHost(t), Options{Rules: rules, OnDemand: true})
			for _, p := range pushes {
				apply(t, always, p)
				a := apply(t, late, p)
				assert.Contains(t, []Action{ActionDeferred, ActionNone}, a.Action)
			}
			f := files(t, late)
			assert.Zero(t, f.MasterPID, "nobody looked yet")
			assert.False(t, f.Attended)
			require.NoError(t, late.Attend(t.Context()))
			want, got := files(t, always), files(t, late)
			assert.Equal(t, want.Live, got.Live)
			assert.Equal(t, string(want.Serving), string(got.Serving))
			assert.Equal(t, want.Workers, got.Workers)
			assert.Equal(t, want.Refusal == "", got.Refusal == "")

			// From now on both act at once.
			next := sticky(t)
			next.MaxConn = "1000"
			assert.Equal(t, apply(t, always, next).Action, apply(t, late, next).Action)
			assert.Equal(t, next.MaxConn, mustInfo(t, late).Fields["Maxconn"])
		})
	}
}

func mustInfo(tb testing.TB, r *Router) Info {
	tb.Helper()
	info, err := r.ShowInfo(tb.Context())
	require.NoError(tb, err)
	return info
}

// TestOnDemandManyVersions goes over the bound, with the newest good version just inside and just outside of it.
func TestOnDemandManyVersions(t *testing.T) {
	bad := recordedPush(t, "mask-10-appcookie")
	badOther := recordedPush(t, "appcookie-name")
	r := newTestRouter(t, newTestHost(t), Options{OnDemand: true})
	for range maxVersions / 2 {
		apply(t, r, sticky(t, 0))
		apply(t, r, sticky(t, 1))
	}
	assert.Len(t, r.versions, maxVersions)
	apply(t, r, bad)
	assert.Len(t, r.versions, 1, "only the newest good one is kept")
	apply(t, r, badOther)
	require.NoError(t, r.Attend(t.Context()))
	f := files(t, r)
	assert.Equal(t, renderFile(t, badOther, Rules{}), f.Live)
	assert.Equal(t, renderFile(t, sticky(t, 1), Rules{}), f.Serving)
	assert.Contains(t, f.Refusal, "appsession")
}

// TestOnDemandRestart: a machine restart forgets earlier versions, since HAProxy would have started from the live file.
func TestOnDemandRestart(t *testing.T) {
	r := newTestRouter(t, newTestHost(t), Options{OnDemand: true})
	apply(t, r, sticky(t, 0))
	apply(t, r, recordedPush(t, "mask-10-appcookie"))
	require.NoError(t, r.Stop(t.Context()))
	action, err := r.Start(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ActionDeferred, action)
	require.NoError(t, r.Attend(t.Context()))
	assert.Zero(t, files(t, r).MasterPID)
	_, err = r.ShowInfo(t.Context())
	assert.ErrorIs(t, err, ErrNotRunning)
	assert.Equal(t, ActionStart, apply(t, r, sticky(t, 0)).Action)
}

// TestOnDemandLook: a question to the admin socket is a look.
func TestOnDemandLook(t *testing.T) {
	r := newTestRouter(t, newTestHost(t), Options{OnDemand: true})
	apply(t, r, sticky(t, 0))
	table, err := r.ShowTable(t.Context(), nameA)
	require.NoError(t, err)
	assert.Zero(t, table.Used)
	assert.True(t, files(t, r).Attended)
}

func TestContexts(t *testing.T) {
	r := newTestRouter(t, newTestHost(t), Options{})
	apply(t, r, sticky(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.ShowInfo(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	require.NoError(t, r.lock(t.Context()))
	_, err = r.Apply(ctx, sticky(t, 0))
	r.unlock()
	assert.ErrorIs(t, err, context.Canceled)
	assert.NotZero(t, mustInfo(t, r).PID, "the router goes on")
}
