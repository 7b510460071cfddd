package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/router/scripts"
)

// What --router takes besides what an existing zone knows.
const (
	modelRouter   = "model"
	scriptsRouter = "real-scripts"
)

// pythonFlags say which interpreter runs real scripts.
type pythonFlags struct {
	pythons    []string
	pythonPath string
}

func (f *pythonFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.pythons, "python", nil, "interpreter of real scripts; of several the first that can run the tree (default: python3, python2.7)")
	c.Flags().StringVar(&f.pythonPath, "python-path", "", "folder that holds netaddr, where the interpreter does not find it itself")
}

func (f *pythonFlags) options(tree string) scripts.Options {
	return scripts.Options{Tree: tree, PythonPath: f.pythonPath, Interpreter: strings.Join(f.pythons, string(filepath.ListSeparator))}
}

// scriptFlags choose what a run's routers are made of.
type scriptFlags struct {
	tree, release string
	pythonFlags
}

func (f *scriptFlags) add(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&f.tree, "systemvm-tree", "", "with --router real-scripts: folder with debian/opt/cloud, such as the folder systemvm of a CloudStack checkout")
	s.StringVar(&f.release, "tree-release", "", "with --router real-scripts: release of the tree, where no pom.xml tells it; by it known failures of routers are told")
	f.pythonFlags.add(c)
}

// wanted says whether real scripts are asked for, and refuses words that do not go together.
func (f *scriptFlags) wanted(c *cobra.Command, router, target string) (bool, error) {
	if target == labTarget && router != "" && router != modelRouter && router != scriptsRouter {
		return false, usage("--router of the lab is %s or %s, not %q; did you mean %s?", modelRouter, scriptsRouter, router,
			harness.Nearest(router, []string{modelRouter, scriptsRouter}))
	}
	if router == scriptsRouter {
		if f.tree == "" {
			return false, usage("--router %s needs --systemvm-tree: a folder with debian/opt/cloud, such as the folder systemvm of a CloudStack checkout", scriptsRouter)
		}
		return true, nil
	}
	for _, name := range []string{"systemvm-tree", "tree-release", "python", "python-path"} {
		if c.Flags().Changed(name) {
			return false, usage("--%s is for --router %s", name, scriptsRouter)
		}
	}
	return false, nil
}

// open tries the scripts. The caller has made sure that namespaces can be made.
func (f *scriptFlags) open(ctx context.Context) (*fleet.Scripts, error) {
	return fleet.OpenScripts(ctx, f.options(f.tree), f.release)
}

// scriptNotes say what a reader of the run must know of its routers; none without real scripts.
func scriptNotes(s *fleet.Scripts, release string) []string {
	switch {
	case s == nil:
		return nil
	case s.Release() == "":
		return []string{fmt.Sprintf("the routers ran a tree that does not tell its release: known failures of routers are not told from new ones, and pushes are those of %s", release)}
	case s.Release() != release:
		return []string{fmt.Sprintf("the routers ran the scripts of %s, the pushes are those of %s: known failures of routers go by the former", s.Release(), release)}
	}
	return nil
}

// withNotes adds notes to those that a target has.
func withNotes(notes func(result.Run) []string, more []string) func(result.Run) []string {
	return func(r result.Run) []string { return append(notes(r), more...) }
}
