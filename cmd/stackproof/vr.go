package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/router/scripts"
)

func vrCommand() *cobra.Command {
	c := &cobra.Command{Use: "vr", Short: "A release's own router scripts, run off a router"}
	c.AddCommand(vrDiffCommand())
	return c
}

type vrDiffOptions struct {
	pushes, release string
	asJSON          bool
	pythonFlags
}

func vrDiffCommand() *cobra.Command {
	var o vrDiffOptions
	c := &cobra.Command{Use: "diff TREE_A TREE_B",
		Short: "Plays the same pushes through the router scripts of two releases and shows where they differ",
		Long: `Plays the same pushes through the unmodified router scripts of two systemvm trees (folders with
debian/opt/cloud), each router in sandboxes of its own with a real HAProxy, and shows every push after which live
files, HAProxy's reloads or exit statuses differ. A push is masked where the scripts wrote the new file and left
another one live.

Exit status: 0 no difference, 1 a difference, 2 wrong use, 4 a tree cannot be run here.`,
		Example: `  stackproof vr diff cloudstack-4.19.1.0/systemvm cloudstack-4.19.2.0/systemvm
  stackproof vr diff --pushes management-server.log.gz before/systemvm after/systemvm`}
	c.Flags().StringVar(&o.pushes, "pushes", "",
		"log of a management server or of an agent (also packed), or JSON of pushes, one after another; - is standard "+
			"input "+
			"(default: built-in sequences)")
	c.Flags().StringVar(&o.release, "release-of-pushes", release.Default,
		"release whose generator renders the pushes ("+release.Known()+")")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print every push of the comparison as JSON")
	o.pythonFlags.add(c.Flags())
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) != 2 {
			return usage("%s takes two trees (folders with debian/opt/cloud), but got %d words", c.CommandPath(),
				len(args))
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) error { return o.run(c, args[0], args[1]) }
	return c
}

func (o *vrDiffOptions) run(c *cobra.Command, a, b string) error {
	rules, err := router.RulesFor(o.release)
	if err != nil {
		return usage("--release-of-pushes: %w", err)
	}
	pushes, err := o.read(c)
	if err != nil {
		return usage("--pushes: %w", err)
	}
	if err := network.Enter(); err != nil {
		return cannotRun(err)
	}
	result, err := scripts.Diff(c.Context(), o.options(a), o.options(b), rules, pushes)
	if err != nil {
		return cannotRun(err)
	}
	if o.asJSON {
		err = printJSON(c, result)
	} else {
		err = result.WriteText(c.OutOrStdout())
	}
	if err != nil {
		return cannotRun(fmt.Errorf("writing the comparison: %w", err))
	}
	if result.Differ > 0 {
		return &exitError{code: exitFailure}
	}
	return nil
}

// read gives the pushes to play.
func (o *vrDiffOptions) read(c *cobra.Command) ([]router.Push, error) {
	name, in := o.pushes, c.InOrStdin()
	switch name {
	case "":
		return scripts.BuiltInPushes(), nil
	case "-":
		name = "standard input"
	default:
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	pushes, warnings, err := router.ReadAny(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	warn(c, name, warnings)
	return pushes, nil
}
