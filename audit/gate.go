package audit

import (
	"fmt"
	"slices"
	"strings"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/release"
)

// Gate says whether a site may be upgraded to a release, and in which order.
type Gate struct {
	Target  string       `json:"target"`
	From    string       `json:"from"`
	Go      bool         `json:"go"`
	Reasons []GateReason `json:"reasons"`
	Steps   []string     `json:"steps"`
}

// GateReason is one thing that speaks against an upgrade, or that must be known.
type GateReason struct {
	Blocks bool   `json:"blocks"`
	Text   string `json:"text"`
}

// numberOf is a release as a number, 42201 for 4.22.1.0. It orders names, not code: 4.21.0.0 is older code than
// 4.20.3.0 (see package release), which matters to nothing that is asked here.
func numberOf(version string) (n int, ok bool) {
	var major, minor, patch int
	read, _ := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch)
	return major*10000 + minor*100 + patch, read == 3 && major == 4
}

// MakeGate judges an upgrade by an audit. It reads nothing more.
func MakeGate(r *Result, target string) (*Gate, error) {
	to, ok := numberOf(target)
	if !ok {
		return nil, badInput(fmt.Errorf("release %q is not of the form 4.22.1.0", target))
	}
	g := &Gate{Target: target, From: r.Site.Version, Go: true, Reasons: []GateReason{}}
	from, known := numberOf(g.From)
	if known && to < from {
		return nil, badInput(
			fmt.Errorf("release %s is older than %s, which the site has: there is no way back", target, g.From))
	}
	if !known {
		g.add(false, "cloud.version does not tell the present release, so nothing is said of the steps from it")
	}
	g.health(r, to)
	g.usageRows(r, to)
	g.balancers(r)
	if known {
		g.pairs(from, to)
	}
	g.steps(r)
	slices.SortStableFunc(g.Reasons, func(a, b GateReason) int {
		if a.Blocks == b.Blocks {
			return 0
		}
		return map[bool]int{true: -1, false: 1}[a.Blocks]
	})
	return g, nil
}

func (g *Gate) add(blocks bool, format string, a ...any) {
	g.Reasons = append(g.Reasons, GateReason{blocks, fmt.Sprintf(format, a...)})
	g.Go = g.Go && !blocks
}

// health: an upgrade must not hide a usage server that is ill already.
func (g *Gate) health(r *Result, to int) {
	for _, id := range []string{"U8", "U11", "U12"} {
		switch c := r.Check(id); c.Outcome {
		case Found:
			later := r.onlyLater(c) && to < 42200 // the release that makes the key
			g.add((r.Stall == nil || id != "U8") && !later, "%s: %s", id, c.Text)
		case Undecidable:
			g.add(true, "%s: %s", id, c.Text)
		}
	}
	if c := r.Check("U7"); c.Outcome == Found && r.Stall == nil {
		g.add(true, "U7: %s", c.Text)
	}
}

func (g *Gate) usageRows(r *Result, to int) {
	classes := r.Classes()
	damaged := classes[string(usageprobe.AuditOpenButDead)] + classes[string(usageprobe.AuditWrongDate)] +
		classes[string(usageprobe.AuditClosedButLive)]
	if fixed, known := closesByOwnID(g.Target); known && !fixed {
		g.add(true, "release %s still closes rows by the wrong id (#10712, #9888): take 4.19.3, 4.20.1 or later",
			g.Target)
	}
	if damaged > 0 {
		g.add(
			false,
			"%d damaged rows: no upgrade mends them. Repair after the upgrade, not before; their number must not "+
				"change by it",
			damaged,
		)
	}
	if s := r.Stall; s != nil {
		if to >= 42300 {
			g.add(
				false,
				"the usage server stands still since %s: %s processes the %d stuck events in its first run, and "+
					"bills their time once more",
				stamp(s.BlockedSince),
				g.Target,
				s.Events,
			)
		} else {
			g.add(true,
				"the usage server stands still since %s, and %s does not widen the key of usage_volume (4.23 does)",
				stamp(s.BlockedSince), g.Target)
		}
	} else if to == 42201 {
		g.add(
			false,
			"%s stalls its usage server at the first VM that is deployed (#13399): each run then bills everything "+
				"since again. Watch with stackproof audit --watch",
			g.Target,
		)
	}
	if c := r.Check("U6"); c.Outcome == Found && to >= 42201 {
		g.add(false, "U6: %s: where such a pair is not processed yet, it stops the usage run", c.Text)
	}
	if to == 42100 && len(r.Judged[usageprobe.KindBackup]) > 0 {
		g.add(false,
			"4.21.0 does not see that a backup offering was removed: type 28 goes on (#11522, fixed in 4.22.0)")
	}
}

