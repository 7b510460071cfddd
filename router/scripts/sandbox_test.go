package scripts

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
	"github.com/stackproof/stackproof/router/supervise"
)

func itoa(n int) string { return strconv.Itoa(n) }

func pid() int { return os.Getpid() }

func treeWithoutDefault(tb testing.TB) string {
	tb.Helper()
	dir := scriptstest.Tree(tb, scriptstest.List)
	require.NoError(tb, os.RemoveAll(filepath.Join(dir, "debian", "etc")))
	return dir
}

// actors are the programs that a test starts: this one again, under another role.
func actors() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"holder":  actHolder,
		"pusher":  actPusher,
		"starved": actStarved,
	}
}

// actHolder opens a sandbox, says so and keeps it until its input ends.
func actHolder(ctx context.Context) error {
	v, err := Open(ctx, Options{Tree: os.Getenv("TREE"), Interpreter: interpreters})
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return v.Close()
}

// actPusher opens a sandbox, applies two pushes given on its input and prints the reports.
func actPusher(ctx context.Context) error {
	v, err := Open(ctx, Options{Tree: os.Getenv("TREE"), Interpreter: interpreters})
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		p, err := router.ParsePush(lines.Bytes())
		if err != nil {
			return err
		}
		r, err := v.Apply(ctx, p, Direct)
		if err != nil {
			return err
		}
		if _, err := v.Admin(ctx, "show info"); err != nil {
			return err
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	return v.Close()
}

// actStarved forbids further pid namespaces in the user namespace that it was started in, and opens a sandbox.
func actStarved(ctx context.Context) error {
	if err := os.WriteFile("/proc/sys/user/max_pid_namespaces", []byte("0"), 0o644); err != nil {
		return err
	}
	v, err := Open(ctx, Options{Tree: os.Getenv("TREE"), Interpreter: interpreters})
	if err != nil {
		return err
	}
	return v.Close()
}

func actor(tb testing.TB, role, tree string) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	require.NoError(tb, err)
	cmd := exec.Command(self)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", asVariable + "=" + role, "TREE=" + tree}
	return cmd
}

func TestKilledAtRandomMomentsNothingIsLeft(t *testing.T) {
	const sandboxes = 50
	skipUnlessRunnable(t)
	t.Setenv("TMPDIR", t.TempDir())
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	mounts := mountTable(t)
	o := listTree(t)
	var g errgroup.Group
	g.SetLimit(4)
	for i := range sandboxes {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		moment := time.Duration(random.IntN(int(600 * time.Millisecond)))
		push := pushOf(t, sticky(8000+i))
		g.Go(func() error { return liveAndDie(t.Context(), o, push, moment, i%2 == 0) })
	}
	require.NoError(t, g.Wait())
	assert.Empty(t, processesOf(pid()))
	assert.Equal(t, mounts, mountTable(t))
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, left, "left behind in the temporary folder")
}

// liveAndDie opens a sandbox and pushes until it is killed, by the context or from outside by its first process.
func liveAndDie(ctx context.Context, o Options, push router.Push, moment time.Duration, byContext bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	var v *VR
	dead := false
	timer := time.AfterFunc(moment, func() {
		mu.Lock()
		defer mu.Unlock()
		dead = true
		if byContext || v == nil {
			cancel()
		} else {
			_ = v.cmd.Process.Kill()
		}
	})
	defer timer.Stop()
	opened, err := Open(ctx, o)
	mu.Lock()
	v = opened
	killed := dead
	mu.Unlock()
	if err != nil {
		if killed {
			return nil
		}
		return err
	}
	for {
		if _, err = opened.Apply(ctx, push, Direct); err != nil {
			break
		}
		push.LoadBalancers[0].SrcPort ^= 1
	}
	mu.Lock()
	defer mu.Unlock()
	closing := opened.Close()
	if !dead {
		return err
	}
	return closing
}

func skipUnlessRunnable(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, open(tb, listTree(tb)).Close())
}

