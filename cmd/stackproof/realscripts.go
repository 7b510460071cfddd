package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/config"
	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/router/scripts"
)

// What --router takes besides what an existing zone knows.
const (
	modelRouter   = "model"
	scriptsRouter = config.RealScripts
)

// pythonFlags say which interpreter runs real scripts.
type pythonFlags struct {
	pythons    []string
	pythonPath string
}

func (f *pythonFlags) add(s *pflag.FlagSet) {
	s.StringArrayVar(&f.pythons, "python", nil,
		"interpreter of real scripts; of several the first that can run the tree (default: python3, python2.7)")
	s.StringVar(&f.pythonPath, "python-path", "",
		"folder that holds netaddr, where the interpreter does not find it itself")
}

func (f *pythonFlags) options(tree string) scripts.Options {
	t := config.ScriptTree{Python: f.pythons, PythonPath: f.pythonPath}.Over(treeOfEnvironment(os.Getenv))
	t.Path = tree
	return scriptOptions(t)
}

// scriptOptions are what a tree's scripts are run with.
func scriptOptions(t config.ScriptTree) scripts.Options {
	pythons := make([]string, len(t.Python))
	for i, one := range t.Python {
		if pythons[i] = one; strings.ContainsRune(one, filepath.Separator) { // else a name, looked for in PATH
			pythons[i] = absolute(one)
		}
	}
	return scripts.Options{Tree: t.Path, PythonPath: absolute(t.PythonPath), Interpreter: strings.Join(pythons,
		string(filepath.ListSeparator))}
}

// absolute is a path as it is meant here: scripts run in a folder of their own.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return full
}

// treeOfEnvironment is what the environment says of real scripts. It does not ask for them.
func treeOfEnvironment(lookup func(string) string) config.ScriptTree {
	t := config.ScriptTree{Path: lookup("STACKPROOF_SYSTEMVM_TREE"), Release: lookup("STACKPROOF_TREE_RELEASE"),
		PythonPath: lookup("STACKPROOF_PYTHON_PATH")}
	if list := lookup("STACKPROOF_PYTHON"); list != "" {
		t.Python = filepath.SplitList(list)
	}
	return t
}

// scriptFlags choose what a run's routers are made of.
type scriptFlags struct {
	tree, release string
	pythonFlags
}

func (f *scriptFlags) add(c *cobra.Command) {
	inGroup(c.Flags(), "routers", f.define)
}

func (f *scriptFlags) define(s *pflag.FlagSet) {
	s.StringVar(&f.tree, "systemvm-tree", "",
		"with --router real-scripts: folder with debian/opt/cloud, such as the folder systemvm of "+
			"a CloudStack checkout")
	s.StringVar(&f.release, "tree-release", "",
		"with --router real-scripts: release of the tree, where no pom.xml tells it; by it known failures of "+
			"routers are told")
	f.pythonFlags.add(s)
}

// wanted gives the tree whose scripts the routers run, nil when they run none, and refuses words that do not go
// together. The flags are laid over the environment, and that over the file's tree.
func (f *scriptFlags) wanted(c *cobra.Command, router, target string, file config.ScriptTree) (*config.ScriptTree,
	error) {
	if target == labTarget && router != "" && router != modelRouter && router != scriptsRouter {
		return nil, usage("--router of the lab is %s or %s, not %q; did you mean %s?", modelRouter, scriptsRouter,
			router,
			harness.Nearest(router, []string{modelRouter, scriptsRouter}))
	}
	if router == scriptsRouter {
		flags := config.ScriptTree{Path: f.tree, Release: f.release, Python: f.pythons, PythonPath: f.pythonPath}
		tree := flags.Over(treeOfEnvironment(os.Getenv).Over(file))
		if tree.Path == "" {
			return nil, usage("--router %s needs --systemvm-tree (or $STACKPROOF_SYSTEMVM_TREE, or systemvm_tree in "+
				"the target's router): a folder with "+
				"debian/opt/cloud, such as the folder systemvm of a CloudStack checkout", scriptsRouter)
		}
		return &tree, nil
	}
	for _, name := range []string{"systemvm-tree", "tree-release", "python", "python-path"} {
		if c.Flags().Changed(name) {
			return nil, usage("--%s is for --router %s", name, scriptsRouter)
		}
	}
	return nil, nil
}

// openScripts tries the scripts; nil for none. The caller has made sure that namespaces can be made.
func openScripts(ctx context.Context, t *config.ScriptTree) (*fleet.Scripts, error) {
	if t == nil {
		return nil, nil
	}
	return fleet.OpenScripts(ctx, scriptOptions(*t), t.Release)
}

// scriptNotes say what a reader of the run must know of its routers; none without real scripts.
func scriptNotes(s *fleet.Scripts, release string) []string {
	switch {
	case s == nil:
		return nil
	case s.Release() == "":
		return []string{fmt.Sprintf("the routers ran a tree that does not tell its release: known failures of "+
			"routers are not told from new ones, and pushes are those of %s", release)}
	case s.Release() != release:
		return []string{fmt.Sprintf("the routers ran the scripts of %s, the pushes are those of %s: known failures "+
			"of routers go by the former", s.Release(), release)}
	}
	return nil
}

// withNotes adds notes to those that a target has.
func withNotes(notes func(result.Run) []string, more []string) func(result.Run) []string {
	return func(r result.Run) []string { return append(notes(r), more...) }
}
