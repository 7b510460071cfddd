package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stackproof/stackproof/harness/cleanup"
	"github.com/stackproof/stackproof/harness/container"
	"github.com/stackproof/stackproof/harness/inventory"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/ledger"
)

// cleanupOptions are the flags of cleanup.
type cleanupOptions struct {
	target, ledgers, trace string
	dryRun, kept           bool
	wait, late             time.Duration
	existing               existingFlags
}

func cleanupCommand() *cobra.Command {
	var o cleanupOptions
	c := &cobra.Command{Use: "cleanup", Short: "Removes what a killed run left behind", Args: noArgs,
		Long: `Removes what a killed run (kill -9, power loss) could not remove itself: folders and processes of
labs, containers, and on existing zones everything that the run's ledger names or that carries the run's unique
prefix. What belongs to a run that is alive is left alone. A ledger is kept until all that it names is gone; what
could not be removed is listed with the reason (exit 4). It is kept too while the server may still commit a domain
or an account that was asked for and whose answer nobody saw (exit 4, with the time).`,
		Example: `  stackproof cleanup --dry-run
  stackproof cleanup --target nightly --config targets.yaml`}
	f := c.Flags()
	f.StringVar(&o.target, "target", "",
		"only ledgers of this target (default: of all targets that the configuration knows)")
	offerTargets(c, existingTarget)
	f.BoolVar(&o.dryRun, "dry-run", false, "list what would be removed")
	f.BoolVar(&o.kept, "kept", false, "also containers that run --reuse kept")
	f.StringVar(&o.trace, "trace", "", "write every API call to this file, without secrets")
	f.DurationVar(&o.wait, "wait", 10*time.Minute, "how long removal is tried")
	f.DurationVar(&o.late, "late", ledger.DefaultLate,
		"how long after it was sent a call may still be committed; 0 where the server was restarted since")
	ledgerFlag(f, &o.ledgers)
	o.existing.add(c)
	nameVariables(f)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if o.wait <= 0 || o.late < 0 {
			return usage("--wait must be longer than nothing and --late not negative, not %s and %s", o.wait, o.late)
		}
		return cannotRun(o.run(c))
	}
	return c
}

func ledgerFlag(f *pflag.FlagSet, dir *string) {
	f.StringVar(dir, "ledger-dir", "", "folder of the ledgers of runs (default: $XDG_STATE_HOME or ~/.local/state, "+
		"stackproof/ledger)")
}

// ledgerFolder is the flag's folder or the default one.
func ledgerFolder(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	return ledger.Folder()
}

func (o *cleanupOptions) run(c *cobra.Command) error {
	found := 0
	var errs []error
	for _, kind := range []struct {
		target      string
		find, clean func(context.Context) ([]string, error)
	}{
		{labTarget, lab.FindStale, lab.CleanStale},
		{containerTarget, func(ctx context.Context) ([]string, error) { return container.FindStale(ctx, o.kept) },
			func(ctx context.Context) ([]string, error) { return container.CleanStale(ctx, o.kept) }},
	} {
		if o.target != "" && o.target != kind.target {
			continue
		}
		what, do := "removed", kind.clean
		if o.dryRun {
			what, do = "would remove", kind.find
		}
		seen, err := do(c.Context())
		for _, one := range seen {
			fmt.Fprintln(c.OutOrStdout(), what, one)
		}
		found += len(seen)
		errs = append(errs, err)
	}
	dir, err := ledgerFolder(o.ledgers)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	files, err := ledger.List(dir)
	errs = append(errs, err)
	for _, file := range files {
		n, err := o.one(c, file)
		found += n
		errs = append(errs, err)
		if c.Context().Err() != nil {
			break
		}
	}
	err = errors.Join(errs...)
	if err == nil && found == 0 {
		fmt.Fprintln(c.OutOrStdout(), "nothing was left behind")
	}
	return err
}

