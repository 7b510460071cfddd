package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/routers"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/reports"
)

// probeOptions are the flags of probe.
type probeOptions struct {
	control, identity, method string
	path, host, serverName    string
	from                      []string
	requests, parallel        int
	seed                      int64
	timeout                   time.Duration
	tls, noGrid               bool
	files                     reportFlags
	text                      textFlags
}

func probeCommand() *cobra.Command {
	var o probeOptions
	c := &cobra.Command{Use: "probe HOST:PORT", Short: "Says whether a load balancer keeps its clients",
		Long: `Sends requests from several source addresses to any HTTP load balancer and says whether each client stays on
one backend. No CloudStack is needed.

--control is an address of the same load balancer, in front of the same backends, that is NOT sticky. It shows that the
probe could have seen a client move: a sticky verdict without that says nothing.

Exit status: 0 sticky, 1 not sticky, 2 wrong use, 3 inconclusive, 4 could not run.`,
		Example: `  stackproof probe 203.0.113.10:80 --control 203.0.113.10:81 \
    --from 198.51.100.1-198.51.100.31 --identity header:X-Served-By
  stackproof probe lb.example:443 --tls --control lb.example:8443 --from netns:c1,netns:c2,netns:c3 --identity tls
  stackproof probe 203.0.113.10:80 --control 203.0.113.10:81 --from socks5://a.example:1080,socks5://b.example:1080`}
	f := c.Flags()
	f.StringVar(&o.control, "control", "", "HOST:PORT of the same backends without stickiness (required)")
	f.StringSliceVar(
		&o.from,
		"from",
		nil,
		"where requests come from: addresses or ranges FIRST-LAST of this machine, netns:NAME, or socks5://HOST:PORT",
	)
	f.StringVar(
		&o.identity,
		"identity",
		"body",
		"how an answer names its backend: body, body:REGEXP, header:NAME, cookie:NAME or tls (its certificate)",
	)
	f.StringVar(
		&o.method,
		"method",
		string(dataplane.BySource),
		"how the load balancer knows a client: source (its address), or cookie (clients return what they are given)",
	)
	f.StringVar(&o.path, "path", "/", "path of the requests")
	f.StringVar(&o.host, "host", "", "Host header of the requests (default: the address)")
	f.BoolVar(&o.tls, "tls", false, "speak TLS; certificates are not verified")
	f.StringVar(&o.serverName, "server-name", "", "server name for TLS (default: the host)")
	f.IntVar(&o.requests, "requests", dataplane.DefaultRequests, "requests of each client to each address")
	f.IntVar(&o.parallel, "parallel", 1, "clients at once, after the first contact")
	f.Int64Var(&o.seed, "seed", 1, "seed of the order in which clients ask")
	f.DurationVar(&o.timeout, "timeout", dataplane.DefaultTimeout, "time for one request")
	f.BoolVar(&o.noGrid, "no-grid", false, "do not print which backend answered which request")
	o.files.add(f)
	o.text.add(f)
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("%s takes one HOST:PORT, but got %d words", c.CommandPath(), len(args))
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) error { return o.run(c, args[0]) }
	return c
}

func (o *probeOptions) run(c *cobra.Command, target string) (err error) {
	config, from, err := o.config(c.Context(), target)
	if err != nil {
		return err
	}
	files, err := o.files.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.close()) }()
	seen, err := dataplane.Probe(c.Context(), config)
	if err != nil {
		return cannotRun(err)
	}
	run := o.result(seen, from)
	if err := files.write(run, false); err != nil {
		return cannotRun(err)
	}
	if _, err := fmt.Fprint(files.textTo(c), o.told(run, seen)); err != nil {
		return cannotRun(fmt.Errorf("printing the result: %w", err))
	}
	if code := run.ExitCode(false); code != exitOK {
		return &exitError{code: code}
	}
	return nil
}

// config checks the command line.
func (o *probeOptions) config(ctx context.Context, target string) (dataplane.Config, vantage, error) {
	var none dataplane.Config
	switch {
	case o.control == "":
		return none, vantage{}, usage(
			"--control is needed: HOST:PORT of the same backends without stickiness; it shows that a move is seen",
		)
	case len(o.from) == 0:
		return none, vantage{}, usage(
			"--from is needed: the addresses, namespaces or proxies that the requests come from",
		)
	case !strings.HasPrefix(o.path, "/") || strings.ContainsAny(o.path+o.host, " \r\n"):
		return none, vantage{}, usage("--path must begin with / and hold no blank, and --host hold none")
	case o.parallel < 1:
		return none, vantage{}, usage("--parallel must be at least 1, not %d", o.parallel)
	}
	from, err := parseVantage(o.from)
	if err != nil {
		return none, from, usage("--from: %w", err)
	}
	if err := from.have(ctx); err != nil {
		return none, from, cannotRun(fmt.Errorf("--from: %w", err))
	}
	identity, err := dataplane.ParseIdentity(o.identity)
	if err != nil {
		return none, from, usage("--identity: %w", err)
	}
	at, err := resolve(ctx, target)
	if err != nil {
		return none, from, err
	}
	control, err := resolve(ctx, o.control)
	if err != nil {
		return none, from, err
	}
	c := dataplane.Config{
		Target:   dataplane.Target{Rule: target, Address: at},
		Control:  dataplane.Target{Rule: o.control, Address: control},
		Clients:  from.addresses,
		Dialer:   from.Dialer,
		Method:   dataplane.Method(o.method),
		Requests: o.requests,
		Seed:     uint64(o.seed), // a seed
		Timeout:  o.timeout,
		Parallel: o.parallel,
		Identity: identity,
		Path:     o.path,
		Host:     o.host,
	}
	if o.tls {
		name, _, _ := net.SplitHostPort(target)
		if o.serverName != "" {
			name = o.serverName
		}
		c.Dialer = newSecured(from.Dialer, name)
	}
	if err := c.Check(); err != nil {
		return none, from, usage("%w", err)
	}
	return c, from, nil
}

