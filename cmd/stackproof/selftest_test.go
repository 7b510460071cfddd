package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/chaos"
	"github.com/stackproof/stackproof/release"
)

// program is this test as the command.
func program(t *testing.T) chaos.Program {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	link := filepath.Join(t.TempDir(), "stackproof")
	require.NoError(t, os.Symlink(self, link))
	return chaos.Program{Path: link}
}

// TestSelftest is a small part, drawn by fixed seeds, of what the tasks selftest:kill and selftest:chaos do.
func TestSelftest(t *testing.T) {
	needLab(t)
	site, err := chaos.OpenSite(t.Context(), program(t), chaos.SiteOptions{Release: release.Default, Speed: 120,
		Dir: t.TempDir(), Replica: true})
	require.NoError(t, err)
	defer func() { assert.NoError(t, site.Close(t.Context())) }()
	for id, calls := range map[string]int{"U-01": 120, "L-01": 200} {
		t.Run("kill "+id, func(t *testing.T) {
			kills, err := site.Kill(t.Context(), chaos.KillOptions{Scenarios: []string{id}, Seed: 3, Count: 4,
				Show: func(k chaos.Killed) { assert.Empty(t, k.Left, "%s killed at %s", id, k.Point) }})
			require.NoError(t, err)
			assert.Greater(t, kills.Calls, calls, "calls of %s", id)
			assert.GreaterOrEqual(t, len(kills.Points), 2, "kills of %s", id)
			assert.Greater(t, kills.Removed(), 4, "the runs left too little for this to show anything")
		})
	}
	for _, trial := range []chaos.Trial{
		{Scenario: "U-01", Faults: []string{"database-cut-1s", "api-half-json"}, Call: 60, Seed: 1},
		{Scenario: "U-01", Faults: []string{"disk-full-ledger"}, Call: 1, Seed: 2},
		{Scenario: "L-01", Routers: true, Faults: []string{"log-rotated", "haproxy-killed"}, Call: 110, Seed: 3},
		{Scenario: "U-01", Faults: []string{"replica-halted", "api-late-commit"}, Call: 60, Seed: 4},
		{Scenario: "U-01", Faults: []string{"clock-back"}, Call: 84, Seed: 5},
		{Scenario: "L-01", Routers: true, Faults: []string{"haproxy-gone"}, Call: 110, Seed: 6},
	} {
		t.Run(trial.String(), func(t *testing.T) {
			all, err := chaos.FaultsOf(trial.Faults)
			require.NoError(t, err)
			if len(site.Possible(all)) < len(all) {
				t.Skip("a replica needs MariaDB")
			}
			tried, err := site.Try(t.Context(), trial, false)
			require.NoError(t, err)
			assert.True(t, tried.Outcome.Allowed(), "%s: %s", tried.Outcome, tried.Why)
		})
	}
	t.Run("a slow server that loses answers", func(t *testing.T) {
		how := chaos.SlowOptions{Scenarios: []string{"A-02"}, Seed: 5, Bound: 5 * time.Minute}
		quiet, err := site.Slow(t.Context(), how)
		require.NoError(t, err)
		how.Late, how.Lost, how.Cut = 40*time.Millisecond, 0.1, 0.05 // about five of the zone's seconds
		slow, err := site.Slow(t.Context(), how)
		require.NoError(t, err)
		assert.NotEmpty(t, quiet.Cases)
		assert.Empty(t, slow.Differences(quiet))
		assert.Empty(t, slow.Left)
		assert.Greater(t, slow.Hits, 3, "too few exchanges were broken for this to show anything")
	})
	t.Run("a wrong verdict is seen",
		func(t *testing.T) { // the control: a sound release is taken for one with the defect
			tried, err := site.Try(t.Context(),
				chaos.Trial{Scenario: "U-01", Faults: []string{"none"}, Call: 1, Seed: 4}, true)
			require.NoError(t, err)
			assert.Equal(t, chaos.Wrong, tried.Outcome, tried.Why)
		})
}
