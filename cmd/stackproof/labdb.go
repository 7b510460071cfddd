package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness/container"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone/database"
)

// privateDatabase is a process of our own, which is how a lab zone has its database by default.
const privateDatabase = "private"

// labDatabase reads --lab-db: nil starts private processes.
func labDatabase(c *cobra.Command, word string) (lab.Starter, error) {
	image, found := strings.CutPrefix(word, "container:")
	switch {
	case word == privateDatabase:
		return nil, nil
	case !found || image == "":
		return nil, usage("--lab-db %q is neither %s nor container:IMAGE, such as container:mysql:8.4 or "+
			"container:mariadb:11.4", word, privateDatabase)
	}
	return func(ctx context.Context, release string) (*database.Server, error) {
		return container.StartDatabase(ctx, container.DatabaseOptions{Image: image, Release: release, Say: sayOn(c)})
	}, nil
}

func sayOn(c *cobra.Command) func(string) {
	return func(s string) { fmt.Fprintln(c.ErrOrStderr(), "lab database:", s) }
}

// needLabPrograms is needPrograms for a lab whose database may be in a container.
func needLabPrograms(c *cobra.Command, word string) error {
	image, found := strings.CutPrefix(word, "container:")
	if !found {
		return needPrograms(c.Context())
	}
	if _, err := router.FindHAProxy(""); err != nil {
		return err
	}
	_, err := lab.CleanStale(c.Context())
	return errors.Join(err, container.Need(c.Context(), image, sayOn(c)))
}
