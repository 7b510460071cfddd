// Package filecheck says in what a router's haproxy.cfg is not what its push orders. It reads the push and the file by
// itself and takes nothing from the renderer of package router: a file must not be judged by what wrote it. Its form is
// that of the files which releases wrote (HAProxyConfigurator.java).
//
// It judges a file, not a router: whether the file is in force is for others.
//
// Before changing it know that lines are compared as words: blanks collapse on the way to a router. The order of a
// section's lines is not compared: releases differ in it, and what it does is for those who ask whether it is in force.
package filecheck

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// Has says whether a target behaves as a knob says.
type Has func(release.Knob) bool

// Doors are what the router's firewall opens and closes for a push, and for its statistics.
type Doors struct{ Add, Remove, Stat []string }

// File says in what a haproxy.cfg is not what a push orders, one sentence each. The push is the command as it was sent.
// Names tell what the API calls a rule, by its uuid.
func File(push json.RawMessage, file []byte, has Has, names map[string]string) ([]string, error) {
	c, err := readCommand(push)
	if err != nil {
		return nil, err
	}
	want, order := c.sections(has)
	have, twice := sections(file)
	have["defaults"] = c.untold(c.leaked(have["defaults"], has), has)
	var wrong []string
	for _, name := range twice {
		wrong = append(wrong, fmt.Sprintf("section %s is there twice", name))
	}
	for _, name := range order {
		lines, there := have[name]
		if !there {
			wrong = append(wrong, fmt.Sprintf("%s has no section %s", c.titled(name, names), name))
			continue
		}
		for _, one := range differences(want[name], lines) {
			wrong = append(wrong, c.titled(name, names)+": "+one)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, due := want[name]; !due {
			wrong = append(wrong, fmt.Sprintf("section %s serves no rule of the push", name))
		}
	}
	return wrong, nil
}

// Firewall says in what the doors of a router are not what a push orders.
func Firewall(push json.RawMessage, doors Doors) ([]string, error) {
	c, err := readCommand(push)
	if err != nil {
		return nil, err
	}
	want := c.doors()
	var wrong []string
	for _, list := range []struct {
		what       string
		want, have []string
	}{{"opens", want.Add, doors.Add}, {"closes", want.Remove, doors.Remove},
		{"opens for statistics", want.Stat, doors.Stat}} {
		slices.Sort(list.want)
		have := slices.Sorted(slices.Values(list.have))
		if !slices.Equal(list.want, have) {
			wrong = append(wrong, fmt.Sprintf("the router's firewall %s %q where the push orders %q", list.what,
				strings.Join(have, " "), strings.Join(list.want, " ")))
		}
	}
	return wrong, nil
}

// titled is a section as a person of the story would call it.
func (c command) titled(section string, names map[string]string) string {
	for _, r := range c.rules {
		if r.section() == section && names[r.uuid] != "" {
			return "rule " + names[r.uuid]
		}
	}
	return "section " + section
}

// sections are the lines of each section, as words with one blank between them. Listen sections go by their name.
func sections(file []byte) (all map[string][]string, twice []string) {
	all = map[string][]string{}
	at := ""
	for line := range strings.Lines(string(file)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case slices.Contains([]string{"global", "defaults", "listen", "frontend", "backend"}, words[0]):
			at = words[len(words)-1]
			if _, there := all[at]; there {
				twice = append(twice, at)
			}
			all[at] = []string{}
		default:
			all[at] = append(all[at], strings.Join(words, " "))
		}
	}
	return all, twice
}

// differences pairs what is missing with what stands in its place.
func differences(want, have []string) (wrong []string) {
	missing, spare := unshared(want, have), unshared(have, want)
	for _, line := range missing {
		directive, _, _ := strings.Cut(line, " ")
		i := slices.IndexFunc(spare, func(s string) bool { return strings.HasPrefix(s, directive) })
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("the file has no %q", line))
			continue
		}
		wrong = append(wrong, fmt.Sprintf("the file says %q where the push orders %q", spare[i], line))
		spare = slices.Delete(spare, i, i+1)
	}
	for _, line := range spare {
		wrong = append(wrong, fmt.Sprintf("the file says %q, which the push does not order", line))
	}
	return wrong
}

// unshared are the lines of one list that the other has not as often.
func unshared(of, other []string) (rest []string) {
	left := map[string]int{}
	for _, line := range other {
		left[line]++
	}
	for _, line := range of {
		if left[line]--; left[line] < 0 {
			rest = append(rest, line)
		}
	}
	return rest
}
