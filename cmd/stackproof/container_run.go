package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/container"
	"github.com/stackproof/stackproof/harness/deploy"
	"github.com/stackproof/stackproof/harness/existing"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/realrouter"
	"github.com/stackproof/stackproof/harness/result"
)

// containerTarget is the simulator image, started by us.
const containerTarget = "container"

// containerFlags say what is started and how.
type containerFlags struct {
	image, logs, usageCommand, log string
	reuse                          bool
	start, usage                   time.Duration
}

func (f *containerFlags) add(c *cobra.Command) { inGroup(c.Flags(), containerTarget, f.define) }

func (f *containerFlags) define(s *pflag.FlagSet) {
	s.StringVar(&f.image, "image", "", "image to start (default "+container.Repository+":RELEASE)")
	s.BoolVar(&f.reuse, "reuse", false, "take the one that an earlier run kept, and keep it (stackproof cleanup "+
		"--kept removes it)")
	s.StringVar(&f.logs, "logs", "", "keep its logs in this folder (default: after a failure only, in a temporary one)")
	s.StringVar(&f.usageCommand, "usage-command", container.DefaultUsageCommand, "what starts the usage server inside")
	s.StringVar(&f.log, "management-log", container.DefaultLog, "path of the management server's log inside")
	s.DurationVar(&f.start, "start-timeout", 20*time.Minute, "how long the API may take to come up")
	s.DurationVar(&f.usage, "usage-timeout", 10*time.Minute, "how long the usage server may take to come up")
}

// prepareContainer checks what can be checked before anything is started.
func (o *runOptions) prepareContainer(c *cobra.Command, chosen harness.Catalogue) (opener, error) {
	for _, name := range []string{"api-url", "api-key", "secret-key", "cmk", "dsn", "log", "log-command",
		"integration"} {
		if c.Flags().Changed(name) {
			return nil, usage("--%s is for an existing zone: the container's own is found by itself", name)
		}
	}
	if len(o.knobs) > 0 {
		return nil, usage("--knob is for the lab: an image behaves as it was built")
	}
	if o.box.image == "" && !c.Flags().Changed("release") {
		return nil, usage("--target container needs --release R, or --image I")
	}
	var conf config.Config
	if err := o.existing.over(c, &conf); err != nil {
		return nil, err
	}
	if !c.Flags().Changed("workers") {
		o.workers = max(1, len(chosen)) // scenarios wait for each other at the usage runs
	}
	real, err := o.scripts.wanted(c, conf.Router.Mode, o.target, config.ScriptTree{})
	if err != nil {
		return nil, err
	}
	return func() (harness.Target, func(result.Run) []string, error) { return o.openContainer(c, conf, real) }, nil
}

func (o *runOptions) openContainer(c *cobra.Command, conf config.Config, real *config.ScriptTree) (_ harness.Target,
	_ func(result.Run) []string, err error) {
	if err := tryNamespaces(); err != nil {
		return nil, nil, err
	}
	var trace io.WriteCloser
	if o.trace != "" {
		if trace, err = os.Create(o.trace); err != nil {
			return nil, nil, fmt.Errorf("writing the trace: %w", err)
		}
	}
	tree, err := openScripts(c.Context(), real)
	if err != nil {
		return nil, nil, err
	}
	options := container.Options{Release: o.release, Image: o.box.image, Reuse: o.box.reuse, LogDir: o.box.logs,
		UsageCommand:  o.box.usageCommand,
		ManagementLog: o.box.log, StartTimeout: o.box.start, UsageTimeout: o.box.usage, Deploy: deployZone,
		Say:      func(s string) { fmt.Fprintln(c.ErrOrStderr(), "container:", s) },
		Existing: existing.Options{Config: conf, Scripts: tree, OpenRouters: realrouter.Open}}
	if trace != nil {
		options.Existing.Trace = trace
	}
	t, err := container.Open(c.Context(), options)
	if err != nil {
		return nil, nil, err
	}
	notes := scriptNotes(tree, t.Release())
	if c.Flags().Changed("release") && o.release != t.Release() {
		if o.box.image == "" {
			return nil, nil, errors.Join(fmt.Errorf("the image of release %s says that it is %s", o.release,
				t.Release()), t.Close(context.WithoutCancel(c.Context())))
		}
		notes = append(notes, fmt.Sprintf("image %s says that it is release %s, --release %s does not count",
			o.box.image, t.Release(), o.release))
	}
	return t, withNotes(t.Notes, notes), nil
}

// deployZone makes the zone of a bare management server.
func deployZone(ctx context.Context, api *cloud.Client) error {
	_, err := deploy.Deploy(ctx, deploy.Options{Cloud: api, Plan: deploy.Default()})
	return err
}
