package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/reports"
	"github.com/stackproof/stackproof/scenarios"
)

// completionCommand writes the script with which a shell asks the program for words.
func completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	c := &cobra.Command{Use: "completion bash|zsh|fish", Short: "Prints the script that completes words in a shell",
		Long: `Prints the script with which a shell completes commands, flags, releases, scenarios, knobs and targets. It goes where the
shell looks for it: see docs/shell.md. bash needs the package bash-completion.`,
		Example: `  stackproof completion bash > ~/.local/share/bash-completion/completions/stackproof
  source <(stackproof completion zsh)`, ValidArgs: shells}
	c.Args = func(c *cobra.Command, args []string) error {
		switch {
		case len(args) != 1:
			return usage("%s needs one of: %s", c.CommandPath(), strings.Join(shells, ", "))
		case !slices.Contains(shells, args[0]):
			return usage("%s knows no shell %q; did you mean %q?", c.CommandPath(), args[0],
				harness.Nearest(args[0], shells))
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		root, out := c.Root(), c.OutOrStdout()
		var err error
		switch args[0] {
		case "bash":
			err = root.GenBashCompletionV2(out, true)
		case "zsh":
			err = root.GenZshCompletion(out)
		case "fish":
			err = root.GenFishCompletion(out, true)
		}
		return cannotRun(err)
	}
	return c
}

// completer gives the words that may stand where a shell asks.
type completer = func(c *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective)

// addCompletions has a shell complete the values of flags, wherever a command has them.
func addCompletions(root *cobra.Command) {
	values := map[string]completer{
		"release": fixed(release.All()...), "scenario": scenarioWords, "issue": scenarioWords, "knob": knobWords,
		"target": targetWords, "usage": fixed("on-demand", "schedule"), "clock": fixed("database", "api"),
		"clients":        fixed("shadow", "addresses", "socks5"),
		"router":         fixed(modelRouter, scriptsRouter, "none", "shadow"),
		"router-profile": fixed(release.All()...), "tree-release": fixed(release.All()...),
	}
	visit(root, func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			words := values[f.Name]
			if words == nil && f.Value.Type() == "bool" {
				words = fixed("true", "false")
			}
			if words != nil {
				// The error is that of a flag which does not exist, or has words already.
				_ = c.RegisterFlagCompletionFunc(f.Name, words)
			}
		})
	})
}

// visit calls f for a command and all below it.
func visit(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		visit(sub, f)
	}
}

// fixed are words that are always the same.
func fixed(words ...string) completer {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// scenarioWords are the ids of the catalogue with their titles.
func scenarioWords(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var all []cobra.Completion
	for _, s := range scenarios.Catalogue() {
		all = append(all, cobra.CompletionWithDesc(s.ID, s.Title))
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// knobWords are the knobs; one that is begun with its whole name is offered switched off, too.
func knobWords(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var all []cobra.Completion
	for _, k := range fault.AllKnobs() {
		all = append(all, cobra.CompletionWithDesc(string(k.Name), k.About))
		if strings.HasPrefix(begun, string(k.Name)) {
			all = append(all, string(k.Name.Off()))
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

// targetWords are the targets without a file that the command takes and those of the file, where one can be read:
// --config, the environment's or the folder's.
func targetWords(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	about := map[string]string{
		labTarget: "the embedded lab zone", containerTarget: "the simulator image",
		existingTarget: "a zone that flags and environment describe",
	}
	var all []cobra.Completion
	for _, name := range c.Flag("target").Annotations[offered] {
		all = append(all, cobra.CompletionWithDesc(name, about[name]))
	}
	var f existingFlags
	if flag := c.Flags().Lookup("config"); flag != nil {
		f.config = flag.Value.String()
	}
	if file := f.file(); file != "" {
		targets, err := config.Load(file)
		if err != nil {
			return all, cobra.ShellCompDirectiveNoFileComp // the command itself will say what is wrong
		}
		for _, name := range slices.Sorted(maps.Keys(targets)) {
			all = append(all, cobra.CompletionWithDesc(name, reports.Line("a target of "+file)))
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

// helpWords are what may follow help: commands, then groups of their flags.
func helpWords(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	found, rest, err := c.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	words := commandNames(found)
	if found == c.Root() {
		words = append(words, "configuration")
	} else if groups := groupsOf(found); len(groups) > 0 {
		words = append(words, "all")
		for _, g := range groups {
			words = append(words, g.name)
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
