package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRouterOfAFile(t *testing.T) {
	for text, want := range map[string]Router{
		"none":                        {Mode: "none"},
		"real-scripts":                {Mode: RealScripts},
		`"ssh {host} sudo {command}"`: {Mode: "command", Command: "ssh {host} sudo {command}"},
		"{command: ssh x}":            {Mode: "command", Command: "ssh x"},
		"{systemvm_tree: a, tree_release: 4.22.0.0, python: [p, q], python_path: n}": {Mode: RealScripts,
			Tree: ScriptTree{Path: "a", Release: "4.22.0.0", Python: Words{"p", "q"}, PythonPath: "n"}},
	} {
		got, err := load(t, "targets: {t: {router: "+text+"}}")
		require.NoError(t, err, text)
		r := got["t"].Router
		assert.Equal(t, want, r, text)
		assert.NoError(t, r.check(), text)
	}
}

func TestRouterOfAFileRefused(t *testing.T) {
	_, err := load(t, "targets: {t: {router: {systemvm-tree: a}}}")
	require.ErrorContains(t, err, `targets.t.router has no key "systemvm-tree"; did you mean "systemvm_tree"?`)
	for text, want := range map[string]string{
		"{mode: shadow, systemvm_tree: a}": "router: systemvm_tree, tree_release, python and python_path are for " +
			"mode real-scripts",
		"{tree_release: 4.20.0.0}": "are for mode real-scripts",
		"{mode: command}":          "router: mode command needs a command",
		"real-script":              `router: "real-script" is not one of none, shadow, real-scripts, command; did you mean "real-scripts"?`,
	} {
		got, err := load(t, "targets: {t: {router: "+text+"}}")
		require.NoError(t, err, text)
		c := got["t"]
		assert.ErrorContains(t, c.check(), want, text)
	}
}
