package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version and commit are set by the release build (-ldflags "-X main.version=..."); a build by hand has neither.
var version, commit string

func versionCommand() *cobra.Command {
	c := &cobra.Command{Use: "version", Short: "Which stackproof this is", Args: noArgs}
	c.RunE = func(c *cobra.Command, _ []string) error {
		v, from := version, commit
		if v == "" {
			v = "(built by hand)"
		}
		if from == "" {
			from = "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						from = s.Value
					}
				}
			}
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "stackproof %s, commit %s, %s, %s/%s\n", v, from, runtime.Version(),
			runtime.GOOS, runtime.GOARCH)
		return err
	}
	return c
}
