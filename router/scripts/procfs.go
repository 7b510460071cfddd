package scripts

import (
	"bytes"
	"os"
	"path/filepath"
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
