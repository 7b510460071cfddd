package network

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// play is what the test binary does as a child.
func play(role string) error {
	switch role {
	case "site":
		return playSite()
	case "enter":
		return playEnter()
	}
	return fmt.Errorf("unknown role %q", role)
}

// playSite builds a site with a process in its router, says the process's id and waits to be killed.
func playSite() error {
	s, err := NewSite(context.Background(), SiteOptions{Name: "child"})
	if err != nil {
		return err
	}
	cmd := exec.Command("sleep", "1000")
	if err := s.Router.Start(cmd); err != nil {
		return err
	}
	var ns [3]string
	for i, n := range []*Namespace{s.Router, s.Guests, s.Clients} {
		if err := n.Do(context.Background(), func() (err error) {
			ns[i], err = os.Readlink("/proc/thread-self/ns/net")
			return err
		}); err != nil {
			return err
		}
	}
	fmt.Println(cmd.Process.Pid, ns[0], ns[1], ns[2])
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// playEnter is a program whose main calls Enter first. Its last argument says how it ends.
func playEnter() error {
	err := Enter()
	var ran *ReexecutedError
	if errors.As(err, &ran) {
		os.Exit(ran.Status)
	}
	if err != nil {
		return err
	}
	s, err := NewSite(context.Background(), SiteOptions{Name: "entered"})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	fmt.Println("ready", os.Getuid(), os.Getpid())
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	switch line = strings.TrimSpace(line); line {
	case "keys":
		// Ctrl-C throws away what was typed before it: only now may it come.
		fmt.Println("waiting")
		fmt.Println("got", <-signals, term.IsTerminal(0))
	case "signal":
		fmt.Println("got", <-signals)
		os.Exit(7)
	case "wait":
		<-signals
	default:
		return errors.New("told: " + line)
	}
	return nil
}

// child starts the test binary in a role, with a pipe or the given terminal as its input.
func child(t *testing.T, role string, attr *syscall.SysProcAttr, terminal ...*os.File) (*exec.Cmd, io.WriteCloser,
	*bufio.Reader) {
	t.Helper()
	// The test binary lies in a folder that only its owner may enter; another user needs a copy.
	folder, err := os.MkdirTemp("", "stackproof-network-*")
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, err)
	require.NoError(t, os.Chmod(folder, 0o755))
	self, err := os.Executable()
	require.NoError(t, err)
	content, err := os.ReadFile(self)
	require.NoError(t, err)
	program := filepath.Join(folder, "program")
	require.NoError(t, os.WriteFile(program, content, 0o755))

	cmd := exec.Command(program, "-test.run=^$", "an argument")
	cmd.Dir = "/"
	cmd.Env = []string{roleVariable + "=" + role, "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = attr
	var stdin io.WriteCloser
	if len(terminal) > 0 {
		cmd.Stdin = terminal[0]
	} else {
		stdin, err = cmd.StdinPipe()
		require.NoError(t, err)
	}
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = new(strings.Builder)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, stdin, bufio.NewReader(stdout)
}

// openTerminal makes a pseudo-terminal: what a person's keys go into, and what a program reads from.
func openTerminal(t *testing.T) (keyboard, line *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, keyboard.Close()) })
	require.NoError(t, unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	line, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, line.Close()) })
	return keyboard, line
}

func nobody() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

func readLine(t *testing.T, cmd *exec.Cmd, r *bufio.Reader) []string {
	t.Helper()
	late := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	line, err := r.ReadString('\n')
	late.Stop()
	if err != nil {
		_ = cmd.Wait()
		require.NoError(t, err, "child ended: %s %s", cmd.ProcessState, cmd.Stderr)
	}
	return strings.Fields(line)
}

func TestKilledProgramLeavesNothing(t *testing.T) {
	privileged(t)
	cmd, _, out := child(t, "site", nil)
	said := readLine(t, cmd, out)
	require.Len(t, said, 4)
	pid, err := strconv.Atoi(said[0])
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, 0), "the process in the router is not there")
	require.True(t, heldByAnyone(t, said[1:]), "this walk does not see the child's namespaces")

	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	eventually(t, "process in the namespace gone", func() (string, bool) {
		state := processState(pid)
		return state, state == "" || state == "Z"
	})
	eventually(t, "namespaces gone", func() (string, bool) {
		return strings.Join(said[1:], " "), !heldByAnyone(t, said[1:])
	})
}

// processState is the letter of /proc/pid/stat, empty when there is no such process. A dead one stays Z until init
// reaps it.
func processState(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return after[:1]
}

