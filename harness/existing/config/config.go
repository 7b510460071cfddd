// Package config is what the owner of a target says of it: a file of targets, the environment, flags. It connects to
// nothing by itself, but for Connect.
package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/cloud"
)

// Config is one target of a file. Secrets may be given as ${NAME}: they are then taken from the environment.
type Config struct {
	API API `yaml:"api"`
	// DSN are one or two addresses of databases, in the form of go-sql-driver (user:password@tcp(host:3306)/). The
	// account needs SELECT on cloud and cloud_usage.
	DSN   Words `yaml:"dsn"`
	Usage Usage `yaml:"usage"`
	Log   Log   `yaml:"log"`
	// Router says what stands for the virtual routers: none, shadow, real-scripts, or a command template that reads a
	// real one.
	Router Router `yaml:"router"`
	// Clients says where requests come from: shadow (namespaces), addresses (of this machine), socks5.
	Clients Clients `yaml:"clients"`
	// Disposable says that nobody minds what a run creates: it does not ask.
	Disposable bool `yaml:"disposable"`
	// KeepLimits leaves the run's own domain and accounts the resource limits that they are born with; else they are
	// lifted.
	KeepLimits bool `yaml:"keep_limits"`
	// Clock is whose time counts: database (default with a DSN) or api (the Date header).
	Clock   string `yaml:"clock"`
	Release string `yaml:"release"`
	// RouterProfile is the release whose router rules the shadow applies; default the target's own.
	RouterProfile string `yaml:"router_profile"`
	SkewBudget    int    `yaml:"skew_budget"`
	// Parallel bounds how many changes are at work on the server at once; default 16. Fewer are while it is slow.
	Parallel int `yaml:"parallel"`
	// Groups are the sizes of autoscale populations that fit (L-04).
	Groups []int `yaml:"groups"`
	// Restart is a command that restarts the usage server, for zone deploy.
	Restart Words `yaml:"restart_usage"`

	Zone             string `yaml:"zone"`
	VPCOffering      string `yaml:"vpc_offering"`
	TierOffering     string `yaml:"tier_offering"`
	IsolatedOffering string `yaml:"isolated_offering"`
	Template         string `yaml:"template"`
	ServiceOffering  string `yaml:"service_offering"`
}

// API says where the management server is and how calls are authenticated: keys, a login, a cmk profile, or none on the
// integration port.
type API struct {
	URL string `yaml:"url"`
	// UserURL is the address at which customers' keys are known, where URL is the integration port, which knows none.
	UserURL     string `yaml:"user_url"`
	Key         string `yaml:"key"`
	Secret      string `yaml:"secret"`
	Login       Login  `yaml:"login"`
	Cmk         Cmk    `yaml:"cmk"`
	Integration bool   `yaml:"integration"`
	CA          string `yaml:"ca"`
	Insecure    bool   `yaml:"insecure"`
}

// Login is a user with a password.
type Login struct {
	Username string `yaml:"username"`
	Password string `yaml:"password"`
	Domain   string `yaml:"domain"`
}

// Cmk is a profile of CloudMonkey.
type Cmk struct {
	File    string `yaml:"file"`
	Profile string `yaml:"profile"`
}

// Usage says how usage runs are had.
type Usage struct {
	// Run is on-demand (generateUsageRecords, the default) or schedule.
	Run string `yaml:"run"`
	// Wait bounds the wait for one run; default 5 minutes and two ranges.
	Wait time.Duration `yaml:"wait"`
}

// Log says where the management server's log is: files (globs; several management servers have several), or a command
// that prints it for ever.
type Log struct {
	File    Words `yaml:"file"`
	Command Words `yaml:"command"`
	// Settle is how long a command's output must be silent before it counts as read; default 2 s.
	Settle time.Duration `yaml:"settle"`
}

// Clients says where requests come from. As a single word it is the mode.
type Clients struct {
	Mode      string   `yaml:"mode"` // shadow, addresses, socks5
	Addresses []string `yaml:"addresses"`
	Socks5    []string `yaml:"socks5"`
}

// Words is a list that may be written as one text.
type Words []string

// UnmarshalYAML takes a text for a list of one.
func (w *Words) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*w = Words{n.Value}
		return nil
	}
	return n.Decode((*[]string)(w))
}

// UnmarshalYAML takes a text for the mode.
func (c *Clients) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		c.Mode = n.Value
		return nil
	}
	type plain Clients
	return n.Decode((*plain)(c))
}

// Load reads a file of targets. Each error names the file and, where there is one, the line.
func Load(file string) (map[string]Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the targets: %w", err)
	}
	return parse(file, data)
}

// parse is Load of a file's text.
func parse(file string, data []byte) (map[string]Config, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		if line, placeholder, ok := barePlaceholder(string(data)); ok {
			return nil, fmt.Errorf("%s: line %d: inside braces %s needs quotes (\"%s\") or a line of its own "+
				"outside them: %w", file, line,
				placeholder, placeholder, err)
		}
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	type document struct {
		Targets map[string]Config `yaml:"targets"`
	}
	if len(root.Content) == 0 {
		return nil, fmt.Errorf("%s is empty: it must hold targets, each with its name", file)
	}
	if err := checkKeys(root.Content[0], reflect.TypeFor[document](), ""); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var d document
	if err := root.Decode(&d); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for name, c := range d.Targets {
		if err := c.expand(); err != nil {
			return nil, fmt.Errorf("%s: target %s: %w", file, name, err)
		}
		d.Targets[name] = c
	}
	return d.Targets, nil
}

