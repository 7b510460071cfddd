//go:build linux

package router

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stackproof/stackproof/internal/reexec"
	"github.com/stackproof/stackproof/router/supervise"
)

// settle bounds every wait for HAProxy. It answers in milliseconds; only a machine out of memory takes longer.
const settle = 30 * time.Second

// process is one HAProxy in master-worker mode, first process of its own pid namespace: killing it ends all workers.
type process struct {
	cmd    *exec.Cmd
	states *supervise.States
	done   chan struct{} // closed when the master has been waited for
	output *tail

	patience time.Duration // bounds a reload
}

// launch starts HAProxy on the live file below dir and waits until it serves. refused is not empty when HAProxy itself
// gave up, the file being bad or an address taken; err is for everything else.
func launch(ctx context.Context, host Host, binary, dir string, ids identity) (p *process, refused string, err error) {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	p = &process{done: make(chan struct{}), output: &tail{}, patience: settle}
	if p.states, err = listenNotify(dir); err != nil {
		return nil, "", err
	}
	p.cmd = reexec.Command(context.Background(), syscall.CLONE_NEWNS|syscall.CLONE_NEWPID,
		childArgs(dir, ids, supervise.Command(binary, livePath, pidPath)...)...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.WaitDelay = settle
	if err := host.Start(p.cmd); err != nil {
		return nil, "", errors.Join(fmt.Errorf("starting HAProxy in its own mount and pid namespace: %w", err),
			p.states.Close())
	}
	go p.wait()
	state, err := p.until(ctx, supervise.Ready)
	if err == nil && !failedState(state) {
		return p, "", nil
	}
	exited := errors.Is(err, supervise.ErrExited)
	if stopErr := p.stop(); stopErr != nil {
		return nil, "", errors.Join(err, stopErr)
	}
	if exited && p.cmd.ProcessState.ExitCode() != childFailed || err == nil {
		return nil, p.output.text(), nil
	}
	return nil, "", fmt.Errorf("starting HAProxy: %w: %s", err, p.output.text())
}

func failedState(state string) bool { return strings.Contains(state, "failed") }

// listenNotify opens the socket on which HAProxy reports its state as it does to systemd. It is opened through the
// folder's descriptor, since a socket's path may not exceed 107 bytes.
func listenNotify(dir string) (*supervise.States, error) {
	run, err := os.Open(filepath.Join(dir, "run"))
	if err != nil {
		return nil, fmt.Errorf("opening the router's run folder: %w", err)
	}
	defer run.Close()
	if err := os.Remove(filepath.Join(dir, notifyPath)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing the former state socket: %w", err)
	}
	path := fmt.Sprintf("/proc/self/fd/%d/%s", run.Fd(), filepath.Base(notifyPath))
	return supervise.Listen(path)
}

func (p *process) wait() {
	defer close(p.done)
	_ = p.cmd.Wait() // the exit status is in ProcessState; HAProxy's own words are in output
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// killed says whether a process that is not alive was ended by a signal: its own, or a worker's, after which the master
// ends with 128 and the signal's number.
func (p *process) killed() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && (status.Signaled() || status.ExitStatus() > 128)
}

// until waits for a state that holds the word.
func (p *process) until(ctx context.Context, word string) (string, error) {
	return p.states.Until(ctx, p.done, word)
}

// reload signals the master and waits until the new worker serves and no old one takes connections. failed is not
// empty when HAProxy went back to its old worker. The caller's context does not end the wait: once signalled, HAProxy
// changes over, and it must be known to what.
func (p *process) reload(ctx context.Context) (failed string, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.patience)
	defer cancel()
	old, err := p.workers()
	if err != nil {
		return "", err
	}
	p.output.clear()
	p.states.Forget()
	if err := p.cmd.Process.Signal(syscall.SIGUSR2); errors.Is(err, os.ErrProcessDone) {
		return "", supervise.ErrExited
	} else if err != nil {
		return "", fmt.Errorf("signalling HAProxy: %w", err)
	}
	if _, err := p.until(ctx, "RELOADING=1"); err != nil {
		return "", fmt.Errorf("reloading HAProxy: %w", err)
	}
	state, err := p.until(ctx, supervise.Ready)
	if err != nil {
		return "", fmt.Errorf("reloading HAProxy: %w", err)
	}
	// A master that cannot use the file says ready, too (2.6 adds nothing to the word), but has no other worker.
	fresh, err := p.awaitFresh(ctx, old)
	if err != nil {
		return "", err
	}
	if !fresh || failedState(state) {
		return p.output.text(), nil
	}
	for _, pid := range old {
		if err := supervise.AwaitDeaf(ctx, pid); err != nil {
			return "", fmt.Errorf("reloading HAProxy: %w", err)
		}
	}
	return "", nil
}

// freshFor bounds the wait for a new worker to be listed once the master said that it is ready.
const freshFor = 250 * time.Millisecond

// awaitFresh says whether the master has a worker that it had not before. The kernel's list of children may miss one
// while another one ends (proc(5)), so that a list without a new worker is read again before it is believed, and only
// together with HAProxy's own word: it gives an alert for each file that it cannot use. Warnings are given for good
// files, too.
func (p *process) awaitFresh(ctx context.Context, old []int) (bool, error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(freshFor)
	for {
		now, err := p.workers()
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(now, func(pid int) bool { return !slices.Contains(old, pid) }) {
			return true, nil
		}
		if time.Now().After(end) && p.output.alerted() {
			return false, nil
		}
		select {
		case <-tick.C:
		case <-p.done:
			return false, supervise.ErrExited
		case <-ctx.Done():
			return false, fmt.Errorf("reloading HAProxy: it has no worker but %v and gave no alert: %w: %s", now,
				ctx.Err(), p.output.text())
		}
	}
}

// stop kills the pid namespace's first process, and with it all others, and waits for the end.
func (p *process) stop() error {
	err := p.cmd.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), settle)
	defer cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		err = errors.Join(err, errors.New("HAProxy does not end after SIGKILL"))
	}
	err = errors.Join(err, p.states.Close())
	if err != nil {
		return fmt.Errorf("stopping HAProxy: %w", err)
	}
	return nil
}

// tail keeps the last part of what a process writes.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 16 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if extra := len(t.buf) - tailSize; extra > 0 {
		t.buf = append(t.buf[:0], t.buf[extra:]...)
	}
	return len(b), nil
}

func (t *tail) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = t.buf[:0]
}

// alerted says whether there is an alert in it.
func (t *tail) alerted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Contains(string(t.buf), "[ALERT]")
}

// text gives the alerts and warnings without notices; all there is when nothing else is left.
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var kept []string
	for line := range strings.SplitSeq(string(t.buf), "\n") {
		if line != "" && !strings.HasPrefix(line, "[NOTICE]") {
			kept = append(kept, line)
		}
	}
	if len(kept) == 0 {
		return "HAProxy ended without a word"
	}
	return strings.Join(kept, "\n")
}
