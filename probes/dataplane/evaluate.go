package dataplane

import (
	"context"
	"fmt"
	"net/netip"
	"sort"
	"strings"
	"time"
)

// confidence of Observation.Resolution.
const confidence = 0.99

// evaluate turns a pass in which the router did not change into the observation's verdict.
func evaluate(ctx context.Context, o *Observation, c *Config, p *pass) error {
	o.Failures = p.failures
	o.Target.Backends, o.Target.Moved = p.summary(targetSide)
	o.Control.Backends, o.Control.Moved = p.summary(controlSide)
	o.Movers = p.movers()
	o.Traces = p.allTraces()
	o.Homes = p.homes()
	o.LossAfter, o.LossBefore = loss(o.Movers)
	o.LongestGap = p.longestGap().Seconds()
	for i := range p.clients {
		for side, s := range []*Side{&o.Target, &o.Control} {
			if p.clients[i].cookies[side] != "" {
				s.Cookies++
			}
		}
	}
	n, b := len(p.clients), len(o.Control.Backends)
	if b > 0 {
		o.Expected = ExpectedMovers(n, c.Requests, b)
		o.FalsePass = FalsePassIndependent(n, c.Requests, b)
	}
	if b > 1 {
		o.Resolution = SmallestFraction(confidence, n, c.Requests, b)
	}
	if err := o.countSources(ctx, c, p); err != nil {
		return err
	}
	o.decide(c)
	return nil
}

// decide gives the verdict. Every refusal comes before the first word about the target.
func (o *Observation) decide(c *Config) {
	for _, refuse := range []func(*Config) string{o.refuseAnswers, o.refuseClients, o.refuseControl} {
		if reason := refuse(c); reason != "" {
			o.Verdict, o.Reason = Inconclusive, reason
			return
		}
	}
	switch k := float64(o.Target.Moved); {
	case k == 0:
		o.Verdict = Sticky
	case k < o.Expected/2:
		o.Verdict = Partial
	default:
		o.Verdict = NotSticky
	}
	if used := o.Sources.TableUsed; used != nil && c.Method == BySource {
		switch {
		case *used < o.Clients && o.Verdict == Sticky:
			// Fewer entries than clients: some shared an address on their way, or the table evicts and the probe was
			// lucky.
			o.Verdict, o.Reason = Inconclusive,
				fmt.Sprintf("no client moved but the stick table has %d entries for %d clients", *used, o.Clients)
		case *used != o.Clients:
			o.Notes = append(o.Notes, fmt.Sprintf("the stick table has %d entries for %d clients", *used, o.Clients))
		}
	}
}

// refuseAnswers wants every request answered, by at least two backends on either rule.
func (o *Observation) refuseAnswers(c *Config) string {
	if len(o.Failures) > 0 {
		f := o.Failures[0]
		return fmt.Sprintf("request %d of %s to %s failed: %s", f.Round+1, f.Client, f.Rule, f.Error)
	}
	for _, s := range []Side{o.Control, o.Target} {
		if len(s.Backends) < 2 {
			return fmt.Sprintf("only one backend answered on %s: %s", s.Rule, list(s.Backends))
		}
	}
	if c.Backends > len(o.Control.Backends) {
		return fmt.Sprintf("%d of %d backends answered on %s: %s", len(o.Control.Backends), c.Backends, o.Control.Rule,
			list(o.Control.Backends))
	}
	if foreign := difference(o.Target.Backends, o.Control.Backends); len(foreign) > 0 {
		return fmt.Sprintf("%s has backends that %s has not: %s", o.Target.Rule, o.Control.Rule, list(foreign))
	}
	return ""
}

// refuseClients wants as many distinct sources as clients, fewer than the table holds, and entries that outlive the
// pauses.
func (o *Observation) refuseClients(c *Config) string {
	n, b := o.Clients, len(o.Control.Backends)
	switch {
	case !coprime(n, b):
		return fmt.Sprintf("%d clients and %d backends have a common divisor: use another number of clients", n, b)
	case c.TableSize > 0 && n >= c.TableSize:
		return fmt.Sprintf("%d clients do not fit a stick table of %d: use fewer", n, c.TableSize)
	case c.TableExpiry > 0 && o.LongestGap >= c.TableExpiry.Seconds():
		return fmt.Sprintf("a client paused for %.1f s, entries expire after %s", o.LongestGap, c.TableExpiry)
	case c.Method == ByCookie:
		return ""
	case o.Sources.Told == n && o.Sources.Distinct < n:
		return fmt.Sprintf("%d clients reached the backends from %d addresses: something on the way hides them", n,
			o.Sources.Distinct)
	case o.Sources.Told < n && o.Sources.Bound < n:
		return fmt.Sprintf("%d clients had %d local addresses and the backends were not told the sources", n,
			o.Sources.Bound)
	}
	return ""
}

// refuseControl wants the control rule seen to be not sticky.
func (o *Observation) refuseControl(*Config) string {
	if k := float64(o.Control.Moved); k < o.Expected/2 {
		return fmt.Sprintf("on the control rule %s only %d of %d clients moved, %.1f expected: this probe cannot "+
			"see missing stickiness",
			o.Control.Rule, o.Control.Moved, o.Clients, o.Expected)
	}
	return ""
}

