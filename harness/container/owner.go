package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/moby/client"
)

// Labels of our containers. The owner is a process of one host, as the process table of that host knows it.
const (
	labelPID = "org.stackproof.pid"
	// start time in clock ticks, so that a number given again is not taken for the owner
	labelStart = "org.stackproof.start"
	labelHost  = "org.stackproof.host"
	labelKept  = "org.stackproof.kept" // started with --reuse: stays when its owner ends
)

// labels name this process as the owner.
func labels(kept bool) (map[string]string, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("asking for this machine's name: %w", err)
	}
	l := map[string]string{labelPID: strconv.Itoa(os.Getpid()), labelStart: startOf(os.Getpid()), labelHost: host}
	if kept {
		l[labelKept] = "true"
	}
	return l, nil
}

// startOf is when a process started, in clock ticks since boot, or "" when there is no such process (proc(5), stat
// field 22).
func startOf(pid int) string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the program's name may hold blanks
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}

// orphaned says whether the owner is gone. What another machine owns on a shared engine is not for us to judge.
func orphaned(l map[string]string, host string, kept bool) bool {
	if l[labelHost] != host {
		return false
	}
	if l[labelKept] != "" {
		return kept
	}
	pid, err := strconv.Atoi(l[labelPID])
	return err == nil && startOf(pid) != l[labelStart]
}

// CleanStale removes the containers whose run was killed, and with kept also those that --reuse left standing. Without
// an engine there is nothing to remove.
func CleanStale(ctx context.Context, kept bool) (removed []string, err error) {
	return stale(ctx, kept, (*engine).remove)
}

// FindStale returns what CleanStale would remove.
func FindStale(ctx context.Context, kept bool) ([]string, error) {
	return stale(ctx, kept, func(*engine, context.Context, string) error { return nil })
}

func stale(ctx context.Context, kept bool, do func(e *engine, ctx context.Context, id string) error) (done []string,
	err error) {
	e, err := connect(ctx)
	var none *NoEngineError
	if errors.As(err, &none) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return e.eachStale(ctx, kept, do)
}

// eachStale calls do for every orphaned container, and returns those for which it went well.
func (e *engine) eachStale(ctx context.Context, kept bool, do func(e *engine, ctx context.Context,
	id string) error) (done []string, err error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("asking for this machine's name: %w", err)
	}
	found, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label",
		labelPID)})
	if err != nil {
		return nil, fmt.Errorf("listing containers: %w", explain(err))
	}
	var errs []error
	for _, c := range found.Items {
		if !orphaned(c.Labels, host, kept) {
			continue
		}
		if err := do(e, ctx, c.ID); err != nil {
			errs = append(errs, err)
			continue
		}
		done = append(done, fmt.Sprintf("container %.12s (%s)", c.ID, c.Image))
	}
	return done, errors.Join(errs...)
}
