package scripts

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/router"
)

// serving is what the calls of systemctl tell about the worker.
type serving struct {
	seq     int
	file    []byte // that the worker was started from
	since   time.Time
	reloads int
	refusal string
}

func (s *serving) note(calls []Call, before, after int, live []byte) {
	switch actionOf(calls, before, after) {
	case router.ActionReload:
		s.reloads++
		s.file, s.since, s.refusal = slices.Clone(live), time.Now(), ""
	case router.ActionStart:
		s.file, s.since, s.refusal = slices.Clone(live), time.Now(), ""
	case router.ActionReloadRefused, router.ActionReloadFailed, router.ActionStartRefused:
		for _, c := range calls {
			if text := strings.TrimSpace(c.Output + " " + c.Note); text != "" {
				s.refusal = text
			}
		}
	}
}

// Files reads the router's files and the state of its HAProxy at one moment, in the form of router.Router's.
func (v *VR) Files(ctx context.Context) (router.Files, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a, err := v.exchange(ctx, request{Op: "haproxy-state"})
	if err != nil {
		return router.Files{}, fmt.Errorf("reading the router's files: %w", err)
	}
	seen, err := v.look()
	if err != nil {
		return router.Files{}, fmt.Errorf("reading the router's files: %w", err)
	}
	f := router.Files{
		New: seen.rendered.content, Live: seen.live.content, Attended: true, Workers: a.Workers,
		Reloads: v.state.reloads, Refusal: v.state.refusal,
	}
	if a.Master != 0 {
		f.Serving, f.RunningSince = slices.Clone(v.state.file), v.state.since
		if f.MasterPID, err = v.outside(a.Master); err != nil {
			return router.Files{}, fmt.Errorf("reading the router's files: %w", err)
		}
	}
	return f, nil
}

// outside finds the id that a child of process 1 has here (NSpid of proc(5), /proc/<pid>/status).
func (v *VR) outside(inside int) (int, error) {
	first := strconv.Itoa(v.cmd.Process.Pid)
	tasks, err := os.ReadDir("/proc/" + first + "/task")
	if err != nil {
		return 0, err
	}
	for _, task := range tasks {
		children, err := os.ReadFile("/proc/" + first + "/task/" + task.Name() + "/children")
		if err != nil {
			continue // the thread has ended
		}
		for word := range strings.FieldsSeq(string(children)) {
			if innermost(word) == inside {
				return strconv.Atoi(word)
			}
		}
	}
	return 0, fmt.Errorf("process %d of the sandbox is no child of its first one", inside)
}

func innermost(pid string) int {
	f, err := os.Open("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if ids, ok := strings.CutPrefix(lines.Text(), "NSpid:"); ok {
			words := strings.Fields(ids)
			n, _ := strconv.Atoi(words[len(words)-1]) // the kernel writes numbers
			return n
		}
	}
	return 0
}

// AdminSocket is the path by which this program reaches HAProxy's admin socket. It exists after the first push that
// declares it and as long as the sandbox.
func (v *VR) AdminSocket() string { return v.path(adminPath) }

// Admin gives HAProxy's answer to one command on its admin socket. It is router.ErrNotRunning when nothing listens
// there.
func (v *VR) Admin(ctx context.Context, command string) (string, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", v.AdminSocket())
	if err != nil {
		return "", fmt.Errorf("asking HAProxy %q: %w", command, errors.Join(router.ErrNotRunning, err))
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := fmt.Fprintf(conn, "%s\n", command); err != nil {
		return "", fmt.Errorf("asking HAProxy %q: %w", command, err)
	}
	var answer strings.Builder
	if _, err := bufio.NewReader(conn).WriteTo(&answer); err != nil {
		return "", fmt.Errorf("asking HAProxy %q: %w", command, err)
	}
	return answer.String(), nil
}
