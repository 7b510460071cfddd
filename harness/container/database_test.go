package container_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/container"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/scenarios"
	"github.com/stackproof/stackproof/zone/database"
)

// The lab zone runs on a database in a container as it does on its own, and the container goes with the lab.
func TestLabDatabase(t *testing.T) {
	needEngine(t)
	if _, err := router.FindHAProxy(""); err != nil {
		t.Skip(err)
	}
	if err := network.Check(); err != nil {
		t.Skip(err)
	}
	ref := image(t, "database", true, "STANDIN_MODE=database")
	target, err := lab.New(lab.Options{Release: "4.20.1.0", Workers: 1, Databases: func(ctx context.Context,
		release string) (*database.Server, error) {
		return container.StartDatabase(ctx, container.DatabaseOptions{Image: ref, Release: release})
	}})
	require.NoError(t, err)
	chosen, err := scenarios.Catalogue().Select("U-01", "U-07")
	require.NoError(t, err)
	run, err := harness.Run(t.Context(), target, harness.Plan{Scenarios: chosen, Seed: 1, Repeat: 1, Workers: 1,
		Progress: silence{}})
	require.NoError(t, err)
	assert.Len(t, ours(t, ref), 1, "the run was on the container's database")
	require.NoError(t, target.Close(t.Context()))
	assert.Empty(t, ours(t, ref))
	require.Len(t, run.Results, 2)
	for _, c := range run.Results {
		assert.Equal(t, result.Pass, c.Verdict, "%s %s", c.ID, c.Reason)
	}
}

// What is no database server is told in one line, with the container's last words, and removed.
func TestNoLabDatabase(t *testing.T) {
	needEngine(t)
	ref := image(t, "nodatabase", false, "STANDIN_MODE=dies")
	_, err := container.StartDatabase(t.Context(), container.DatabaseOptions{Image: ref, Release: "4.20.1.0"})
	require.ErrorContains(t, err, "gave no database server")
	assert.ErrorContains(t, err, "OutOfMemoryError")
	assert.NotContains(t, err.Error(), "\n")
	assert.Empty(t, ours(t, ref))
}
