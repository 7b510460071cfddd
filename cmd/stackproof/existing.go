package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing"
	"github.com/stackproof/stackproof/harness/existing/config"
)

// existingFlags are the flags that say where an existing zone is. What is given wins over the file and the environment.
type existingFlags struct {
	config                    string
	url, key, secret, cmk, ca string
	userURL                   string
	insecure, integration     bool
	dsn, logFiles             []string
	logCommand                string
	usage, router, clients    string
	routerProfile, clock      string
	zone                      string
	skewBudget, parallel      int
	groups                    []int
	disposable, keepLimits    bool
}

// add defines the flags.
func (f *existingFlags) add(c *cobra.Command) {
	inGroup(c.Flags(), existingTarget, f.define)
	inGroup(c.Flags(), "routers", func(s *pflag.FlagSet) {
		s.StringVar(&f.router, "router", "",
			"of the lab: model (default) or real-scripts; of an existing zone: none, shadow, real-scripts "+
				"(shadow routers that run them), or a template of a command that reads real ones")
	})
}

func (f *existingFlags) define(s *pflag.FlagSet) {
	s.StringVar(&f.config, "config", "", "YAML file of targets (default: stackproof.yaml where there is one)")
	s.StringVar(&f.url, "api-url", "", "address of the API")
	s.StringVar(&f.userURL, "user-url", "",
		"with --integration: address of the API for customers' keys (default: the server's endpoint.url)")
	s.StringVar(&f.key, "api-key", "", "API key of a root administrator")
	s.StringVar(&f.secret, "secret-key", "", "secret key; others see it on a command line, but not in the environment")
	s.StringVar(&f.cmk, "cmk", "", "profile of ~/.cmk/config")
	s.StringVar(&f.ca, "ca", "", "PEM file of the API's certificate authority")
	s.BoolVar(&f.insecure, "insecure", false, "accept any certificate")
	s.BoolVar(&f.integration, "integration", false, "the address is the integration port, without authentication")
	s.StringArrayVar(&f.dsn, "dsn", nil, "database with SELECT on cloud and cloud_usage, user:password@tcp(host:3306)/")
	s.StringArrayVar(&f.logFiles, "log", nil, "management server's log, a file or glob (repeatable)")
	s.StringVar(&f.logCommand, "log-command", "",
		"command that prints the log for ever, such as \"ssh mgmt tail -n +1 -F /var/log/...\"")
	s.StringVar(&f.usage, "usage", "", "how usage runs are had: on-demand or schedule")
	s.StringVar(&f.clients, "clients", "", "where requests come from: shadow, addresses or socks5")
	s.StringVar(&f.routerProfile, "router-profile", "",
		"release whose router rules the shadow applies (default: the target's)")
	s.StringVar(&f.clock, "clock", "", "whose time counts: database or api")
	s.StringVar(&f.zone, "zone", "", "name or id of the zone (default: the first that fits)")
	s.IntVar(&f.skewBudget, "skew-budget", 0, "harmless rules that may be made to set ids apart (default 200)")
	s.IntVar(&f.parallel, "parallel", 0,
		"changes that may be at work on the server at once (default 16; fewer while it is slow)")
	s.IntSliceVar(&f.groups, "groups", nil, "sizes of autoscale populations that fit (L-04)")
	s.BoolVar(&f.keepLimits, "keep-limits", false,
		"do not lift the resource limits of the run's own domain and accounts; a run that needs more is refused")
	s.BoolVar(&f.disposable, "disposable", false, "nobody minds what a run makes there; do not ask")
}