// one cleans up after one ledger; it says how much there was to see.
func (o *cleanupOptions) one(c *cobra.Command, file string) (found int, err error) {
	record, err := ledger.Dead(file)
	if errors.Is(err, ledger.ErrLive) {
		fmt.Fprintf(c.OutOrStdout(), "%s: its run is alive, it is left alone\n", file)
		return 1, nil
	}
	if err != nil {
		return 0, err
	}
	record.Late = o.late
	done := false
	defer func() { err = errors.Join(err, record.Release(done && !o.dryRun)) }()
	open := record.Open()
	if len(open) == 0 {
		done = true
		return 0, nil
	}
	if o.target != "" && o.target != record.Target {
		return 0, nil
	}
	config, err := o.existing.target(c, record.Target, "")
	if err != nil {
		return 1, fmt.Errorf("the ledger %s names %d objects on target %s (%s): %w", file, len(open), record.Target,
			record.API, err)
	}
	client, closeClient, err := connect(config, o.trace)
	if err != nil {
		return 1, fmt.Errorf("the ledger %s: target %s: %w", file, record.Target, err)
	}
	defer func() { err = errors.Join(err, closeClient(context.WithoutCancel(c.Context()))) }()
	if client.URL() != record.API {
		return 1, fmt.Errorf("the ledger %s names %d objects on %s, but target %s is now at %s: name the old "+
			"address with --api-url, or remove the file if that server is gone",
			file, len(open), record.API, record.Target, client.URL())
	}
	fmt.Fprintf(c.OutOrStdout(), "run %s of %s on %s:\n", record.Run, record.Started.Format(time.DateTime), record.API)
	scope := cleanup.OfRun(record.Run, open)
	mocks, mockErr := cleanup.Mocks(c.Context(), client, open, o.dryRun)
	for _, mock := range mocks {
		fmt.Fprintln(c.OutOrStdout(), map[bool]string{true: "  would remove", false: "  removed"}[o.dryRun], mock)
	}
	if o.dryRun {
		objects, err := cleanup.Look(c.Context(), client, scope)
		for _, object := range objects {
			fmt.Fprintln(c.OutOrStdout(), "  would remove", object)
		}
		return 1, err
	}
	report, err := cleanup.Remove(c.Context(), cleanup.Options{Cloud: client, Scope: scope, Wait: o.wait,
		Quiet: o.quiet(record), Survey: true,
		Show: func(format string, a ...any) { fmt.Fprintf(c.ErrOrStderr(), "  "+format+"\n", a...) }})
	for _, object := range report.Removed {
		fmt.Fprintln(c.OutOrStdout(), "  removed", object)
	}
	for _, left := range report.Left {
		fmt.Fprintln(c.OutOrStdout(), "  NOT removed", left)
	}
	err = errors.Join(err, mockErr, report.Err())
	if err == nil {
		err = o.unsettled(record, report.Removed)
	}
	done = err == nil
	return 1, err
}

// onItsWay is how long a create that was sent without an answer is waited for in any case.
const onItsWay = 10 * time.Second

// quiet is until when creates without an answer are waited for: until the server cannot commit them any more if that is
// within --wait, else for a moment.
func (o *cleanupOptions) quiet(record *ledger.Record) time.Time {
	now := time.Now()
	open, until := record.Unsettled(now)
	switch {
	case len(open) == 0:
		return time.Time{}
	case until.After(now.Add(o.wait)):
		return now.Add(min(onItsWay, o.wait))
	}
	return until
}

// unsettled is the error that something may still be committed. What was found and removed is settled; an account, once
// the domain is gone in which it would be.
func (o *cleanupOptions) unsettled(record *ledger.Record, removed []inventory.Object) error {
	found := func(kind, name string) bool {
		return slices.ContainsFunc(removed, func(r inventory.Object) bool {
			return string(r.Kind) == kind &&
				r.Name == name
		})
	}
	domainGone := slices.ContainsFunc(record.Entries, func(e ledger.Entry) bool {
		return e.Kind == ledger.Domain && (e.UUID != "" || found(e.Kind, e.Name))
	})
	open, until := record.Unsettled(time.Now())
	open = slices.DeleteFunc(open, func(e ledger.Entry) bool {
		return found(e.Kind, e.Name) ||
			e.Kind == ledger.Account && domainGone
	})
	if len(open) == 0 {
		return nil
	}
	return fmt.Errorf("nothing is left of run %s, but the server may still commit %s %s, whose answer was lost at "+
		"%s: the ledger %s is kept; run cleanup again at %s",
		record.Run, open[0].Kind, open[0].Name, open[0].At.Local().Format(time.TimeOnly), record.Path,
		until.Local().Format(time.TimeOnly))
}
