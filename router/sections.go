package router

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff/lcs"
)

// Section is one section of a haproxy.cfg: its keyword (global, defaults, listen ...), its name, and its lines without
// the surrounding blanks, empty lines left out. The section's own first line is not among them.
type Section struct {
	Kind  string
	Name  string // empty for global and defaults
	Lines []string
}

var sectionKeywords = []string{"global", "defaults", "listen", "frontend", "backend", "peers", "userlist", "resolvers"}

// Sections splits a file. Lines before the first section are lost; a comment belongs to the section before it.
func Sections(file []byte) []Section {
	var list []Section
	for line := range strings.SplitSeq(string(file), "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		words := strings.Fields(line)
		if slices.Contains(sectionKeywords, words[0]) {
			s := Section{Kind: words[0]}
			if len(words) > 1 {
				s.Name = words[1]
			}
			list = append(list, s)
		} else if len(list) > 0 {
			s := &list[len(list)-1]
			s.Lines = append(s.Lines, line)
		}
	}
	return list
}

// Listens gives the listen sections of a file by name. Of two with one name, which HAProxy refuses, the later counts.
func Listens(file []byte) map[string]Section {
	m := map[string]Section{}
	for _, s := range Sections(file) {
		if s.Kind == "listen" {
			m[s.Name] = s
		}
	}
	return m
}

// argument gives what follows the directive's words, and whether the section has the directive.
func (s Section) argument(directive string) (string, bool) {
	for _, line := range s.Lines {
		if rest, ok := strings.CutPrefix(line, directive+" "); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// Statistics says whether a listen section shows statistics: all others are rules.
func (s Section) Statistics() bool { return strings.HasPrefix(s.Name, "stats_on_") }

// StickTable is the section's stick-table directive without that word, "" for none.
func (s Section) StickTable() string { return first(s.argument("stick-table")) }

// StickOn is the section's "stick on" expression, "" for none.
func (s Section) StickOn() string { return first(s.argument("stick on")) }

// Sticky says whether the section pins clients by their address: it has both a stick table and a "stick on".
func (s Section) Sticky() bool { return s.StickTable() != "" && s.StickOn() != "" }

// Balance is the section's algorithm, "" for none.
func (s Section) Balance() string { return first(s.argument("balance")) }

// Cookie is the section's cookie directive without that word, "" for none.
func (s Section) Cookie() string { return first(s.argument("cookie")) }

// Bind is the address and port that the section listens on, "" for none.
func (s Section) Bind() string {
	address, _, _ := strings.Cut(first(s.argument("bind")), " ")
	return address
}

func first(s string, _ bool) string { return s }

// Server is a backend of a section.
type Server struct {
	Name    string
	Address string // address:port
	Cookie  string // its cookie value, "" for none
}

// Servers gives the section's backends in order.
func (s Section) Servers() []Server {
	var list []Server
	for _, line := range s.Lines {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "server" {
			continue
		}
		server := Server{Name: words[1], Address: words[2]}
		if i := slices.Index(words, "cookie"); i > 2 && i+1 < len(words) {
			server.Cookie = words[i+1]
		}
		list = append(list, server)
	}
	return list
}

// SectionDiff is where two files differ in one section.
type SectionDiff struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// the section's lines in order, those of one file only marked with "- " (live) or "+ " (rendered)
	Lines []string `json:"lines"`
}

// DiffSections compares what was rendered with what is live, section by section in the order of the rendered file;
// those that exist in the live file alone come last. Equal sections are left out. Blanks at line ends do not count.
func DiffSections(rendered, live []byte) []SectionDiff {
	type key struct{ kind, name string }
	index := func(list []Section) map[key]Section {
		m := map[key]Section{}
		for _, s := range list {
			m[key{s.Kind, s.Name}] = s
		}
		return m
	}
	want, have := Sections(rendered), Sections(live)
	wanted, had := index(want), index(have)
	var diffs []SectionDiff
	for _, s := range want {
		old, ok := had[key{s.Kind, s.Name}]
		lines, same := diffLines(old.Lines, s.Lines)
		if !ok || !same {
			diffs = append(diffs, SectionDiff{s.Kind, s.Name, lines})
		}
	}
	for _, s := range have {
		if _, ok := wanted[key{s.Kind, s.Name}]; !ok {
			lines, _ := diffLines(s.Lines, nil)
			diffs = append(diffs, SectionDiff{s.Kind, s.Name, lines})
		}
	}
	return diffs
}

// diffLines writes the differences of two lists of lines out, with all that is equal.
func diffLines(old, new []string) (lines []string, same bool) {
	mark := func(by string, some []string) {
		for _, line := range some {
			lines = append(lines, by+line)
		}
	}
	at := 0
	for _, d := range lcs.DiffLines(old, new) {
		mark("  ", old[at:d.Start])
		mark("- ", old[d.Start:d.End])
		mark("+ ", new[d.ReplStart:d.ReplEnd])
		at = d.End
	}
	mark("  ", old[at:])
	return lines, slices.Equal(old, new)
}

// DiffText is DiffSections as text for a person: "-" stands on live lines, "+" on rendered ones. It is empty when there
// is no difference that HAProxy would see.
func DiffText(rendered, live []byte) string {
	var b strings.Builder
	for _, d := range DiffSections(rendered, live) {
		fmt.Fprintf(&b, "%s\n", strings.TrimSpace(d.Kind+" "+d.Name))
		for _, line := range d.Lines {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	return b.String()
}
