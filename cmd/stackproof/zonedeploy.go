package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/deploy"
	"github.com/stackproof/stackproof/harness/existing/config"
)

func zoneCommand() *cobra.Command {
	c := &cobra.Command{Use: "zone", Short: "Zones of management servers"}
	c.AddCommand(zoneDeployCommand())
	return c
}

// deployOptions are the flags of zone deploy.
type deployOptions struct {
	target, trace, restart string
	dryRun                 bool
	wait                   time.Duration
	existing               existingFlags
}

func zoneDeployCommand() *cobra.Command {
	var o deployOptions
	c := &cobra.Command{Use: "deploy", Short: "An advanced simulator zone on a bare management server", Args: noArgs,
		Long: `Sets up an advanced zone of the simulator hypervisor (setup/dev/advanced.cfg) on a management server
that was built with it, and then the settings that usage tests need: windows of one minute, time zones GMT. What is
there already is left as it is, so it can be started again at any time. The usage server reads its settings when it
starts: it is restarted by the target's restart_usage command or --restart-usage, or you are told to.`,
		Example: `  stackproof zone deploy --api-url http://127.0.0.1:8096/client/api --integration --dry-run`}
	f := c.Flags()
	f.StringVar(&o.target, "target", existingTarget,
		"existing (made of flags and environment), or a name of the --config file")
	offerTargets(c, existingTarget)
	f.BoolVar(&o.dryRun, "dry-run", false, "look, and say what would be done")
	f.StringVar(&o.trace, "trace", "", "write every API call to this file, without secrets")
	f.StringVar(&o.restart, "restart-usage", "",
		"command that restarts the usage server, such as \"ssh mgmt systemctl restart cloudstack-usage\"")
	f.DurationVar(&o.wait, "wait", 15*time.Minute, "how long the zone may take to become ready")
	o.existing.add(c)
	nameVariables(f)
	c.RunE = func(c *cobra.Command, _ []string) error { return o.run(c) }
	return c
}

func (o *deployOptions) run(c *cobra.Command) error {
	conf, err := o.existing.target(c, o.target, "")
	if err != nil {
		return err
	}
	if o.restart != "" {
		conf.Restart = config.Words{o.restart}
	}
	client, closeClient, err := connect(conf, o.trace)
	if err != nil {
		return cannotRun(err)
	}
	result, err := deploy.Deploy(c.Context(), deploy.Options{Cloud: client, Plan: deploy.Default(), DryRun: o.dryRun,
		Wait: o.wait,
		Show: func(step, state string) { fmt.Fprintf(c.OutOrStdout(), "%-60s %s\n", step, state) }})
	if err := errors.Join(err, closeClient(context.WithoutCancel(c.Context()))); err != nil {
		return cannotRun(fmt.Errorf("zone deploy: %w", err))
	}
	switch {
	case result.Changed == 0:
		fmt.Fprintln(c.OutOrStdout(), "the zone is complete: nothing to do")
	case o.dryRun:
		fmt.Fprintf(c.OutOrStdout(), "%d steps would be done\n", result.Changed)
	default:
		fmt.Fprintf(c.OutOrStdout(), "%d steps done\n", result.Changed)
	}
	if len(result.AtRestart) > 0 {
		fmt.Fprintf(c.OutOrStdout(), "in force when the management server is restarted, which runs do not need: %s\n",
			strings.Join(result.AtRestart, ", "))
	}
	if !result.UsageChanged {
		return nil
	}
	restarted, err := conf.RestartUsage(c.Context())
	switch {
	case err != nil:
		return cannotRun(err)
	case restarted:
		fmt.Fprintln(c.OutOrStdout(), "the usage server was restarted")
	default:
		fmt.Fprintln(c.OutOrStdout(), "restart the usage server now: it reads these settings when it starts "+
			"(systemctl restart cloudstack-usage)")
	}
	return nil
}

// connect is a client of a target with a trace where a file is named; what it returns closes both.
func connect(conf config.Config, trace string) (*cloud.Client, func(context.Context) error, error) {
	var file *os.File
	var into io.Writer
	if trace != "" {
		var err error
		if file, err = os.Create(trace); err != nil {
			return nil, nil, fmt.Errorf("writing the trace: %w", err)
		}
		into = file
	}
	closeFile := func() error {
		if file == nil {
			return nil
		}
		return file.Close()
	}
	client, err := conf.Connect(into)
	if err != nil {
		return nil, nil, errors.Join(err, closeFile())
	}
	return client, func(ctx context.Context) error { return errors.Join(client.Close(ctx), closeFile()) }, nil
}