// checkKeys refuses keys that nothing reads, and names the nearest one that is.
func checkKeys(n *yaml.Node, t reflect.Type, path string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return nil
	}
	fields := map[string]reflect.Type{}
	if t.Kind() == reflect.Struct {
		for f := range fieldsOf(t) {
			fields[f.Tag.Get("yaml")] = f.Type
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		in, known := fields[key.Value], true
		switch t.Kind() {
		case reflect.Map:
			in = t.Elem()
		case reflect.Struct:
			_, known = fields[key.Value]
		default:
			known = false
		}
		if !known {
			return unknownKey(key, path, fields)
		}
		if err := checkKeys(n.Content[i+1], in, strings.TrimPrefix(path+"."+key.Value, ".")); err != nil {
			return err
		}
	}
	return nil
}

func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Tag.Get("yaml") != ",inline" {
				if !yield(f) {
					return
				}
				continue
			}
			for inner := range fieldsOf(f.Type) {
				if !yield(inner) {
					return
				}
			}
		}
	}
}

func unknownKey(key *yaml.Node, path string, fields map[string]reflect.Type) error {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	where := path
	if where == "" {
		where = "the file"
	}
	return fmt.Errorf("line %d: %s has no key %q; did you mean %q?", key.Line, where, key.Value,
		harness.Nearest(key.Value, names))
}

// expand replaces ${NAME} in the texts that may hold secrets.
func (c *Config) expand() error {
	var missing []string
	one := func(s string) string {
		return os.Expand(s, func(name string) string {
			v, ok := os.LookupEnv(name)
			if !ok {
				missing = append(missing, name)
			}
			return v
		})
	}
	for _, s := range []*string{&c.API.URL, &c.API.Key, &c.API.Secret, &c.API.Login.Username, &c.API.Login.Password} {
		if strings.Contains(*s, "${") {
			*s = one(*s)
		}
	}
	for i, d := range c.DSN {
		if strings.Contains(d, "${") {
			c.DSN[i] = one(d)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the environment has no %s", strings.Join(missing, ", "))
	}
	return nil
}

// Environment lays the environment's API address and keys over the configuration.
func (c *Config) Environment(lookup func(string) string) {
	set := func(into *string, name string) {
		if v := lookup(name); v != "" {
			*into = v
		}
	}
	set(&c.API.URL, "CLOUDSTACK_API_URL")
	set(&c.API.Key, "CLOUDSTACK_API_KEY")
	set(&c.API.Secret, "CLOUDSTACK_SECRET_KEY")
	if c.API.Key != "" && lookup("CLOUDSTACK_API_KEY") != "" {
		c.API.Login, c.API.Integration = Login{}, false
	}
}

// check names what is wrong with the configuration, in one line.
func (c *Config) check() error {
	var errs error
	switch {
	case len(c.DSN) > 2:
		errs = fmt.Errorf("dsn: %d addresses; give one that shows both cloud and cloud_usage", len(c.DSN))
	case len(c.Log.File) > 0 && len(c.Log.Command) > 0:
		errs = errors.New("log: give files or a command, not both")
	case c.Clock == "database" && len(c.DSN) == 0:
		errs = errors.New("clock: database needs a dsn")
	case c.SkewBudget < 0:
		errs = fmt.Errorf("skew_budget: %d is negative", c.SkewBudget)
	case c.Parallel < 0:
		errs = fmt.Errorf("parallel: %d is negative", c.Parallel)
	case slices.ContainsFunc(c.Groups, func(n int) bool { return n < 2 }):
		errs = fmt.Errorf("groups: %v; each size must be at least 2", c.Groups)
	}
	return errors.Join(errs, oneOf("usage.run", c.Usage.Run, "on-demand", "schedule"), c.Router.check(),
		oneOf("clients", c.Clients.Mode, "shadow", "addresses", "socks5"), oneOf("clock", c.Clock, "database", "api"))
}

func oneOf(what, have string, known ...string) error {
	if have != "" && !slices.Contains(known, have) {
		return fmt.Errorf("%s: %q is not one of %s; did you mean %q?", what, have, strings.Join(known, ", "),
			harness.Nearest(have, known))
	}
	return nil
}

// Options are how the client reaches the API.
func (c *Config) Options() (cloud.Options, error) {
	o := cloud.Options{Parallel: c.Parallel, URL: c.API.URL, APIKey: c.API.Key, SecretKey: c.API.Secret,
		Username: c.API.Login.Username,
		Password: c.API.Login.Password, Domain: c.API.Login.Domain, Integration: c.API.Integration,
		UserURL: c.API.UserURL, CAFile: c.API.CA, Insecure: c.API.Insecure}
	if c.API.Cmk == (Cmk{}) {
		return o, nil
	}
	p, err := cloud.ProfileFromCmk(c.API.Cmk.File, c.API.Cmk.Profile)
	if err != nil {
		return o, err
	}
	if o.URL == "" {
		o.URL = p.URL
	}
	if o.APIKey == "" && o.Username == "" && !o.Integration {
		o.APIKey, o.SecretKey, o.Username, o.Password, o.Domain = p.APIKey, p.SecretKey, p.Username, p.Password,
			p.Domain
	}
	o.Insecure = o.Insecure || p.Insecure
	return o, nil
}

// Named are the parts of the zone that the owner chose.
func (c *Config) Named() harness.Named {
	return harness.Named{Zone: c.Zone, VPCOffering: c.VPCOffering, TierOffering: c.TierOffering,
		IsolatedOffering: c.IsolatedOffering,
		Template:         c.Template, ServiceOffering: c.ServiceOffering}
}

// Shadows says whether routers are stood in for by namespaces.
func (c *Config) Shadows() bool {
	return len(c.Log.File)+len(c.Log.Command) > 0 && slices.Contains([]string{"", "shadow", RealScripts}, c.Router.Mode)
}
