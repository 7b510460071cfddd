//go:build linux

// Package reexec runs this program again: as another part of it, in namespaces of its own. Before changing it know that
// the kernel's "die with your parent" goes by the thread that forked, and that execution of another program keeps it
// with the thread that asked for it.
package reexec

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Command is this program with other words, of which the first says what it is to become (Role). It has an empty
// environment, and is killed when the thread ends that starts it.
func Command(ctx context.Context, namespaces uintptr, words ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args, cmd.Env = words, []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Role is what this process was started to become: the first of its words.
func Role() string {
	if len(os.Args) == 0 {
		return ""
	}
	return os.Args[0]
}

// Become executes a program that dies with our parent. The kernel keeps the parent death signal with a thread, exec
// keeps the thread that calls it, and Go may have moved us off the first one, which is the one that got the signal.
func Become(path string, args, env []string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("asking to die with the parent: %w", err)
	}
	return fmt.Errorf("becoming %s: %w", path, unix.Exec(path, args, env))
}
