package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/existing/config"
)

// chosenTree is what a run of target "t" of the file would run in its routers.
func chosenTree(t *testing.T, file string, environment map[string]string, args ...string) (*config.ScriptTree,
	config.Config, error) {
	t.Helper()
	for _, name := range []string{"STACKPROOF_SYSTEMVM_TREE", "STACKPROOF_TREE_RELEASE", "STACKPROOF_PYTHON",
		"STACKPROOF_PYTHON_PATH"} {
		t.Setenv(name, environment[name])
	}
	t.Setenv("CLOUDSTACK_API_URL", "http://127.0.0.1:1/client/api")
	t.Setenv("CLOUDSTACK_API_KEY", "key")
	t.Setenv("CLOUDSTACK_SECRET_KEY", "secret")
	name := filepath.Join(t.TempDir(), "targets.yaml")
	require.NoError(t, os.WriteFile(name, []byte(file), 0o600))
	var zone existingFlags
	var tree scriptFlags
	c := &cobra.Command{Use: "run"}
	zone.add(c)
	tree.add(c)
	require.NoError(t, c.ParseFlags(append(args, "--config", name)))
	conf, err := zone.target(c, "t", "")
	if err != nil {
		return nil, conf, err
	}
	got, err := tree.wanted(c, conf.Router.Mode, "t", conf.Router.Tree)
	return got, conf, err
}

func TestTreeOfFileEnvironmentAndFlags(t *testing.T) {
	const file = `targets: {t: {log: {file: x.log}, router: {systemvm_tree: file, tree_release: 4.19.1.0, python: python2.7, python_path: lib}}}`
	for name, c := range map[string]struct {
		file        string
		environment map[string]string
		args        []string
		want        config.ScriptTree
	}{
		"the file alone": {file, nil, nil,
			config.ScriptTree{Path: "file", Release: "4.19.1.0", Python: config.Words{"python2.7"}, PythonPath: "lib"}},
		"the environment's tree has another release": {file, map[string]string{"STACKPROOF_SYSTEMVM_TREE": "env"}, nil,
			config.ScriptTree{Path: "env", Python: config.Words{"python2.7"}, PythonPath: "lib"}},
		"the same tree keeps its release": {file, map[string]string{"STACKPROOF_SYSTEMVM_TREE": "file"}, nil,
			config.ScriptTree{Path: "file", Release: "4.19.1.0", Python: config.Words{"python2.7"}, PythonPath: "lib"}},
		"all of the environment": {file, map[string]string{"STACKPROOF_SYSTEMVM_TREE": "env",
			"STACKPROOF_TREE_RELEASE": "4.20.0.0",
			"STACKPROOF_PYTHON":       "a:b", "STACKPROOF_PYTHON_PATH": "env-lib"}, nil,
			config.ScriptTree{Path: "env", Release: "4.20.0.0", Python: config.Words{"a", "b"}, PythonPath: "env-lib"}},
		"flags over both": {file, map[string]string{"STACKPROOF_SYSTEMVM_TREE": "env",
			"STACKPROOF_TREE_RELEASE": "4.20.0.0", "STACKPROOF_PYTHON": "a"},
			[]string{"--systemvm-tree", "flag", "--python", "c", "--python", "d"},
			config.ScriptTree{Path: "flag", Python: config.Words{"c", "d"}, PythonPath: "lib"}},
		"the flag's mode takes the file's tree": {`targets: {t: {router: {mode: real-scripts, systemvm_tree: file}}}`,
			nil, []string{"--router", "real-scripts"},
			config.ScriptTree{Path: "file"}},
		"the file's mode takes the environment's tree": {`targets: {t: {router: real-scripts}}`,
			map[string]string{"STACKPROOF_SYSTEMVM_TREE": "env"}, nil,
			config.ScriptTree{Path: "env"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, conf, err := chosenTree(t, c.file, c.environment, c.args...)
			require.NoError(t, err)
			require.NotNil(t, got)
			assert.Equal(t, c.want, *got)
			assert.Equal(t, config.RealScripts, conf.Router.Mode)
			assert.Equal(t, strings.Contains(c.file, "log"), conf.Shadows())
		})
	}
}

func TestTreeThatNobodyAskedFor(t *testing.T) {
	tree := map[string]string{"STACKPROOF_SYSTEMVM_TREE": "env"}
	for _, args := range [][]string{nil, {"--router", "none"}, {"--router", "ssh {host}"}} {
		got, _, err := chosenTree(t, `targets: {t: {router: shadow}}`, tree, args...)
		require.NoError(t, err)
		assert.Nil(t, got, "the environment says which tree, not that it is to run")
	}
	got, conf, err := chosenTree(t, `targets: {t: {router: {systemvm_tree: file}}}`, nil, "--router", "shadow")
	require.NoError(t, err)
	assert.Nil(t, got)
	assert.Equal(t, config.Router{Mode: "shadow"}, conf.Router, "nothing of the file's tree is left for the model")

	_, _, err = chosenTree(t, `targets: {t: {router: real-scripts}}`, nil)
	assert.ErrorContains(t, err, "needs --systemvm-tree (or $STACKPROOF_SYSTEMVM_TREE, or systemvm_tree in the "+
		"target's router)")
	_, _, err = chosenTree(t, `targets: {t: {router: shadow}}`, nil, "--tree-release", "4.20.0.0")
	assert.ErrorContains(t, err, "--tree-release is for --router real-scripts")
}

// TestRelativeInterpreters: scripts run in a folder of their own, so that a path means what it means here.
func TestRelativeInterpreters(t *testing.T) {
	here, err := os.Getwd()
	require.NoError(t, err)
	got := scriptOptions(config.ScriptTree{Path: "tree", PythonPath: "lib",
		Python: config.Words{"python3", "./py/bin/python2.7", "/usr/bin/python"}})
	assert.Equal(t, strings.Join([]string{"python3", filepath.Join(here, "py/bin/python2.7"), "/usr/bin/python"},
		string(filepath.ListSeparator)), got.Interpreter)
	assert.Equal(t, filepath.Join(here, "lib"), got.PythonPath)
	assert.Empty(t, scriptOptions(config.ScriptTree{Path: "tree"}).PythonPath)
}
