package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/reports"
)

// runOptions are the flags of run.
type runOptions struct {
	target, release  string
	knobs, scenarios []string
	seed             int64
	repeat, workers  int
	untilFailure     bool
	budget, deadline time.Duration
	reports          reportFlags
	text             textFlags
	events           string
	stream           *events
	shard, durations string
	strict           bool
	yes, dryRun      bool
	trace, ledgers   string
	existing         existingFlags
	box              containerFlags
	labDB            string
	known            bool
	start            startFlag
	scripts          scriptFlags
	replay, save     string
	proof            string
	sensitivity      map[string]harness.Sensitivity
}

func runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{Use: "run", Short: "Runs scenarios against a target", Args: noArgs,
		Long: `Runs scenarios (default: all of priority 0) against a target (default: the embedded lab zone).

A scenario that is known to fail on the release is reported as "fail (known)" and does not change the exit status
unless --strict is given.`,
		Example: `  stackproof run --release 4.20.1.0 --junit report.xml --json report.json
  stackproof run --release 4.19.1.0 --scenario 'L-*' --seed 7
  stackproof run --release 4.20.1.0 --knob usage-close-by-helper-id`}
	f := c.Flags()
	targetFlag(c, &o.target)
	f.StringVar(&o.release, "release", release.Default,
		"release profile of the lab, or release of the container's image")
	f.StringArrayVar(&o.knobs, "knob", nil,
		"switch one behaviour of the lab: NAME, NAME=off or NAME=VALUE (repeatable; stackproof list --knobs)")
	f.StringArrayVar(&o.scenarios, "scenario", nil, "only these ids (glob, repeatable)")
	f.Int64Var(&o.seed, "seed", 0, "seed of shuffles and generated ids; 0 takes one from the clock and prints it")
	f.IntVar(&o.repeat, "repeat", 1, "independent repeats of each scenario, folded into one case; with --budget or "+
		"--until-failure up to 1000")
	f.IntVar(&o.workers, "workers", runtime.NumCPU(), "scenarios at once")
	f.BoolVar(&o.strict, "strict", false, "known failures change the exit status too")
	o.text.add(f)
	o.reports.add(f)
	inGroup(f, "reports", func(f *pflag.FlagSet) {
		f.StringVar(&o.events, "events", "", "write what happens, as it happens, to this file: a JSON object a line")
	})
	inGroup(f, "repeats", o.addRepeats)
	inGroup(f, "shards", func(f *pflag.FlagSet) {
		f.StringVar(&o.shard, "shard", "",
			"run one part of the chosen scenarios: i/n, counted from 0 (stackproof merge joins the results)")
		f.StringVar(&o.durations, "durations", "", "JSON result of an earlier run, by whose durations --shard splits")
	})
	inGroup(f, "lab", func(f *pflag.FlagSet) {
		f.StringVar(&o.labDB, "lab-db", privateDatabase,
			"database of the lab: private (a process of our own), or container:IMAGE, such as container:mysql:8.4")
		f.BoolVar(&o.known, "known", false,
			"run those that are known to fail on the release, too, whatever their priority")
		o.start.add(f)
	})
	inGroup(f, "existing", func(f *pflag.FlagSet) {
		f.BoolVar(&o.yes, "yes", false, "create what is needed without asking")
		f.BoolVar(&o.dryRun, "dry-run", false, "say what would be created, and stop")
		f.StringVar(&o.trace, "trace", "", "write every API call to this file, without secrets")
		ledgerFlag(f, &o.ledgers)
	})
	o.existing.add(c)
	o.box.add(c)
	o.scripts.add(c)
	nameVariables(f)
	foldFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return o.run(c) }
	return c
}

// defaultDeadline ends a nightly run before the next one begins, whatever it waits for.
const defaultDeadline = 23 * time.Hour

// addRepeats defines the flags of repeats and bounds, of replays, and of what they allow one to claim.
func (o *runOptions) addRepeats(f *pflag.FlagSet) {
	f.BoolVar(&o.untilFailure, "until-failure", false, "end the repeats of a scenario at its first failure")
	f.DurationVar(&o.budget, "budget", 0, "end the repeats of a scenario after this time (0: no limit)")
	f.DurationVar(&o.deadline, "deadline", defaultDeadline,
		"end what is under way after this time and report as usual; the clean-up comes on top (0: no limit)")
	f.StringVar(&o.proof, "proof", "", "JSON of prove, whose measured sensitivity becomes part of what repeats "+
		"allow one to claim")
	f.StringVar(&o.replay, "replay", "", "run the steps of this file, as U-26 writes them")
	f.StringVar(&o.save, "save-failing", "",
		"write each failing sequence of U-26 to a file in this folder, for --replay")
}

// check refuses a wrong command line before anything is started.
func (o *runOptions) check() (harness.Catalogue, error) {
	switch {
	case o.repeat < 1:
		return nil, usage("--repeat must be at least 1, not %d", o.repeat)
	case o.workers < 1:
		return nil, usage("--workers must be at least 1, not %d", o.workers)
	case o.budget < 0:
		return nil, usage("--budget must not be negative, not %s", o.budget)
	case o.deadline < 0:
		return nil, usage("--deadline must not be negative, not %s", o.deadline)
	}
	chosen, err := o.choose()
	if err != nil {
		return nil, usage("%w", err)
	}
	if o.seed == 0 {
		o.seed = time.Now().UnixNano() & 0x7fffffff
	}
	return chosen, nil
}