// kill -9 of the program itself: no deferred function runs, the kernel has to do it.
func TestProgramKilledNothingIsLeft(t *testing.T) {
	skipUnlessRunnable(t)
	for range 3 {
		cmd := actor(t, "holder", listTree(t).Tree)
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "open\n", line)
		parent := cmd.Process.Pid
		require.NotEmpty(t, processesOf(parent), "the test cannot see the processes of a sandbox")
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		_ = in.Close()
		waitFor(t, "the end of the sandbox", func() (bool, string) {
			left := processesOf(parent)
			return len(left) == 0, strings.Join(left, "; ")
		})
	}
}

func TestProgramKilledInTheMiddleOfAPush(t *testing.T) {
	skipUnlessRunnable(t)
	cmd := actor(t, "pusher", scriptstest.Tree(t, scriptstest.Hang))
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	parent := cmd.Process.Pid
	_, err = fmt.Fprintf(in, "%s\n", pushOf(t, plain(8080)).Raw)
	require.NoError(t, err)
	waitFor(t, "the hanging script", func() (bool, string) {
		all := strings.Join(processesOf(parent), "; ")
		return strings.Contains(all, "sleep 1000"), all
	})
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	_ = in.Close()
	waitFor(t, "the end of the sandbox", func() (bool, string) {
		left := processesOf(parent)
		return len(left) == 0, strings.Join(left, "; ")
	})
}

func TestClosedSandboxAnswersWithAnError(t *testing.T) {
	v := open(t, listTree(t))
	require.NoError(t, v.Close())
	require.NoError(t, v.Close(), "closing twice is no error")
	_, err := v.Apply(t.Context(), pushOf(t, plain(8080)), Direct)
	require.Error(t, err)
	_, err = v.Files(t.Context())
	require.Error(t, err)
	assert.Empty(t, processesOf(pid()))
}

func TestKilledFirstProcessIsNoticed(t *testing.T) {
	v := open(t, listTree(t))
	require.NoError(t, v.cmd.Process.Kill())
	<-v.Done()
	_, err := v.Apply(t.Context(), pushOf(t, plain(8080)), Direct)
	require.ErrorContains(t, err, "ended")
	assert.Empty(t, processesOf(pid()))
}

// A foreign HAProxy in the list of processes would turn a start into a reload, and the other way round.
func TestSeveralAtOnceDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	stopped, running := open(t, listTree(t)), open(t, listTree(t))
	_, err := stopped.Systemctl(t.Context(), "stop", "haproxy")
	require.NoError(t, err)
	var a, b Report
	pushA, pushB := pushOf(t, sticky(8080)), pushOf(t, plain(8080), plain(8082))
	var g errgroup.Group
	g.Go(func() (err error) { a, err = stopped.Apply(t.Context(), pushA, Direct); return err })
	g.Go(func() (err error) { b, err = running.Apply(t.Context(), pushB, Direct); return err })
	require.NoError(t, g.Wait())
	assert.Equal(t, router.ActionStart, a.Action)
	assert.Equal(t, router.ActionReload, b.Action)
	for v, p := range map[*VR]router.Push{stopped: pushA, running: pushB} {
		want, err := router.Render(p, router.Rules{})
		require.NoError(t, err)
		f, err := v.Files(t.Context())
		require.NoError(t, err)
		assert.Equal(t, string(want.File()), string(f.Live))
	}
}

func TestScriptsCannotReachTheHost(t *testing.T) {
	t.Parallel()
	passwd, err := os.ReadFile("/etc/passwd")
	require.NoError(t, err)
	v := open(t, treeOf(t, scriptstest.Escape))
	r := apply(t, v, pushOf(t, plain(8080)), Direct)
	assert.NotContains(t, r.Stdout, "POSSIBLE")
	assert.GreaterOrEqual(t, strings.Count(r.Stdout, "refused: "), 12, r.Stdout+r.Stderr)
	assert.Contains(t, r.Stdout, "its own /etc can be written")
	for _, name := range []string{"/usr/stackproof-escape", "/usr/bin/stackproof-escape", "/etc/stackproof-escape"} {
		assert.NoFileExists(t, name)
	}
	after, err := os.ReadFile("/etc/passwd")
	require.NoError(t, err)
	assert.Equal(t, string(passwd), string(after))
}

