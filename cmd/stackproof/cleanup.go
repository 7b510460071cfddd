package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness/lab"
)

func cleanupCommand() *cobra.Command {
	c := &cobra.Command{Use: "cleanup", Short: "Removes what a killed run left behind", Args: noArgs,
		Long: `Removes the folders and processes that a killed run (kill -9, power loss) could not remove itself. What belongs to a run
that is alive is left alone. The next run does the same when it starts.`}
	c.RunE = func(c *cobra.Command, _ []string) error {
		removed, err := lab.CleanStale(c.Context())
		for _, r := range removed {
			fmt.Fprintln(c.OutOrStdout(), "removed", r)
		}
		if err == nil && len(removed) == 0 {
			fmt.Fprintln(c.OutOrStdout(), "nothing was left behind")
		}
		return cannotRun(err)
	}
	return c
}
