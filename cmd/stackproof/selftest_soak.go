package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness/chaos"
	"github.com/stackproof/stackproof/harness/result/stats"
)

func selftestSoakCommand() *cobra.Command {
	var o selftestOptions
	var repeat int
	var every time.Duration
	var files soakFiles
	c := &cobra.Command{
		Use:   "soak",
		Short: "Repeats a run for a long time, and looks whether it grows",
		Args:  noArgs,
		Long: `Repeats scenarios on the lab, in one process, and samples its memory, goroutines, open files, threads,
processes, network namespaces and temporary files. A value whose median in the last quarter of the time is a quarter
larger than in the second is a failure, as is a verdict that a sound run does not have, and anything that is left (exit
status 1). One peak that goes again is no growth.

At the end stands how many repeats were false alarms, with the exact bound that this allows one to claim.`,
		Example: `  stackproof selftest soak --repeat 300 --plot soak.svg
  stackproof selftest soak --scenario U-26 --repeat 1000`,
	}
	o.add(c.Flags())
	c.Flags().IntVar(&repeat, "repeat", 300, "repeats of each scenario")
	c.Flags().DurationVar(&every, "every", 5*time.Second, "how often it is looked")
	c.Flags().StringVar(&files.plot, "plot", "", "draw the samples to this file (SVG)")
	c.Flags().StringVar(&files.verdicts, "json", "", "keep the run's result in this file")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if repeat < 1 || every < 100*time.Millisecond {
			return usage("--repeat must be at least 1 and --every at least 100ms, not %d and %s", repeat, every)
		}
		if _, err := o.choose(); err != nil {
			return err
		}
		if err := needLabPrograms(c, privateDatabase); err != nil {
			return cannotRun(err)
		}
		return o.soak(c, repeat, every, files)
	}
	return c
}

// growth is by what share a value may grow.
const growth = 0.25

// soakFiles are the paths of what a soak writes; "" for nothing.
type soakFiles struct{ plot, verdicts string }

func (o *selftestOptions) soak(c *cobra.Command, repeat int, every time.Duration, files soakFiles) error {
	self, err := os.Executable()
	if err != nil {
		return cannotRun(err)
	}
	args := []string{"--release", o.release, "--seed", fmt.Sprint(o.seed), "--repeat", fmt.Sprint(repeat)}
	for _, id := range o.scenarios {
		args = append(args, "--scenario", id)
	}
	out := c.OutOrStdout()
	fmt.Fprintln(out, "  seconds  memory KiB  goroutines  files  threads  processes  namespaces  temporary")
	s, err := chaos.Soak(c.Context(), chaos.Program{Path: self}, every, args, files.verdicts, func(s chaos.Sample) {
		fmt.Fprintf(out, "%9.0f %11d %11d %6d %8d %10d %11d %10d\n", s.At.Seconds(), s.Memory, s.Goroutines, s.Files,
			s.Threads, s.Processes, s.Namespaces, s.Temporary)
	})
	if files.plot != "" { // also of a run that went wrong
		err = errors.Join(err, drawSoak(files.plot, s.Samples))
	}
	if err != nil {
		return cannotRun(err)
	}
	grown := chaos.Growth(s.Samples, growth)
	fmt.Fprintf(out, "%s\nexit status %d; grown: %s; left: %s\n%s\n", s.Said, s.Code, orNothing(grown),
		orNothing(s.Left), falseAlarms(s.Counts))
	if s.Code != exitOK || len(grown) > 0 || len(s.Left) > 0 {
		return &exitError{code: exitFailure}
	}
	return nil
}

func drawSoak(path string, samples []chaos.Sample) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("--plot: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return chaos.Plot(f, samples)
}

// falseAlarms says what the repeats of a sound release allow one to claim. Undecided repeats are not counted as sound.
func falseAlarms(c chaos.Counts) string {
	judged := c.Repeats - c.Undecided
	if judged < 1 {
		return fmt.Sprintf("false alarms: nothing can be said; %d of %d repeats were undecided", c.Undecided, c.Repeats)
	}
	return fmt.Sprintf("false alarms: %d in %d judged repeats, so at most %.4f %% under these conditions (95 %%); "+
		"undecided: %d", c.Failed, judged, 100*stats.Upper(c.Failed, judged, stats.Confidence95), c.Undecided)
}

func orNothing(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, "; ")
}