// over lays the flags that were given over a target. Ways to be authenticated exclude each other, and so do a log's
// files and its command: a flag of one takes the others back.
func (f *existingFlags) over(c *cobra.Command, into *config.Config) error {
	given := func(name string) bool { return c.Flags().Changed(name) }
	if given("cmk") {
		into.API = config.API{CA: into.API.CA, Insecure: into.API.Insecure, Cmk: config.Cmk{Profile: f.cmk}}
	}
	if given("api-key") || given("secret-key") {
		into.API.Login, into.API.Integration = config.Login{}, false
	}
	if given("log") {
		into.Log.Command = nil
	}
	if err := layFlags(c, into); err != nil {
		return usage("%w", err)
	}
	if given("integration") && f.integration {
		into.API.Integration, into.API.Key, into.API.Secret, into.API.Login = true, "", "", config.Login{}
	}
	if given("log-command") {
		into.Log.Command, into.Log.File = strings.Fields(f.logCommand), nil
	}
	if given("router") {
		tree := into.Router.Tree
		into.Router = config.RouterOf(f.router)
		if into.Router.Mode == config.RealScripts {
			into.Router.Tree = tree
		}
	}
	return nil
}

// defaultConfig is looked for in the current folder.
const defaultConfig = "stackproof.yaml"

// file is the file of targets to read, "" for none.
func (f *existingFlags) file() string {
	if f.config != "" {
		return f.config
	}
	if env := os.Getenv("STACKPROOF_CONFIG"); env != "" {
		return env
	}
	if _, err := os.Stat(defaultConfig); err == nil {
		return defaultConfig
	}
	return ""
}

// target is the configuration of a target: the file's, the environment, the flags, later ones winning.
func (f *existingFlags) target(c *cobra.Command, name, release string) (config.Config, error) {
	var targets map[string]config.Config
	if file := f.file(); file != "" {
		var err error
		if targets, err = config.Load(file); err != nil {
			return config.Config{}, usage("%w", err)
		}
	}
	conf, known := targets[name]
	if !known && name != existingTarget {
		names := append(slices.Sorted(maps.Keys(targets)), labTarget, existingTarget)
		return conf, usage("target %q is not known; did you mean %q? (there are %s; --config names a file with more)",
			name,
			harness.Nearest(name, names), strings.Join(names, ", "))
	}
	conf.Environment(os.Getenv)
	if err := f.over(c, &conf); err != nil {
		return conf, err
	}
	if release != "" {
		conf.Release = release
	}
	if conf.API.URL == "" && conf.API.Cmk == (config.Cmk{}) {
		return conf, usage("target %s has no API address: give --api-url, $CLOUDSTACK_API_URL, a profile with "+
			"--cmk, or a --config file that has it", name)
	}
	if err := conf.Check(); err != nil {
		return conf, usage("target %s: %w", name, err)
	}
	for _, line := range conf.Exposed(f.file()) {
		fmt.Fprintln(c.ErrOrStderr(), "stackproof: warning:", line)
	}
	return conf, nil
}

// confirm shows what a run will create and asks, unless the target is disposable or --yes was given.
func confirm(ctx context.Context, c *cobra.Command, t *existing.Target, chosen harness.Catalogue, yes, dry bool) error {
	lines, err := t.Intent(ctx, chosen)
	if err != nil {
		return err
	}
	if dry {
		fmt.Fprintln(c.OutOrStdout(), strings.Join(lines, "\n"))
		return nil
	}
	if yes || t.Disposable() {
		return nil
	}
	fmt.Fprintln(c.ErrOrStderr(), strings.Join(lines, "\n"))
	in, isFile := c.InOrStdin().(*os.File)
	if !isFile || !term.IsTerminal(int(in.Fd())) {
		return errors.New("the target is not marked disposable, and there is no terminal to ask at: give --yes, or " +
			"set disposable: true")
	}
	fmt.Fprint(c.ErrOrStderr(), "Go on? [y/N] ")
	answer, err := readLine(ctx, in)
	if err != nil {
		return fmt.Errorf("nothing was created: %w", err)
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return errors.New("nothing was created: the answer was no")
	}
	return nil
}

// readLine waits for a line or the context's end. A read of a terminal cannot be called off: after an interrupt it
// stays behind until the program ends, which is at once.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type read struct {
		line string
		err  error
	}
	done := make(chan read, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		done <- read{line, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return "", fmt.Errorf("reading the answer: %w", r.err)
		}
		return r.line, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// openTimeout bounds the trying of capabilities.
const openTimeout = 3 * time.Minute
