package config

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// RealScripts is the mode of shadow routers that run a release's own router scripts.
const RealScripts = "real-scripts"

// Router says how routers are looked at. As a text it is the mode, or a command where it holds blanks or braces.
type Router struct {
	Mode string `yaml:"mode"` // none, shadow, real-scripts, command
	// Command is a template (package realrouter), for instance ssh {host} ssh -p 3922 root@{linklocal} {command}; it
	// only reads.
	Command string     `yaml:"command"`
	Tree    ScriptTree `yaml:",inline"`
}

// ScriptTree says whose scripts mode real-scripts runs, and with what. Open takes them opened (Options.Scripts); who
// opens them lays the environment and flags over these.
type ScriptTree struct {
	Path       string `yaml:"systemvm_tree"` // folder with debian/opt/cloud
	Release    string `yaml:"tree_release"`  // of the tree, where no pom.xml tells it
	Python     Words  `yaml:"python"`        // interpreters; the first that can run the tree
	PythonPath string `yaml:"python_path"`   // folder with netaddr
}

// Over lays what is given in t over under. The release belongs to the tree that it was given with.
func (t ScriptTree) Over(under ScriptTree) ScriptTree {
	if t.Path != "" && t.Path != under.Path {
		under.Path, under.Release = t.Path, ""
	}
	if t.Release != "" {
		under.Release = t.Release
	}
	if len(t.Python) > 0 {
		under.Python = t.Python
	}
	if t.PythonPath != "" {
		under.PythonPath = t.PythonPath
	}
	return under
}

func (t ScriptTree) empty() bool {
	return t.Path == "" && t.Release == "" && len(t.Python) == 0 && t.PythonPath == ""
}

// RouterOf takes a word for the mode and anything longer for a command.
func RouterOf(s string) Router {
	if strings.ContainsAny(s, " {") {
		return Router{Mode: "command", Command: s}
	}
	return Router{Mode: s}
}

// UnmarshalYAML takes a text for the mode or the command.
func (r *Router) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*r = RouterOf(n.Value)
		return nil
	}
	type plain Router
	if err := n.Decode((*plain)(r)); err != nil {
		return err
	}
	if r.Mode == "" && r.Command != "" {
		r.Mode = "command"
	}
	if r.Mode == "" && r.Tree.Path != "" {
		r.Mode = RealScripts
	}
	return nil
}

func (r *Router) check() error {
	switch {
	case r.Mode == "command" && r.Command == "":
		return errors.New("router: mode command needs a command")
	case r.Mode != RealScripts && !r.Tree.empty():
		return fmt.Errorf("router: systemvm_tree, tree_release, python and python_path are for mode %s", RealScripts)
	}
	return oneOf("router", r.Mode, "none", "shadow", RealScripts, "command")
}
