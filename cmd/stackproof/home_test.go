package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// watched is a user's home folder with a ledger, a profile and a cache in it, and what was done there since the last
// look.
type watched struct {
	dir   string
	fd    int
	names map[int]string // folders by watch
}

func watchHome(t *testing.T) watched {
	t.Helper()
	w := watched{dir: t.TempDir(), names: map[int]string{}}
	ledgers := filepath.Join(w.dir, ".local", "state", "stackproof", "ledger")
	for _, dir := range []string{ledgers, filepath.Join(w.dir, ".cache", "stackproof", "database"),
		filepath.Join(w.dir, ".cmk"), filepath.Join(w.dir, ".config")} {
		require.NoError(t, os.MkdirAll(dir, 0o700))
	}
	require.NoError(t, os.WriteFile(filepath.Join(ledgers, "spfeed.jsonl"),
		[]byte(`{"ledger":1,"run":"spfeed","target":"real","api":"http://192.0.2.1/client/api"}`+"\n"+
			`{"op":"intend","entry":1,"kind":"account","name":"spfeed-a","account":"spfeed-a","at":"2020-01-01T00:00:00Z"}`+
			"\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, ".cmk", "config"), []byte("not a profile"), 0o600))
	var err error
	w.fd, err = unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, unix.Close(w.fd)) })
	require.NoError(t, filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		wd, err := unix.InotifyAddWatch(w.fd, path,
			unix.IN_OPEN|unix.IN_ACCESS|unix.IN_MODIFY|unix.IN_CREATE|unix.IN_DELETE|unix.IN_MOVE)
		w.names[wd] = strings.TrimPrefix(path, w.dir)
		return err
	}))
	w.done(t) // the walk itself
	return w
}

// done says what was opened, read, made or removed since the last look.
func (w watched) done(t *testing.T) (all []string) {
	t.Helper()
	buffer := make([]byte, 64<<10)
	for {
		n, err := unix.Read(w.fd, buffer)
		if errors.Is(err, unix.EAGAIN) {
			return all
		}
		require.NoError(t, err)
		for at := 0; at < n; {
			event := (*unix.InotifyEvent)(unsafe.Pointer(&buffer[at]))
			name := string(buffer[at+unix.SizeofInotifyEvent : at+unix.SizeofInotifyEvent+int(event.Len)])
			all = append(all, filepath.Join(w.names[int(event.Wd)], strings.TrimRight(name, "\x00")))
			at += unix.SizeofInotifyEvent + int(event.Len)
		}
	}
}

// as runs a command as the user whose home this is.
func (w watched) as(cmd *exec.Cmd) ([]byte, error) {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "HOME="+w.dir, "XDG_STATE_HOME=", "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=")
	return cmd.CombinedOutput()
}

// TestHomeIsLeftAlone runs tests of this package as a user who has ledgers of real runs, a profile and a cache: nothing
// of it is opened, and nothing is added. The command itself, for comparison, does look there.
func TestHomeIsLeftAlone(t *testing.T) {
	needLab(t)
	w := watchHome(t)
	self, err := os.Executable()
	require.NoError(t, err)
	out, err := w.as(exec.Command(self, "-test.v", "-test.run",
		"^(TestCleanupLeavesTheLivingAlone|TestCleanupSaysWhatItCannotReach|TestEveryKnobIsListedOnce)$"))
	require.NoError(t, err, string(out))
	assert.Equal(t, 3, strings.Count(string(out), "\n--- PASS: "), "tests that ran: %s", out)
	assert.Empty(t, w.done(t))

	out, err = w.as(stackproofCommand(t, t.TempDir(), "cleanup"))
	require.Error(t, err, string(out))
	assert.Contains(t, string(out), `target "real" is not known`)
	assert.Contains(t, w.done(t), "/.local/state/stackproof/ledger/spfeed.jsonl", "the watch sees what is read")
}
