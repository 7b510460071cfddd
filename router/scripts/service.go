package scripts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/supervise"
)

const (
	serviceLimit = 10 * time.Second       // for a start, a reload or a stop of HAProxy
	pollEvery    = 2 * time.Millisecond   // between two looks at a socket that has no other way to tell
	adminLimit   = 500 * time.Millisecond // for one answer of the admin socket
)

// service is haproxy.service as Debian's unit defines it (haproxy 2.6, Debian 12): master-worker in the foreground,
// reload by a check followed by USR2, readiness told over the notify socket. Restart=always is left out: a HAProxy that
// was stopped stays stopped.
type service struct {
	program string
	reaper  *reaper
	states  *supervise.States
	master  int
	exited  <-chan struct{} // closed when the master has ended
}

func newService(r *reaper) (*service, error) {
	states, err := supervise.Listen(notifyPath)
	if err != nil {
		return nil, fmt.Errorf("listen for readiness: %w", err)
	}
	return &service{reaper: r, states: states}, nil
}

// alive also takes notice of a master that ended by itself.
func (s *service) alive() bool {
	if s.master == 0 {
		return false
	}
	select {
	case <-s.exited:
		s.master = 0
	default:
	}
	return s.master != 0
}

// call does what `systemctl verb haproxy` would.
func (s *service) call(verb string) (exit int, output, note string) {
	switch verb {
	case "start":
		if s.alive() {
			return 0, "", ""
		}
		return s.start()
	case "stop":
		return 0, "", s.stop()
	case "restart", "reload-or-restart":
		if note := s.stop(); note != "" {
			return 1, "", note
		}
		return s.start()
	case "reload":
		return s.reload()
	case "is-active", "status":
		if s.alive() {
			return 0, "", ""
		}
		return 3, "", ""
	}
	return 0, "", ""
}

func (s *service) start() (int, string, string) {
	s.states.Forget()
	log, err := os.OpenFile(haproxyLog, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return 1, err.Error(), ""
	}
	defer func() { _ = log.Close() }()
	// The scripts recognise HAProxy by the word /run/haproxy.pid in the list of processes.
	master, status, err := s.reaper.start(s.program, supervise.Command(s.program, livePath, pidPath), &os.ProcAttr{
		Dir:   "/",
		Env:   environment("NOTIFY_SOCKET=" + notifyPath),
		Files: []*os.File{nil, log, log},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 1, err.Error(), ""
	}
	exited := make(chan struct{})
	go func() { <-status; close(exited) }()
	s.master, s.exited = master, exited
	exit, note := s.settle(nil)
	if exit != 0 {
		return exit, strings.TrimSpace(string(tail(haproxyLog, 0))), note
	}
	return 0, "", note
}

func (s *service) reload() (int, string, string) {
	if !s.alive() {
		return 1, "haproxy.service is not active, cannot reload.", ""
	}
	if output, ok := s.check(); !ok {
		return 1, output, ""
	}
	before := s.workers()
	_ = os.Truncate(haproxyLog, 0)
	s.states.Forget()
	if err := unix.Kill(s.master, unix.SIGUSR2); err != nil {
		return 1, err.Error(), ""
	}
	exit, note := s.settle(before)
	return exit, "", note
}

// check has the live file checked; a refusal ends a reload before any signal.
func (s *service) check() (string, bool) {
	quiet := []string{s.program, "-Ws", "-f", livePath, "-c", "-q"}
	output, ok := s.try(quiet)
	if ok {
		return "", true
	}
	// The unit's -q leaves the reason out as well.
	if reason, _ := s.try(quiet[:len(quiet)-1]); reason != "" {
		output = reason
	}
	return output, false
}

func (s *service) try(args []string) (string, bool) {
	out, err := os.CreateTemp("/tmp", "check")
	if err != nil {
		return err.Error(), false
	}
	defer func() { _ = out.Close(); _ = os.Remove(out.Name()) }()
	_, status, err := s.reaper.start(s.program, args, &os.ProcAttr{
		Dir: "/", Env: environment(), Files: []*os.File{nil, out, out},
	})
	if err != nil {
		return err.Error(), false
	}
	ok := (<-status).ExitStatus() == 0
	return strings.TrimSpace(string(tail(out.Name(), 0))), ok
}

// settle waits until a worker that is not among the former ones serves. The note says why it gave up; the exit status
// is not zero only when the master is gone.
func (s *service) settle(former []int) (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), serviceLimit)
	defer cancel()
	if _, err := s.states.Until(ctx, s.exited, supervise.Ready); errors.Is(err, supervise.ErrExited) {
		s.master = 0
		return 1, ""
	} else if err != nil {
		return 0, "HAProxy did not report readiness within " + serviceLimit.String()
	}
	// The master forks before it reports, so a worker that is not there by now will not come: it went into wait mode.
	worker := newest(s.workers(), former)
	if worker == 0 {
		return 0, "HAProxy's master reported readiness without a new worker: " +
			strings.TrimSpace(string(tail(haproxyLog, 0)))
	}
	return 0, s.serving(ctx, worker, former)
}

