package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/reports"
	"github.com/stackproof/stackproof/scenarios"
)

// runOptions are the flags of run.
type runOptions struct {
	target, release  string
	knobs, scenarios []string
	seed             int64
	repeat, workers  int
	untilFailure     bool
	budget           time.Duration
	junit, json      string
	strict           bool
}

func runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{Use: "run", Short: "Runs scenarios against a target", Args: noArgs,
		Long: `Runs scenarios (default: all of priority 0) against a target (default: the embedded lab zone).

A scenario that is known to fail on the release is reported as "fail (known: ...)" and does not change the exit status
unless --strict is given.`,
		Example: `  stackproof run --release 4.20.1.0 --junit report.xml --json report.json
  stackproof run --release 4.19.1.0 --scenario 'L-*' --seed 7
  stackproof run --release 4.20.1.0 --knob usage-close-by-helper-id`}
	f := c.Flags()
	targetFlag(c, &o.target)
	f.StringVar(&o.release, "release", "4.20.1.0", "release profile of the lab")
	f.StringArrayVar(&o.knobs, "knob", nil, "switch one behaviour of the lab: NAME or NAME=off (repeatable; stackproof list --knobs)")
	f.StringArrayVar(&o.scenarios, "scenario", nil, "only these ids (glob, repeatable)")
	f.Int64Var(&o.seed, "seed", 0, "seed of shuffles and generated ids; 0 takes one from the clock and prints it")
	f.IntVar(&o.repeat, "repeat", 1, "independent repeats of each scenario, folded into one case")
	f.BoolVar(&o.untilFailure, "until-failure", false, "end the repeats of a scenario at its first failure")
	f.DurationVar(&o.budget, "budget", 0, "end the repeats of a scenario after this time (0: no limit)")
	f.IntVar(&o.workers, "workers", runtime.NumCPU(), "scenarios at once")
	f.StringVar(&o.junit, "junit", "", "write a JUnit report to this file")
	f.StringVar(&o.json, "json", "", "write the result as JSON to this file")
	f.BoolVar(&o.strict, "strict", false, "known failures change the exit status too")
	c.RunE = func(c *cobra.Command, _ []string) error { return o.run(c) }
	return c
}

// check refuses a wrong command line before anything is started.
func (o *runOptions) check() (harness.Catalogue, error) {
	if err := checkTarget(o.target); err != nil {
		return nil, err
	}
	switch {
	case o.repeat < 1:
		return nil, usage("--repeat must be at least 1, not %d", o.repeat)
	case o.workers < 1:
		return nil, usage("--workers must be at least 1, not %d", o.workers)
	case o.budget < 0:
		return nil, usage("--budget must not be negative, not %s", o.budget)
	}
	chosen, err := scenarios.Catalogue().Select(o.scenarios...)
	if err != nil {
		return nil, usage("%w", err)
	}
	if o.seed == 0 {
		o.seed = time.Now().UnixNano() & 0x7fffffff
	}
	return chosen, nil
}

func (o *runOptions) run(c *cobra.Command) (err error) {
	chosen, err := o.check()
	if err != nil {
		return err
	}
	knobs, err := knobsOf(o.release, o.knobs)
	if err != nil {
		return err
	}
	files, err := openReports(o.junit, o.json)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.close()) }()
	if err := needPrograms(c.Context()); err != nil {
		return cannotRun(err)
	}
	if err := network.Enter(); err != nil {
		return cannotRun(err)
	}
	target, err := lab.New(lab.Options{Release: o.release, Knobs: knobs, Workers: o.workers})
	if err != nil {
		return cannotRun(err)
	}
	show := newProgress(c.ErrOrStderr(), len(chosen), o.repeat)
	run, runErr := harness.Run(c.Context(), target, harness.Plan{Scenarios: chosen, Seed: o.seed, Repeat: o.repeat, Workers: o.workers,
		UntilFailure: o.untilFailure, Budget: o.budget, Progress: show})
	show.close()
	runErr = errors.Join(runErr, target.Close(context.WithoutCancel(c.Context())))
	if len(o.knobs) > 0 {
		run.Notes = append(run.Notes, fmt.Sprintf("knobs set by hand: %v", o.knobs))
	}
	if err := files.write(run, o.strict); err != nil {
		return cannotRun(err)
	}
	fmt.Fprint(c.OutOrStdout(), reports.Text(run, textOptions(c.OutOrStdout(), o.strict)))
	if runErr != nil {
		return cannotRun(runErr)
	}
	if code := run.ExitCode(o.strict); code != exitOK {
		return &exitError{code: code}
	}
	return nil
}

// reportFiles are opened before the run, so that a wrong path is found at once.
type reportFiles struct {
	junit, json *os.File
}

func openReports(junit, json string) (*reportFiles, error) {
	var r reportFiles
	for _, one := range []struct {
		path string
		into **os.File
	}{{junit, &r.junit}, {json, &r.json}} {
		if one.path == "" {
			continue
		}
		f, err := os.Create(one.path)
		if err != nil {
			return nil, errors.Join(usage("writing a report: %w", err), r.close())
		}
		*one.into = f
	}
	return &r, nil
}

func (r *reportFiles) write(run result.Run, strict bool) error {
	if r.json != nil {
		if err := run.Encode(r.json); err != nil {
			return err
		}
	}
	if r.junit != nil {
		xml, err := reports.JUnit(run, strict)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(r.junit, string(xml)); err != nil {
			return fmt.Errorf("writing the JUnit report: %w", err)
		}
	}
	return nil
}

func (r *reportFiles) close() error {
	var errs []error
	for _, f := range []*os.File{r.junit, r.json} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// textOptions fit the closing text to where it goes.
func textOptions(out io.Writer, strict bool) reports.TextOptions {
	o := reports.TextOptions{Strict: strict}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) { //nolint:gosec // a file descriptor is small
		o.Color = os.Getenv("NO_COLOR") == ""
		if width, _, err := term.GetSize(int(f.Fd())); err == nil { //nolint:gosec // a file descriptor is small
			o.Width = width
		}
	}
	return o
}
