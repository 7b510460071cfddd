package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness/existing"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/existing/finding"
	"github.com/stackproof/stackproof/network"
)

// diagnosed is what doctor prints as JSON.
type diagnosed struct {
	Target   string            `json:"target"`
	Release  string            `json:"release"`
	Router   string            `json:"router"`
	Findings []finding.Finding `json:"findings"`
}

func doctorCommand() *cobra.Command {
	var f existingFlags
	var s scriptFlags
	var target, release string
	var asJSON bool
	c := &cobra.Command{Use: "doctor", Short: "Tries what a target can show, and says how to get what is missing",
		Args: noArgs,
		Long: `Tries each capability of an existing zone and prints what was seen, or what is missing and how to get it: the grant, the
log level, the configuration key, the usage server that is not alive. It creates nothing.

Without a target it looks whether the lab can run on this machine: HAProxy, a database server, network namespaces,
memory and a temporary folder. For what is missing it prints the command that installs or allows it.

Exit status: 0 nothing is broken, 3 something that should work does not, 4 the target cannot be used or the lab cannot run.`,
		Example: "  stackproof doctor\n  stackproof doctor --target nightly --config targets.yaml"}
	targetFlag(c, &target)
	c.Flags().StringVar(&release, "release", "", "release, where the target does not tell it")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	f.add(c)
	s.add(c)
	nameVariables(c.Flags())
	foldFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if target == labTarget {
			if err := onlyOfLab(c); err != nil {
				return err
			}
			here := thisMachine()
			err := here.namespaces()
			if errors.As(err, new(*network.ReexecutedError)) {
				return cannotRun(err) // it has been answered from inside a user namespace
			}
			here.namespaces = func() error { return err }
			return doctorLab(c, here, asJSON)
		}
		conf, err := f.target(c, target, release)
		if err != nil {
			return err
		}
		real, err := s.wanted(c, conf.Router.Mode, target, conf.Router.Tree)
		if err != nil {
			return err
		}
		return doctor(c, target, conf, real, asJSON)
	}
	return c
}

func doctor(c *cobra.Command, name string, conf config.Config, real *config.ScriptTree, asJSON bool) error {
	if conf.Shadows() {
		if err := tryNamespaces(); err != nil {
			return cannotRun(err)
		}
	}
	ctx, cancel := context.WithTimeout(c.Context(), openTimeout)
	defer cancel()
	tree, err := openScripts(ctx, real)
	if err != nil {
		return cannotRun(err)
	}
	t, err := existing.Open(ctx, existing.Options{Name: name, Config: conf, Scripts: tree})
	if err != nil {
		return cannotRun(err)
	}
	d := diagnosed{Target: name, Release: t.Release(), Router: t.Describe().Router, Findings: t.Findings()}
	if err := t.Close(context.WithoutCancel(ctx)); err != nil {
		return cannotRun(err)
	}
	if asJSON {
		err = printJSON(c, d)
	} else {
		err = d.print(c)
	}
	if err != nil {
		return err
	}
	for _, f := range d.Findings {
		if f.State == finding.Broken {
			return &exitError{code: exitInconclusive}
		}
	}
	return nil
}

func (d diagnosed) print(c *cobra.Command) error {
	out := c.OutOrStdout()
	fmt.Fprintf(out, "target %s, release %s, router: %s\n\n", d.Target, d.Release, d.Router)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range d.Findings {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Capability, f.State, f.Evidence)
		if f.Remedy != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", f.Remedy)
		}
	}
	return w.Flush()
}
