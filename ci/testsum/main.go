// Command testsum reads the events of go test -json and prints what a person wants to see: go test's own line for every
// package, the whole output of what failed, and every skipped test with its reason. It ends with 1 when a test failed,
// and, unless -allow-skips is given, when one was skipped: a test that did not run proves nothing. A skip whose reason
// holds a text of -allow-skip-reason is let through, and the summary says so.
//
// It is not a test runner and keeps no state. Know before changing: the last lines it prints are go test's own summary
// lines, on a bad run once more after the bad news.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	allow := flag.Bool("allow-skips", false, "list skipped tests without failing")
	var reasons words
	flag.Var(&reasons, "allow-skip-reason",
		"list tests that were skipped for a reason which holds this text, without failing (repeatable)")
	flag.Parse()
	code, err := summarize(os.Stdin, os.Stdout, *allow, reasons...)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		code = 4
	}
	os.Exit(code)
}

// words is a flag that may be given several times.
type words []string

func (w *words) String() string     { return strings.Join(*w, ", ") }
func (w *words) Set(s string) error { *w = append(*w, s); return nil }

// event is a line of go test -json (go doc test2json) and, for builds, of go build -json.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

type key struct{ pkg, test string }

type run struct {
	out      io.Writer
	output   map[key][]string // of tests that are still running, and of packages
	summary  []string
	reasons  []string // of skips that are let through
	skipped  []string
	allowed  []string
	failures int
	packages int
	err      error
}

func summarize(in io.Reader, out io.Writer, allowSkips bool, reasons ...string) (int, error) {
	r := run{out: out, output: map[key][]string{}, reasons: reasons}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if strings.TrimSpace(line) != "" {
			r.line(line)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("read events of go test -json: %w", err)
		}
	}
	code := r.end(allowSkips)
	if r.err != nil {
		return 0, fmt.Errorf("print the summary: %w", r.err)
	}
	return code, nil
}

// line takes one event. What is not one, go test printed itself, and it matters.
func (r *run) line(line string) {
	var e event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
		r.print(line)
		return
	}
	k := key{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		r.print(e.Output)
	case "build-fail":
		r.failures++
	case "output":
		r.output[k] = append(r.output[k], e.Output)
	case "fail", "pass", "skip":
		if e.Test == "" {
			r.packageDone(k, e.Action)
		} else {
			r.testDone(k, e.Action)
		}
	}
}

func (r *run) testDone(k key, action string) {
	lines := r.output[k]
	delete(r.output, k)
	switch action {
	case "fail":
		r.failures++
		r.print(strings.Join(lines, ""))
	case "skip":
		why := reason(lines)
		into := &r.skipped
		if slices.ContainsFunc(r.reasons, func(s string) bool { return strings.Contains(why, s) }) {
			into = &r.allowed
		}
		*into = append(*into, k.pkg+" "+k.test+": "+why)
	}
}

// packageDone prints go test's line of the package, and on failure all that the package printed outside its tests, or
// in tests that never ended.
func (r *run) packageDone(k key, action string) {
	r.packages++
	lines := r.output[k]
	delete(r.output, k)
	if action == "fail" {
		r.failures++
		for other, rest := range r.output {
			if other.pkg == k.pkg {
				r.print(strings.Join(rest, ""))
				delete(r.output, other)
			}
		}
	}
	for _, l := range lines {
		switch {
		case strings.HasPrefix(l, "ok  \t"), strings.HasPrefix(l, "FAIL\t"), strings.HasPrefix(l, "?   \t"),
			strings.HasPrefix(l, "\t"+k.pkg):
			r.summary = append(r.summary, l)
			r.print(l)
		case action == "fail" && l != "FAIL\n" && l != "PASS\n":
			r.print(l)
		}
	}
}

// reason is what t.Skip said, without the frame that go test puts around it.
func reason(lines []string) string {
	var words []string
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if l != "" && !strings.HasPrefix(l, "=== ") && !strings.HasPrefix(l, "--- ") {
			words = append(words, l)
		}
	}
	if len(words) == 0 {
		return "no reason was given"
	}
	return strings.Join(words, " ")
}

func (r *run) end(allowSkips bool) int {
	code := 0
	switch {
	case r.failures > 0:
		code = 1
	case r.packages == 0:
		r.print("No package was tested.\n")
		return 1
	}
	if len(r.allowed) > 0 {
		r.print(fmt.Sprintf("\n%d not exercised here, for a reason that was allowed by name:\n", len(r.allowed)))
		for _, s := range r.allowed {
			r.print("  NOT EXERCISED " + s + "\n")
		}
	}
	if len(r.skipped) > 0 {
		r.print(fmt.Sprintf("\n%d skipped:\n", len(r.skipped)))
		for _, s := range r.skipped {
			r.print("  SKIP " + s + "\n")
		}
		if !allowSkips {
			code = 1
			r.print("A skipped test fails this run.\n")
		}
	}
	if code != 0 || len(r.skipped)+len(r.allowed) > 0 {
		r.print("\n" + strings.Join(r.summary, ""))
	}
	return code
}

// print keeps the first failure: what nobody could read must not end as a success.
func (r *run) print(s string) {
	if _, err := io.WriteString(r.out, s); err != nil && r.err == nil {
		r.err = err
	}
}
