package database

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// process is a running server. done is closed when it has ended; err may be read after that.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// spawn starts a program from a thread that stays locked and alive until the program has ended: the kernel sends
// Pdeathsig when the forking thread ends, not when the process does.
func spawn(path string, args []string, logFile *os.File) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = logFile, logFile
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		if err := p.cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		p.err = p.cmd.Wait()
	}()
	if err := <-started; err != nil {
		<-p.done
		return nil, fmt.Errorf("database: starting %s: %w", path, err)
	}
	return p, nil
}

// stop ends the server at once. Its data is thrown away with its folder, so there is nothing to flush.
func (p *process) stop(ctx context.Context) error {
	_ = p.cmd.Process.Kill() // the only error is that it has ended
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("database: waiting for process %d to end: %w", p.cmd.Process.Pid, ctx.Err())
	}
}
