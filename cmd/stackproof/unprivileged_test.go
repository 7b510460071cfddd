package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nobody is the id of the unprivileged user of Debian and Ubuntu.
const nobody = 65534

// TestUnprivilegedRun runs both stories as a user without rights, inside a user namespace.
func TestUnprivilegedRun(t *testing.T) {
	needLab(t)
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	// A test's own folder is closed to others.
	dir, err := os.MkdirTemp("", "stackproof-unprivileged-")
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	program, home := filepath.Join(dir, "stackproof"), filepath.Join(dir, "home")
	copyProgram(t, program)
	require.NoError(t, os.Mkdir(home, 0o700))
	require.NoError(t, os.Chown(home, nobody, nobody))

	cmd := exec.Command(program, "run", "--release", "4.19.1.0", "--scenario", "U-01", "--scenario", "L-01", "--repeat",
		"3", "--strict")
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home, "XDG_CACHE_HOME=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.ExitCode() == exitCannotRun {
		t.Skipf("this kernel lets no unprivileged user make namespaces: %s", out)
	}
	require.ErrorAs(t, err, &failed, string(out))
	assert.Equal(t, exitFailure, failed.ExitCode(), string(out))
	assert.Contains(t, string(out), "is still billed")
	assert.Contains(t, string(out), "does not keep its clients")
	assert.Empty(t, left(t, home))
}

func copyProgram(t *testing.T, to string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	in, err := os.Open(self)
	require.NoError(t, err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, errors.Join(err, out.Close()))
}
