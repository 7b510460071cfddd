package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/stackproof/stackproof/audit"
	"github.com/stackproof/stackproof/harness/existing/config"
)

// siteFlags say which databases are audited.
type siteFlags struct {
	dsn, usageDSN  string
	config, target string
	batch, maxLoad int
	exposed        []string // what is to be said of the file of targets
}

// warn says what is wrong with the file of targets, if one was read.
func (f *siteFlags) warn(c *cobra.Command) {
	for _, line := range f.exposed {
		fmt.Fprintln(c.ErrOrStderr(), "stackproof: warning:", line)
	}
}

func (f *siteFlags) add(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(
		&f.dsn,
		"dsn",
		"",
		"database with SELECT on cloud and cloud_usage, user:password@tcp(host:3306)/ (or $STACKPROOF_DSN, which "+
			"others do not see)",
	)
	s.StringVar(
		&f.usageDSN,
		"usage-dsn",
		"",
		"database with SELECT on cloud_usage, where it is on a server of its own (or $STACKPROOF_USAGE_DSN, beside "+
			"$STACKPROOF_DSN)",
	)
	s.StringVar(&f.target, "target", "", "take the dsn of this target of the --config file")
	s.StringVar(
		&f.config,
		"config",
		"",
		"YAML file of targets (default: $STACKPROOF_CONFIG, else stackproof.yaml where there is one)",
	)
	s.IntVar(&f.batch, "batch", 200_000, "how many ids one statement covers at most")
	s.IntVar(&f.maxLoad, "max-load", 0, "pause while the database has more statements at work than this (0: never)")
}

// options are the databases that the flags, a target or the environment name, in this order.
func (f *siteFlags) options() (audit.Options, error) {
	o := audit.Options{DSN: f.dsn, UsageDSN: f.usageDSN, Batch: f.batch, MaxLoad: f.maxLoad}
	if f.batch < 1000 || f.batch > 10_000_000 {
		return o, usage("--batch must be between 1000 and 10000000, not %d", f.batch)
	}
	if f.maxLoad < 0 {
		return o, usage("--max-load must not be negative")
	}
	if f.dsn != "" && f.target != "" {
		return o, usage("--dsn and --target both say which database: give one of them")
	}
	if f.target != "" {
		words, err := f.targetDSN()
		if err != nil {
			return o, err
		}
		o.DSN = words[0]
		if len(words) > 1 && o.UsageDSN == "" {
			o.UsageDSN = words[1]
		}
	}
	// The variables are a pair: half of another site's would judge its records by this site's rules.
	if o.DSN == "" {
		o.DSN = os.Getenv("STACKPROOF_DSN")
		if o.UsageDSN == "" {
			o.UsageDSN = os.Getenv("STACKPROOF_USAGE_DSN")
		}
	}
	if o.DSN == "" {
		return o, usage("which database? Give --dsn, $STACKPROOF_DSN, or --target NAME of a --config file")
	}
	return o, nil
}

func (f *siteFlags) targetDSN() ([]string, error) {
	t, err := f.targetNamed()
	if err != nil {
		return nil, err
	}
	if len(t.DSN) == 0 {
		return nil, usage("target %s has no dsn", f.target)
	}
	return t.DSN, nil
}

func (f *siteFlags) targetNamed() (config.Config, error) {
	file := (&existingFlags{config: f.config}).file()
	if file == "" {
		return config.Config{}, usage("--target %s: there is no file of targets; name it with --config", f.target)
	}
	targets, err := config.Load(file)
	if err != nil {
		return config.Config{}, usage("%w", err)
	}
	t, known := targets[f.target]
	if !known {
		return config.Config{}, usage("%s: target %s is not there", file, f.target)
	}
	f.exposed = t.Exposed(file)
	return t, nil
}

