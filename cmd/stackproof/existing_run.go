package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/harness/ledger"
	"github.com/stackproof/stackproof/harness/realrouter"
	"github.com/stackproof/stackproof/harness/result"
)

// prepareExisting reads the target's configuration; what is wrong there is found before anything is touched.
func (o *runOptions) prepareExisting(c *cobra.Command, chosen harness.Catalogue) (opener, error) {
	release := ""
	if c.Flags().Changed("release") {
		release = o.release
	}
	if len(o.knobs) > 0 {
		return nil, usage("--knob is for the lab: an existing zone behaves as it was built")
	}
	conf, err := o.existing.target(c, o.target, release)
	if err != nil {
		return nil, err
	}
	if !c.Flags().Changed("workers") {
		o.workers = max(1, len(chosen)) // scenarios wait for each other at the usage runs
	}
	real, err := o.scripts.wanted(c, conf.Router.Mode, o.target, conf.Router.Tree)
	if err != nil {
		return nil, err
	}
	return func() (harness.Target, func(result.Run) []string, error) {
		return o.openExisting(c, conf, chosen, real)
	}, nil
}

func (o *runOptions) openExisting(c *cobra.Command, conf config.Config, chosen harness.Catalogue,
	real *config.ScriptTree) (_ harness.Target, _ func(result.Run) []string, err error) {
	ctx := c.Context()
	if conf.Shadows() {
		if err := tryNamespaces(); err != nil {
			return nil, nil, err
		}
	}
	var trace io.WriteCloser
	if o.trace != "" {
		if trace, err = os.Create(o.trace); err != nil {
			return nil, nil, fmt.Errorf("writing the trace: %w", err)
		}
	}
	tree, err := openScripts(ctx, real)
	if err != nil {
		return nil, nil, err
	}
	t, err := openTarget(ctx, o.target, conf, trace, tree)
	if err != nil {
		return nil, nil, err
	}
	if err := confirm(ctx, c, t, chosen, o.yes, o.dryRun); err != nil || o.dryRun {
		return nil, nil, errors.Join(err, t.Close(context.WithoutCancel(ctx)))
	}
	l, err := keepLedger(t, o.target, o.ledgers)
	if err != nil {
		return nil, nil, errors.Join(err, t.Close(context.WithoutCancel(ctx)))
	}
	context.AfterFunc(ctx, func() { sayWhatGoes(c.ErrOrStderr(), l) })
	return t, withNotes(t.Notes, scriptNotes(tree, t.Release())), nil
}

// keepLedger notes what the run creates in a ledger, so that cleanup can remove it if the run cannot.
func keepLedger(t *existing.Target, name, dir string) (*ledger.Ledger, error) {
	dir, err := ledgerFolder(dir)
	if err != nil {
		return nil, err
	}
	l, err := ledger.Create(dir, name, t.URL())
	if err != nil {
		return nil, err
	}
	t.Keep(l)
	return l, nil
}

// sayWhatGoes says after an interrupt how much is being removed, and for how long at most.
func sayWhatGoes(errs io.Writer, l *ledger.Ledger) {
	accounts, objects, err := l.Open()
	if err != nil || objects == 0 {
		return
	}
	fmt.Fprintf(errs, "stackproof: up to %d objects are removed now, %d accounts with all that is in them first: "+
		"within %s. The ledger is %s\n",
		objects, accounts, harness.CleanupTime+existing.DropTime, l.Path())
}

// openTarget opens an existing zone; the trace, which may be nil, is closed with it.
func openTarget(ctx context.Context, name string, conf config.Config, trace io.WriteCloser,
	tree *fleet.Scripts) (*existing.Target, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	options := existing.Options{Name: name, Config: conf, Scripts: tree, OpenRouters: realrouter.Open}
	if trace != nil {
		options.Trace = trace
	}
	return existing.Open(ctx, options)
}
