package scripts

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

type process struct {
	pid, parent int
	state       string
}

// processes lists the sandbox (/proc/*/stat, proc(5)).
func processes() []process {
	var list []process
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile
		}
		// The name in parentheses may hold anything, so the fields count from the last one.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 2 {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parent, _ := strconv.Atoi(fields[1])
		list = append(list, process{pid: pid, parent: parent, state: fields[0]})
	}
	return list
}

// listening counts a process's listening TCP sockets, 0 when it has ended. The process shares this one's network
// namespace.
func listening(pid int) int {
	sockets := map[string]bool{}
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // a kernel without IPv6
		}
		for line := range strings.Lines(string(text)) {
			if words := strings.Fields(line); len(words) > 9 && words[3] == "0A" {
				sockets["socket:["+words[9]+"]"] = true
			}
		}
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	descriptors, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrPermission) &&
		slices.ContainsFunc(processes(), func(p process) bool { return p.pid == pid && p.state != "Z" }) {
		// it is ending and may still hold its sockets; in a user namespace its descriptors are closed to us by then
		return 1
	}
	if err != nil {
		return 0 // ended, or a zombie
	}
	n := 0
	for _, d := range descriptors {
		if target, err := os.Readlink(filepath.Join(dir, d.Name())); err == nil && sockets[target] {
			n++
		}
	}
	return n
}

// tail gives the end of a file from an offset on.
func tail(name string, from int64) []byte {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	b := make([]byte, min(max(info.Size()-from, 0), tailOfFiles))
	n, _ := f.ReadAt(b, info.Size()-int64(len(b)))
	return b[:n]
}
