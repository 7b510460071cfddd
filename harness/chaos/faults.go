package chaos

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/stackproof/stackproof/harness/faultproxy"
	"github.com/stackproof/stackproof/zone"
)

// Fault is something that befalls a run or its surroundings.
type Fault struct {
	Name  string
	About string
	// Causes are words of which one must be in the reason of a run that comes to no verdict.
	Causes []string
	// begin is done before the run starts; strike when it makes the call at which it is to be struck.
	begin, strike func(ctx context.Context, a *attempt) error
	routers       bool // only runs with routers can meet it
	replica       bool // only a site with a replica of its database can have it
	clock         bool // only a site whose clock can be set can have it
}

// Faults are all, in the order in which the matrix shows them.
func Faults() []Fault {
	all := apiFaults()
	for _, more := range [][]Fault{databaseFaults(), replicaFaults(), usageFaults(), clockFaults(), routerFaults(),
		logFaults(), machineFaults()} {
		all = append(all, more...)
	}
	return all
}

// share is a fault of the proxy that hits some of the exchanges of the whole run.
func share(name, about string, f faultproxy.Fault, rate float64, late time.Duration) Fault {
	return Fault{Name: name, About: about,
		Causes: []string{"answer", "connection", "EOF", "HTTP", "reset", "JSON", "lost", "refuse", "outcome", "refused",
			"not listed", "none was decoded"},
		begin: func(_ context.Context, a *attempt) error {
			p, err := faultproxy.Mix(a.site.zone.APIURL(), uint64(a.seed), late, faultproxy.Share{Fault: f, Rate: rate})
			a.behind = p
			return err
		}}
}

func apiFaults() []Fault {
	const part = 0.05
	return []Fault{
		{Name: "none", About: "nothing happens: the control"},
		share("api-slow", "every answer is 3 s late", "", 0, 3*time.Second),
		share("api-error", "5 % of calls are refused with 530 and not carried out", faultproxy.Refused, part, 0),
		share("api-reset-before", "5 % of connections break before the call arrives", faultproxy.ResetBefore, part, 0),
		share("api-reset-after", "5 % of connections break before the answer", faultproxy.ResetAfter, part, 0),
		share("api-gateway", "5 % of answers are a proxy's 502 in HTML", faultproxy.BadGateway, part, 0),
		share("api-gateway-late", "5 % of answers are a proxy's 504 in HTML", faultproxy.GatewayLate, part, 0),
		share("api-half", "5 % of answers are cut in the middle", faultproxy.Half, part, 0),
		share("api-half-json", "5 % of answers end in the middle as if that were all", faultproxy.HalfJSON, part, 0),
		share("api-twice", "5 % of answers come twice in one", faultproxy.Twice, part, 0),
		share("api-stale", "2 % of answers are those of the call before", faultproxy.Stale, 0.02, 0),
		lateCommit(),
		{Name: "server-restart", About: "the management server is away for 3 s, then starts for 2 s",
			Causes: []string{"connection", "EOF", "503", "Service", "start", "outcome", "HTTP", "reset"},
			strike: func(ctx context.Context, a *attempt) error {
				a.site.door.put(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					panic(http.ErrAbortHandler)
				}))
				pause(ctx, 3*time.Second)
				starting, err := faultproxy.New(a.site.zone.APIURL(), faultproxy.Starting, 1, 1)
				if err != nil {
					return err
				}
				a.site.door.put(starting)
				pause(ctx, 2*time.Second)
				a.site.door.put(nil)
				return nil
			}},
		{Name: "delay-minute", About: "one answer is a minute late", Causes: []string{"outcome", "deadline", "timeout"},
			strike: func(ctx context.Context, a *attempt) error {
				a.hold(time.Minute)
				return nil
			}},
	}
}

func databaseFaults() []Fault {
	var all []Fault
	for _, seconds := range []int{1, 10, 60} {
		all = append(all, Fault{Name: fmt.Sprintf("database-cut-%ds", seconds),
			About:  fmt.Sprintf("the database cannot be reached for %d s", seconds),
			Causes: []string{"connect", "EOF", "database", "invalid connection", "bad connection", "refused", "usage"},
			strike: func(ctx context.Context, a *attempt) error {
				a.site.tables.cut()
				pause(ctx, time.Duration(seconds)*time.Second)
				a.site.tables.heal()
				return nil
			}})
	}
	return append(all, Fault{Name: "database-connections", About: "the reader may have one connection",
		Causes: []string{"max_user_connections", "connections"},
		begin:  func(ctx context.Context, a *attempt) error { return a.site.connections(ctx, 1) }})
}

func usageFaults() []Fault {
	end := func(name, about string, how zone.UsageEnd) Fault {
		return Fault{Name: name, About: about, Causes: []string{"usage"},
			strike: func(ctx context.Context, a *attempt) error {
				a.site.usageEnded = true
				return a.site.zone.EndUsage(ctx, a.site.usageHost, how)
			}}
	}
	return []Fault{
		end("usage-stopped", "the usage server is stopped", zone.UsageStopped),
		end("usage-killed", "the usage server is killed", zone.UsageKilled),
		end("usage-killed-in-run", "the usage server is killed in the middle of its next run", zone.UsageKilledInRun),
		{Name: "usage-two", About: "a second usage server runs beside the first", Causes: []string{"usage"},
			strike: func(ctx context.Context, a *attempt) error {
				a.site.hosts++
				second := fmt.Sprintf("vm/127.0.0.%d", 1+a.site.hosts)
				a.site.second = second
				return a.site.zone.StartUsage(ctx, second, zone.UsageSettings{})
			}},
	}
}

