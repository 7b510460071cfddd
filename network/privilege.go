package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/stackproof/stackproof/internal/reexec"
)

// enteredVariable marks the re-executed program, so that it never re-executes itself again.
const enteredVariable = "STACKPROOF_USER_NAMESPACE"

// PrivilegeError says that network namespaces cannot be made here, and what would help.
type PrivilegeError struct {
	Reason error
	Help   string
}

func (e *PrivilegeError) Error() string {
	return fmt.Sprintf("cannot make network namespaces: %v; %s", e.Reason, e.Help)
}

func (e *PrivilegeError) Unwrap() error { return e.Reason }

// explain turns the kernel's refusal into a PrivilegeError and leaves other errors alone.
func explain(err error) error {
	if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.ENOSPC) &&
		!errors.Is(err, unix.EUSERS) {
		return err
	}
	return &PrivilegeError{Reason: err, Help: help(os.ReadFile)}
}

// help names the switch that is off on this machine. Debian's older kernels have the first, Ubuntu 24.04 has the
// second, every kernel has the third.
func help(read func(string) ([]byte, error)) string {
	switches := []struct{ name, bad, good string }{
		{"kernel.unprivileged_userns_clone", "0", "1"},
		{"kernel.apparmor_restrict_unprivileged_userns", "1", "0"},
		{"user.max_user_namespaces", "0", "1000"},
		{"user.max_net_namespaces", "0", "1000"},
	}
	for _, s := range switches {
		b, err := read("/proc/sys/" + strings.ReplaceAll(s.name, ".", "/"))
		if err == nil && strings.TrimSpace(string(b)) == s.bad {
			return fmt.Sprintf("run with sudo, or allow it with: sudo sysctl -w %s=%s", s.name, s.good)
		}
	}
	return "run with sudo (in a container: with CAP_SYS_ADMIN and CAP_NET_ADMIN)"
}

// Check tries to make a network namespace and to set it up as this package needs it. The error is a *PrivilegeError
// when the kernel refuses.
func Check() error {
	n, err := New("privilege check")
	if err != nil {
		return explain(err)
	}
	return n.Close()
}

// ReexecutedError says that the program has already run to its end, as a child inside a user namespace: whoever gets it
// ends with Status and does nothing else.
type ReexecutedError struct{ Status int }

func (e *ReexecutedError) Error() string {
	return fmt.Sprintf("the program ran in a user namespace of its own and ended with status %d", e.Status)
}

// Enter makes sure that network namespaces can be made. Where the process may not, it starts the same program again,
// with the same arguments, in a new user namespace that maps the caller to id 0, and waits for it; the error is then a
// *ReexecutedError. main must call Enter before anything that must not happen twice. The error is a *PrivilegeError
// when neither way is open.
func Enter() error {
	err := Check()
	if err == nil || os.Getenv(enteredVariable) != "" {
		return err
	}
	var refused *PrivilegeError
	if !errors.As(err, &refused) {
		return err
	}
	status, err := reexecute()
	if err != nil {
		return explain(fmt.Errorf("start in a user namespace: %w", err))
	}
	return &ReexecutedError{Status: status}
}

// reexecute runs this program again inside new user and mount namespaces and gives its exit status. The network stays
// the same: the program talks to its own database, and to zones elsewhere. The thread stays locked: the kernel kills
// the child when the thread that forked it ends.
func reexecute() (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := reexec.Command(context.Background(), unix.CLONE_NEWUSER|unix.CLONE_NEWNS, os.Args...)
	cmd.Env = append(os.Environ(), enteredVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	signals := make(chan os.Signal, 16)
	// The stopping signals are left to their default, so that Ctrl-Z stops the whole group as the shell expects.
	signal.Notify(signals, unix.SIGINT, unix.SIGQUIT, unix.SIGHUP, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	done := make(chan struct{})
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		passSignals(func(s os.Signal) { _ = cmd.Process.Signal(s) }, signals, done, inForeground())
	}()
	err := cmd.Wait()
	close(done)
	<-passed
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	return exitStatus(cmd.ProcessState), nil
}

// exitStatus follows the shells: 128 plus the signal for a process that a signal ended.
func exitStatus(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return state.ExitCode()
}

func passSignals(pass func(os.Signal), signals <-chan os.Signal, done <-chan struct{}, terminal bool) {
	for {
		select {
		case <-done:
			return
		case s := <-signals:
			// The terminal sends its signals to the whole group, the child included: passing them on would double them.
			if terminal && (s == unix.SIGINT || s == unix.SIGQUIT || s == unix.SIGHUP) {
				continue
			}
			pass(s)
		}
	}
}

// inForeground tells whether a terminal's keys reach this process group.
func inForeground() bool {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return false
	}
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
