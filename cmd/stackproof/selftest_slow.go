package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/chaos"
	"github.com/stackproof/stackproof/harness/result"
)

// slowOptions are the flags of selftest slow.
type slowOptions struct {
	selftestOptions
	how       chaos.SlowOptions
	lost, cut float64 // percent
	speed     float64
	quiet     float64 // speed of the quiet zone
	show      bool
}

func selftestSlowCommand() *cobra.Command {
	var o slowOptions
	c := &cobra.Command{
		Use:   "slow",
		Short: "Runs on a server whose every answer is late, and compares the verdicts",
		Args:  noArgs,
		Long: `Runs scenarios as one process against a lab zone, first on a quiet one, then on one behind a proxy that
makes every answer late, loses some of them, and cuts some connections. The verdicts must be the same, and nothing may
be left (exit status 1). A quiet run that leaves undecided what it should decide is no measure: then the slow one is not
made.

The slow zone's time is the computer's, so that three seconds are three of a client's deadlines; the quiet zone's runs
fast (--quiet-speed). A machine that has much else to do needs less speed there.`,
		Example: `  stackproof selftest slow
  stackproof selftest slow --scenario U-01 --late 5s --lost 2 --cut 1`,
	}
	o.add(c.Flags())
	f := c.Flags()
	f.DurationVar(&o.how.Late, "late", 3*time.Second, "how late every answer is")
	f.Float64Var(&o.lost, "lost", 0, "percent of answers that are lost; the server carries the call out")
	f.Float64Var(&o.cut, "cut", 0, "percent of connections that break before the server sees the call")
	f.Float64Var(&o.speed, "speed", 1, "how many times as fast the slow zone's time runs")
	f.Float64Var(&o.quiet, "quiet-speed", chaos.DefaultSpeed, "how many times as fast the quiet zone's time runs")
	f.DurationVar(&o.how.Bound, "bound", 2*time.Hour, "when a run that has not ended is killed")
	f.StringVar(&o.how.Trace, "trace", "", "write the calls of the slow run to this file, without secrets")
	f.BoolVar(&o.show, "progress", false, "show what the slow run prints")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if o.how.Late < 0 || o.lost < 0 || o.cut < 0 || o.lost+o.cut >= 100 ||
			!speedy(o.speed) || !speedy(o.quiet) || o.how.Bound <= 0 {
			return usage("--late must not be negative, --lost and --cut be percents, --speed and --quiet-speed above " +
				"0 and not endless, --bound above 0")
		}
		chosen, err := o.choose()
		if err != nil {
			return err
		}
		if err := needLabPrograms(c, privateDatabase); err != nil {
			return cannotRun(err)
		}
		return o.slow(c, chosen)
	}
	return c
}

// slow makes both runs and compares them.
func (o *slowOptions) slow(c *cobra.Command, chosen harness.Catalogue) error {
	o.how.Seed = o.seed
	for _, s := range chosen {
		o.how.Scenarios = append(o.how.Scenarios, s.ID)
	}
	quiet, err := o.on(c.Context(), chaos.SiteOptions{Speed: o.quiet}, chaos.SlowOptions{Scenarios: o.how.Scenarios,
		Seed: o.seed, Bound: o.how.Bound})
	if err != nil {
		return cannotRun(fmt.Errorf("the quiet run: %w", err))
	}
	fmt.Fprintf(c.OutOrStdout(), "quiet: %s; exit status %d after %.0f s%s\n", verdicts(quiet), quiet.Code,
		quiet.Seconds, hung(quiet, o.how.Bound))
	if unsound := quiet.Unsound(); len(unsound) > 0 {
		fmt.Fprintf(c.OutOrStdout(), "the quiet run is no measure, so the slow one is not made:\n  %s\n",
			strings.Join(unsound, "\n  "))
		return &exitError{code: exitFailure}
	}
	o.how.Lost, o.how.Cut = o.lost/100, o.cut/100
	if o.show {
		o.how.Progress = c.OutOrStdout()
	}
	slow, err := o.on(c.Context(), chaos.SiteOptions{Speed: o.speed}, o.how)
	if err != nil {
		return cannotRun(fmt.Errorf("the slow run: %w", err))
	}
	differ := slow.Differences(quiet)
	for _, one := range slow.Cases {
		fmt.Fprintf(c.OutOrStdout(), "%-8s %-14s %7.0f s\n", one.ID, one.Verdict, one.Seconds)
	}
	fmt.Fprintf(c.OutOrStdout(), "slow: %s; exit status %d after %.0f s%s; %d exchanges broken\ndiffer: %s\n"+
		"left: %s\n", verdicts(slow), slow.Code, slow.Seconds, hung(slow, o.how.Bound), slow.Hits, orNothing(differ),
		orNothing(slow.Left))
	if slow.Hung || len(differ) > 0 || len(slow.Left) > 0 {
		return &exitError{code: exitFailure}
	}
	return nil
}

// hung says that a run was killed at its bound.
func hung(s chaos.Slowed, bound time.Duration) string {
	if !s.Hung {
		return ""
	}
	return fmt.Sprintf(", HUNG: killed at its bound of %s (--bound)", bound)
}

// on makes a run on a zone of its own.
func (o *slowOptions) on(ctx context.Context, of chaos.SiteOptions, how chaos.SlowOptions) (_ chaos.Slowed, err error) {
	site, err := o.open(ctx, of)
	if err != nil {
		return chaos.Slowed{}, err
	}
	defer func() { err = errors.Join(err, site.Close(context.WithoutCancel(ctx))) }()
	return site.Slow(ctx, how)
}

// verdicts counts a run's.
func verdicts(s chaos.Slowed) string {
	n := map[result.Verdict]int{}
	for _, c := range s.Cases {
		n[c.Verdict]++
	}
	return fmt.Sprintf("%d pass, %d fail, %d inconclusive, %d unsupported", n[result.Pass], n[result.Fail],
		n[result.Inconclusive], n[result.Unsupported])
}

// speedy says whether time can run so many times as fast.
func speedy(times float64) bool { return times > 0 && !math.IsInf(times, 1) }
