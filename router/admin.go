//go:build linux

package router

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/router/supervise"
)

// ErrNotRunning says that HAProxy is not running on the router, so there is nothing to ask.
var ErrNotRunning = errors.New("HAProxy is not running on this router")

// Info is a worker's "show info".
type Info struct {
	PID     int // of the worker, in its own pid namespace: it changes with every reload
	Version string
	Uptime  time.Duration // whole seconds
	Fields  map[string]string
}

// Stat is a line of "show stat": a frontend, a backend or a server of a proxy.
type Stat struct {
	Proxy    string
	Name     string // FRONTEND, BACKEND or the server's name
	Status   string // OPEN, UP, DOWN, "UP 1/3" ..., "no check"
	Check    string // result of the last health check, such as L4OK or L4CON
	Sessions int64  // connections since the worker started
	Fields   map[string]string
}

// Server says whether the line is one of a backend server.
func (s Stat) Server() bool { return s.Name != "FRONTEND" && s.Name != "BACKEND" }

// Table is a proxy's stick table.
type Table struct {
	Name    string
	Type    string // ip
	Size    int64  // entries it can hold
	Used    int64
	Entries []TableEntry
}

// TableEntry pins a client to a server.
type TableEntry struct {
	Key      netip.Addr
	ServerID int64  // 1-based position of the server in its section
	Server   string // its name
	Expires  time.Duration
}

// ErrNoTable says that the proxy has no stick table, or that there is no such proxy.
var ErrNoTable = errors.New("no stick table of that name")

// Ask sends one command to the admin socket of a HAProxy and gives the whole answer: Router.Admin, or that of whatever
// else stands for a router.
type Ask func(ctx context.Context, command string) (string, error)

// ShowInfo asks the worker who it is.
func (ask Ask) ShowInfo(ctx context.Context) (Info, error) {
	answer, err := ask(ctx, "show info")
	if err != nil {
		return Info{}, err
	}
	info := Info{Fields: map[string]string{}}
	for line := range strings.Lines(answer) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			info.Fields[name] = value
		}
	}
	info.Version = info.Fields["Version"]
	if info.PID, err = strconv.Atoi(info.Fields["Pid"]); err != nil {
		return Info{}, fmt.Errorf("reading HAProxy's show info: Pid: %w", err)
	}
	seconds, err := strconv.ParseInt(info.Fields["Uptime_sec"], 10, 64)
	if err != nil {
		return Info{}, fmt.Errorf("reading HAProxy's show info: Uptime_sec: %w", err)
	}
	info.Uptime = time.Duration(seconds) * time.Second
	return info, nil
}

// ShowStat gives the state of every proxy and server.
func (ask Ask) ShowStat(ctx context.Context) ([]Stat, error) {
	answer, err := ask(ctx, "show stat")
	if err != nil {
		return nil, err
	}
	in := csv.NewReader(strings.NewReader(strings.TrimPrefix(answer, "# ")))
	in.FieldsPerRecord = -1
	in.LazyQuotes = true
	rows, err := in.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading HAProxy's show stat: %w", err)
	}
	if len(rows) < 2 {
		return nil, fmt.Errorf("reading HAProxy's show stat: no proxy in %q", answer)
	}
	var stats []Stat
	for _, row := range rows[1:] {
		fields := map[string]string{}
		for i, value := range row {
			if i < len(rows[0]) && rows[0][i] != "" {
				fields[rows[0][i]] = value
			}
		}
		s := Stat{Proxy: fields["pxname"], Name: fields["svname"], Status: fields["status"],
			Check: fields["check_status"], Fields: fields}
		if s.Sessions, err = strconv.ParseInt(fields["stot"], 10, 64); err != nil {
			return nil, fmt.Errorf("reading HAProxy's show stat: %s/%s: stot: %w", s.Proxy, s.Name, err)
		}
		stats = append(stats, s)
	}
	return stats, nil
}

