//go:build linux

package supervise

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestZombie(t *testing.T) {
	assert.False(t, Zombie(os.Getpid()))
	child := exec.Command("sleep", "1000")
	require.NoError(t, child.Start())
	pid := child.Process.Pid
	assert.False(t, Zombie(pid), "it runs")
	require.NoError(t, child.Process.Kill())
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); !Zombie(pid); <-tick.C {
		require.True(t, time.Now().Before(end), "process %d was killed and nobody waits for it, but it is no zombie",
			pid)
	}
	_ = child.Wait()
	assert.True(t, Zombie(pid), "nothing is left of it")
}
