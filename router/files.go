//go:build linux

package router

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/stackproof/stackproof/router/supervise"
)

// Files is the state of a router as a person who logged in would see it.
type Files struct {
	New     []byte // haproxy.cfg.new, nil when there is none
	Live    []byte // haproxy.cfg, nil when there is none
	Serving []byte // the file that the worker was started from: not Live when a reload was refused; nil when none runs

	Attended     bool // false while HAProxy is not started because nobody looked (Options.OnDemand)
	MasterPID    int  // as seen from here, 0 when HAProxy is not running
	Workers      int  // 1, and after a reload one more for each former worker that still has connections
	Reloads      int  // workers that took over since the router was made
	RunningSince time.Time
	Killed       bool   // HAProxy was ended by a signal that was not ours
	Refusal      string // what HAProxy said of the last file that it refused, empty once it took another
}

// Files reads the router's files and the state of its HAProxy, at one moment. It does not attend: looking at files
// starts nothing.
func (r *Router) Files(ctx context.Context) (Files, error) {
	if err := r.lock(ctx); err != nil {
		return Files{}, err
	}
	defer r.unlock()
	f := Files{Attended: r.attended, Reloads: r.reloads, Refusal: r.refusal}
	var err error
	if f.New, err = r.readFile(newPath); err == nil {
		f.Live, err = r.readFile(livePath)
	}
	if r.proc != nil && !r.proc.alive() {
		f.Killed = r.proc.killed()
	}
	if err == nil && r.proc != nil && r.proc.alive() {
		var workers []int
		if workers, err = r.proc.workers(); err == nil {
			f.MasterPID, f.Workers = r.proc.cmd.Process.Pid, len(workers)
			f.Serving, f.RunningSince = slices.Clone(r.serving), r.since
		} else if errors.Is(err, supervise.ErrExited) {
			err = nil
		}
	}
	if err != nil {
		return Files{}, fmt.Errorf("router %s: %w", r.name, err)
	}
	return f, nil
}

func (r *Router) running(ctx context.Context) (bool, error) {
	if err := r.lock(ctx); err != nil {
		return false, err
	}
	defer r.unlock()
	return r.proc != nil && r.proc.alive(), nil
}

// readFile gives nil for a file that does not exist. Paths are those inside the router.
func (r *Router) readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(r.dir, path))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the router's file: %w", err)
	}
	return data, nil
}

func (r *Router) writeFile(path string, data []byte) error {
	if err := os.WriteFile(filepath.Join(r.dir, path), data, 0o644); err != nil {
		return fmt.Errorf("writing the router's file: %w", err)
	}
	return nil
}