var (
	tableHead  = regexp.MustCompile(`^# table: (\S+), type: (\w+), size:(\d+), used:(\d+)`)
	tableEntry = regexp.MustCompile(
		`\bkey=(\S+) .*\bexp=(\d+)\b(?:.*\bserver_id=(\d+))?(?:.*\bserver_(?:key|name)=(\S+))?`)
)

// ShowTable gives a proxy's stick table. The error is ErrNoTable when it has none.
func (ask Ask) ShowTable(ctx context.Context, name string) (Table, error) {
	if name == "" || strings.ContainsAny(name, " ;\n\\") {
		return Table{}, fmt.Errorf("table %q: %w", name, ErrNoTable)
	}
	answer, err := ask(ctx, "show table "+name)
	if err != nil {
		return Table{}, err
	}
	lines := strings.Split(strings.TrimSpace(answer), "\n")
	m := tableHead.FindStringSubmatch(lines[0])
	if m == nil {
		return Table{}, fmt.Errorf("table %s: %w (HAProxy says %q)", name, ErrNoTable, lines[0])
	}
	number := func(s string) int64 {
		n, _ := strconv.ParseInt(s, 10, 64) // the patterns let digits only through
		return n
	}
	t := Table{Name: m[1], Type: m[2], Size: number(m[3]), Used: number(m[4])}
	for _, line := range lines[1:] {
		e := tableEntry.FindStringSubmatch(line)
		if e == nil {
			return Table{}, fmt.Errorf("reading HAProxy's show table %s: cannot read entry %q", name, line)
		}
		key, err := netip.ParseAddr(e[1])
		if err != nil {
			return Table{}, fmt.Errorf("reading HAProxy's show table %s: %w", name, err)
		}
		t.Entries = append(t.Entries, TableEntry{Key: key, ServerID: number(e[3]), Server: e[4],
			Expires: time.Duration(number(e[2])) * time.Millisecond})
	}
	return t, nil
}

// ClearTable empties a proxy's stick table, as "clear table" on the admin socket does.
func (ask Ask) ClearTable(ctx context.Context, name string) error {
	if name == "" || strings.ContainsAny(name, " ;\n\\") {
		return fmt.Errorf("table %q: %w", name, ErrNoTable)
	}
	_, err := ask(ctx, "clear table "+name)
	return err
}

// ShowInfo is Ask.ShowInfo of this router.
func (r *Router) ShowInfo(ctx context.Context) (Info, error) { return Ask(r.Admin).ShowInfo(ctx) }

// ShowStat is Ask.ShowStat of this router.
func (r *Router) ShowStat(ctx context.Context) ([]Stat, error) { return Ask(r.Admin).ShowStat(ctx) }

// ShowTable is Ask.ShowTable of this router.
func (r *Router) ShowTable(ctx context.Context, name string) (Table, error) {
	return Ask(r.Admin).ShowTable(ctx, name)
}

// ClearTable is Ask.ClearTable of this router.
func (r *Router) ClearTable(ctx context.Context, name string) error {
	return Ask(r.Admin).ClearTable(ctx, name)
}

// Admin sends one command to the admin socket and gives the whole answer. It attends the router first
// (Options.OnDemand).
func (r *Router) Admin(ctx context.Context, command string) (answer string, err error) {
	if err := r.Attend(ctx); err != nil {
		return "", err
	}
	if running, err := r.running(ctx); err != nil {
		return "", err
	} else if !running {
		return "", fmt.Errorf("asking for %q: %w", command, ErrNotRunning)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("asking HAProxy for %q: %w", command, err)
		}
	}()
	folder, err := os.Open(filepath.Join(r.dir, "run", "haproxy"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	// Through the descriptor, since a socket's path may not exceed 107 bytes.
	return supervise.Ask(ctx, fmt.Sprintf("/proc/self/fd/%d/admin.sock", folder.Fd()), command)
}
