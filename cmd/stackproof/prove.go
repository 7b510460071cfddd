package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/proof"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/scenarios"
)

type proveOptions struct {
	release          string
	twins, scenarios []string
	repeat, workers  int
	seed             int64
	asJSON           bool
	first, every     bool
	named            bool
	start            startFlag
}

func proveCommand() *cobra.Command {
	var o proveOptions
	c := &cobra.Command{Use: "prove", Short: "Shows that every scenario catches its planted faults and is quiet on " +
		"a sound zone", Args: noArgs,
		Long: `Runs every scenario on a sound release profile, plants each fault of the lab (twin) under the scenarios that name it, and
under all scenarios of priority 0, and prints which scenario caught which twin. Exit status 1 if a twin survives, a
scenario is blind to a twin of its own, the sound profile shows a failure, or a scenario could not decide.`}
	f := c.Flags()
	f.StringVar(&o.release, "release", release.Default, "sound release profile")
	f.StringArrayVar(&o.twins, "twin", nil, "only these twins (glob, repeatable)")
	f.StringArrayVar(&o.scenarios, "scenario", nil, "only these scenarios (glob, repeatable)")
	f.IntVar(&o.repeat, "repeat", 1, "sound runs of each scenario; false alarms are counted with their bound")
	// A zone waits a third of its time, for reloads and connections: one more than there are cores takes a fifth off a
	// proof.
	f.IntVar(&o.workers, "workers", runtime.NumCPU()+1, "zones at once")
	f.Int64Var(&o.seed, "seed", 0, "seed; 0 takes one from the clock and prints it")
	f.BoolVar(&o.first, "first", false, "end a twin's sweep as soon as one scenario has caught it")
	f.BoolVar(&o.named, "named", false, "run only the pairs of a twin and a scenario that names it: quick, and "+
		"enough to see each scenario fail")
	f.BoolVar(&o.every, "every", false, "run every pair, those too in which the scenario was seen to use nothing "+
		"that the twin changes")
	f.BoolVar(&o.asJSON, "json", false, "print the proof as JSON")
	o.start.add(f)
	c.RunE = func(c *cobra.Command, _ []string) error { return o.prove(c) }
	return c
}

// plan refuses a wrong command line before anything is started.
func (o *proveOptions) plan() (proof.Plan, error) {
	p := proof.Plan{Release: o.release, Repeat: o.repeat, Workers: o.workers, Seed: o.seed, First: o.first,
		Every: o.every, Named: o.named}
	if err := checkRelease(o.release); err != nil {
		return p, err
	}
	if err := o.start.check(); err != nil {
		return p, err
	}
	if o.repeat < 1 || o.workers < 1 {
		return p, usage("--repeat and --workers must be at least 1")
	}
	if p.Seed == 0 {
		p.Seed = time.Now().UnixNano() & 0x7fffffff
	}
	patterns := o.scenarios
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	var err error
	if p.Scenarios, err = scenarios.Catalogue().Select(patterns...); err != nil {
		return p, usage("%w", err)
	}
	if p.Twins, err = twins(o.release, o.twins); err != nil {
		return p, err
	}
	if o.named && len(o.scenarios) > 0 {
		err = o.onlyNamed(&p)
	}
	return p, err
}

// onlyNamed leaves out the twins that none of the chosen scenarios names: nothing is asked of them, so none of them
// survives.
func (o *proveOptions) onlyNamed(p *proof.Plan) error {
	p.Twins = slices.DeleteFunc(p.Twins, func(t proof.Twin) bool {
		return !slices.ContainsFunc(p.Scenarios, func(s harness.Scenario) bool {
			return slices.Contains(s.Twins,
				t.ID)
		})
	})
	for _, pattern := range o.twins {
		if !slices.ContainsFunc(p.Twins,
			func(t proof.Twin) bool { ok, _ := path.Match(pattern, string(t.ID)); return ok }) {
			return usage("--named: none of the scenarios %s names a twin %q, so there is no pair to run: leave out "+
				"--named, or --scenario",
				strings.Join(p.Scenarios.IDs(), " "), pattern)
		}
	}
	return nil
}

