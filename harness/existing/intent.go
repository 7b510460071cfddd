package existing

import (
	"context"
	"database/sql"
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
	zone, err := t.room.Find(ctx)
	if err != nil {
		return nil, err
	}
	addresses, err := t.room.Addresses(ctx, zone.ID, chosen)
	if err != nil {
		return nil, err
	}
	fitted, err := t.room.Limits(ctx, chosen)
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
	ids, err := crossingCost(ctx, t.db, chosen, t.budget())
	if err != nil {
		return nil, err
	}
	lines = append(lines, ids...)
	if slices.ContainsFunc(chosen, func(s harness.Scenario) bool {
		return slices.Contains(s.Needs,
			harness.DataPlane)
	}) {
		sizes := "2, 10 and 50"
		if groups := t.room.Groups(len(chosen)); groups != nil {
			sizes = strings.Trim(strings.Join(strings.Fields(fmt.Sprint(groups)), ", "), "[]")
		}
		lines = append(lines, fmt.Sprintf("L-04, where chosen, makes populations of %s autoscale groups of two "+
			"instances each (--groups)", sizes))
	}
	if t.simulated {
		lines = append(lines, "rules of the simulator hypervisor (configureSimulator) count the zone's pushes, and "+
			"let some fail where a scenario is about that")
	}
	lines = append(append(lines, addresses...), fitted...)
	for _, f := range t.findings {
		if f.State != finding.OK {
			lines = append(lines, fmt.Sprintf("%s is %s: %s", f.Capability, f.State, f))
		}
	}
	return append(lines, "nothing else is touched; databases are only read"), nil
}

// crossingCost says how far ids are apart, and so how many rules it takes until one's id is another's helper id, which
// stories about crossed rows need.
func crossingCost(ctx context.Context, db *sql.DB, chosen harness.Catalogue,
	budget int) ([]string, error) {
	if db == nil || !slices.ContainsFunc(chosen, func(s harness.Scenario) bool {
		return slices.Contains(s.Needs,
			harness.UsageDB)
	}) {
		return nil, nil
	}
	rule, err := usageprobe.LastID(ctx, db, "cloud", "firewall_rules")
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, kind := range []struct{ name, table string }{{"LB", "usage_load_balancer_policy"},
		{"port forwarding", "usage_port_forwarding"}} {
		helper, err := usageprobe.LastID(ctx, db, "cloud_usage", kind.table)
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
			cost, budget))
	}
	return lines, nil
}
