package realrouter

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/router"
)

// lookScript prints what there is to see, in sections that begin with @. It only reads.
const lookScript = `LC_ALL=C; export LC_ALL
put() { echo "@$1"; if [ -f "$2" ]; then stat -c %Y "$2"; base64 < "$2"; fi; }
put live /etc/haproxy/haproxy.cfg
put new "$(ls -t /etc/haproxy/haproxy.cfg.new* 2>/dev/null | head -n 1)"
echo @pid; if [ -f /run/haproxy.pid ]; then cat /run/haproxy.pid; fi
echo @processes; ps -eo pid=,ppid=,etimes=,comm=
echo @now; date +%s
echo @end
`

// process is one process of the router.
type process struct {
	pid, parent int
	age         time.Duration
}

// look is what was seen of a router at one moment.
type look struct {
	live, fresh *file
	master      int
	haproxies   []process
	now         time.Time
}

type file struct {
	changed time.Time
	data    []byte
}

// parseLook reads lookScript's answer.
func parseLook(out []byte) (look, error) {
	sections := map[string][]string{}
	name := ""
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, "\r\n")
		if rest, ok := strings.CutPrefix(line, "@"); ok {
			name = rest
			sections[name] = []string{}
			continue
		}
		if line != "" && name != "" { // a login's greeting stands before the first section
			sections[name] = append(sections[name], strings.TrimSpace(line))
		}
	}
	var l look
	if sections["end"] == nil {
		return l, fmt.Errorf("the answer is cut short: %q", lastLine(string(out)))
	}
	var err error
	if l.live, err = parseFile(sections["live"]); err != nil {
		return l, fmt.Errorf("haproxy.cfg: %w", err)
	}
	if l.fresh, err = parseFile(sections["new"]); err != nil {
		return l, fmt.Errorf("haproxy.cfg.new: %w", err)
	}
	if now := sections["now"]; len(now) == 1 {
		seconds, _ := strconv.ParseInt(now[0], 10, 64) // a time that cannot be read leaves starts unknown
		l.now = time.Unix(seconds, 0).UTC()
	}
	if pid := sections["pid"]; len(pid) > 0 {
		l.master, _ = strconv.Atoi(pid[0]) // none runs, then
	}
	for _, line := range sections["processes"] {
		f := strings.Fields(line)
		if len(f) != 4 || f[3] != "haproxy" {
			continue
		}
		pid, err1 := strconv.Atoi(f[0])
		parent, err2 := strconv.Atoi(f[1])
		age, err3 := strconv.Atoi(f[2])
		if err := errors.Join(err1, err2, err3); err != nil {
			return l, fmt.Errorf("processes: cannot read %q: %w", line, err)
		}
		l.haproxies = append(l.haproxies, process{pid, parent, time.Duration(age) * time.Second})
	}
	return l, nil
}

func parseFile(lines []string) (*file, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(lines[0], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("cannot read its time %q", lines[0])
	}
	data, err := base64.StdEncoding.DecodeString(strings.Join(lines[1:], ""))
	if err != nil {
		return nil, fmt.Errorf("cannot read its content: %w", err)
	}
	return &file{time.Unix(seconds, 0).UTC(), data}, nil
}

// files says what was seen in the words of package router. Serving is the live file when the newest worker is younger
// than it; else it is unknown which file the worker was started from.
func (l look) files() router.Files {
	f := router.Files{Attended: true}
	if l.live != nil {
		f.Live = l.live.data
	}
	if l.fresh != nil {
		f.New = l.fresh.data
	}
	youngest := time.Duration(-1)
	for _, p := range l.haproxies {
		switch {
		case p.pid == l.master:
			f.MasterPID, f.RunningSince = p.pid, l.now.Add(-p.age)
		case p.parent == l.master:
			f.Workers++
			if youngest < 0 || p.age < youngest {
				youngest = p.age
			}
		}
	}
	if f.MasterPID == 0 {
		f.Workers = 0
		return f
	}
	if youngest >= 0 && l.live != nil && !l.now.Add(-youngest).Before(l.live.changed) {
		f.Serving = bytes.Clone(f.Live)
	}
	return f
}

// mark names the processes: two equal marks mean that HAProxy was neither started nor reloaded in between.
func (l look) mark() string {
	ids := make([]string, 0, len(l.haproxies))
	for _, p := range l.haproxies {
		ids = append(ids, strconv.Itoa(p.pid))
	}
	return "haproxy " + strings.Join(ids, " ")
}

// askable are the questions to the admin socket that change nothing.
var askable = regexp.MustCompile(`^show (info|stat|table( [A-Za-z0-9_.:-]+)?)$`)

// ask sends one question to HAProxy's admin socket.
func (t Template) ask(ctx context.Context, p Place, question string) (string, error) {
	if !askable.MatchString(question) {
		return "", fmt.Errorf("router %s: %q is not asked: only show info, show stat and show table are", p.Name,
			question)
	}
	out, err := t.run(ctx, p, "echo @answer; echo '"+question+"' | socat stdio /run/haproxy/admin.sock\n")
	if err != nil {
		return "", err
	}
	_, answer, ok := strings.Cut(string(out), "@answer\n")
	if !ok {
		return "", fmt.Errorf("router %s: the admin socket's answer is cut short", p.Name)
	}
	return answer, nil
}
