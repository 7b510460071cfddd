package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/audit"
)

func repairCommand() *cobra.Command {
	c := &cobra.Command{Use: "repair", Short: "Plans, applies and takes back repairs of usage rows"}
	c.AddCommand(repairPlanCommand(), repairApplyCommand(), repairUndoCommand(), repairSQLCommand())
	for _, sub := range c.Commands() {
		sub.Long += "\n\nExit status: 0 done, 1 refused or stopped (one line says why), 2 wrong use, 4 could not run."
	}
	return c
}

func repairPlanCommand() *cobra.Command {
	var site siteFlags
	var out, credits, debits string
	var reopen, quiet bool
	c := &cobra.Command{
		Use:   "plan",
		Short: "Audits a site and writes what can be repaired into a file",
		Args:  noArgs,
		Long: `Audits a site with SELECT only, and writes a plan: one line a row, with its old and its new close
date and the event that dates it. Only open rows of what is dead, with exactly one delete event, and rows that
another one's delete has closed at a wrong time are planned. cloud_usage itself is never changed: --credits and
--debits list what to give back and what to charge.`,
	}
	site.add(c)
	s := c.Flags()
	s.StringVar(&out, "out", "", "file of the plan")
	s.StringVar(&credits, "credits", "", "write hours that were billed too much, by account and month, as CSV")
	s.StringVar(&debits, "debits", "", "write hours that were not billed, by account and month, as CSV")
	s.BoolVar(
		&reopen,
		"reopen",
		false,
		"also plan to bill live resources again whose row another one's delete has closed: their owners must know",
	)
	s.BoolVarP(&quiet, "quiet", "q", false, "no progress")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if out == "" {
			return usage("where is the plan to be written? Give --out FILE")
		}
		if credits != "" && (credits == out || credits == debits) || debits != "" && debits == out {
			return usage("--out, --credits and --debits need a file each")
		}
		for flag, path := range map[string]string{"out": out, "credits": credits, "debits": debits} {
			if path == "" {
				continue
			}
			if err := writable(path); err != nil {
				return usage("--%s: %w", flag, err)
			}
		}
		o, err := site.options()
		if err != nil {
			return err
		}
		site.warn(c)
		if !quiet {
			o.Progress = auditProgress(c.ErrOrStderr())
		}
		r, err := audit.Run(c.Context(), o)
		if err != nil {
			return auditError(err)
		}
		return planFiles(c, r, reopen, out, credits, debits)
	}
	return c
}

func planFiles(c *cobra.Command, r *audit.Result, reopen bool, out, credits, debits string) error {
	plan, left := audit.MakePlan(r, reopen)
	var b bytes.Buffer
	if err := plan.Encode(&b); err != nil {
		return cannotRun(err)
	}
	for _, file := range []struct {
		path string
		make func() ([]byte, error)
	}{{out, func() ([]byte, error) { return b.Bytes(), nil }}, {credits, r.Credits}, {debits, r.Debits}} {
		if file.path == "" {
			continue
		}
		data, err := file.make()
		if err != nil {
			return cannotRun(err)
		}
		if err := writeWhole(file.path, data); err != nil {
			return usage("%w", err)
		}
	}
	fmt.Fprintf(
		c.OutOrStdout(),
		"%d rows are planned in %s; %d findings are for a person.\n",
		len(plan.Rows),
		out,
		len(left),
	)
	for i, f := range left {
		if i == 10 {
			fmt.Fprintf(c.OutOrStdout(), "  and %d more (stackproof audit --json)\n", len(left)-i)
			break
		}
		fmt.Fprintf(c.OutOrStdout(), "  %s\n", f.Text)
	}
	return nil
}

// applyFlags are those of apply and undo.
type applyFlags struct {
	site     siteFlags
	backedUp bool
}

func (f *applyFlags) add(c *cobra.Command) {
	f.site.add(c)
	c.Flags().
		BoolVar(&f.backedUp, "backed-up", false,
			"confirm that cloud and cloud_usage were dumped, and that nobody starts the usage server meanwhile")
}

