package scripts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process1 is the sandbox's first process: it serves the program outside, the systemctl calls of the scripts, and the
// kernel that hands it orphans.
type process1 struct {
	reaper *reaper

	mu      sync.Mutex // one systemctl call at a time
	service *service
	calls   []Call
	noted   int // bytes of callsPath that are among the calls
}

// runInit is stage two. It ends when the program outside closes its end of the control socket.
func runInit() {
	unix.CloseOnExec(controlFD)
	control := os.NewFile(controlFD, "control")
	p, err := newProcess1()
	out := json.NewEncoder(control)
	if err != nil {
		_ = out.Encode(answer{Error: err.Error()})
		os.Exit(1)
	}
	_ = out.Encode(answer{})
	in := json.NewDecoder(control)
	for {
		var r request
		if err := in.Decode(&r); err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintln(os.Stderr, "reading a request:", err)
			}
			os.Exit(0)
		}
		if err := out.Encode(p.serve(r)); err != nil {
			os.Exit(0)
		}
	}
}

func newProcess1() (*process1, error) {
	p := &process1{reaper: newReaper()}
	var err error
	if p.service, err = newService(p.reaper); err != nil {
		return nil, err
	}
	if err := preferLegacyTables(p.reaper); err != nil {
		return nil, fmt.Errorf("choose iptables: %w", err)
	}
	l, err := net.Listen("unix", shimSocket)
	if err != nil {
		return nil, fmt.Errorf("listen for systemctl: %w", err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.shim(conn)
		}
	}()
	return p, nil
}

// shim answers one process that the scripts believe to be systemctl.
func (p *process1) shim(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	var call Call
	if err := json.NewDecoder(conn).Decode(&call); err != nil {
		return
	}
	_ = json.NewEncoder(conn).Encode(p.systemctl(call.Args))
}

// systemctl does the call and keeps it for the report. Every unit but haproxy is there and does nothing.
func (p *process1) systemctl(args []string) Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeNoted()
	call := Call{Args: args}
	words := slices.DeleteFunc(slices.Clone(args), func(s string) bool { return strings.HasPrefix(s, "-") })
	if len(words) > 1 && slices.ContainsFunc(words[1:], isHAProxy) {
		call.Exit, call.Output, call.Note = p.service.call(words[0])
	}
	p.calls = append(p.calls, call)
	return call
}

func isHAProxy(unit string) bool { return unit == "haproxy" || unit == "haproxy.service" }

func (p *process1) worker() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.service.worker()
}

func (p *process1) serve(r request) answer {
	switch r.Op {
	case "haproxy":
		p.mu.Lock()
		p.service.program = r.Program
		p.mu.Unlock()
		return answer{}
	case "haproxy-state":
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.service.alive() {
			return answer{}
		}
		return answer{Master: p.service.master, Workers: len(p.service.workers())}
	case "systemctl":
		before := p.worker()
		call := p.systemctl(r.Args)
		p.takeCalls()
		return answer{Calls: []Call{call}, Exit: call.Exit, Before: before, After: p.worker()}
	case "run":
		a, err := p.run(r)
		if err != nil {
			return answer{Error: err.Error()}
		}
		return a
	}
	return answer{Error: fmt.Sprintf("unknown request %q", r.Op)}
}

func (p *process1) takeCalls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeNoted()
	calls := p.calls
	p.calls = nil
	return calls
}

// run delivers a file and runs a program on it. Output goes to files: a process left behind by the script may keep them
// open without anybody waiting for it, and a script that hangs has still said what it said.
func (p *process1) run(r request) (answer, error) {
	if err := os.MkdirAll(filepath.Dir(r.File), 0o755); err != nil {
		return answer{}, err
	}
	if err := os.WriteFile(r.File, r.Content, 0o644); err != nil {
		return answer{}, fmt.Errorf("deliver the file: %w", err)
	}
	stdout, err := os.Create(scriptOut)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = stdout.Close() }()
	stderr, err := os.Create(scriptErr)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = stderr.Close() }()
	null, err := os.Open("/dev/null")
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = null.Close() }()
	logged := size(logPath)
	p.takeCalls()
	a := answer{Before: p.worker()}
	_, status, err := p.reaper.start(r.Args[0], r.Args, &os.ProcAttr{
		Dir:   "/root",
		Env:   environment(r.Env...),
		Files: []*os.File{null, stdout, stderr},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return answer{}, fmt.Errorf("start %s: %w", r.Args[0], err)
	}
	p.wait(status, r.Limit, &a)
	a.Stdout, a.Stderr, a.Log = string(tail(scriptOut, 0)), string(tail(scriptErr, 0)), string(tail(logPath, logged))
	a.Calls, a.After = p.takeCalls(), p.worker()
	return a, nil
}

func (p *process1) wait(status <-chan unix.WaitStatus, limit time.Duration, a *answer) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var s unix.WaitStatus
	select {
	case s = <-status:
	case <-timer.C:
		a.TimedOut = true
		p.endScripts()
		s = <-status
	}
	a.Exit = s.ExitStatus()
	if s.Signaled() {
		a.Signal = unix.SignalName(s.Signal())
	}
}

// endScripts kills everything in the sandbox but this process, HAProxy and what it started, and looks again until
// nothing is left: what is killed may have started something meanwhile.
func (p *process1) endScripts() {
	p.mu.Lock()
	defer p.mu.Unlock()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for end := time.Now().Add(serviceLimit); time.Now().Before(end); <-poll.C {
		left := p.scripts()
		if len(left) == 0 {
			return
		}
		for _, pid := range left {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
}

// scripts are the processes that HAProxy has no part in. The caller holds mu.
func (p *process1) scripts() []int {
	master := p.service.master
	var pids []int
	for _, q := range processes() {
		if q.pid != 1 && q.pid != master && (master == 0 || q.parent != master) && q.state != "Z" {
			pids = append(pids, q.pid)
		}
	}
	return pids
}

func size(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}