func TestNamespacesOfItsOwn(t *testing.T) {
	t.Parallel()
	v := open(t, listTree(t))
	for _, kind := range []string{"mnt", "pid", "net", "ipc", "uts"} {
		ours, err := os.Readlink("/proc/self/ns/" + kind)
		require.NoError(t, err)
		theirs, err := os.Readlink("/proc/" + itoa(v.cmd.Process.Pid) + "/ns/" + kind)
		require.NoError(t, err)
		assert.NotEqual(t, ours, theirs, kind)
	}
}

// A former worker that has not heard yet that it is to finish would answer clients from the former file.
func TestNotServedWhileAFormerWorkerListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	assert.Contains(t, new(service).notYet(1, []int{pid()}), "still listens on")
	require.NoError(t, l.Close())
	n, err := supervise.Holding(pid())
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestTreeIsNotWritten(t *testing.T) {
	t.Parallel()
	o := listTree(t)
	before := listing(t, o.Tree)
	v := open(t, o)
	apply(t, v, pushOf(t, plain(8080)), Direct)
	assert.Equal(t, before, listing(t, o.Tree))
}

func listing(tb testing.TB, dir string) string {
	tb.Helper()
	var b strings.Builder
	require.NoError(tb, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.Mode(), info.ModTime())
		}
		return err
	}))
	return b.String()
}

// nobody is an ordinary user: one id, no capability, a user namespace of his own.
func TestUnprivileged(t *testing.T) {
	const nobody = 65534
	skipUnlessRunnable(t)
	tree := listTree(t).Tree
	cmd := actor(t, "pusher", tree)
	if os.Geteuid() == 0 {
		if !mapped("/proc/self/uid_map", nobody) {
			t.Skip("this user namespace has no second user to become")
		}
		// The folder of the test program and that of the tree are root's alone.
		dir, err := os.MkdirTemp("", "stackproof-nobody")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
		require.NoError(t, os.Chmod(dir, 0o755))
		scriptstest.Write(t, filepath.Join(dir, "tree"), scriptstest.Set)
		program, err := os.ReadFile(cmd.Path)
		require.NoError(t, err)
		cmd.Path = filepath.Join(dir, "scripts.test")
		require.NoError(t, os.WriteFile(cmd.Path, program, 0o755))
		cmd.Env = append(cmd.Env, "TREE="+filepath.Join(dir, "tree"), "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	var in, errors bytes.Buffer
	for _, p := range []router.Push{pushOf(t, sticky(80), plain(8082)), pushOf(t, sticky(80), sticky(8082))} {
		in.Write(p.Raw)
		in.WriteByte('\n')
	}
	cmd.Dir, cmd.Stdin, cmd.Stderr = "/", &in, &errors
	out, err := cmd.Output()
	if strings.Contains(string(out), "router scripts cannot run here") {
		t.Skip(string(out))
	}
	require.NoError(t, err, "%s%s", out, errors.String())
	var reports []struct {
		Action    string
		Exit      int
		New, Live FileState
	}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var r struct {
			Action    string
			Exit      int
			New, Live FileState
		}
		require.NoError(t, d.Decode(&r), string(out))
		reports = append(reports, r)
	}
	require.Len(t, reports, 2, string(out))
	assert.Equal(t, string(router.ActionReload), reports[0].Action)
	assert.Equal(t, reports[0].New.Hash, reports[0].Live.Hash)
	assert.Equal(t, string(router.ActionNone), reports[1].Action)
	assert.NotEqual(t, reports[1].New.Hash, reports[1].Live.Hash)
	assert.Empty(t, processesOf(cmd.Process.Pid))
}

func TestNoNamespacesAllowed(t *testing.T) {
	skipUnlessRunnable(t)
	cmd := actor(t, "starved", listTree(t).Tree)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.Output()
	require.Error(t, err, string(out))
	assert.Contains(t, string(out), "router scripts cannot run here: the kernel allows no namespaces")
	assert.Contains(t, string(out), "sudo")
	assert.Equal(t, 1, strings.Count(string(out), "\n"), "one line: %s", out)
}
