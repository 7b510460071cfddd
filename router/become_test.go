package router

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/stackproof/stackproof/internal/reexec"
)

// movedName as argv[0] makes the test binary become a program on a thread that is not its first.
const movedName = "stackproof-router-moved"

func maybeMoved() {
	if os.Args[0] != movedName {
		return
	}
	for range 2 { // one of two threads that are held is not the first
		go func() {
			runtime.LockOSThread()
			if unix.Gettid() != os.Getpid() {
				fmt.Fprintln(os.Stderr, reexec.Become("/bin/sleep", []string{"sleep", "infinity"}, nil))
				os.Exit(1)
			}
			select {}
		}()
	}
	select {}
}

// TestDiesWithItsParentWhateverTheThread: Go moves a child off its first thread now and then, under load above all.
func TestDiesWithItsParentWhateverTheThread(t *testing.T) {
	if os.Getenv(roleKey) != "" {
		runtime.LockOSThread()
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
		cmd.Args = []string{movedName}
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		require.NoError(t, cmd.Start())
		eventually(t, "the child's other program", func() (bool, string) {
			name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid))
			return string(name) == "sleep\n", fmt.Sprint(string(name), err)
		})
		fmt.Printf("\nsleeping %d\n", cmd.Process.Pid)
		select {}
	}
	parent := again(t, "parent")
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	child := 0
	for lines := bufio.NewScanner(out); child == 0 && lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "sleeping %d", &child)
	}
	require.NotZero(t, child, "the child did not become sleep")
	t.Cleanup(func() { _ = syscall.Kill(child, syscall.SIGKILL) })
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	eventually(t, "the end of the child", func() (bool, string) {
		err := syscall.Kill(child, 0)
		return errors.Is(err, syscall.ESRCH), fmt.Sprint(err)
	})
}
