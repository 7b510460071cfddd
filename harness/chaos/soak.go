package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Sample is what a run holds at a moment.
type Sample struct {
	At        time.Duration // since its start
	Memory    int64         // resident, in KiB, of the run itself
	Files     int           // open
	Threads   int
	Processes int // below it: databases, routers, backends
	Temporary int // entries of its temporary folder
}

// Soaked is what came of a long run.
type Soaked struct {
	Samples []Sample
	Code    int // exit status
	Said    string
	Left    []string
}

// Soak lets a run of stackproof go on to its end and samples it. Args are its arguments after the verb.
func Soak(ctx context.Context, p Program, every time.Duration, args []string, show func(Sample)) (_ Soaked, err error) {
	dir, err := os.MkdirTemp("", "stackproof-selftest-")
	if err != nil {
		return Soaked{}, fmt.Errorf("making the folder of a run: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c := &child{dir: dir, started: make(chan struct{})}
	if err := c.folders(); err != nil {
		return Soaked{}, err
	}
	c.cmd = p.Command(ctx, c.temp(), append([]string{"run"}, args...)...)
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
			if one, ok := sample(c.cmd.Process.Pid, len(all), c.temp()); ok {
				one.At = time.Since(began)
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
	return s, nil
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
func sample(pid, below int, temp string) (s Sample, ok bool) {
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
	s.Files, s.Processes, s.Temporary = len(open), below, len(temporary)
	return s, err == nil && err2 == nil && s.Memory > 0
}

// Growth compares the largest values of the second and the last quarter of samples: the first is the start. It says
// what grew by more than a share, such as 0.25; a value that is small anyway may grow by few.
func Growth(samples []Sample, share float64) (grown []string) {
	n := len(samples) / 4
	if n == 0 {
		return []string{"there are too few samples to tell"}
	}
	for _, one := range []struct {
		what  string
		slack float64
		of    func(Sample) float64
	}{
		{"memory (KiB)", 8 << 10, func(s Sample) float64 { return float64(s.Memory) }},
		{"open files", 8, func(s Sample) float64 { return float64(s.Files) }},
		{"threads", 8, func(s Sample) float64 { return float64(s.Threads) }},
		{"processes", 8, func(s Sample) float64 { return float64(s.Processes) }},
		{"temporary files", 4, func(s Sample) float64 { return float64(s.Temporary) }},
	} {
		most := func(part []Sample) (m float64) {
			for _, s := range part {
				m = max(m, one.of(s))
			}
			return m
		}
		early, late := most(samples[n:2*n]), most(samples[len(samples)-n:])
		if late > early*(1+share)+one.slack {
			grown = append(grown, fmt.Sprintf("%s from %.0f to %.0f", one.what, early, late))
		}
	}
	return grown
}
