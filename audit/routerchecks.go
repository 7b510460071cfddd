package audit

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/router"
)

// routerChecks are L4 and L7, and what L6 learns from the files of redundant routers.
type routerChecks struct {
	l4, l6, l7 Check
	unseen     []string // routers that did not answer
	silent     []string // routers whose HAProxy did not answer
}

func (c *Check) add(format string, args ...any) {
	if c.Count++; len(c.Evidence) < evidenceLines {
		c.Evidence = append(c.Evidence, fmt.Sprintf(format, args...))
	}
}

// inside looks into the routers, and at the public addresses where that is asked for.
func (b *balancers) inside(ctx context.Context, o Options, result *Result) (routerChecks, error) {
	c := routerChecks{l4: Check{ID: "L4"}, l6: Check{ID: "L6"}, l7: Check{ID: "L7"}}
	if o.Routers == nil && o.Reach == nil {
		const how = "give --router, the command that leads into one"
		c.l4.Outcome, c.l4.Text = NotLooked, "a database does not show a router's files: "+how
		c.l7.Outcome, c.l7.Text = NotLooked, "a database does not show traffic: "+how+", or --reach"
		return c, nil
	}
	if err := b.readAddresses(ctx); err != nil {
		return c, err
	}
	if o.Routers == nil {
		c.l4.Outcome, c.l4.Text = NotLooked, "a database does not show a router's files: give --router"
		for _, r := range b.sorted() {
			if r.public() && r.state == "Active" && r.backends > 0 {
				result.Traffic = append(result.Traffic, Traffic{Rule: r.id, UUID: r.uuid, Name: r.name,
					Router: strings.Join(b.place(r), ", "), Address: r.listensAt(), Clients: -1})
			}
		}
	} else if err := b.judgeRouters(ctx, o.Routers, &c, result); err != nil {
		return c, err
	}
	if o.Reach != nil {
		each(indexes(result.Traffic), func(t *Traffic) {
			t.Reachable = "yes"
			if err := o.Reach(ctx, t.Address); err != nil {
				t.Reachable = err.Error()
			}
		})
		if err := context.Cause(ctx); err != nil {
			return c, err
		}
	}
	c.traffic(result.Traffic)
	return c, nil
}

func indexes[T any](all []T) []*T {
	pointers := make([]*T, len(all))
	for i := range all {
		pointers[i] = &all[i]
	}
	return pointers
}

func (b *balancerRule) public() bool {
	return b.address != "" && (b.scheme == "" || b.scheme == "Public")
}

func (b *balancers) judgeRouters(ctx context.Context, routers Routers, c *routerChecks, result *Result) error {
	looks, err := b.lookAt(ctx, routers)
	if err != nil {
		return err
	}
	pairs := map[string]*routerLook{}
	for _, l := range looks {
		if l.err != nil {
			c.unseen = append(c.unseen, fmt.Sprintf("%s: %v", l.place.Name, l.err))
			continue
		}
		if l.view.Silent != "" {
			c.silent = append(c.silent, fmt.Sprintf("%s: %s", l.place.Name, l.view.Silent))
		}
		l.judge(&c.l4, result)
		if first := pairs[l.pair]; first != nil {
			l.comparePair(first, &c.l6)
		} else {
			pairs[l.pair] = l
		}
	}
	none := fmt.Sprintf("%d routers have in force what the database says", len(looks)-len(c.unseen))
	c.l4 = verdict(c.l4, none, "differences between routers and the database")
	switch {
	case len(looks) == 0:
		c.l4.Outcome, c.l4.Text = Clean, "no running router serves a public rule"
	case len(c.unseen) > 0 && c.l4.Outcome == Clean:
		c.l4.Outcome = Undecidable
		c.l4.Text = fmt.Sprintf("%d of %d routers could not be looked at, first: %s", len(c.unseen), len(looks),
			c.unseen[0])
	}
	return nil
}

// judge compares one router with what the database gives it.
func (l *routerLook) judge(c *Check, result *Result) {
	name, files := l.place.Name, l.view.Files
	listens := rulesOnly(files.Live)
	wanted := map[string]bool{}
	for _, r := range l.rules {
		if r.address == "" {
			continue
		}
		wanted[r.listensAt()] = true
		if r.state != "Active" || r.backends == 0 { // a rule without members need not be there
			continue
		}
		s, there := sectionAt(listens, r.listensAt())
		if !there {
			c.add("router %s: nothing listens at %s for rule %d %q", name, r.listensAt(), r.id, r.name)
			continue
		}
		for _, what := range r.differs(s) {
			c.add("router %s: rule %d %q at %s: %s", name, r.id, r.name, r.listensAt(), what)
		}
		result.Traffic = append(result.Traffic, l.traffic(r, s))
	}
	for _, section := range sortedKeys(listens) {
		bind, _, _ := strings.Cut(listens[section].Bind(), " ")
		if _, err := netip.ParseAddrPort(bind); err == nil && !wanted[bind] {
			c.add("router %s: section %s still listens at %s, and no rule is there", name, section, bind)
		}
	}
	switch {
	case files.MasterPID == 0 && len(listens) > 0:
		c.add("router %s: HAProxy does not run", name)
	case files.New != nil && router.DiffText(files.New, files.Live) != "":
		c.add("router %s: haproxy.cfg.new differs from haproxy.cfg: the last change was not taken", name)
	case files.Live != nil && files.Serving == nil && files.MasterPID != 0:
		c.add("router %s: HAProxy has not been reloaded since haproxy.cfg changed", name)
	}
}

