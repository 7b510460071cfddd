package model

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// holdAfter looks at what a step touched: the customer's rules in the API, and the touched rule on its way to the
// router.
func (w *walker) holdAfter(s Step) {
	own := ""
	if r := w.m.rules[s.Object]; r != nil {
		own = r.owner
	} else if a := w.m.addresses[s.Object]; a != nil {
		own = a.owner
	}
	if w.m.customers[s.Object] != nil {
		w.holdRouter(s.Object, false)
		return
	}
	kind := kindOf(s.Object)
	if kind == address {
		kind = w.m.addresses[s.Object].kind
	}
	w.holdList(own, kind)
	if kind != lb && kind != group {
		return
	}
	if s.Verb == Delete || s.Verb == Release { // what is gone must be gone from the router, too
		w.holdRouter(own, false)
		return
	}
	w.holdRule(s.Object)
	w.holdRouter(own, false, s.Object)
}

// holdList compares what the API lists for a customer with the model.
func (w *walker) holdList(own, kind string) {
	w.t.Checked(1)
	o, ctx := w.owners[own], w.t.Context()
	if o == nil {
		return
	}
	var listed []string
	var err error
	switch kind {
	case pf:
		listed, err = idsOf(o.Cloud.ListPortForwardingRules(ctx, nil))
	case firewall:
		listed, err = idsOf(o.Cloud.ListFirewallRules(ctx, nil))
	default:
		listed, err = idsOf(o.Cloud.ListLoadBalancerRules(ctx, nil))
	}
	w.t.Must(err, "listing the %s rules of %s", kind, own)
	for _, name := range w.m.order {
		r := w.m.rules[name]
		if r.owner != own || kindOf(name) != kind && !(w.m.isLB(r) && (kind == lb || kind == group)) {
			continue
		}
		there := slices.Contains(listed, w.objects[name].id)
		if r.alive && !there {
			w.found(result.NotListed, aspectAPI, fmt.Sprintf("%s (%s) is not listed", r, w.objects[name].id))
		}
		if !r.alive && there {
			w.found(result.StillListed, aspectAPI, fmt.Sprintf("%s (%s) was deleted and is still listed", r,
				w.objects[name].id))
		}
	}
}

func idsOf[O cloud.LoadBalancerRule | cloud.PortForwardingRule | cloud.FirewallRule](all []*O, err error) ([]string,
	error) {
	ids := make([]string, len(all))
	for i, one := range all {
		switch o := any(one).(type) {
		case *cloud.LoadBalancerRule:
			ids[i] = o.Id
		case *cloud.PortForwardingRule:
			ids[i] = o.Id
		case *cloud.FirewallRule:
			ids[i] = o.Id
		}
	}
	return ids, err
}

// holdRule compares an LB rule's policy, members and group in the API with the model.
func (w *walker) holdRule(name string) {
	r, o, ctx := w.m.rules[name], w.objects[name], w.t.Context()
	if !r.alive || r.undecided {
		return
	}
	w.t.Checked(1)
	policies, err := o.owner.Cloud.ListStickinessPolicies(ctx, o.id)
	w.t.Must(err, "listing the policies of %s", r)
	policies = slices.DeleteFunc(policies, func(p cloud.StickinessPolicy) bool { return p.State == "Revoked" })
	if !r.policyLost {
		w.holdPolicy(r, policies)
	}
	members, err := o.owner.Cloud.ListLoadBalancerRuleMembers(ctx, o.id)
	w.t.Must(err, "listing the members of %s", r)
	want := r.membersOf()
	if len(members) != want {
		w.found(result.WrongMembers, aspectAPI, fmt.Sprintf("%s is listed with %d members, want %d", r, len(members),
			want))
	}
	listed := o.rule.Listed()
	if listed.Algorithm != r.algorithm {
		w.found(result.FalseSuccess, aspectAPI, fmt.Sprintf("%s is listed with algorithm %s, want %s", r,
			listed.Algorithm, r.algorithm))
	}
	if r.kind == lb && listed.Protocol != r.protocol {
		w.found(result.FalseSuccess, aspectAPI, fmt.Sprintf("%s is listed with protocol %s, want %s", r,
			listed.Protocol, r.protocol))
	}
	if r.group == "" {
		return
	}
	g, err := o.owner.Cloud.AutoScaleVMGroup(ctx, o.group.GroupID)
	w.t.Must(err, "reading the group of %s", r)
	if !strings.EqualFold(g.State, r.group) {
		w.found(result.WrongMembers, aspectAPI, fmt.Sprintf("the group of %s is listed as %s, want %s", r, g.State,
			r.group))
	}
}

func (w *walker) holdPolicy(r *rule, listed []cloud.StickinessPolicy) {
	switch {
	case r.policy == "" && len(listed) == 0:
	case r.policy == "":
		w.found(result.WrongPolicies, aspectAPI, fmt.Sprintf("%s has no stickiness policy, and %d are listed", r,
			len(listed)))
	case len(listed) != 1:
		w.found(result.WrongPolicies, aspectAPI, fmt.Sprintf("%s has one stickiness policy, and %d are listed", r,
			len(listed)))
	case !maps.Equal(listed[0].Params, policy(r.policy).Params):
		w.found(result.WrongPolicies, aspectAPI, fmt.Sprintf("the policy of %s is listed with %v, want %v", r,
			listed[0].Params, policy(r.policy).Params))
	}
}

