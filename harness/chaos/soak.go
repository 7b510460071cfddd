package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/result"
)

// Sample is what a run holds at a moment.
type Sample struct {
	At         time.Duration // since its start
	Memory     int64         // resident, in KiB, of the run itself
	Goroutines int           // as the run itself says; 0 before it has said so
	Files      int           // open
	Threads    int
	Processes  int // below it: databases, routers, backends
	Namespaces int // network namespaces of those, besides this process's
	Temporary  int // entries of its temporary folder
}

// Soaked is what came of a long run.
type Soaked struct {
	Samples []Sample
	Code    int // exit status
	Said    string
	Left    []string
	Counts
}

// Counts are what the repeats of all scenarios said, those aside that are known to fail.
type Counts struct {
	Repeats   int
	Failed    int // false alarms, where the release is sound
	Undecided int
}

// Soak lets a run of stackproof go on to its end and samples it. Args are its arguments after the verb; verdicts is the
// file for its result, "" for none that is kept.
func Soak(ctx context.Context, p Program, every time.Duration, args []string, verdicts string,
	show func(Sample)) (_ Soaked, err error) {
	dir, err := os.MkdirTemp("", "stackproof-selftest-")
	if err != nil {
		return Soaked{}, fmt.Errorf("making the folder of a run: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c := &child{dir: dir, started: make(chan struct{})}
	if err := c.folders(); err != nil {
		return Soaked{}, err
	}
	events := filepath.Join(dir, "events.ndjson")
	if verdicts == "" {
		verdicts = filepath.Join(dir, jsonName)
	}
	c.cmd = p.Command(ctx, c.temp(), append([]string{"run", "--events", events, "--json", verdicts}, args...)...)
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(os.Interrupt) } // it cleans up after itself
	if err := c.start(); err != nil {
		return Soaked{}, err
	}
	began := time.Now()
	var s Soaked
	ended := make(chan error, 1)
	go func() { _, err := c.wait(); ended <- err }()
	tick := time.NewTicker(every)
	defer tick.Stop()
	var all []process
	for running := true; running; {
		select {
		case err = <-ended:
			running = false
		case <-tick.C:
			all = descendants(c.cmd.Process.Pid)
			if one, ok := sample(c.cmd.Process.Pid, all, c.temp()); ok {
				one.At, one.Goroutines = time.Since(began), goroutines(events)
				s.Samples = append(s.Samples, one)
				show(one)
			}
		}
	}
	if err = errors.Join(err, context.Cause(ctx)); err != nil {
		return s, err
	}
	s.Code, s.Said = c.cmd.ProcessState.ExitCode(), last(c.said.String())
	s.Left = remains(ctx, all, c.temp())
	if s.Counts, err = count(verdicts); err != nil { // a run that was killed may have none
		s.Said += fmt.Sprintf("\nno result: %v", err)
	}
	return s, nil
}

// count reads the result of a run.
func count(path string) (Counts, error) {
	f, err := os.Open(path)
	if err != nil {
		return Counts{}, err
	}
	defer func() { _ = f.Close() }() // only read
	run, err := result.Decode(f)
	if err != nil {
		return Counts{}, err
	}
	var all Counts
	for _, c := range run.Results {
		if c.Known || c.ByDesign || c.Verdict == result.Unsupported {
			continue
		}
		all.Repeats += c.Repeats
		all.Failed += c.Failures
		all.Undecided += c.Inconclusives
	}
	return all, nil
}

// goroutines is the newest number of them that a run has written to its events; 0 where there is none yet.
func goroutines(events string) int {
	f, err := os.Open(events)
	if err != nil {
		return 0 // not begun yet
	}
	defer func() { _ = f.Close() }() // only read
	const tail = 256 << 10           // some hundred times of what a run writes between two samples
	if size, err := f.Seek(0, io.SeekEnd); err != nil || size > tail {
		_, err = f.Seek(-tail, io.SeekEnd)
		if err != nil {
			return 0
		}
	} else if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return 0
	}
	newest := 0
	for line := range bytes.Lines(text) {
		var one struct {
			Event      string `json:"event"`
			Goroutines int    `json:"goroutines"`
		}
		if json.Unmarshal(line, &one) == nil && one.Event == "alive" { // the first and last line may be cut
			newest = one.Goroutines
		}
	}
	return newest
}

// remains is what is left of a run that has ended: processes and files.
func remains(ctx context.Context, all []process, temp string) []string {
	left := ended(ctx, all)
	more, err := files(temp)
	if err != nil {
		more = []string{err.Error()}
	}
	return append(left, more...)
}

// sample looks at a process; false when it is gone.
func sample(pid int, below []process, temp string) (s Sample, ok bool) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	text, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return s, false
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		number, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64) // 0 for words
		switch name {
		case "VmRSS":
			s.Memory = number
		case "Threads":
			s.Threads = int(number)
		}
	}
	open, err := os.ReadDir(filepath.Join(proc, "fd"))
	temporary, err2 := os.ReadDir(temp)
	s.Files, s.Processes, s.Temporary = len(open), len(below), len(temporary)
	s.Namespaces = namespaces(pid, below)
	return s, err == nil && err2 == nil && s.Memory > 0
}

// namespaces counts the network namespaces that processes are in, besides the one of pid.
func namespaces(pid int, below []process) int {
	of := func(pid int) string {
		name, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)) // empty: it has ended
		return name
	}
	seen := map[string]bool{"": true, of(pid): true}
	known := len(seen)
	for _, p := range below {
		seen[of(p.pid)] = true
	}
	return len(seen) - known
}

// measure is one value of a sample.
type measure struct {
	what  string
	slack float64 // growth that is nothing, whatever its share
	of    func(Sample) float64
}

func measures() []measure {
	return []measure{
		{"memory (KiB)", 8 << 10, func(s Sample) float64 { return float64(s.Memory) }},
		{"goroutines", 16, func(s Sample) float64 { return float64(s.Goroutines) }},
		{"open files", 8, func(s Sample) float64 { return float64(s.Files) }},
		{"threads", 8, func(s Sample) float64 { return float64(s.Threads) }},
		{"processes", 8, func(s Sample) float64 { return float64(s.Processes) }},
		{"network namespaces", 8, func(s Sample) float64 { return float64(s.Namespaces) }},
		{"temporary files", 4, func(s Sample) float64 { return float64(s.Temporary) }},
	}
}

// Growth compares the medians of the second and the last quarter of samples: the first is the start, and a peak that
// goes again within half of a quarter is no growth. It says what grew by more than a share, such as 0.25; a value that
// is small anyway may grow by few.
func Growth(samples []Sample, share float64) (grown []string) {
	n := len(samples) / 4
	if n < fewestOfQuarter {
		return []string{"there are too few samples to tell"}
	}
	for _, one := range measures() {
		early, late := median(samples[n:2*n], one.of), median(samples[len(samples)-n:], one.of)
		if late > early*(1+share)+one.slack {
			grown = append(grown, fmt.Sprintf("%s from %.0f to %.0f (medians of quarters)", one.what, early, late))
		}
	}
	return grown
}

// fewestOfQuarter are as many samples as a median needs to leave out a single one of them.
const fewestOfQuarter = 3

// median is the middle one of a value of samples; of two in the middle it is the higher.
func median(part []Sample, of func(Sample) float64) float64 {
	values := make([]float64, len(part))
	for i, s := range part {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