// routerCommand is the command of the target that leads into its routers, "" for none.
func (f *siteFlags) routerCommand() (string, error) {
	if f.target == "" {
		return "", nil
	}
	t, err := f.targetNamed()
	return t.Router.Command, err
}

// auditFlags are those of the verb audit.
type auditFlags struct {
	site   siteFlags
	docs   auditDocuments
	gate   string
	watch  time.Duration
	resume string
	inside routersFlags
	nagios bool
	quiet  bool
}

func auditCommand() *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use:   "audit",
		Short: "Finds damaged usage rows and rules that a router refuses, read-only",
		Long: `Looks at the databases of a whole site, with an account that needs SELECT only: which usage rows lie and what that cost, which load balancer
rules a router refuses, and whether the usage server stands still.

Exit status: 0 nothing found (with --gate: go), 1 damage found (no-go), 2 wrong use, 3 nothing could be decided yet,
4 the audit could not be done. With --nagios: 0 OK, 1 warning, 2 critical, 3 unknown.`,
	}
	f.site.add(c)
	f.docs.add(c.Flags())
	f.inside.add(c.Flags())
	c.Flags().StringVar(&f.gate, "gate", "", "say go or no-go for an upgrade to this release, and the order of steps")
	c.Flags().
		DurationVar(&f.watch, "watch", 0,
			"audit again and again, with this time between the ends and the next beginnings, until Ctrl-C")
	c.Flags().
		BoolVar(&f.nagios, "nagios", false, "print one line and end with the status that a Nagios-style check expects")
	c.Flags().StringVar(&f.resume, "resume", "",
		"keep in this file how far the records are counted; after an end half-way the same command continues from "+
			"there")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	unknown := func(c *cobra.Command, err error) error {
		fmt.Fprintf(c.OutOrStdout(), "STACKPROOF UNKNOWN - %s\n", oneLine(err))
		return &exitError{code: audit.MonitorUnknown}
	}
	// A check that is called wrongly must say so in the protocol of the program that calls it, from the word --nagios
	// on.
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if f.nagios {
			return unknown(c, flagError(c, err))
		}
		return flagError(c, err)
	})
	c.Args = func(c *cobra.Command, args []string) error {
		if err := noArgs(c, args); err != nil && f.nagios {
			return unknown(c, err)
		} else if err != nil {
			return err
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		o, err := f.options(c)
		if err != nil && f.nagios {
			return unknown(c, err)
		}
		if err != nil {
			return err
		}
		if !f.nagios { // whose caller may take any word beside the line for a failure
			f.site.warn(c)
		}
		if f.watch > 0 {
			return f.again(c, o)
		}
		r, err := audit.Run(c.Context(), o)
		if err != nil && f.nagios {
			return unknown(c, err)
		}
		if err != nil {
			return auditError(err)
		}
		written := f.docs.write(r)
		if written != nil && f.nagios {
			return unknown(c, written)
		}
		// What was found is shown also when it could not be written.
		shown := f.show(c, r)
		if written != nil {
			return cannotRun(written)
		}
		return shown
	}
	return c
}

func (f *auditFlags) options(c *cobra.Command) (audit.Options, error) {
	o, err := f.site.options()
	if err != nil {
		return o, err
	}
	given := c.Flags().Changed
	switch {
	case given("watch") && f.watch < time.Minute:
		return o, usage("--watch %s is too often: give 1m or more", f.watch)
	case given("watch") && f.resume != "":
		return o, usage("--watch and --resume do not go together")
	case given("watch") && (f.gate != "" || f.nagios):
		return o, usage("--watch goes with neither --gate nor --nagios")
	case f.gate != "" && f.nagios:
		return o, usage("--gate and --nagios do not go together")
	}
	if f.gate != "" {
		if _, err := audit.MakeGate(&audit.Result{}, f.gate); err != nil {
			return o, usage("--gate: %w", err)
		}
	}
	if err := f.inside.options(&o, f.site.routerCommand); err != nil {
		return o, err
	}
	if f.resume != "" {
		if err := audit.CheckResume(f.resume); err != nil {
			return o, usage("%w", err)
		}
		o.Resume = f.resume
	}
	if !f.quiet && !f.nagios && f.watch == 0 {
		o.Progress = auditProgress(c.ErrOrStderr())
	}
	return o, f.docs.check()
}