func (f *applyFlags) options(c *cobra.Command) (audit.ApplyOptions, error) {
	o, err := f.site.options()
	f.site.warn(c)
	if err == nil && !f.backedUp {
		err = usage(
			"nothing was changed: dump cloud and cloud_usage, stop the usage server, and confirm both with --backed-up",
		)
	}
	return audit.ApplyOptions{Options: o, Done: func(row audit.PlanRow, n, of int) {
		fmt.Fprintf(c.OutOrStdout(), "%d of %d: %s\n", n, of, row)
	}}, err
}

func repairApplyCommand() *cobra.Command {
	var f applyFlags
	var undo, release string
	c := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Changes the rows of a plan",
		Args:  oneFile("the plan"),
		Long: `Changes the rows of a plan, with an account that may UPDATE cloud_usage. Refuses unless the release is a fixed one, the usage server stands
still and every row is as the plan says; writes the undo file first; stops at the first row that is not as expected. After a kill, run it again.`,
	}
	f.add(c)
	c.Flags().StringVar(&undo, "undo", "", "the undo file (default: the plan's name with .undo)")
	c.Flags().StringVar(&release, "release", "", "the release that runs there, where cloud.version does not tell")
	c.RunE = func(c *cobra.Command, args []string) error {
		data, err := os.ReadFile(args[0])
		if err != nil {
			return usage("%w", err)
		}
		plan, err := audit.ReadPlan(bytes.NewReader(data))
		if err != nil {
			return usage("%s: %w", args[0], err)
		}
		o, err := f.options(c)
		if err != nil {
			return err
		}
		o.Release, o.UndoFile = release, undo
		if o.UndoFile == "" {
			o.UndoFile = args[0] + ".undo"
		}
		n, err := audit.Apply(c.Context(), plan, o)
		if err != nil {
			return repairError(err)
		}
		fmt.Fprintf(
			c.OutOrStdout(),
			"%d of %d rows were changed; %s takes them back. Start the usage server, wait for two jobs, and audit "+
				"again.\n",
			n,
			len(plan.Rows),
			o.UndoFile,
		)
		return nil
	}
	return c
}

func repairUndoCommand() *cobra.Command {
	var f applyFlags
	c := &cobra.Command{Use: "undo FILE", Short: "Takes back what apply has changed", Args: oneFile("the undo file"),
		Long: "Gives the rows of an undo file their old close dates again. Rows that were not changed are left alone."}
	f.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		data, err := os.ReadFile(args[0])
		if err != nil {
			return usage("%w", err)
		}
		plan, err := audit.ReadUndo(bytes.NewReader(data))
		if err != nil {
			return usage("%s: %w", args[0], err)
		}
		o, err := f.options(c)
		if err != nil {
			return err
		}
		n, err := audit.Undo(c.Context(), plan, o)
		if err != nil {
			return repairError(err)
		}
		fmt.Fprintf(c.OutOrStdout(), "%d of %d rows have their old date again.\n", n, len(plan.Rows))
		return nil
	}
	return c
}

func repairSQLCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sql FILE",
		Short: "Prints a plan, or an undo file, as SQL for a database administrator",
		Args:  oneFile("the plan"),
		Long:  "Prints one statement a row, with the old value in its condition. Nothing is connected to.",
		RunE: func(c *cobra.Command, args []string) error {
			data, err := os.ReadFile(args[0])
			if err != nil {
				return usage("%w", err)
			}
			plan, err := audit.ReadPlan(bytes.NewReader(data))
			if err != nil {
				var undo error
				if plan, undo = audit.ReadUndo(bytes.NewReader(data)); undo != nil {
					return usage("%s: %w", args[0], err)
				}
			}
			fmt.Fprint(c.OutOrStdout(), plan.SQL())
			return nil
		},
	}
}

func oneFile(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("%s needs one file: %s", c.CommandPath(), what)
		}
		return nil
	}
}

// repairError tells a refusal from what could not be done.
func repairError(err error) error {
	var refused audit.RefusedError
	if errors.As(err, &refused) {
		return &exitError{exitFailure, err}
	}
	return auditError(err)
}
