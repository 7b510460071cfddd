package mgmtlog

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stackproof/stackproof/harness/harnesstest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCommandIsRestarted ends the program again and again: what it prints twice is one push.
func TestCommandIsRestarted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.log")
	require.NoError(t, os.WriteFile(file, []byte(harnesstest.PushLine(t, "r-1-VM", "1", "1")+"\n"+
		harnesstest.PushLine(t, "r-1-VM", "1", "2")+"\n"), 0o600))
	c := StartCommand([]string{"cat", file}, 10*time.Millisecond)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	b := NewInbox()
	harnesstest.Eventually(t, "the second start", func() (bool, string) {
		require.NoError(t, c.Poll(b.Add))
		return b.Lines >= 4, fmt.Sprint(b.Lines, " lines")
	})
	assert.Equal(t, 2, b.Total)
	require.NoError(t, c.Quiet(t.Context()))
	assert.NoError(t, c.Health(), "a program that ends without complaint is started again")
}

func TestCommandThatFails(t *testing.T) {
	c := StartCommand([]string{"sh -c 'ignored'"}, time.Millisecond)
	require.NoError(t, c.Close())

	c = StartCommand([]string{"sh", "-c", "echo no route to host >&2; exit 255"}, time.Millisecond)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	harnesstest.Eventually(t, "its end", func() (bool, string) {
		err := c.Health()
		return err != nil,
			fmt.Sprint(err)
	})
	assert.ErrorContains(t, c.Health(), "no route to host")
}

// TestCommandDiesWithUs makes sure that the whole group of processes ends.
func TestCommandDiesWithUs(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	c := StartCommand([]string{"sh", "-c", "sleep 1000 & echo $! >" + pidFile + "; wait"}, time.Millisecond)
	var pid string
	harnesstest.Eventually(t, "the program", func() (bool, string) {
		data, err := os.ReadFile(pidFile)
		pid = string(data)
		return err == nil && pid != "", fmt.Sprint(err)
	})
	require.NoError(t, c.Close())
	harnesstest.Eventually(t, "the end of the program's child", func() (bool, string) {
		stat, err := os.ReadFile("/proc/" + pid[:len(pid)-1] + "/stat")
		return err != nil || isZombie(string(stat)), string(stat)
	})
}

// isZombie says whether a process is dead and only waits to be collected.
func isZombie(stat string) bool {
	var pid int
	var name, state string
	_, err := fmt.Sscan(stat, &pid, &name, &state)
	return err == nil && state == "Z"
}
