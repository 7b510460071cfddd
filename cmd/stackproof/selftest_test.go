package main

import (
	"os"
	"path/filepath"
	"testing"

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

// TestKilledAtCallsThenCleanedUp is a part, drawn by a fixed seed, of what task selftest:kill does at every call.
func TestKilledAtCallsThenCleanedUp(t *testing.T) {
	needLab(t)
	site, err := chaos.OpenSite(t.Context(), program(t), chaos.SiteOptions{Release: release.Default, Speed: killSpeed,
		Dir: t.TempDir()})
	require.NoError(t, err)
	defer func() { assert.NoError(t, site.Close(t.Context())) }()
	for id, calls := range map[string]int{"U-01": 120, "L-01": 200} {
		kills, err := site.Kill(t.Context(), chaos.KillOptions{Scenarios: []string{id}, Seed: 3, Count: 6,
			Show: func(k chaos.Killed) { assert.Empty(t, k.Left, "%s killed at %s", id, k.Point) }})
		require.NoError(t, err)
		assert.Greater(t, kills.Calls, calls, "calls of %s", id)
		assert.GreaterOrEqual(t, len(kills.Points), 4, "kills of %s", id)
		assert.Greater(t, kills.Removed(), 4, "the runs left too little for this to show anything")
	}
}