func (o *runOptions) run(c *cobra.Command) (err error) {
	if !c.Flags().Changed("repeat") && (o.budget > 0 || o.untilFailure) {
		o.repeat = mostRepeats
	}
	chosen, err := o.check()
	if err != nil {
		return err
	}
	chosen, part, err := o.sharded(chosen)
	if err != nil {
		return err
	}
	if err := foreign(c, o.target); err != nil {
		return err
	}
	prepare := o.prepareLab
	switch o.target {
	case labTarget:
	case containerTarget:
		prepare = o.prepareContainer
	default:
		prepare = o.prepareExisting
	}
	open, err := prepare(c, chosen)
	if err != nil {
		return err
	}
	files, err := o.reports.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.close()) }()
	if o.stream, err = openEvents(o.events); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cannotRun(o.stream.close())) }()
	target, notes, err := open()
	if err != nil {
		return cannotRun(err)
	}
	if target == nil {
		return nil
	}
	return o.carryOut(c, chosen, part, target, notes, files)
}

// opener opens a target; without an error and a target there is nothing more to do. Notes go into the result.
type opener func() (target harness.Target, notes func(result.Run) []string, err error)

// prepareLab checks what can be checked before anything is started.
func (o *runOptions) prepareLab(c *cobra.Command, _ harness.Catalogue) (opener, error) {
	knobs, err := knobsOf(o.release, o.knobs)
	if err != nil {
		return nil, err
	}
	real, err := o.scripts.wanted(c, o.existing.router, o.target, config.ScriptTree{})
	if err != nil {
		return nil, err
	}
	start, err := labDatabase(c, o.labDB)
	if err != nil {
		return nil, err
	}
	if err := o.start.check(); err != nil {
		return nil, err
	}
	return func() (harness.Target, func(result.Run) []string, error) {
		if err := needLabPrograms(c, o.labDB); err != nil {
			return nil, nil, err
		}
		if err := network.Enter(); err != nil {
			return nil, nil, err
		}
		tree, err := openScripts(c.Context(), real)
		if err != nil {
			return nil, nil, err
		}
		options := lab.Options{Release: o.release, Knobs: knobs, Workers: o.workers, Databases: start,
			Start: o.start.at, Scripts: tree}
		target, err := lab.New(options)
		if err == nil {
			if ready := target.Ready(c.Context()); ready != nil {
				return nil, nil, errors.Join(ready, target.Close(context.WithoutCancel(c.Context())))
			}
		}
		return target, func(result.Run) []string {
			notes := scriptNotes(options.Scripts, o.release)
			notes = append(notes, o.start.notes()...)
			if start != nil {
				notes = append(notes, "the lab's database is "+o.labDB)
			}
			if len(o.knobs) > 0 {
				notes = append(notes, fmt.Sprintf("knobs set by hand: %v", o.knobs))
			}
			return notes
		}, err
	}, nil
}

// carryOut runs the scenarios and reports.
func (o *runOptions) carryOut(c *cobra.Command, chosen harness.Catalogue, part *result.Shard, target harness.Target,
	notes func(result.Run) []string, files reportFiles) error {
	show := newProgress(c.ErrOrStderr(), len(chosen), o.repeat)
	show.quiet = o.text.quiet
	o.stream.Progress = show
	o.stream.write(event{Event: "run", Planned: len(chosen)})
	still := o.stream.beat()
	run, runErr := harness.Run(c.Context(), target, harness.Plan{Scenarios: chosen, Seed: o.seed, Repeat: o.repeat,
		Workers:      o.workers,
		UntilFailure: o.untilFailure, Budget: o.budget, Deadline: o.deadline, Progress: o.stream,
		Sensitivity: o.sensitivity,
		Partial: func(run result.Run) {
			run.Shard = part
			// Where it goes wrong, the last version will too, and its error is the run's.
			_ = files.partial(run, o.strict)
		}})
	still()
	show.close()
	runErr = errors.Join(runErr, target.Close(context.WithoutCancel(c.Context())))
	run.Notes = append(run.Notes, notes(run)...)
	run.Shard = part
	runErr = errors.Join(runErr, files.write(run, o.strict))
	text, code := o.text.options(c.OutOrStdout(), o.strict), run.ExitCode(o.strict)
	if runErr != nil {
		text.Exit, code = exitCannotRun, exitCannotRun
	}
	o.stream.write(event{Event: "end", Seconds: run.Seconds, Exit: &code})
	if _, err := fmt.Fprint(files.textTo(c), reports.Text(run, text)); err != nil {
		return cannotRun(fmt.Errorf("printing the result: %w", err))
	}
	if o.save != "" {
		if err := saveFailing(c.OutOrStdout(), o.save, run); err != nil {
			return cannotRun(err)
		}
	}
	if runErr != nil {
		return cannotRun(runErr)
	}
	if code != exitOK {
		return &exitError{code: code}
	}
	return nil
}