func routerFaults() []Fault {
	signal := func(s syscall.Signal) func(context.Context, *attempt) error {
		return func(_ context.Context, a *attempt) error {
			for _, p := range a.haproxies() {
				_ = syscall.Kill(p.pid, s) // it may just have ended
			}
			return nil
		}
	}
	causes := []string{"haproxy", "HAProxy", "router", "clients", "answer", "push", "connect", "request"}
	return []Fault{
		{Name: "haproxy-killed", About: "HAProxy is killed", Causes: causes, routers: true,
			strike: signal(syscall.SIGKILL)},
		{Name: "haproxy-hangs", About: "HAProxy, with its admin socket, hangs for 5 s", Causes: causes, routers: true,
			strike: func(ctx context.Context, a *attempt) error {
				if err := signal(syscall.SIGSTOP)(ctx, a); err != nil {
					return err
				}
				pause(ctx, 5*time.Second)
				return signal(syscall.SIGCONT)(ctx, a)
			}},
		{Name: "haproxy-gone", About: "HAProxy's program is gone from the machine, as in an upgrade that went wrong",
			Causes: append(causes, "installed"), routers: true,
			begin: func(_ context.Context, a *attempt) error {
				a.child.own = true
				return nil
			},
			strike: func(ctx context.Context, a *attempt) error { return a.child.cover(ctx, "haproxy") }},
	}
}

func logFaults() []Fault {
	causes := []string{"log", "push"}
	return []Fault{
		{Name: "log-rotated", About: "the management log is rotated", Causes: causes, routers: true,
			strike: func(_ context.Context, a *attempt) error { return a.site.log.rotate() }},
		{Name: "log-truncated", About: "the management log is copied and truncated", Causes: causes, routers: true,
			strike: func(_ context.Context, a *attempt) error { return a.site.log.truncate() }},
		{Name: "log-late", About: "the management log stands still for 3 s", Causes: causes, routers: true,
			strike: func(ctx context.Context, a *attempt) error {
				defer a.site.log.stop()()
				pause(ctx, 3*time.Second)
				return nil
			}},
		{Name: "log-command-ends", About: "the command that prints the log is killed", Causes: causes, routers: true,
			begin: func(_ context.Context, a *attempt) error {
				a.logFlags = []string{"--log-command", "tail -n +1 -F " + a.site.logName()}
				return nil
			},
			strike: func(_ context.Context, a *attempt) error {
				for _, p := range descendants(a.child.cmd.Process.Pid) {
					if strings.HasPrefix(p.name, "tail") {
						_ = syscall.Kill(p.pid, syscall.SIGKILL) // it may just have ended
					}
				}
				return nil
			}},
	}
}

func machineFaults() []Fault {
	full := func(name, about string, dir func(c *child) string, size string) Fault {
		return Fault{Name: name, About: about, Causes: []string{"no space left", "space"},
			begin: func(_ context.Context, a *attempt) error { return a.small(dir(a.child), size) }}
	}
	return []Fault{
		full("disk-full-ledger", "the disk of the ledger is full", func(c *child) string { return c.ledger() }, "4k"),
		full("disk-full-data", "the disk of temporary files is full", func(c *child) string { return c.temp() }, "4k"),
		{Name: "disk-full-reports", About: "the disk of a report is full", Causes: []string{"space"},
			begin: func(_ context.Context, a *attempt) error {
				a.flags = append(a.flags, "--summary", "/dev/full")
				return nil
			}},
		{Name: "files-exhausted", About: "the run may have 48 files open",
			Causes: []string{"too many open files", "open files", "HAProxy is not running"},
			begin:  func(_ context.Context, a *attempt) error { a.files = 48; return nil }},
		{Name: "stopped-and-continued", About: "the run is stopped for 4 s and goes on",
			Causes: []string{"deadline", "outcome", "connection"},
			strike: func(ctx context.Context, a *attempt) error {
				pid := a.child.cmd.Process.Pid
				_ = syscall.Kill(pid, syscall.SIGSTOP) // it may just have ended, as below
				pause(ctx, 4*time.Second)
				_ = syscall.Kill(pid, syscall.SIGCONT)
				return nil
			}},
	}
}

// haproxies are the run's HAProxy processes.
func (a *attempt) haproxies() (all []process) {
	for _, p := range descendants(a.child.cmd.Process.Pid) {
		if strings.HasPrefix(p.name, "haproxy") {
			all = append(all, p)
		}
	}
	return all
}

// small puts a folder on a disk of its own that holds so much.
func (a *attempt) small(dir, size string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		return fmt.Errorf("a small disk for %s: %w", filepath.Base(dir), err)
	}
	if err := os.WriteFile(filepath.Join(dir, fillName), make([]byte, 64<<10), 0o600); err == nil {
		return fmt.Errorf("the disk for %s is not full", filepath.Base(dir))
	}
	a.undo = append(a.undo, func() error { return syscall.Unmount(dir, syscall.MNT_DETACH) })
	return nil
}

// fillName is the file that fills a small disk.
const fillName = "filled"

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
