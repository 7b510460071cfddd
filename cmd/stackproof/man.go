package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func manCommand() *cobra.Command {
	c := &cobra.Command{Use: "man DIR", Short: "Writes the manual pages, one a command, to a folder",
		Long: `Writes the manual pages of stackproof and all its commands, section 1, to a folder. The folder is made where it is not
there. Their date is today's, or that of SOURCE_DATE_EPOCH.`,
		Example: `  stackproof man /usr/local/share/man/man1
  stackproof man out/man && man -l out/man/stackproof-run.1`}
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("%s takes one folder, but got %d words", c.CommandPath(), len(args))
		}
		return nil
	}
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := writeMan(c.Root(), args[0]); err != nil {
			return cannotRun(fmt.Errorf("writing the manual pages: %w", err))
		}
		found, err := filepath.Glob(filepath.Join(args[0], "stackproof*.1"))
		if err != nil {
			return cannotRun(err)
		}
		fmt.Fprintf(c.OutOrStdout(), "%d pages in %s\n", len(found), args[0])
		return nil
	}
	return c
}

func writeMan(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root.DisableAutoGenTag = true
	source := "stackproof " + cmp.Or(version, "(built by hand)")
	return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: source, Manual: "stackproof"}, dir)
}
