package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/zone"
)

// terminal is a pseudo terminal: what is written to the first file is typed at the second.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals here: ", err)
	}
	t.Cleanup(func() { _ = person.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	program, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

// atPrompt starts a run at a terminal of its own, waits for the question and types.
func atPrompt(t *testing.T, cmd *exec.Cmd, typed string) (said *shown, err error) {
	t.Helper()
	person, program := terminal(t)
	said = &shown{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	require.NoError(t, program.Close())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(said, person) // ends with an error when the program closes its side
	}()
	eventually(t, "the question", func() (bool, string) {
		text := said.String()
		return len(text) > 13 && text[len(text)-13:] == "Go on? [y/N] ", text
	})
	_, err = person.WriteString(typed)
	require.NoError(t, err)
	err = cmd.Wait()
	<-read
	return said, err
}

// TestPrompt asks a person at a terminal: only a yes creates anything.
func TestPrompt(t *testing.T) {
	r := reach(t, zone.Options{})
	before, err := inventory.List(t.Context(), r.admin)
	require.NoError(t, err)
	domainRows := func() (n int) {
		db, err := r.server.Open(t.Context())
		require.NoError(t, err)
		defer func() { assert.NoError(t, db.Close()) }()
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM cloud.domain").Scan(&n))
		return n
	}
	domains := domainRows()
	run := func(t *testing.T) *exec.Cmd {
		return r.command(t, "run", "--target", "existing", "--scenario", "A-02", "--clock", "api", "--dsn",
			r.server.ReadOnlyDSN(),
			"--api-url", r.zone.APIURL(), "--api-key", r.zone.APIKey(), "--secret-key", r.zone.SecretKey())
	}
	for name, c := range map[string]struct{ typed, want string }{
		"no":          {"n\n", "the answer was no"},
		"just return": {"\n", "the answer was no"},
		"end of file": {"\x04", "the answer was no"},
		"Ctrl-C":      {"\x03", "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := atPrompt(t, run(t), c.typed)
			var failed *exec.ExitError
			require.ErrorAs(t, err, &failed, said)
			assert.Equal(t, exitCannotRun, failed.ExitCode(), said)
			assert.Contains(t, said.String(), "nothing was created")
			assert.Contains(t, said.String(), c.want)
			assert.Contains(t, said.String(), "will be created, and removed at the end")
			assert.Equal(t, domains, domainRows(), "nothing was created, not even for a moment")
		})
	}
	t.Run("yes", func(t *testing.T) {
		said, err := atPrompt(t, run(t), "y\n")
		require.NoError(t, err, said.String())
		assert.Contains(t, said.String(), "2 passed")
		assert.Greater(t, domainRows(), domains)
	})
	after, err := inventory.List(t.Context(), r.admin)
	require.NoError(t, err)
	assert.ElementsMatch(t, before, after)
}