// differs says in what a section is not the rule.
func (b *balancerRule) differs(s router.Section) []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if !strings.EqualFold(s.Balance(), b.algorithm) {
		add("the algorithm is %s, the rule's is %s", s.Balance(), b.algorithm)
	}
	var servers []string
	for _, server := range s.Servers() {
		servers = append(servers, server.Address)
	}
	want := slices.Sorted(slices.Values(b.members))
	slices.Sort(servers)
	if !b.memberUnknown && !slices.Equal(servers, want) {
		add("the backends are %s, the rule's members are %s", listOf(servers), listOf(want))
	}
	method := ""
	for _, p := range b.policies {
		method = map[string]string{"SourceBased": "source", "LbCookie": "cookie"}[p.method]
		if method == "" {
			return all // what a router makes of another method is not told by its file
		}
	}
	if have := stickyWord(s); have != method {
		add("it is sticky by %s, the rule's policy says %s", noneIfEmpty(have), noneIfEmpty(method))
	}
	return all
}

func listOf(words []string) string { return noneIfEmpty(strings.Join(words, ", ")) }

func noneIfEmpty(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// comparePair compares two routers that serve the same rules.
func (l *routerLook) comparePair(first *routerLook, c *Check) {
	here, there := rulesOnly(l.view.Files.Live), rulesOnly(first.view.Files.Live)
	for _, name := range sortedKeys(here) {
		if other, known := there[name]; !known || !slices.Equal(here[name].Lines, other.Lines) {
			c.add("redundant routers %s and %s of %s differ in section %s", first.place.Name, l.place.Name, l.pair,
				name)
		}
	}
	for _, name := range sortedKeys(there) {
		if _, known := here[name]; !known {
			c.add("redundant routers %s and %s of %s differ in section %s", first.place.Name, l.place.Name, l.pair,
				name)
		}
	}
}

// traffic is L7.
func (c *routerChecks) traffic(all []Traffic) {
	tried, looked := 0, 0
	for _, t := range all {
		if t.Reachable != "" {
			tried++
		}
		if len(t.Up)+len(t.Down) > 0 {
			looked++
		}
		switch {
		case t.Reachable != "" && t.Reachable != "yes":
			c.l7.add("%s cannot be reached from here: %s", t, t.Reachable)
		case len(t.Up) == 0 && len(t.Down) > 0:
			c.l7.add("%s has no backend that is up", t)
		case len(t.Down) > 0:
			c.l7.add("%s: %s down, %d up", t, strings.Join(t.Down, ", "), len(t.Up))
		}
	}
	none := fmt.Sprintf("baseline of %d rules: %d reached, of %d the backends were seen", len(all), tried, looked)
	c.l7 = verdict(c.l7, none, "rules with traffic that is not as it should be")
	switch unseen := append(c.unseen, c.silent...); {
	case c.l7.Outcome != Clean || len(unseen) == 0:
	default:
		c.l7.Outcome = Undecidable
		c.l7.Text = fmt.Sprintf("of %d routers the backends could not be seen, first: %s", len(unseen), unseen[0])
	}
}

// compareTraffic says what of a baseline is worse now.
func compareTraffic(before, after []Traffic) []string {
	old := map[string]Traffic{}
	for _, t := range before {
		old[t.identity()] = t
	}
	var worse []string
	for _, t := range after {
		was, known := old[t.identity()]
		if !known {
			continue
		}
		if was.Reachable == "yes" && t.Reachable != "yes" && t.Reachable != "" {
			worse = append(worse, fmt.Sprintf("%s was reached before, not now: %s", t, t.Reachable))
		}
		if looked := len(t.Up)+len(t.Down) > 0; looked && len(t.Up) < len(was.Up) {
			worse = append(worse, fmt.Sprintf("%s had %d backends that were up, and has %d", t, len(was.Up), len(t.Up)))
		}
		if was.Sticky != t.Sticky && len(t.Up)+len(t.Down) > 0 {
			worse = append(worse, fmt.Sprintf("%s was sticky by %s, and is by %s", t, noneIfEmpty(was.Sticky),
				noneIfEmpty(t.Sticky)))
		}
	}
	return worse
}
