package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/stackproof/stackproof/harness/existing/config"
)

// setting is a value that can be given in several places: a target of the --config file, the environment, a flag. The
// later one wins.
type setting struct {
	flag string // without dashes; "" where there is none
	env  string
	key  string // in a target of the file; parts are joined by dots
	what string // for a setting without a flag; else the flag's own text says it
}

// settings is the one table of flags, environment variables and keys of the file. Texts of flags name their variable,
// flags are laid over the file, and the configuration reference is made from it.
func settings() []setting {
	return []setting{
		{flag: "config", env: "STACKPROOF_CONFIG"},
		{flag: "release", key: "release"},
		{flag: "api-url", env: "CLOUDSTACK_API_URL", key: "api.url"},
		{flag: "api-key", env: "CLOUDSTACK_API_KEY", key: "api.key"},
		{flag: "secret-key", env: "CLOUDSTACK_SECRET_KEY", key: "api.secret"},
		{key: "api.login.username", what: "user of a login, in place of keys"},
		{key: "api.login.password", what: "password of the login; ${NAME} takes it from the environment"},
		{key: "api.login.domain", what: "domain of the login"},
		{flag: "cmk", key: "api.cmk.profile"},
		{key: "api.cmk.file", what: "file of cmk profiles (default: ~/.cmk/config)"},
		{flag: "integration", key: "api.integration"},
		{flag: "user-url", key: "api.user_url"},
		{flag: "ca", key: "api.ca"},
		{flag: "insecure", key: "api.insecure"},
		{flag: "dsn", key: "dsn"},
		{flag: "log", key: "log.file"},
		{flag: "log-command", key: "log.command"},
		{key: "log.settle", what: "how long a command must print nothing for its output to count as read (default 2s)"},
		{flag: "usage", key: "usage.run"},
		{key: "usage.wait", what: "how long one usage run is waited for (default: 5 minutes and two windows)"},
		{flag: "router", key: "router.mode"},
		{key: "router.command", what: "template of the command that reads a real router, with mode command"},
		{flag: "router-profile", key: "router_profile"},
		{flag: "systemvm-tree", env: "STACKPROOF_SYSTEMVM_TREE", key: "router.systemvm_tree"},
		{flag: "tree-release", env: "STACKPROOF_TREE_RELEASE", key: "router.tree_release"},
		{flag: "python", env: "STACKPROOF_PYTHON", key: "router.python"},
		{flag: "python-path", env: "STACKPROOF_PYTHON_PATH", key: "router.python_path"},
		{flag: "clients", key: "clients.mode"},
		{key: "clients.addresses", what: "source addresses of this machine, with mode addresses"},
		{key: "clients.socks5", what: "addresses of SOCKS5 servers, with mode socks5"},
		{flag: "clock", key: "clock"},
		{flag: "zone", key: "zone"},
		{key: "vpc_offering", what: "VPC offering to take (default: the first that fits, as for the four below)"},
		{key: "tier_offering", what: "network offering of tiers"},
		{key: "isolated_offering", what: "network offering of isolated networks"},
		{key: "template", what: "template of VMs"},
		{key: "service_offering", what: "service offering of VMs"},
		{flag: "skew-budget", key: "skew_budget"},
		{flag: "parallel", key: "parallel"},
		{flag: "groups", key: "groups"},
		{flag: "keep-limits", key: "keep_limits"},
		{flag: "disposable", key: "disposable"},
		{key: "restart_usage", what: "command that restarts the usage server, for zone deploy"},
	}
}

// nameVariables adds to the texts of flags which environment variable stands for them.
func nameVariables(f *pflag.FlagSet) {
	for _, s := range settings() {
		if one := f.Lookup(s.flag); one != nil && s.env != "" {
			one.Usage += " (or $" + s.env + ")"
		}
	}
}

// byHand are flags whose effect on a target is more than to set its key; see existingFlags.over. Flags of real scripts
// are laid over the environment by scriptFlags.wanted.
func byHand() []string {
	return []string{"config", "release", "cmk", "integration", "log-command", "router", "systemvm-tree", "tree-release",
		"python", "python-path"}
}

// layFlags sets the keys of a target whose flags were given.
func layFlags(c *cobra.Command, into *config.Config) error {
	for _, s := range settings() {
		f := c.Flags().Lookup(s.flag)
		if f == nil || !f.Changed || s.key == "" || slices.Contains(byHand(), s.flag) {
			continue
		}
		if err := s.lay(f, into); err != nil {
			return fmt.Errorf("--%s: %w", s.flag, err)
		}
	}
	return nil
}

// lay sets the setting's key as a file would that has this key alone.
func (s setting) lay(f *pflag.Flag, into *config.Config) error {
	value := &yaml.Node{Kind: yaml.ScalarNode, Value: f.Value.String()}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		value = &yaml.Node{Kind: yaml.SequenceNode}
		for _, word := range list.GetSlice() {
			value.Content = append(value.Content, scalar(word, f.Value.Type() != "intSlice"))
		}
	} else {
		value = scalar(f.Value.String(), f.Value.Type() == "string")
	}
	for _, key := range slices.Backward(strings.Split(s.key, ".")) {
		value = &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar(key, true), value}}
	}
	return value.Decode(into)
}

func scalar(text string, isText bool) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	if isText {
		n.Tag = "!!str"
	}
	return n
}

// configuration is the reference of all settings, as a table in Markdown.
func configuration(run *cobra.Command) string {
	var b strings.Builder
	b.WriteString("| flag of run | environment | key of a target | what it says |\n|---|---|---|---|\n")
	cell := func(text, before string) string {
		if text == "" {
			return ""
		}
		return "`" + before + text + "`"
	}
	for _, s := range settings() {
		what := s.what
		if f := run.Flags().Lookup(s.flag); f != nil {
			what = strings.TrimSuffix(f.Usage, " (or $"+s.env+")")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(s.flag, "--"), cell(s.env, "$"), cell(s.key, ""),
			strings.ReplaceAll(what, "|", `\|`))
	}
	return b.String()
}
