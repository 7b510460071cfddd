package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/chaos"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/scenarios"
)

func selftestCommand() *cobra.Command {
	c := &cobra.Command{Use: "selftest", Short: "Tries what a run of stackproof survives"}
	c.AddCommand(selftestKillCommand(), selftestChaosCommand(), selftestSlowCommand(),
		selftestSoakCommand())
	return c
}

// selftestOptions are the flags that all verbs of selftest have.
type selftestOptions struct {
	release   string
	scenarios []string
	seed      int64
}

func (o *selftestOptions) add(f *pflag.FlagSet) {
	f.StringVar(&o.release, "release", release.Default, "release profile of the lab zone")
	f.StringArrayVar(&o.scenarios, "scenario", nil,
		"only these ids (glob, repeatable; default: all of priority 0)")
	f.Int64Var(&o.seed, "seed", 1, "seed of everything that is drawn")
}

// choose are the scenarios.
func (o *selftestOptions) choose() (harness.Catalogue, error) {
	chosen, err := scenarios.Catalogue().Select(o.scenarios...)
	if err != nil {
		return nil, usage("%w", err)
	}
	return chosen, nil
}

// open opens the lab zone of a self-test, whose runs are processes of this program.
func (o *selftestOptions) open(ctx context.Context, of chaos.SiteOptions) (*chaos.Site, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	of.Release = o.release
	return chaos.OpenSite(ctx, chaos.Program{Path: self}, of)
}

func selftestKillCommand() *cobra.Command {
	var o selftestOptions
	var points int
	var part string
	c := &cobra.Command{
		Use:   "kill",
		Short: "Kills runs at their API calls, and looks what cleanup leaves",
		Args:  noArgs,
		Long: `Runs each scenario as a process of its own against a lab zone and kills it (kill -9) at an API call: before
the server sees the call, and again after the server has carried it out. Then stackproof cleanup runs, and nothing may
be left: on the zone, in its tables, of processes and folders on this machine, in the folder of ledgers.

Exit status 1 if something was left.`,
		Example: `  stackproof selftest kill --scenario U-01
  stackproof selftest kill --scenario L-01 --points 20 --seed 7`,
	}
	o.add(c.Flags())
	c.Flags().IntVar(&points, "points", 0, "how many points a scenario is killed at, drawn by the seed; 0 is every one")
	c.Flags().StringVar(&part, "shard", "", "only one part of the points: i/n, counted from 0")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		if points < 0 {
			return usage("--points must not be negative, not %d", points)
		}
		var shard harness.Shard
		if part != "" {
			if shard, err = harness.ParseShard(part); err != nil {
				return usage("--shard: %w", err)
			}
		}
		chosen, err := o.choose()
		if err != nil {
			return err
		}
		if err := needLabPrograms(c, privateDatabase); err != nil {
			return cannotRun(err)
		}
		site, err := o.open(c.Context(), chaos.SiteOptions{Speed: killSpeed})
		if err != nil {
			return cannotRun(err)
		}
		defer func() {
			err = errors.Join(err, cannotRun(site.Close(context.WithoutCancel(c.Context()))))
		}()
		return o.kill(c, site, chosen, chaos.KillOptions{Seed: o.seed, Count: points, Part: shard})
	}
	return c
}

// killSpeed makes a usage window of a minute last a quarter of a second, since most of a run's time is spent on these.
const killSpeed = 240

// toldEvery is after how many kills a line says how far it is.
const toldEvery = 50

// kill kills runs of each scenario and says what was left.
func (o *selftestOptions) kill(c *cobra.Command, site *chaos.Site, chosen harness.Catalogue,
	how chaos.KillOptions) error {
	tried, left := 0, 0
	for _, s := range chosen {
		done := 0
		how.Scenarios = []string{s.ID}
		how.Show = func(k chaos.Killed) {
			if len(k.Left) > 0 {
				fmt.Fprintf(c.OutOrStdout(), "%s killed at %s: LEFT %s\n", s.ID, k.Point, strings.Join(k.Left, "; "))
			}
			if done++; done%toldEvery == 0 {
				fmt.Fprintf(c.ErrOrStderr(), "%s: %d kills so far, the last at %s\n", s.ID, done, k.Point)
			}
		}
		kills, err := site.Kill(c.Context(), how)
		tried, left = tried+len(kills.Points), left+len(kills.Left())
		if err == nil || len(kills.Points) > 0 { // also of a part: hours of work are not thrown away
			fmt.Fprintf(c.OutOrStdout(), "%s: %d calls; killed at %d points (%d more came after the run's end); "+
				"cleanup removed %d objects; something was left after %d\n", s.ID, kills.Calls, len(kills.Points),
				kills.Early, kills.Removed(), len(kills.Left()))
		}
		if err != nil {
			return cannotRun(fmt.Errorf("%s: %w", s.ID, err))
		}
	}
	fmt.Fprintf(c.OutOrStdout(), "%d kills of %d scenarios (seed %d): something was left after %d\n", tried,
		len(chosen), o.seed, left)
	if left > 0 {
		return &exitError{code: exitFailure}
	}
	return nil
}
