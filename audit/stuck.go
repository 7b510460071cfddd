package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// stuck is L2.
func (b *balancers) stuck() Check {
	c := Check{ID: "L2"}
	for _, r := range b.sorted() {
		var what string
		switch {
		case r.state == "Revoke" || r.state == "Staged":
			what = "is in state " + r.state + ": a delete or a create of it has not ended"
		case r.state == "Add" && r.backends > 0:
			what = fmt.Sprintf("has %d backends and is still in state Add: its last change was not applied", r.backends)
		case r.state == "Active" && r.revokedBackends > 0:
			what = fmt.Sprintf(
				"lives on with %d members marked as removed: the next push drops them",
				r.revokedBackends,
			)
		case r.state == "Active" && r.revokedPolicies > 0:
			what = fmt.Sprintf(
				"lives on with %d stickiness policies marked as removed: the next push drops them",
				r.revokedPolicies,
			)
		default:
			continue
		}
		if c.Count++; len(c.Evidence) < evidenceLines {
			c.Evidence = append(
				c.Evidence,
				fmt.Sprintf(
					"load balancer rule %d of account %d on %s %s",
					r.id,
					r.account,
					strings.Join(b.place(r), ", "),
					what,
				),
			)
		}
	}
	return verdict(c, "no rule is stuck", "stuck rules")
}

// twins is L3: up to 4.19.1 the router compares its file as a set of lines (#9822), so of rules with equal policies or
// algorithms only some are served as the database says.
func (b *balancers) twins(version string) Check {
	c := Check{ID: "L3"}
	old, known := comparesAsSet(version)
	if !known {
		c.Outcome, c.Text = NotLooked, "cloud.version does not tell the release; this matters up to 4.19.1 only"
		return c
	}
	if !old {
		return verdict(c, "routers of "+version+" compare their files line by line", "")
	}
	same := map[string][]int64{}
	for _, r := range b.sorted() {
		for _, p := range r.policies {
			params := make([]string, 0, len(p.params))
			for _, k := range slices.Sorted(maps.Keys(p.params)) {
				params = append(params, k+"="+p.params[k])
			}
			key := strings.Join(b.place(r), ", ") + ": " + p.method + " " + strings.Join(params, "&")
			same[key] = append(same[key], r.id)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(same)) {
		if len(same[key]) < 2 {
			continue
		}
		if c.Count++; len(c.Evidence) < evidenceLines {
			c.Evidence = append(
				c.Evidence,
				fmt.Sprintf(
					"%s, on rules %s: a change of one may not have reached the router",
					strings.TrimSpace(key),
					list(same[key]),
				),
			)
		}
	}
	return verdict(c, "no two rules of a router have equal policies", "equal policies")
}

// comparesAsSet says whether a release's routers do (#9822 is in 4.19.2.0 and 4.20.0.0).
func comparesAsSet(version string) (old, known bool) {
	_, known = numberOf(version)
	return known && release.Where(release.VRCompareAsSet).Contains(version), known
}

// groups is L5.
func (b *balancers) groups(ctx context.Context) (Check, error) {
	c, l := Check{ID: "L5"}, b.cloud
	if !l.has("autoscale_vmgroups", "id", "load_balancer_id", "min_members", "max_members", "state", "removed") ||
		!l.has("autoscale_vmgroup_vm_map", "id", "vmgroup_id", "instance_id") {
		c.Outcome, c.Text = NotLooked, "the tables of autoscale groups are not there, or not readable"
		return c, nil
	}
	add := func(format string, a ...any) {
		if c.Count++; len(c.Evidence) < evidenceLines {
			c.Evidence = append(c.Evidence, fmt.Sprintf(format, a...))
		}
	}
	members, orphans := map[int64]int64{}, map[int64]int64{}
	alive := "1"
	if l.has("vm_instance", "id", "removed") {
		alive = "(SELECT COUNT(*) FROM cloud.vm_instance v WHERE v.id = t.instance_id AND v.removed IS NULL)"
	}
	err := l.scan(
		ctx,
		"autoscale_vmgroup_vm_map",
		[]string{"vmgroup_id", "instance_id", alive},
		"",
		func(_ int64, f *fields) error {
			group, vm, there := f.int(), f.int(), f.int()
			members[group]++
			if there == 0 {
				orphans[group]++
				add("autoscale group %d still has VM %d, which is gone: it may stand still", group, vm)
			}
			return nil
		},
	)
	if err != nil {
		return c, err
	}
	err = l.scan(
		ctx,
		"autoscale_vmgroups",
		[]string{"load_balancer_id", "min_members", "max_members", "state"},
		"removed IS NULL",
		func(id int64, f *fields) error {
			rule, low, high, state := f.int(), f.int(), f.int(), string(f.text())
			n := members[id] - orphans[id]
			switch {
			case b.rules[rule] == nil:
				add("autoscale group %d belongs to load balancer rule %d, which is gone", id, rule)
			case strings.EqualFold(state, "Enabled") && (n < low || n > high):
				add("autoscale group %d is enabled and has %d members, not %d to %d", id, n, low, high)
			}
			return nil
		},
	)
	return verdict(c, "every group has its rule and its members", "faults of groups"), err
}

// routerVersions is L6. Which version a release wants is not in the database; routers that lag behind others are.
func (b *balancers) routerVersions(ctx context.Context) (Check, error) {
	c, l := Check{ID: "L6"}, b.cloud
	if !l.has("domain_router", "id", "template_version", "scripts_version") ||
		!l.has("vm_instance", "id", "state", "removed") {
		c.Outcome, c.Text = NotLooked, "cloud.domain_router is not there, or not readable"
		return c, nil
	}
	versions := map[string][]int64{}
	running := "(SELECT COUNT(*) FROM cloud.vm_instance v WHERE v.id = t.id AND v.removed IS NULL AND v.state = " +
		"'Running')"
	err := l.scan(
		ctx,
		"domain_router",
		[]string{running, "COALESCE(template_version, '')", "COALESCE(scripts_version, '')"},
		"",
		func(id int64, f *fields) error {
			if f.int() > 0 {
				v := string(f.text()) + ", scripts " + string(f.text())
				versions[v] = append(versions[v], id)
			}
			return nil
		},
	)
	if err != nil || len(versions) < 2 {
		return verdict(c, "running routers are of one version", ""), err
	}
	for _, v := range slices.Sorted(maps.Keys(versions)) {
		c.Count++
		c.Evidence = append(c.Evidence, fmt.Sprintf("%d running routers of %s", len(versions[v]), v))
	}
	return verdict(c, "", "router versions"), nil
}