// resolve gives the first address of HOST:PORT.
func resolve(ctx context.Context, text string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return netip.AddrPort{}, usage("%q is not HOST:PORT", text)
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil || number == 0 {
		return netip.AddrPort{}, usage("%q: no such port", text)
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(all) == 0 {
		return netip.AddrPort{}, usage("%q: the host has no address: %w", text, err)
	}
	return netip.AddrPortFrom(all[0].Unmap(), uint16(number)), nil // a port
}

// result is the observation as a run of one case, which every report can show.
func (o *probeOptions) result(seen dataplane.Observation, from vantage) result.Run {
	verdict, why := seen.Verdict, seen.Reason
	if doubt := from.doubt(seen); doubt != "" && verdict == dataplane.Sticky {
		verdict, why = dataplane.Inconclusive, doubt
	}
	c := result.Case{
		ID:      "probe",
		Title:   "clients of " + seen.Target.Rule + " stay on one backend",
		Group:   result.GroupLB,
		Seconds: seen.Seconds,
		Repeats: 1,
		Verdict: result.Pass,
	}
	moved := fmt.Sprintf("%d of %d clients changed their backend", seen.Target.Moved, seen.Clients)
	switch verdict {
	case dataplane.Sticky:
		c.Reason = seen.Target.Rule + " is sticky: " + moved
	case dataplane.Inconclusive:
		c.Verdict, c.Inconclusives, c.Reason = result.Inconclusive, 1, why
	default:
		c.Verdict, c.Failures = result.Fail, 1
		c.Reason = fmt.Sprintf("%s is %s: %s", seen.Target.Rule, strings.ToLower(string(verdict)), moved)
		c.Findings = []result.Finding{
			{
				Says:    c.Reason,
				Class:   result.Class(strings.ReplaceAll(strings.ToLower(string(verdict)), " ", "-")),
				Numbers: o.numbers(seen),
			},
		}
	}
	c.Evidence = []result.Evidence{
		{Kind: result.KindTrace, Title: "probe", Text: strings.Join(o.numbers(seen), "\n"), Data: seen},
	}
	grid := routers.GridOf(seen, string(verdict), why)
	for i := range grid.Clients {
		grid.Clients[i].Client = from.name(grid.Clients[i].Client)
	}
	c.Grids = []result.Grid{grid}
	return result.Run{
		Schema:  result.SchemaVersion,
		Target:  "load balancer",
		Release: "(no CloudStack)",
		Seed:    o.seed,
		Started: seen.Started.UTC(),
		Seconds: seen.Seconds,
		Planned: []string{c.ID},
		Results: []result.Case{c},
	}
}

// numbers are what a verdict rests on.
func (o *probeOptions) numbers(seen dataplane.Observation) []string {
	lines := []string{
		fmt.Sprintf(
			"%d clients, %d requests each, known by %s; seed %d",
			seen.Clients,
			seen.Requests,
			seen.Method,
			seen.Seed,
		),
		fmt.Sprintf(
			"backends: %s; control: %s",
			strings.Join(seen.Target.Backends, ", "),
			strings.Join(seen.Control.Backends, ", "),
		),
		fmt.Sprintf(
			"control %s: %d of %d clients changed their backend; %.1f are expected without stickiness",
			seen.Control.Rule,
			seen.Control.Moved,
			seen.Clients,
			seen.Expected,
		),
	}
	if seen.Resolution > 0 {
		lines = append(
			lines,
			fmt.Sprintf(
				"false pass: without stickiness no move shows with a chance of %.2g (each request dealt by chance)",
				seen.FalsePass,
			),
			fmt.Sprintf(
				"resolution: if %.0f %% of all clients were not kept, it would have shown with 99 %% confidence",
				100*seen.Resolution,
			),
		)
	}
	for _, f := range seen.Failures {
		lines = append(lines, fmt.Sprintf("failed: request %d of %s to %s: %s", f.Round+1, f.Client, f.Rule, f.Error))
	}
	return append(lines, seen.Notes...)
}

// told is what is printed: the verdict, the numbers, the grid.
func (o *probeOptions) told(run result.Run, seen dataplane.Observation) string {
	c := run.Results[0]
	var b strings.Builder
	b.WriteString(reports.Line(c.Reason) + "\n")
	if o.text.quiet {
		return b.String()
	}
	for _, n := range o.numbers(seen) {
		b.WriteString("  " + reports.Line(n) + "\n")
	}
	if c.Verdict == result.Pass {
		b.WriteString(
			"  A load balancer that deals by the client's address looks the same as one with a table of clients.\n",
		)
	}
	if !o.noGrid {
		b.WriteString("\n" + reports.TextGrid(c.Grids[0]))
	}
	return b.String()
}
