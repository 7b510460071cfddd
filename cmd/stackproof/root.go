package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stackproof/stackproof/harness"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "stackproof",
		Short: "Proves, or disproves, that a CloudStack release bills and balances what its API says",
		Long: `stackproof drives a CloudStack zone through its API and looks at what really happened: usage rows, pushes to the
virtual router, the router's live configuration, and where each client's requests land.

Exit status: 0 all as expected, 1 a failure, 2 wrong use, 3 inconclusive (and nothing failed), 4 could not run.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(runCommand(), listCommand(), doctorCommand(), proveCommand(), labCommand(), cleanupCommand(),
		routerCommand(), vrCommand(),
		mergeCommand(), reportCommand(), probeCommand(), versionCommand(), zoneCommand(), replayCommand(),
		auditCommand(), repairCommand(), compareCommand(), selftestCommand(), manCommand(), completionCommand())
	root.CompletionOptions.DisableDefaultCmd = true // it writes to what was standard output when it was made
	root.SetHelpCommand(helpCommand())
	for _, c := range root.Commands() {
		requireVerb(c)
	}
	requireVerb(root)
	addCompletions(root)
	return root
}

// requireVerb makes a command that only groups others refuse unknown words instead of printing its help with success.
func requireVerb(c *cobra.Command) {
	if c.Runnable() {
		return
	}
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		names := commandNames(c)
		if len(args) == 0 {
			return usage("%s needs one of: %s", c.CommandPath(), strings.Join(names, ", "))
		}
		return usage("%q is not a verb of %s; did you mean %q?", args[0], c.CommandPath(),
			harness.Nearest(args[0], names))
	}
}

// flagError names the nearest flag, or what a flag's value must be.
func flagError(c *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		f := invalid.GetFlag()
		if errors.Is(err, strconv.ErrRange) {
			return usage("%s: --%s %s is out of range", c.CommandPath(), f.Name, invalid.GetValue())
		}
		return usage("%s: --%s must be %s, not %q", c.CommandPath(), f.Name, kindOf(f.Value.Type()), invalid.GetValue())
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usage("%s: %w", c.CommandPath(), err)
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" { // nobody means --help
			names = append(names, f.Name)
		}
	})
	if len(names) == 0 {
		return usage("%s has no flag --%s, nor any other", c.CommandPath(), unknown.GetSpecifiedName())
	}
	return usage("%s has no flag --%s; did you mean --%s?", c.CommandPath(), unknown.GetSpecifiedName(),
		harness.Nearest(unknown.GetSpecifiedName(), names))
}

// noArgs refuses words after a verb that takes none.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("%s takes no words, but got %q", c.CommandPath(), fmt.Sprint(strings.Join(args, " ")))
	}
	return nil
}

// kindOf says in words what values a flag of the type takes.
func kindOf(kind string) string {
	switch kind {
	case "int", "int64":
		return "a whole number"
	case "ints", "intSlice":
		return "whole numbers, separated by commas"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "duration":
		return "a time such as 90s or 10m"
	case "time":
		return "a time such as 2026-12-31T23:50"
	}
	return "a " + kind
}