// show prints the result and answers the exit status.
func (f *auditFlags) show(c *cobra.Command, r *audit.Result) error {
	switch {
	case f.nagios:
		state, line := r.Monitor()
		fmt.Fprintln(c.OutOrStdout(), line)
		if state != audit.MonitorOK {
			return &exitError{code: state}
		}
		return nil
	case f.gate != "":
		g, err := audit.MakeGate(r, f.gate)
		if err != nil {
			return auditError(err)
		}
		fmt.Fprint(c.OutOrStdout(), g.Text())
		if !g.Go {
			return &exitError{code: exitFailure}
		}
		return nil
	}
	out := c.OutOrStdout()
	if slices.ContainsFunc(f.docs.all, func(d *auditDocument) bool { return onStdout(d.path) }) {
		out = c.ErrOrStderr() // not among the document
	}
	fmt.Fprint(out, r.Text())
	return auditStatus(r)
}

// again audits until Ctrl-C, which is how a watch ends. A site that cannot be reached is told and tried again.
func (f *auditFlags) again(c *cobra.Command, o audit.Options) error {
	ctx := c.Context()
	for {
		r, err := audit.Run(ctx, o)
		if ctx.Err() != nil {
			return nil
		}
		var input audit.InputError
		if errors.As(err, &input) {
			return auditError(err)
		}
		line := "STACKPROOF UNKNOWN - "
		if err == nil {
			_, line = r.Monitor()
			err = f.docs.write(r)
		} else {
			err = errors.Join(err, f.docs.down())
		}
		if err != nil {
			line = strings.TrimSuffix(line+"; ", "- ; ") + oneLine(err)
		}
		fmt.Fprintf(c.OutOrStdout(), "%s %s\n", time.Now().UTC().Format(time.RFC3339), line)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(f.watch):
		}
	}
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// auditError tells wrong use from what could not be done.
func auditError(err error) error {
	var input audit.InputError
	if errors.As(err, &input) {
		return usage("%w", err)
	}
	return cannotRun(err)
}

func auditStatus(r *audit.Result) error {
	switch {
	case r.Damaged():
		return &exitError{code: exitFailure}
	case r.Inconclusive():
		return &exitError{code: exitInconclusive}
	}
	return nil
}

// auditProgress shows on a terminal how far the audit is; elsewhere it says each stage once.
func auditProgress(w io.Writer) func(audit.Progress) {
	file, isFile := w.(*os.File)
	live := isFile && term.IsTerminal(int(file.Fd())) // a file descriptor is small
	stage, waited := "", false
	return func(p audit.Progress) {
		percent := 0
		if p.Total > 0 {
			percent = int(100 * p.Done / p.Total)
		}
		left := ""
		if p.Remaining > 0 {
			left = ", about " + p.Remaining.Round(time.Second).String() + " left"
		}
		if p.Busy > 0 {
			left = fmt.Sprintf(", waiting: the database has %d statements at work (--max-load)", p.Busy)
		}
		switch {
		case live:
			fmt.Fprintf(w, "\r\033[Kaudit: %s, %d %%%s", p.Stage, percent, left)
			if p.Done >= p.Total && p.Stage == "done" {
				fmt.Fprint(w, "\r\033[K")
			}
		case p.Stage != stage, p.Busy > 0 && !waited: // once a stage each
			fmt.Fprintf(w, "audit: %s, %d %%%s\n", p.Stage, percent, left)
		}
		stage, waited = p.Stage, p.Busy > 0 || waited && p.Stage == stage
	}
}