// holdRouter compares API, newest push, file and process of the customer's router: of all rules, or of one.
func (w *walker) holdRouter(own string, closely bool, only ...string) {
	o := w.owners[own]
	if o == nil {
		return
	}
	w.t.Checked(1)
	var rules []*story.Rule
	open := false
	for _, name := range w.m.order {
		r := w.m.rules[name]
		if r.owner != own || !w.m.isLB(r) {
			continue
		}
		if r.alive && (r.undecided || r.policyLost) {
			open = true
			continue
		}
		if r.alive && (len(only) == 0 || slices.Contains(only, name)) {
			rules = append(rules, w.objects[name].rule)
		}
	}
	if len(only) == 0 && !open {
		rules = nil // all, and no others
	} else if len(rules) == 0 {
		return
	}
	if class, wrong := w.t.RouterFaults(o.network, closely, rules...); len(wrong) > 0 {
		w.found(class, aspectRouter, wrong[0], result.Evidence{Kind: result.KindNote, Title: "router of " + own,
			Text: strings.Join(wrong, "\n")})
	}
}

// look compares everything that is listed, pushed and in force.
func (w *walker) look() {
	for _, own := range slices.Sorted(maps.Keys(w.owners)) {
		for _, kind := range []string{lb, pf, firewall} {
			w.holdList(own, kind)
		}
		w.holdRouter(own, true)
	}
	for _, r := range w.m.living() {
		if w.m.isLB(r) {
			w.holdRule(r.name)
			if r.policy != "" && r.members {
				w.walk.Looks++
			}
		}
	}
}

// usage runs usage and compares every rule's row with the model, and all rows with the invariants.
func (w *walker) usage() {
	if len(w.owners) == 0 {
		return
	}
	s, violations := w.t.UsageRun()
	w.t.Checked(1)
	for _, v := range violations {
		if !w.left(v) {
			w.found(story.ClassOf(v), aspectUsage, v.String(), w.t.UsageEvidence()...)
			break
		}
	}
	names := slices.Collect(maps.Keys(w.objects))
	sort.Strings(names)
	for _, name := range names {
		w.holdRow(s, name)
	}
}

// left says whether a violation is about a rule whose delete the router refused: that is left open.
func (w *walker) left(v usageprobe.Violation) bool {
	for _, o := range w.objects {
		if o.refusedOnce && v.Ref.Kind == usageprobe.KindLB && v.Ref.ID == o.internal {
			return true
		}
	}
	return false
}

// holdRow compares a rule's usage row with when the model knows it was created and deleted.
func (w *walker) holdRow(s usageprobe.Snapshot, name string) {
	r, o := w.m.rules[name], w.objects[name]
	kind := usageprobe.KindLB
	if r.kind == pf {
		kind = usageprobe.KindPF
	}
	if r.kind == firewall || o.refusedOnce {
		return
	}
	var rows []usageprobe.HelperRow
	for _, row := range s.Rows {
		if row.Kind == kind && row.ID == o.internal {
			rows = append(rows, row)
		}
	}
	who := fmt.Sprintf("%s (internal id %d)", r, o.internal)
	if len(rows) != 1 {
		w.found(result.RowCount, aspectUsage, fmt.Sprintf("%s has %d usage rows, want one", who, len(rows)),
			w.t.UsageEvidence()...)
		return
	}
	row := rows[0]
	stamp := func(sp span) string {
		return sp.from.UTC().Format("15:04:05") + " to " + sp.to.UTC().Format("15:04:05")
	}
	switch {
	case !o.born.holds(row.Created):
		w.found(result.UsageInvariant, aspectUsage,
			fmt.Sprintf("%s was created from %s, but its usage row begins at %s", who, stamp(o.born),
				row.Created.Format("15:04:05")))
	case r.alive && !row.Open():
		w.found(result.WrongClose, aspectUsage, fmt.Sprintf("%s is alive, but its usage row was closed at %s", who,
			row.Closed.Format("15:04:05")), w.t.UsageEvidence()...)
	case !r.alive && row.Open():
		w.found(result.LeakedRow, aspectUsage, fmt.Sprintf("%s was deleted from %s, but its usage row is open", who,
			stamp(o.died)), w.t.UsageEvidence()...)
	case !r.alive && !o.died.holds(*row.Closed):
		w.found(result.WrongClose, aspectUsage,
			fmt.Sprintf("%s was deleted from %s, but its usage row was closed at %s", who, stamp(o.died),
				row.Closed.Format("15:04:05")), w.t.UsageEvidence()...)
	}
	if !r.alive && !o.seenEnded {
		o.seenEnded = true
		w.walk.Ended++
		if row.HelperID != row.ID {
			w.walk.Apart++
		}
	}
}
