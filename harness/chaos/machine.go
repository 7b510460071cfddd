package chaos

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a process that cannot be taken for a later one with the same number.
type process struct {
	pid   int
	start string // in clock ticks since the machine's start (proc_pid_stat(5), field 22)
	name  string
}

func (p process) String() string { return fmt.Sprintf("process %d %s", p.pid, p.name) }

// look reads a process; false for one that is gone or only waits to be collected.
func look(pid int) (p process, parent int, ok bool) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return p, 0, false
	}
	head, rest, _ := strings.Cut(string(text), ") ")
	if i := strings.LastIndex(string(text), ") "); i >= 0 { // a name may hold brackets
		head, rest = string(text)[:i], string(text)[i+2:]
	}
	fields := strings.Fields(rest)
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return p, 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	_, name, _ := strings.Cut(head, "(")
	return process{pid, fields[19], name}, parent, err == nil
}

// descendants are the processes below one.
func descendants(of int) (all []process) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	below := map[int][]process{}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, parent, ok := look(pid); ok {
				below[parent] = append(below[parent], p)
			}
		}
	}
	queue := []int{of}
	for len(queue) > 0 {
		for _, p := range below[queue[0]] {
			all = append(all, p)
			queue = append(queue, p.pid)
		}
		queue = queue[1:]
	}
	return all
}

// endTime is how long what a killed run had started may take to end by itself.
const endTime = 20 * time.Second

// ended waits until processes are gone; what is left when the time is up is named.
func ended(ctx context.Context, all []process) (left []string) {
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		left = left[:0]
		for _, p := range all {
			if now, _, ok := look(p.pid); ok && now.start == p.start {
				left = append(left, p.String())
			}
		}
		if len(left) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return left
		}
	}
}

// files are what there is in a folder.
func files(dir string) (all []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for what is left: %w", err)
	}
	for _, e := range entries {
		all = append(all, "file "+filepath.Join(dir, e.Name()))
	}
	return all, nil
}
