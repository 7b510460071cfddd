package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/stackproof/stackproof/harness"
)

// flagGroup is a group of flags that belong together. Flags without a group are the common ones.
type flagGroup struct {
	name string
	what string
	// only is the target whose flags they are; "" for every target.
	only string
}

// flagGroups are all groups, in the order in which help names them.
func flagGroups() []flagGroup {
	return []flagGroup{
		{"lab", "the embedded lab zone", labTarget},
		{"existing", "an existing zone, and what a run may do there", existingTarget},
		{"container", "the simulator image", containerTarget},
		{"routers", "what stands for the virtual routers", ""},
		{"repeats", "repeats, time limits, replays and what they allow one to claim", ""},
		{"shards", "runs in parts", ""},
		{"reports", "documents that a run is written as", ""},
	}
}

// groupMark is the annotation of a flag that names its group.
const groupMark = "stackproof_group"

// inGroup has the flags that define adds belong to a group.
func inGroup(s *pflag.FlagSet, name string, define func(*pflag.FlagSet)) {
	part := pflag.NewFlagSet(name, pflag.ContinueOnError)
	define(part)
	part.VisitAll(func(f *pflag.Flag) {
		f.Annotations = map[string][]string{groupMark: {name}}
		s.AddFlag(f)
	})
}

// groupOf is a flag's group; the zero value for a common flag.
func groupOf(f *pflag.Flag) flagGroup {
	names := f.Annotations[groupMark]
	for _, g := range flagGroups() {
		if slices.Contains(names, g.name) {
			return g
		}
	}
	return flagGroup{}
}

// flagsOf are a command's flags of one group; "" for the common ones.
func flagsOf(c *cobra.Command, name string) *pflag.FlagSet {
	part := pflag.NewFlagSet(c.Name(), pflag.ContinueOnError)
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if groupOf(f).name == name {
			part.AddFlag(f)
		}
	})
	return part
}

// foreign refuses flags that only other targets look at: who forgets --target would take the lab's answer for that of
// the site whose address he gave. A container is a zone, too: it takes some of the flags of an existing one.
func foreign(c *cobra.Command, target string) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if err != nil {
			return
		}
		switch only := groupOf(f).only; {
		case only == existingTarget && target == labTarget:
			err = usage("--%s is for an existing zone: give --target existing, or --target NAME for one of the "+
				"--config file",
				f.Name)
		case (only == containerTarget || only == labTarget) && target != only:
			err = usage("--%s is for --target %s", f.Name, only)
		}
	})
	return err
}

// foldFlags has a command's help show its common flags and name the groups of the others.
func foldFlags(c *cobra.Command) {
	c.SetUsageFunc(func(c *cobra.Command) error {
		out := c.OutOrStderr()
		fmt.Fprintf(out, "Usage:\n  %s\n", c.UseLine())
		if c.HasExample() {
			fmt.Fprintf(out, "\nExamples:\n%s\n", c.Example)
		}
		fmt.Fprintf(out, "\nFlags:\n%s\nMore flags, shown by `stackproof help %s GROUP`, or all:\n",
			flagsOf(c, "").FlagUsagesWrapped(columns(c)), c.Name())
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, g := range groupsOf(c) {
			count := 0
			flagsOf(c, g.name).VisitAll(func(*pflag.Flag) { count++ })
			fmt.Fprintf(w, "  %s\t%d\t%s\n", g.name, count, g.what)
		}
		return w.Flush()
	})
}

// groupsOf are the groups that a command has flags of.
func groupsOf(c *cobra.Command) []flagGroup {
	return slices.DeleteFunc(flagGroups(), func(g flagGroup) bool { return !flagsOf(c, g.name).HasFlags() })
}

// columns is how wide help may be; 0 for no limit.
func columns(c *cobra.Command) int {
	if f, ok := c.OutOrStdout().(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 0
}

// helpCommand is help of a command, of one group of its flags, and of the settings.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND [GROUP]]",
		Short: "Help about a command, about a group of its flags, or about configuration",
		Long: `Prints the help of a command. With the name of a group it prints the flags of that group; with "all" those
of every group. "help configuration" prints every setting with its flag, its environment variable and its key in
the --config file.`,
		Example:           "  stackproof help run existing\n  stackproof help configuration",
		ValidArgsFunction: helpWords,
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			if slices.Equal(args, []string{"configuration"}) {
				run, _, err := root.Find([]string{"run"})
				if err != nil {
					return err
				}
				fmt.Fprint(c.OutOrStdout(), configuration(run))
				return nil
			}
			found, rest, err := root.Find(args)
			if err != nil {
				return usage("%w", err)
			}
			found.InitDefaultHelpFlag()
			found.SetOut(c.OutOrStdout())
			switch {
			case len(rest) == 0:
				return found.Help()
			case found == root:
				return usage("%q is not a command; did you mean %q?", rest[0],
					harness.Nearest(rest[0], commandNames(root)))
			}
			return helpGroup(found, rest)
		},
	}
}

// helpGroup prints the flags of one group of a command, or of all.
func helpGroup(c *cobra.Command, words []string) error {
	groups := groupsOf(c)
	names := []string{"all"}
	for _, g := range groups {
		names = append(names, g.name)
	}
	if len(words) > 1 || !slices.Contains(names, words[0]) {
		return usage("%s has no group of flags %q; did you mean %q? (there are %s)", c.CommandPath(),
			strings.Join(words, " "), harness.Nearest(words[0], names), strings.Join(names, ", "))
	}
	if words[0] == "all" {
		fmt.Fprintf(c.OutOrStdout(), "Common flags:\n%s\n", flagsOf(c, "").FlagUsagesWrapped(columns(c)))
	}
	for _, g := range groups {
		if words[0] == "all" || words[0] == g.name {
			fmt.Fprintf(c.OutOrStdout(), "Flags of group %s (%s):\n%s\n", g.name, g.what,
				flagsOf(c, g.name).FlagUsagesWrapped(columns(c)))
		}
	}
	return nil
}

// commandNames are the words that can follow a command.
func commandNames(c *cobra.Command) (names []string) {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}
