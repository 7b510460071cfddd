package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness/chaos"
)

func selftestSoakCommand() *cobra.Command {
	var o selftestOptions
	var repeat int
	var every time.Duration
	c := &cobra.Command{
		Use:   "soak",
		Short: "Repeats a run for a long time, and looks whether it grows",
		Args:  noArgs,
		Long: `Repeats scenarios on the lab, in one process, and samples memory, open files, threads, processes and temporary
files of it. A value that is a quarter larger at the end than after the start is a failure, as is a verdict that a
sound run does not have, and anything that is left (exit status 1).`,
		Example: `  stackproof selftest soak --repeat 300
  stackproof selftest soak --scenario U-26 --repeat 1000`,
	}
	o.add(c.Flags())
	c.Flags().IntVar(&repeat, "repeat", 300, "repeats of each scenario")
	c.Flags().DurationVar(&every, "every", 5*time.Second, "how often it is looked")
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
		return o.soak(c, repeat, every)
	}
	return c
}

// growth is by what share a value may grow.
const growth = 0.25

func (o *selftestOptions) soak(c *cobra.Command, repeat int, every time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return cannotRun(err)
	}
	args := []string{"--release", o.release, "--seed", fmt.Sprint(o.seed), "--repeat", fmt.Sprint(repeat)}
	for _, id := range o.scenarios {
		args = append(args, "--scenario", id)
	}
	fmt.Fprintln(c.OutOrStdout(), "  seconds  memory KiB  files  threads  processes  temporary")
	s, err := chaos.Soak(c.Context(), chaos.Program{Path: self}, every, args, func(s chaos.Sample) {
		fmt.Fprintf(c.OutOrStdout(), "%9.0f %11d %6d %8d %10d %10d\n", s.At.Seconds(), s.Memory, s.Files, s.Threads,
			s.Processes, s.Temporary)
	})
	if err != nil {
		return cannotRun(err)
	}
	grown := chaos.Growth(s.Samples, growth)
	fmt.Fprintf(c.OutOrStdout(), "%s\nexit status %d; grown: %s; left: %s\n", s.Said, s.Code, orNothing(grown),
		orNothing(s.Left))
	if s.Code != exitOK || len(grown) > 0 || len(s.Left) > 0 {
		return &exitError{code: exitFailure}
	}
	return nil
}

func orNothing(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, "; ")
}