// twins are the faults of the lab that match, or all.
func twins(name string, patterns []string) ([]proof.Twin, error) {
	on, err := release.ProfileKnobs(name)
	if err != nil {
		return nil, usage("%w", err)
	}
	var all []proof.Twin
	var names []string
	for _, k := range fault.AllKnobs() {
		if k.Fault() && !on[k.Name] {
			all = append(all, proof.Twin{ID: k.Name, What: k.About, Release: name, Part: proof.Part(k.Part)})
			names = append(names, string(k.Name))
		}
	}
	if len(patterns) == 0 {
		return all, nil
	}
	for _, p := range patterns {
		if !slices.ContainsFunc(names, func(n string) bool { ok, _ := path.Match(p, n); return ok }) {
			return nil, usage("no twin matches %q; did you mean %s? (stackproof list --knobs)", p,
				harness.Nearest(p, names))
		}
	}
	return slices.DeleteFunc(all, func(t proof.Twin) bool {
		return !slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, string(t.ID)); return ok })
	}), nil
}

func (o *proveOptions) prove(c *cobra.Command) error {
	p, err := o.plan()
	if err != nil {
		return err
	}
	if err := needPrograms(c.Context()); err != nil {
		return cannotRun(err)
	}
	if err := network.Enter(); err != nil {
		return cannotRun(err)
	}
	pool := lab.NewPool("")
	p.Target = func(set ...release.Knob) (harness.Target, error) {
		knobs, err := release.ProfileKnobs(p.Release)
		if err != nil {
			return nil, err
		}
		if err := fault.Set(knobs, set...); err != nil {
			return nil, err
		}
		// Story B in its small size: fifty groups show no twin that two do not.
		return lab.New(lab.Options{Release: p.Release, Knobs: knobs, Workers: p.Workers, Pool: pool, Groups: []int{2},
			Start: o.start.at})
	}
	show := newProgress(c.ErrOrStderr(), 0, 1)
	show.tenths = true
	show.what = "cells"
	p.Progress = show
	proof, err := proof.Prove(c.Context(), p)
	show.close()
	if err := errors.Join(err, pool.Close()); err != nil {
		if cause := context.Cause(c.Context()); cause != nil {
			err = cause
		}
		if printErr := o.print(c, proof); printErr != nil {
			err = errors.Join(err, printErr)
		}
		return cannotRun(fmt.Errorf("the proof was broken off: %w", err))
	}
	if err := o.print(c, proof); err != nil {
		return cannotRun(err)
	}
	if err := proof.Err(); err != nil {
		return &exitError{exitFailure, err}
	}
	return nil
}

func (o *proveOptions) print(c *cobra.Command, proof *proof.Proof) error {
	if o.asJSON {
		return printJSON(c, proof)
	}
	printProof(c.OutOrStdout(), proof)
	return nil
}

func printProof(out io.Writer, p *proof.Proof) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TWIN\tCAUGHT\tBY\tEXPECTED BY")
	caught := 0
	for _, t := range p.Twins {
		word := "SURVIVES"
		if !p.Complete {
			word = "not yet"
		}
		if t.Caught {
			caught++
			word = "yes"
		}
		if len(t.Blind) > 0 && p.Complete {
			word += ", blind: " + strings.Join(t.Blind, " ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.ID, word, strings.Join(t.CaughtBy, " "), strings.Join(t.ExpectedBy, " "))
	}
	fmt.Fprintln(w, "\t\t\t")
	fmt.Fprintln(w, "WHERE THE TIME GOES\tRUNS\tSECONDS\tEACH")
	for _, s := range p.Cost {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.2f\n", s.ID, s.Runs, s.Seconds, s.Seconds/float64(s.Runs))
	}
	_ = w.Flush() // the writer below reports its own errors
	for _, one := range p.Alarms {
		fmt.Fprintf(out, "FALSE ALARM %s\n", one)
	}
	for _, one := range p.Undecided {
		fmt.Fprintf(out, "UNDECIDED %s\n", one)
	}
	if !p.Complete {
		fmt.Fprint(out, "\nNOT COMPLETE: nothing is proven.")
	}
	fmt.Fprintf(out, "\n%d cells; %d pairs were left out, whose scenario was seen to use nothing that the twin "+
		"changes.\n", p.Cells, p.LeftOut)
	fmt.Fprintf(out, "%d of %d twins caught on %s, %d false alarms in %d sound runs (rate below %.1f %% with 95 %% "+
		"confidence), seed %d, %.0f s.\n",
		caught, len(p.Twins), p.Release, p.FalseAlarms, p.SoundRuns, 100*p.SoundBound, p.Seed, p.Seconds)
}