// serving waits until no former worker listens and the admin socket is the new worker's. The master says that it is
// ready when it has told the former worker to finish, not when that worker has heard it. The note says what was seen
// last when that does not come about.
func (s *service) serving(ctx context.Context, worker int, former []int) string {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		last := s.notYet(worker, former)
		if last == "" {
			return ""
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return "the new worker does not serve after " + serviceLimit.String() + ": " + last
		}
		if !slices.Contains(s.workers(), worker) {
			return "the new worker ended at once: " + strings.TrimSpace(string(tail(haproxyLog, 0)))
		}
	}
}

func (s *service) notYet(worker int, former []int) string {
	for _, pid := range former {
		n, err := supervise.Holding(pid)
		if errors.Is(err, os.ErrPermission) {
			return fmt.Sprintf("whether the former worker %d still listens cannot be seen: %v", pid, err)
		}
		if n > 0 {
			return fmt.Sprintf("the former worker %d still listens on %d sockets", pid, n)
		}
	}
	socket := adminSocket()
	if socket == "" {
		return ""
	}
	pid, err := servingPID(socket)
	if err != nil || pid != worker {
		return fmt.Sprintf("%s answers for process %d (%v), not for the new worker %d", socket, pid, err, worker)
	}
	return ""
}

// stop ends the master and, with it, its workers (KillMode=mixed).
func (s *service) stop() string {
	if !s.alive() {
		return ""
	}
	workers := s.workers()
	_ = unix.Kill(s.master, unix.SIGTERM)
	limit := time.NewTimer(serviceLimit)
	defer limit.Stop()
	select {
	case <-s.exited:
	case <-limit.C:
		return "HAProxy did not stop within " + serviceLimit.String()
	}
	s.master = 0
	for _, pid := range workers {
		_ = unix.Kill(pid, unix.SIGKILL) // gone already, as a rule
	}
	return ""
}

// worker is the newest child of the master, 0 for none.
func (s *service) worker() int {
	if !s.alive() {
		return 0
	}
	return newest(s.workers(), nil)
}

func newest(pids, without []int) int {
	n := 0
	for _, pid := range pids {
		if !slices.Contains(without, pid) {
			n = max(n, pid) // ids of a pid namespace this small do not wrap
		}
	}
	return n
}

// workers are the master's living children.
func (s *service) workers() []int {
	var pids []int
	for _, p := range processes() {
		if p.parent == s.master && p.state != "Z" {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

var statsSocket = regexp.MustCompile(`(?m)^[ \t]*stats[ \t]+socket[ \t]+(/[^ \t\r\n]+)`)

// adminSocket is the one that the live file declares, empty for none.
func adminSocket() string {
	text, err := os.ReadFile(livePath)
	if err != nil {
		return ""
	}
	m := statsSocket.FindSubmatch(text)
	if m == nil {
		return ""
	}
	return string(m[1])
}

// servingPID asks the worker behind the socket for its process id.
func servingPID(socket string) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), adminLimit)
	defer cancel()
	info, err := router.Ask(func(ctx context.Context, command string) (string, error) {
		return supervise.Ask(ctx, socket, command)
	}).ShowInfo(ctx)
	return info.PID, err
}
