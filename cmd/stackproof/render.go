package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
)

func routerCommand() *cobra.Command {
	c := &cobra.Command{Use: "router", Short: "The virtual router's part on its own"}
	c.AddCommand(renderCommand())
	return c
}

// warn tells what of an input was left out, beside the output that others read.
func warn(c *cobra.Command, from string, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintf(c.ErrOrStderr(), "stackproof: warning: %s: %s\n", from, w)
	}
}

func renderCommand() *cobra.Command {
	var name string
	var asJSON bool
	c := &cobra.Command{
		Use:   "render [FILE|-]",
		Short: "Print the haproxy.cfg that a push renders to",
		Long: `Reads LoadBalancerConfigCommands from FILE or standard input and prints what the release's generator makes of them.
The input is the command's JSON, a line, or a whole log of a management server or of a KVM host's agent. It may be
packed
(gzip, xz, bzip2), be a container's json-file log, have escaped quotes, or be broken over lines. What is damaged, such
as a
last line that was cut, is left out with a warning; so are fields that the release does not know.`,
	}
	c.Flags().StringVar(&name, "release", release.Default, "whose generator ("+release.Known()+")")
	c.Flags().BoolVar(&asJSON, "json", false, "print config, add_rules, remove_rules and stat_rules as JSON")
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usage("%s takes one file, or - for standard input, but got %d words", c.CommandPath(), len(args))
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		from, in := "standard input", c.InOrStdin()
		if len(args) == 1 && args[0] != "-" {
			f, err := os.Open(args[0])
			if err != nil {
				return usage("reading a push: %w", err)
			}
			defer f.Close()
			from, in = args[0], f
		}
		data, err := io.ReadAll(in)
		if err != nil {
			return usage("reading a push from %s: %w", from, err)
		}
		warnings, err := router.RenderTo(c.OutOrStdout(), data, name, asJSON)
		warn(c, from, warnings)
		if err != nil {
			return usage("%w", fmt.Errorf("%s: %w", from, err))
		}
		return nil
	}
	return c
}