// heldByAnyone walks every thread, descriptor and mount of the machine for one of the namespaces.
func heldByAnyone(t *testing.T, namespaces []string) bool {
	t.Helper()
	for _, pattern := range []string{"/proc/[0-9]*/task/*/ns/net", "/proc/[0-9]*/fd/*"} {
		paths, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, p := range paths {
			target, err := os.Readlink(p)
			for _, n := range namespaces {
				if err == nil && target == n {
					return true
				}
			}
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	for _, n := range namespaces {
		if strings.Contains(string(mounts), n) {
			return true
		}
	}
	return false
}

func TestUnprivilegedUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to become another user")
	}
	if b, err := os.ReadFile("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"); err == nil &&
		strings.TrimSpace(string(b)) == "1" {
		t.Skip("this kernel forbids user namespaces: " + help(os.ReadFile))
	}
	t.Run("exit status and input", func(t *testing.T) {
		cmd, in, out := child(t, "enter", nobody())
		said := readLine(t, cmd, out)
		require.Equal(t, []string{"ready", "0"}, said[:2], "the caller is not mapped to id 0")
		_, err := io.WriteString(in, "hello\n")
		require.NoError(t, err)
		require.Error(t, cmd.Wait())
		require.Equal(t, 1, cmd.ProcessState.ExitCode())
		require.Contains(t, fmt.Sprint(cmd.Stderr), "told: hello")
	})
	t.Run("signal", func(t *testing.T) {
		cmd, in, out := child(t, "enter", nobody())
		readLine(t, cmd, out)
		_, err := io.WriteString(in, "signal\n")
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.Equal(t, []string{"got", "terminated"}, readLine(t, cmd, out))
		require.Error(t, cmd.Wait())
		require.Equal(t, 7, cmd.ProcessState.ExitCode())
	})
	t.Run("terminal", func(t *testing.T) {
		keyboard, line := openTerminal(t)
		attr := nobody()
		attr.Setsid, attr.Setctty = true, true
		cmd, _, out := child(t, "enter", attr, line)
		readLine(t, cmd, out)
		press := func(keys string) {
			_, err := io.WriteString(keyboard, keys)
			require.NoError(t, err)
		}
		press("keys\n")
		require.Equal(t, []string{"waiting"}, readLine(t, cmd, out))
		press("\x03")
		require.Equal(t, []string{"got", "interrupt", "true"}, readLine(t, cmd, out))
		require.NoError(t, cmd.Wait())
	})
	t.Run("kill", func(t *testing.T) {
		cmd, in, out := child(t, "enter", nobody())
		inner, err := strconv.Atoi(readLine(t, cmd, out)[2])
		require.NoError(t, err)
		require.NotEqual(t, cmd.Process.Pid, inner, "not re-executed")
		_, err = io.WriteString(in, "wait\n")
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Kill())
		eventually(t, "re-executed program gone", func() (string, bool) {
			state := processState(inner)
			return state, state == "" || state == "Z"
		})
	})
}

// TestKeysAreNotDoubled: Ctrl-C reaches the whole group of processes by itself, a signal to one process does not.
func TestKeysAreNotDoubled(t *testing.T) {
	all := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGHUP,
		syscall.SIGUSR2}
	for terminal, want := range map[bool][]os.Signal{
		false: all,
		true:  {syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2},
	} {
		signals, done := make(chan os.Signal), make(chan struct{})
		go func() {
			defer close(done)
			for _, s := range all {
				signals <- s
			}
		}()
		var passed []os.Signal
		passSignals(func(s os.Signal) { passed = append(passed, s) }, signals, done, terminal)
		require.Equal(t, want, passed, "terminal %t", terminal)
	}
}

func TestRefusalIsTyped(t *testing.T) {
	require.NotNil(t, explain(syscall.EINVAL))
	var refused *PrivilegeError
	require.False(t, errors.As(explain(syscall.EINVAL), &refused), "an error that privilege would not cure")
	require.ErrorAs(t, explain(fmt.Errorf("unshare: %w", syscall.EPERM)), &refused)
	require.ErrorIs(t, refused, syscall.EPERM)
	for _, c := range []struct{ file, content, want string }{
		{"/proc/sys/kernel/unprivileged_userns_clone", "0\n", "sudo sysctl -w kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n",
			"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		{"/proc/sys/user/max_user_namespaces", "0\n", "sudo sysctl -w user.max_user_namespaces=1000"},
		{"/proc/sys/user/max_user_namespaces", "9000\n", "CAP_SYS_ADMIN"},
	} {
		got := help(func(path string) ([]byte, error) {
			if path == c.file {
				return []byte(c.content), nil
			}
			return nil, os.ErrNotExist
		})
		require.Contains(t, got, c.want)
		require.Contains(t, got, "run with sudo")
	}
}