// countSources notes how the clients' addresses are known to be distinct.
func (o *Observation) countSources(ctx context.Context, c *Config, p *pass) error {
	told, bound := map[string]bool{}, map[netip.Addr]bool{}
	for i := range p.clients {
		if s := p.clients[i].told(); s != "" {
			o.Sources.Told++
			told[s] = true
		}
		if a := p.clients[i].local; a.IsValid() {
			bound[a] = true
		}
	}
	o.Sources.Distinct, o.Sources.Bound = len(told), len(bound)
	if c.Tables == nil {
		return nil
	}
	used, known, err := c.Tables.Table(ctx, c.Target.Rule)
	if err != nil {
		return fmt.Errorf("stickiness probe of %s: read its stick table: %w", c.Target.Rule, err)
	}
	if known {
		o.Sources.TableUsed = &used
	}
	return nil
}

// summary gives the backends that answered and the number of clients that saw more than one.
func (p *pass) summary(side int) (backends []string, moved int) {
	seen := map[string]bool{}
	for _, trace := range p.traces[side] {
		for _, s := range trace {
			seen[s.Backend] = true
		}
		if changes(trace) > 0 {
			moved++
		}
	}
	for b := range seen {
		backends = append(backends, b)
	}
	sort.Strings(backends)
	return backends, moved
}

func changes(trace []Step) int {
	n := 0
	for i := 1; i < len(trace); i++ {
		if trace[i].Backend != trace[i-1].Backend {
			n++
		}
	}
	return n
}

func (p *pass) allTraces() []Trace {
	all := make([]Trace, len(p.clients))
	for i := range all {
		all[i].Client = p.clients[i].from
		for side, into := range []*[]string{&all[i].Target, &all[i].Control} {
			for _, s := range p.traces[side][i] {
				*into = append(*into, s.Backend)
			}
		}
	}
	return all
}

func (p *pass) movers() []Mover {
	var movers []Mover
	for i, trace := range p.traces[targetSide] {
		switch changes(trace) {
		case 0:
		case 1:
			movers = append(movers, Mover{Client: p.clients[i].from, Pattern: MovedOnce, Trace: trace})
		default:
			movers = append(movers, Mover{Client: p.clients[i].from, Pattern: Alternates, Trace: trace})
		}
	}
	return movers
}

// loss finds the one moment at which every mover can have moved: after each one's last request to its old backend and
// before its first to the new one. There is none where a client alternates or where the intervals do not meet.
func loss(movers []Mover) (after, before *time.Time) {
	for _, m := range movers {
		if m.Pattern != MovedOnce {
			return nil, nil
		}
		for i := 1; i < len(m.Trace); i++ {
			old, moved := m.Trace[i-1], m.Trace[i]
			if old.Backend == moved.Backend {
				continue
			}
			if after == nil || old.At.After(*after) {
				after = &old.At
			}
			if before == nil || moved.At.Before(*before) {
				before = &moved.At
			}
		}
	}
	if after == nil || after.After(*before) {
		return nil, nil
	}
	return after, before
}

func (p *pass) homes() map[netip.Addr]string {
	homes := map[netip.Addr]string{}
	for i, trace := range p.traces[targetSide] {
		if n := len(trace); n > 0 {
			homes[p.clients[i].from] = trace[n-1].Backend
		}
	}
	return homes
}

func (p *pass) longestGap() time.Duration {
	var longest time.Duration
	for _, trace := range p.traces[targetSide] {
		for i := 1; i < len(trace); i++ {
			longest = max(longest, trace[i].At.Sub(trace[i-1].At))
		}
	}
	return longest
}

func difference(a, b []string) []string {
	var d []string
	for _, s := range a {
		if i := sort.SearchStrings(b, s); i == len(b) || b[i] != s {
			d = append(d, s)
		}
	}
	return d
}

// Judge combines an observation with what the router's files say. hasTable tells whether the rule's section has a stick
// table (nil: the files were not read), balance is the section's algorithm ("": not known). With algorithm source
// clients stay where they are without any table, so a sticky verdict is accepted only with the table in the file.
func Judge(o Observation, hasTable *bool, balance string) (Verdict, string) {
	if o.Verdict != Sticky || o.Method == ByCookie {
		return o.Verdict, o.Reason
	}
	source := strings.EqualFold(balance, "source")
	switch {
	case hasTable != nil && *hasTable:
		return Sticky, o.Reason
	case hasTable != nil && source:
		return Inconclusive, "no client moved, but the rule has no stick table in the file: its algorithm is " +
			"source, which looks sticky"
	case hasTable != nil && balance == "":
		return Inconclusive, "no client moved, the rule has no stick table in the file and its algorithm is not known"
	case hasTable != nil:
		return Sticky, "although the rule has no stick table in the file: the running process has another configuration"
	case source || balance == "":
		return Inconclusive, "no client moved, but the files were not read: algorithm source looks the same as a " +
			"stick table"
	}
	return Sticky, o.Reason
}
