//go:build linux

package router

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestZombie(t *testing.T) {
	assert.False(t, zombie(os.Getpid()))
	child := exec.Command("sleep", "1000")
	require.NoError(t, child.Start())
	pid := child.Process.Pid
	assert.False(t, zombie(pid), "it runs")
	require.NoError(t, child.Process.Kill())
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); !zombie(pid); <-tick.C {
		require.True(t, time.Now().Before(end), "process %d was killed and nobody waits for it, but it is no zombie",
			pid)
	}
	_ = child.Wait()
	assert.True(t, zombie(pid), "nothing is left of it")
}

// TestMissingWorkerIsNoRefusal: a list of workers that lacks the new one is no word of HAProxy's; without an alert
// nothing was refused, however long the list stays as it is.
func TestMissingWorkerIsNoRefusal(t *testing.T) {
	r := newTestRouter(t, newTestHost(t), Options{})
	apply(t, r, sticky(t))
	apply(t, r, sticky(t, 0))
	now, err := r.proc.workers()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), freshFor+200*time.Millisecond)
	defer cancel()
	_, err = r.proc.awaitFresh(ctx, now)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "gave no alert")
	fresh, err := r.proc.awaitFresh(ctx, nil)
	require.NoError(t, err)
	require.True(t, fresh)
	_, err = r.proc.output.Write([]byte("[ALERT]    (1) : config : Fatal errors found in configuration.\n"))
	require.NoError(t, err)
	fresh, err = r.proc.awaitFresh(t.Context(), now)
	require.NoError(t, err)
	require.False(t, fresh)
}