// balancers: from 4.22.0.0 on routers check their configuration first, which makes old poison loud (N-R1).
func (g *Gate) balancers(r *Result) {
	loud := release.Where(release.SSLOffload).Contains(g.Target) // the same change made routers check (#11468)
	routers, rules := map[string]int{}, 0
	for _, p := range r.Poison {
		if !p.in(g.Target) {
			continue
		}
		switch {
		case p.Warning:
			continue
		case loud:
			rules++
			for _, name := range p.Routers {
				routers[name]++
			}
			if rules <= evidenceLines {
				g.add(true, "L1: %s", p)
			}
		default:
			g.add(false, "L1: %s", p)
		}
	}
	if rules > 0 {
		g.add(
			true,
			"%d rules or policies will make every load balancer change fail on %d routers, and port forwarding "+
				"there with it: %s",
			rules,
			len(routers),
			strings.Join(sortedKeys(routers), ", "),
		)
	}
	g.warnings(r, loud)
	for _, id := range []string{"L2", "L5"} {
		if c := r.Check(id); c.Outcome == Found {
			g.add(false, "%s: %s", id, c.Text)
		}
	}
	if c := r.Check("L1"); c.Outcome == Undecidable || c.Outcome == NotLooked {
		g.add(loud, "L1: %s", c.Text)
	}
}

// warnings are summed up: rules without a protocol are many.
func (g *Gate) warnings(r *Result, loud bool) {
	counts, example := map[string]int{}, map[string]Poison{}
	for _, p := range r.Poison {
		if p.Warning && loud {
			if counts[p.Class]++; counts[p.Class] == 1 {
				example[p.Class] = p
			}
		}
	}
	for _, class := range sortedKeys(counts) {
		p := example[class]
		g.add(false, "%d rules like %d (%s): %s", counts[class], p.Rule, p.What, p.Hurts)
	}
}

// pairs are upgrades that are known to go wrong.
func (g *Gate) pairs(from, to int) {
	switch {
	case from < 41901 && to >= 41901:
		g.add(
			false,
			"networks and VPCs that exist now get no open row: usage types 30 and 31 begin when a network is "+
				"implemented again, and for a VPC never",
		)
	case (from == 42001 || from == 42002) && to >= 42100:
		g.add(false,
			"upgrades from 4.20.1 and 4.20.2 with backups have failed (#12769): try it on a copy of the database")
	}
	if from == 42001 && to == 42003 {
		g.add(false, "upgrades from 4.20.1 to 4.20.3 have found no path (#12875): try it on a copy of the database")
	}
	if from >= 41700 && from < 41800 && to >= 41900 && to < 42000 {
		g.add(false,
			"upgrades from 4.17 to 4.19 have missed a stored procedure (#9427): dump the databases with routines")
	}
}

func (g *Gate) steps(r *Result) {
	step := func(format string, a ...any) { g.Steps = append(g.Steps, fmt.Sprintf(format, a...)) }
	if !g.Go {
		step("mend what blocks, and ask the gate again")
	}
	step("see that usage jobs are healthy (U8)")
	step("keep an audit with a baseline of routers and traffic: stackproof audit --router COMMAND --reach --json " +
		"before.json (L4, L6, L7)")
	step("stop the management and usage servers, dump cloud with its routines, and cloud_usage")
	step("upgrade to %s; upgrade or live-patch the routers: that restarts HAProxy, and sessions and stick tables go",
		g.Target)
	step(
		"create and delete one load balancer rule as a canary (stackproof run --scenario U-01), and wait for two " +
			"usage jobs",
	)
	step(
		"stackproof audit --router COMMAND --reach --json after.json, then stackproof compare before.json " +
			"after.json: " +
			"no class may have grown, and every rule is served as before",
	)
	if len(r.Findings) > 0 {
		step(
			"stackproof repair plan, look at it, repair apply with the usage server stopped; start it, wait for two " +
				"jobs, audit again: nothing repairable is left",
		)
	}
}

// Text is the gate for a terminal.
func (g *Gate) Text() string {
	var b strings.Builder
	word := "GO"
	if !g.Go {
		word = "NO-GO"
	}
	from := g.From
	if from == "" {
		from = "an unknown release"
	}
	fmt.Fprintf(&b, "%s for the upgrade from %s to %s.\n", word, from, g.Target)
	for _, r := range g.Reasons {
		fmt.Fprintf(&b, "  %s %s\n", either(r.Blocks, "blocks:", "know:  "), r.Text)
	}
	b.WriteString("Order of steps:\n")
	for i, s := range g.Steps {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, s)
	}
	return b.String()
}
