package existing

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/existing/finding"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Disposable says that the owner does not mind what a run creates.
func (t *Target) Disposable() bool { return t.config.Disposable }

// Intent says what a run of these scenarios will create, in lines. The error says that the zone has no room for it;
// nothing was created then.
func (t *Target) Intent(ctx context.Context, chosen harness.Catalogue) ([]string, error) {
	zone, err := t.zone(ctx)
	if err != nil {
		return nil, err
	}
	room, err := t.room(ctx, zone.ID, len(chosen))
	if err != nil {
		return nil, err
	}
	fitted, err := t.fitLimits(ctx, chosen)
	if err != nil {
		return nil, err
	}
	names := chosen.IDs()
	lines := []string{
		fmt.Sprintf("target %s (%s, release %s), zone %s: %d scenarios (%s)", t.opts.Name, t.cloud.URL(), t.release,
			zone.Name, len(names), strings.Join(names, " ")),
		fmt.Sprintf("will be created, and removed at the end: one domain, %d accounts or more with VPC, tier, "+
			"public addresses, LB rules, and", len(names)),
		fmt.Sprintf("instances where a scenario needs them; at most %d harmless firewall rules a scenario to set "+
			"ids apart (--skew-budget)", t.budget()),
	}
	ids, err := t.crossingCost(ctx, chosen)
	if err != nil {
		return nil, err
	}
	lines = append(lines, ids...)
	if slices.ContainsFunc(chosen, func(s harness.Scenario) bool {
		return slices.Contains(s.Needs,
			harness.DataPlane)
	}) {
		sizes := "2, 10 and 50"
		if groups := t.groups(len(chosen)); groups != nil {
			sizes = strings.Trim(strings.Join(strings.Fields(fmt.Sprint(groups)), ", "), "[]")
		}
		lines = append(lines, fmt.Sprintf("L-04, where chosen, makes populations of %s autoscale groups of two "+
			"instances each (--groups)", sizes))
	}
	if t.simulated {
		lines = append(lines, "rules of the simulator hypervisor (configureSimulator) count the zone's pushes, and "+
			"let some fail where a scenario is about that")
	}
	lines = append(append(lines, room...), fitted...)
	for _, f := range t.findings {
		if f.State != finding.OK {
			lines = append(lines, fmt.Sprintf("%s is %s: %s", f.Capability, f.State, f))
		}
	}
	return append(lines, "nothing else is touched; databases are only read"), nil
}

// crossingCost says how far ids are apart, and so how many rules it takes until one's id is another's helper id, which
// stories about crossed rows need.
func (t *Target) crossingCost(ctx context.Context, chosen harness.Catalogue) ([]string, error) {
	if t.db == nil || !slices.ContainsFunc(chosen, func(s harness.Scenario) bool {
		return slices.Contains(s.Needs,
			harness.UsageDB)
	}) {
		return nil, nil
	}
	rule, err := usageprobe.LastID(ctx, t.db, "cloud", "firewall_rules")
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, kind := range []struct{ name, table string }{{"LB", "usage_load_balancer_policy"},
		{"port forwarding", "usage_port_forwarding"}} {
		helper, err := usageprobe.LastID(ctx, t.db, "cloud_usage", kind.table)
		if err != nil {
			return nil, err
		}
		ahead := rule - helper
		said := fmt.Sprintf("rule ids are %d ahead of helper ids of %s rules", ahead, kind.name)
		if ahead < 0 {
			said = fmt.Sprintf("helper ids of %s rules are %d ahead of rule ids", kind.name, -ahead)
		}
		cost := max(ahead, -ahead) + 1
		lines = append(lines, fmt.Sprintf("%s: a story that crosses them makes about %d rules, and may make %d", said,
			cost, t.budget()))
	}
	return lines, nil
}

type zoneAnswer struct {
	ID, Name, NetworkType, AllocationState string
	SecurityGroupsEnabled                  bool
}

// zone is the zone that scenarios will choose.
func (t *Target) zone(ctx context.Context) (zoneAnswer, error) {
	var list struct{ Zone []zoneAnswer }
	if err := t.cloud.Call(ctx, "listZones", nil, &list); err != nil {
		return zoneAnswer{}, fmt.Errorf("listing zones: %w", err)
	}
	var names []string
	for _, z := range list.Zone {
		if t.config.Zone != "" && (z.Name == t.config.Zone || z.ID == t.config.Zone) ||
			t.config.Zone == "" && z.NetworkType == "Advanced" && z.AllocationState == "Enabled" &&
				!z.SecurityGroupsEnabled {
			return z, nil
		}
		names = append(names, z.Name)
	}
	if t.config.Zone != "" {
		return zoneAnswer{}, fmt.Errorf("there is no zone %q; did you mean %q?", t.config.Zone,
			harness.Nearest(t.config.Zone, names))
	}
	return zoneAnswer{}, fmt.Errorf("there is no enabled advanced zone (zones: %s): enable one, or set one up with "+
		"stackproof zone deploy", strings.Join(names, ", "))
}

// publicAddresses is the capacity type of public addresses (Capacity.java@4.20.0.0).
const publicAddresses = 4

// addressesEach is what a scenario takes: one for the router, one or two for its rules, one to set ids apart.
const addressesEach = 4

// room compares the zone's free public addresses with what the scenarios take. A server that does not list capacities
// is believed.
func (t *Target) room(ctx context.Context, zone string, scenarios int) ([]string, error) {
	total, used, err := t.capacity(ctx, zone, publicAddresses)
	if err != nil || total < 0 {
		return nil, err
	}
	free, want := total-used, int64(scenarios*addressesEach)
	if free < want {
		return nil, fmt.Errorf("the zone has %d of %d public addresses left, the run takes up to %d: add a public "+
			"range, or choose fewer scenarios (--scenario)", free, total, want)
	}
	return []string{fmt.Sprintf("public addresses: up to %d of %d free ones", want, free)}, nil
}
