package router

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// roleKey makes the test binary play a part in another process of the same test.
const roleKey = "STACKPROOF_ROUTER_TEST_ROLE"

// again runs this test alone in a new process that knows its role.
func again(t *testing.T, role string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), roleKey+"="+role, "TMPDIR="+t.TempDir())
	return cmd
}

// TestKilledParent: after kill -9 of the harness no HAProxy is left.
func TestKilledParent(t *testing.T) {
	if os.Getenv(roleKey) != "" {
		r := newTestRouter(t, newTestHost(t), Options{})
		apply(t, r, sticky(t))
		workers, err := r.proc.workers()
		require.NoError(t, err)
		_, err = fmt.Printf("\nserving %d %d\n", files(t, r).MasterPID, workers[0])
		require.NoError(t, err)
		select {}
	}
	needHAProxy(t)
	cmd := again(t, "parent")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var master, worker int
	for lines := bufio.NewScanner(out); master == 0 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "--- SKIP") {
			t.Skip("the child cannot make namespaces")
		}
		_, _ = fmt.Sscanf(lines.Text(), "serving %d %d", &master, &worker)
	}
	require.NotZero(t, worker, "the child did not start HAProxy")
	t.Cleanup(func() { _ = syscall.Kill(master, syscall.SIGKILL) })
	require.NoError(t, syscall.Kill(master, 0))
	require.NoError(t, syscall.Kill(worker, 0))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	eventually(t, "the end of the child's HAProxy", func() (bool, string) {
		errMaster, errWorker := syscall.Kill(master, 0), syscall.Kill(worker, 0)
		return errors.Is(errMaster, syscall.ESRCH) && errors.Is(errWorker, syscall.ESRCH),
			fmt.Sprint(errMaster, errWorker)
	})
}

// TestSingleID runs in a user namespace that maps one id, as an unprivileged user gets it.
func TestSingleID(t *testing.T) {
	if os.Getenv(roleKey) != "" {
		h := newTestHost(t)
		backends(t, h)
		r := newTestRouter(t, h, Options{})
		assert.Equal(t, identity{}, r.ids)
		apply(t, r, sticky(t))
		assert.Equal(t, ActionReload, apply(t, r, sticky(t, 0)).Action)
		assert.Zero(t, h.moved(t, ruleA, 5))
		assert.Equal(t, ActionReloadRefused, apply(t, r, recordedPush(t, "mask-10-appcookie")).Action)
		assert.Equal(t, 1, files(t, r).Workers)
		return
	}
	needHAProxy(t)
	cmd := again(t, "single id")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("no user namespace here: %v", err)
	}
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "--- PASS: TestSingleID")
}

func TestMissingHAProxy(t *testing.T) {
	h := newTestHost(t)
	r := newTestRouter(t, h, Options{Binary: "haproxy-that-is-not-there"})
	_, err := r.Apply(t.Context(), sticky(t))
	var missing *MissingError
	require.ErrorAs(t, err, &missing)
	assert.ErrorContains(t, err, "apt-get install haproxy")
	assert.Equal(t, "haproxy-that-is-not-there", missing.Program)

	late := newTestRouter(t, h, Options{Binary: "haproxy-that-is-not-there", OnDemand: true})
	assert.Equal(t, ActionDeferred, apply(t, late, sticky(t)).Action)
	assert.ErrorAs(t, late.Attend(t.Context()), &missing)
}

// TestNotHAProxy: a program that says nothing to systemd and ends is a refusal, not a hang.
func TestNotHAProxy(t *testing.T) {
	r := newTestRouter(t, newTestHost(t), Options{Binary: "/bin/false"})
	assert.Equal(t, ActionStartRefused, apply(t, r, sticky(t)).Action)
}

type brokenHost struct{}

var errBroken = errors.New("no such namespace")

func (brokenHost) Start(*exec.Cmd) error                           { return errBroken }
func (brokenHost) EnsureAddress(context.Context, netip.Addr) error { return nil }

func TestBrokenHost(t *testing.T) {
	needHAProxy(t)
	r := newTestRouter(t, brokenHost{}, Options{})
	_, err := r.Apply(t.Context(), sticky(t))
	assert.ErrorIs(t, err, errBroken)
	f := files(t, r)
	assert.Zero(t, f.MasterPID)
	assert.Equal(t, f.New, f.Live)
}

// TestClose removes the folder and may be called twice; long folder names are no obstacle to sockets.
func TestClose(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	r := newTestRouter(t, newTestHost(t), Options{Dir: dir})
	apply(t, r, sticky(t))
	assert.NotZero(t, mustInfo(t, r).PID)
	pid := files(t, r).MasterPID
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())
	assert.NoDirExists(t, dir)
	assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	_, err := r.Apply(t.Context(), sticky(t))
	assert.ErrorIs(t, err, ErrStopped)
}

func TestNewRefuses(t *testing.T) {
	_, err := New(Options{Name: "r"})
	assert.ErrorContains(t, err, "Name, Dir and Host are required")
}

func TestMaybeChildLeavesOthersAlone(t *testing.T) {
	MaybeChild()
	assert.ErrorContains(t, runChild(nil), "without its arguments")
}

// TestChildMounts has a shell in HAProxy's place look around.
func TestChildMounts(t *testing.T) {
	r := newTestRouter(t, newTestHost(t), Options{})
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "var/lib/haproxy/mark"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "run/haproxy/mark"), nil, 0o600))
	require.NoError(t, r.writeFile(livePath, []byte("mark")))
	look := `cd /; ls -d /etc/* /run/* /run/haproxy/* /var/lib/* /var/lib/haproxy/*; cat /etc/haproxy/haproxy.cfg; echo; grep ^haproxy: /etc/passwd /etc/group`
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = childArgs(r.dir, identity{7, 8}, "/bin/sh", "-c", look)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	seen := strings.Split(strings.TrimSpace(strings.Replace(string(out), "/etc/ld.so.cache\n", "", 1)), "\n")
	assert.Equal(t, []string{"/etc/cloudstack", "/etc/group", "/etc/haproxy", "/etc/passwd", "/run/haproxy",
		"/run/haproxy/mark", "/var/lib/haproxy",
		"/var/lib/haproxy/mark", "mark", "/etc/passwd:haproxy:x:7:8::/var/lib/haproxy:/usr/sbin/nologin",
		"/etc/group:haproxy:x:8:"}, seen)
	hosts, err := os.Stat("/etc/haproxy")
	require.NoError(t, err)
	private, err := os.Stat(filepath.Join(r.dir, "etc/haproxy"))
	require.NoError(t, err)
	assert.False(t, os.SameFile(hosts, private), "the mounts reached this process")
}

func TestMapped(t *testing.T) {
	table := "         0       1000          1\n      1000       2000         10\n"
	for id, want := range map[int]bool{0: true, 1: false, 999: false, 1000: true, 1009: true, 1010: false} {
		assert.Equal(t, want, mapped(table, id), id)
	}
}
