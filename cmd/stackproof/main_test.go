package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/standing"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts"
	"github.com/stackproof/stackproof/router/scripts/scriptstest"
	"github.com/stackproof/stackproof/zone/database"
)

func TestMain(m *testing.M) {
	scripts.MaybeChild()
	testscript.Main(testhome.Around(m), map[string]func(){"stackproof": main})
}

// TestScripts runs the command as a user types it: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	needLab(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir) // the cache of prepared databases
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits,
			"conformance": copyConformance,
			"tree":        treeCommand(t), "head": head},
	})
}

// exits CODE ARG... runs stackproof and wants that exit status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE [ARG...]")
	}
	err := ts.Exec("stackproof", args[1:]...)
	got := "0"
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		got = strconv.Itoa(failed.ExitCode())
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

// conformance NAME FILE copies a recorded file into the script's folder.
func copyConformance(ts *testscript.TestScript, _ bool, args []string) {
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "conformance", filepath.FromSlash(args[0])))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}

// treeCommand is tree VARIANT DIR: a systemvm tree of ours.
func treeCommand(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		dir := ts.MkAbs(args[1])
		ts.Check(os.Mkdir(dir, 0o755))
		scriptstest.Write(t, dir, args[0])
	}
}

// head FILE N OUT packs the first lines of a packed file.
func head(ts *testscript.TestScript, _ bool, args []string) {
	packed, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer packed.Close()
	in, err := gzip.NewReader(packed)
	ts.Check(err)
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	var b bytes.Buffer
	out := gzip.NewWriter(&b)
	lines := bufio.NewReader(in)
	for range n {
		line, err := lines.ReadBytes('\n')
		ts.Check(err)
		_, err = out.Write(line)
		ts.Check(err)
	}
	ts.Check(out.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b.Bytes(), 0o600))
}

func needLab(t *testing.T) {
	t.Helper()
	_, noHAProxy := router.FindHAProxy("")
	_, noDatabase := database.Find("")
	if err := errors.Join(noHAProxy, noDatabase, network.Check()); err != nil {
		t.Skip(err)
	}
}

// stackproofCommand is the command as a process of its own, with its own temporary folder.
func stackproofCommand(t *testing.T, tmp string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	link := filepath.Join(dir, "stackproof")
	require.NoError(t, os.Symlink(self, link))
	cmd := exec.Command(link, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	return cmd
}

// descendants lists the live processes below pid.
func descendants(t *testing.T, pid int) []string {
	t.Helper()
	out, err := exec.Command("ps", "-eo", "pid=,ppid=,stat=,comm=").Output()
	require.NoError(t, err)
	children := map[string][]string{}
	text := map[string]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 4 || strings.HasPrefix(f[2], "Z") {
			continue
		}
		children[f[1]] = append(children[f[1]], f[0])
		text[f[0]] = strings.TrimSpace(line)
	}
	var all []string
	queue := []string{strconv.Itoa(pid)}
	for len(queue) > 0 {
		p := queue[0]
		queue = append(queue[1:], children[p]...)
		for _, c := range children[p] {
			all = append(all, c+" "+text[c])
		}
	}
	return all
}

// eventually waits for a condition; the last observation is in the failure.
func eventually(t *testing.T, what string, holds func() (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, seen := holds()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited for %s; last seen: %s", what, seen)
		}
	}
}

// shown is what a running process has printed so far.
type shown struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *shown) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *shown) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// busy starts a long run and returns once it has a database and a router's process.
func busy(t *testing.T, tmp string) (*exec.Cmd, []string) {
	t.Helper()
	cmd := stackproofCommand(t, tmp, "run", "--release", "4.20.1.0", "--scenario", "L-01", "--repeat", "1000",
		"--workers", "1")
	var out shown
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var seen []string
	eventually(t, "a database and a router", func() (bool, string) {
		seen = descendants(t, cmd.Process.Pid)
		all := strings.Join(seen, "\n")
		return strings.Contains(all, "haproxy") && (strings.Contains(all, "mariadbd") ||
			strings.Contains(all, "mysqld")), all + out.String()
	})
	return cmd, seen
}

func gone(t *testing.T, processes []string) {
	t.Helper()
	eventually(t, "the end of all processes", func() (bool, string) {
		for _, p := range processes {
			pid, line, _ := strings.Cut(p, " ")
			stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
			if err == nil && !bytes.Contains(stat, []byte(") Z ")) {
				return false, line
			}
		}
		return true, ""
	})
}

