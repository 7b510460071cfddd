package router

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Hurry is how soon after a reload the next one is lost with Faults.ReloadsOverlap.
const Hurry = 150 * time.Millisecond

// Faults are planted: what a router could do wrong whatever its release. They begin once HAProxy runs, so that a story
// can start from a sound router. The zero value has none.
type Faults struct {
	// NeverCopies: haproxy.cfg.new is written and never copied over haproxy.cfg.
	NeverCopies bool
	// SkipsReload: haproxy.cfg is replaced and the process goes on with what it was started from.
	SkipsReload bool
	// ReloadsTwice: each change reloads HAProxy two times, so that what clients learned in between is lost again.
	ReloadsTwice bool
	// ReloadsOverlap: a reload that is asked for less than Hurry after the end of the one before is lost, as where a
	// master process gets a second signal while it still takes up the first (of two pushes within 50 ms the first one's
	// file may stay).
	ReloadsOverlap bool
	// StartsEmpty: HAProxy is not started when the router machine starts again.
	StartsEmpty bool
	// SecondDoor: HAProxy is reloaded with one proxy more than the file has, which answers for the first rule's members
	// one port below its own.
	SecondDoor bool
	// KeepsCertificates: a certificate's file is written once and stays.
	KeepsCertificates bool
	// Lines: one line of each file is not as it was rendered. This begins with the first file.
	Lines LineFault
}

// LineFault is something wrong with one line of haproxy.cfg. The zero value is nothing.
type LineFault struct {
	What LineWrong
	// Line is which one, counted from 1 over the lines that are not blank, from the beginning again where a file has
	// fewer; 0 is another one in each file.
	Line int
}

// LineWrong is what is wrong with a line.
type LineWrong string

// A line is missing, is there twice, or says something else.
const (
	LineLost    LineWrong = "lost"
	LineDoubled LineWrong = "doubled"
	LineChanged LineWrong = "changed"
)

// Plant gives the file with its fault; n is the file's number.
func (f LineFault) Plant(file []byte, n int) []byte {
	lines := strings.Split(string(file), "\n")
	var full []int
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
			full = append(full, i)
		}
	}
	if f.What == "" || len(full) == 0 {
		return file
	}
	at := full[max(0, n)%len(full)]
	if f.Line > 0 {
		at = full[(f.Line-1)%len(full)]
	}
	switch f.What {
	case LineLost:
		lines = slices.Delete(lines, at, at+1)
	case LineDoubled:
		lines = slices.Insert(lines, at, lines[at])
	case LineChanged:
		lines[at] = otherLine(lines[at])
	}
	return []byte(strings.Join(lines, "\n"))
}

// otherLine has another digit, or a letter more where there is none.
func otherLine(line string) string {
	i := strings.LastIndexAny(line, "012345678")
	if i < 0 {
		return line + "x"
	}
	return line[:i] + string(line[i]+1) + line[i+1:]
}

// door is the file with one proxy more.
func door(file []byte) []byte {
	for _, s := range Sections(file) {
		host, port, ok := strings.Cut(s.Bind(), ":")
		n, err := strconv.Atoi(port)
		if !ok || err != nil || len(s.Servers()) == 0 {
			continue
		}
		text := fmt.Sprintf("listen door\n\tbind %s:%d\n", host, n-1)
		for _, server := range s.Servers() {
			text += "\tserver " + server.Name + " " + server.Address + "\n"
		}
		return append(slices.Clone(file), text...)
	}
	return file
}
