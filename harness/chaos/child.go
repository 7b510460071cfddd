package chaos

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// Program is how stackproof is started.
type Program struct {
	Path string
	Env  []string // besides this process's
}

// Command is stackproof with arguments and a temporary folder.
func (p Program) Command(ctx context.Context, tmp string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, p.Path, args...)
	c.Env = append(append(os.Environ(), p.Env...), "TMPDIR="+tmp)
	return c
}

// child is a run as a process of its own, with folders of its own.
type child struct {
	cmd  *exec.Cmd
	dir  string // everything of it
	own  bool   // it has its own view of the file system
	said spoken
	// killed are the processes that it had when it was killed; killing makes them known to one goroutine only.
	killing sync.Once
	killed  []process
	started chan struct{} // closed once the process is known
}

// Names of what a run writes, in its folder.
const (
	jsonName  = "run.json"
	junitName = "run.xml"
)

func (c *child) temp() string   { return filepath.Join(c.dir, "tmp") }
func (c *child) ledger() string { return filepath.Join(c.dir, "ledger") }

// folders makes the run's folders.
func (c *child) folders() error {
	for _, dir := range []string{c.temp(), c.ledger()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("making the folders of a run: %w", err)
		}
	}
	return nil
}

// limited lets a command have so many files open at most.
func limited(cmd *exec.Cmd, files int) {
	script := fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files)
	cmd.Args = append([]string{"sh", "-c", script, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
}

// start begins the run.
func (c *child) start() error {
	c.cmd.Stdout, c.cmd.Stderr = &c.said, &c.said
	if c.own {
		c.cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	}
	defer close(c.started)
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("starting a run: %w", err)
	}
	return nil
}

// kill notes what the run has started and ends it as kill -9 does.
func (c *child) kill() {
	<-c.started
	c.killing.Do(func() {
		c.killed = descendants(c.cmd.Process.Pid)
		_ = c.cmd.Process.Kill() // the only error is that it has ended, which the caller sees
	})
}

// wait waits for the run's end and says whether a signal ended it.
func (c *child) wait() (signaled bool, err error) {
	_ = c.cmd.Wait() // how it ended is asked for below
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		return false, fmt.Errorf("a run ended in an unknown way: %s", c.cmd.ProcessState)
	}
	return status.Signaled(), nil
}

// spoken is what a process has printed so far.
type spoken struct {
	echo io.Writer // gets it too; nil for nobody
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.echo != nil {
		_, _ = s.echo.Write(p) // who looks on decides nothing
	}
	return s.text.Write(p)
}

// String is all of it.
func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