func left(t *testing.T, tmp string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(tmp, "stackproof-*"))
	require.NoError(t, err)
	return found
}

func TestInterruptLeavesNothing(t *testing.T) {
	needLab(t)
	tmp := t.TempDir()
	cmd, processes := busy(t, tmp)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	var failed *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &failed)
	assert.Equal(t, exitCannotRun, failed.ExitCode())
	gone(t, processes)
	assert.Empty(t, left(t, tmp))
}

func TestKillLeavesWhatCleanupFinds(t *testing.T) {
	needLab(t)
	tmp := t.TempDir()
	cmd, processes := busy(t, tmp)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	gone(t, processes)
	stale := left(t, tmp)
	require.NotEmpty(t, stale, "a killed run leaves its folders, or this test shows nothing")
	out, err := stackproofCommand(t, tmp, "cleanup", "--dry-run").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, dir := range stale {
		assert.Contains(t, string(out), "would remove "+dir)
	}
	assert.Equal(t, stale, left(t, tmp), "a dry run removes nothing")
	out, err = stackproofCommand(t, tmp, "cleanup").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "removed")
	assert.Empty(t, left(t, tmp))
	out, err = stackproofCommand(t, tmp, "cleanup").CombinedOutput()
	require.NoError(t, err)
	assert.Contains(t, string(out), "nothing was left behind")
}

func TestCleanupLeavesTheLivingAlone(t *testing.T) {
	needLab(t)
	tmp := t.TempDir()
	up, s := labUpProcess(t, tmp)
	before := left(t, tmp)
	out, err := stackproofCommand(t, tmp, "cleanup").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, before, left(t, tmp))
	assert.FileExists(t, s.Log)
	answer, err := http.Get(s.Integration + "?command=listCapabilities&response=json")
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Equal(t, http.StatusOK, answer.StatusCode, "the call that lab up proposes")
	endLab(t, up)
	assert.Empty(t, left(t, tmp))
}

// labUpProcess starts a standing lab and reads its access data.
func labUpProcess(t *testing.T, tmp string) (*exec.Cmd, standing.Access) {
	t.Helper()
	up := stackproofCommand(t, tmp, "lab", "up", "--json")
	pipe, err := up.StdoutPipe()
	require.NoError(t, err)
	up.Stderr = os.Stderr
	require.NoError(t, up.Start())
	t.Cleanup(func() { _ = up.Process.Kill() })
	var s standing.Access
	require.NoError(t, json.NewDecoder(bufio.NewReader(pipe)).Decode(&s))
	go func() { _, _ = io.Copy(io.Discard, pipe) }()
	return up, s
}

func TestStandingLabEndsWithItsDatabase(t *testing.T) {
	needLab(t)
	tmp := t.TempDir()
	up, _ := labUpProcess(t, tmp)
	killed := 0
	for _, p := range descendants(t, up.Process.Pid) {
		pid, line, _ := strings.Cut(p, " ")
		if strings.Contains(line, "mariadbd") || strings.Contains(line, "mysqld") {
			n, err := strconv.Atoi(pid)
			require.NoError(t, err)
			require.NoError(t, syscall.Kill(n, syscall.SIGKILL))
			killed++
		}
	}
	require.Equal(t, 1, killed, "database servers of the lab")
	var failed *exec.ExitError
	require.ErrorAs(t, up.Wait(), &failed, "a lab without its database must not stand there as if it were one")
	assert.Equal(t, exitCannotRun, failed.ExitCode())
	assert.Empty(t, left(t, tmp))
}

func endLab(t *testing.T, up *exec.Cmd) {
	t.Helper()
	require.NoError(t, up.Process.Signal(os.Interrupt))
	require.NoError(t, up.Wait(), "Ctrl-C is how a standing lab ends")
}

func TestEveryKnobIsListedOnce(t *testing.T) {
	var out bytes.Buffer
	require.Zero(t, run([]string{"list", "--knobs", "--json"}, nil, &out, io.Discard))
	var knobs []listedKnob
	require.NoError(t, json.Unmarshal(out.Bytes(), &knobs))
	var names []string
	for _, k := range knobs {
		assert.NotEmpty(t, k.About, k.Name)
		names = append(names, string(k.Name))
	}
	slices.Sort(names)
	assert.Equal(t, slices.Compact(slices.Clone(names)), names, "every knob once")
}
