package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/chaos"
)

func selftestChaosCommand() *cobra.Command {
	var o selftestOptions
	var count int
	var names []string
	var list bool
	c := &cobra.Command{
		Use:   "chaos",
		Short: "Breaks the surroundings of runs, and looks what becomes of them",
		Args:  noArgs,
		Long: `Runs a scenario as a process of its own against a lab zone, again and again. Each time one fault or two befall it:
of the API, the database, the usage server, the routers, the log, or the machine. Scenario, faults, and the call at
which they strike are drawn by a seed, so that each trial can be made again.

Allowed are the verdict of a quiet server, or none for a reason that names what happened. A wrong verdict, another
reason, a run that does not end within its bound, and anything that cleanup leaves are failures (exit status 1); a
trial that failed is cut down to the smallest that still fails.`,
		Example: `  stackproof selftest chaos --runs 20 --scenario U-01
  stackproof selftest chaos --runs 1 --seed 17
  stackproof selftest chaos --fault database-cut-10s --scenario L-01 --runs 3`,
	}
	o.add(c.Flags())
	c.Flags().IntVar(&count, "runs", 100, "how many trials; the seeds follow one another")
	c.Flags().StringArrayVar(&names, "fault", nil, "draw from these faults only (repeatable)")
	c.Flags().BoolVar(&list, "list", false, "list the faults, and stop")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if list {
			for _, f := range chaos.Faults() {
				fmt.Fprintf(c.OutOrStdout(), "%-22s %s\n", f.Name, f.About)
			}
			return nil
		}
		if count < 1 {
			return usage("--runs must be at least 1, not %d", count)
		}
		faults, err := chosenFaults(names)
		if err != nil {
			return err
		}
		chosen, err := o.choose()
		if err != nil {
			return err
		}
		if err := needLabPrograms(c, privateDatabase); err != nil {
			return cannotRun(err)
		}
		site, err := o.open(c.Context(), chaos.SiteOptions{Replica: true})
		if err != nil {
			return cannotRun(err)
		}
		defer func() {
			err = errors.Join(err, cannotRun(site.Close(context.WithoutCancel(c.Context()))))
		}()
		faults, err = possibleFaults(c.ErrOrStderr(), site, faults)
		if err != nil {
			return err
		}
		return o.chaos(c, site, chosen, faults, count)
	}
	return c
}

// chosenFaults are those with these names; all without any.
func chosenFaults(names []string) ([]chaos.Fault, error) {
	all := chaos.Faults()
	if len(names) == 0 {
		return all, nil
	}
	var some []chaos.Fault
	for _, name := range names {
		i := slices.IndexFunc(all, func(f chaos.Fault) bool { return f.Name == name })
		if i < 0 {
			var known []string
			for _, f := range all {
				known = append(known, f.Name)
			}
			return nil, usage("there is no fault %q; did you mean %q?", name, harness.Nearest(name, known))
		}
		some = append(some, all[i])
	}
	return some, nil
}

// possibleFaults are those that the site can have; it says which are left out.
func possibleFaults(w io.Writer, site *chaos.Site, faults []chaos.Fault) ([]chaos.Fault, error) {
	some := site.Possible(faults)
	if out := len(faults) - len(some); out > 0 {
		fmt.Fprintf(w, "left out: %d faults that need a replica, and with it MariaDB\n", out)
	}
	if len(some) == 0 {
		return nil, cannotRun(errors.New("no fault is left"))
	}
	return some, nil
}

// chaos makes the trials and says what came of them.
func (o *selftestOptions) chaos(c *cobra.Command, site *chaos.Site, chosen harness.Catalogue, faults []chaos.Fault,
	count int) error {
	var plain []chaos.Trial
	bad := map[string]bool{}
	for _, s := range chosen {
		plain = append(plain, chaos.Trial{Scenario: s.ID, Routers: slices.Contains(s.Needs, harness.RouterFiles) ||
			slices.Contains(s.Needs, harness.PushLog)})
		bad[s.ID] = s.KnownBad.In(harness.Description{Release: o.release})
	}
	var m chaos.Matrix
	for i := range count {
		t := chaos.Draw(o.seed+int64(i), plain, faults)
		tried, err := site.Try(c.Context(), t, bad[t.Scenario])
		if err != nil {
			return cannotRun(fmt.Errorf("%s: %w", t, err))
		}
		m.Trials = append(m.Trials, tried)
		fmt.Fprintf(c.OutOrStdout(), "%s: %s (%.1f s) %s\n", tried.Trial, tried.Outcome, tried.Seconds,
			strings.ReplaceAll(tried.Why, "\n", " / "))
	}
	fmt.Fprintf(c.OutOrStdout(), "\n%s\n%d runs with %d faults, seeds %d to %d on %s: %d failed\n", m, count,
		m.Faults(), o.seed, o.seed+int64(count)-1, o.release, len(m.Bad()))
	for _, one := range m.Bad() {
		small, err := chaos.Shrink(c.Context(), one.Trial, func(ctx context.Context, t chaos.Trial) (bool, error) {
			again, err := site.Try(ctx, t, bad[t.Scenario])
			return again.Outcome == one.Outcome, err
		})
		if err != nil {
			return cannotRun(err)
		}
		fmt.Fprintf(c.OutOrStdout(), "%s: the smallest: %s\n", one.Outcome, small)
	}
	if len(m.Bad()) > 0 {
		return &exitError{code: exitFailure}
	}
	return nil
}
