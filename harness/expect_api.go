package harness

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/harness/cloud"
)

// ExpectRefused expects that a call, or its job, is refused with the error code.
func (t *T) ExpectRefused(code int, command string, as *Account, p cloud.Params) {
	defer t.step("%s is refused", command)()
	t.watch.checks++
	_, err := as.Cloud.Job(t.ctx, command, p, nil)
	var refusal *cloud.Error
	switch {
	case err == nil:
		t.Fail(fmt.Sprintf("%s %v was carried out; it must be refused with %d", command, p, code))
	case !errors.As(err, &refusal):
		t.must(err, "%s", command)
	case refusal.Code != code:
		t.Fail(fmt.Sprintf("%s %v was refused with %d (%s), want %d", command, p, refusal.Code, refusal.Text, code))
	}
}

// ExpectListed expects that the rule is still there, and active.
func (t *T) ExpectListed(r *Rule) {
	t.watch.checks++
	rules, err := r.Cloud.ListLoadBalancerRules(t.ctx, cloud.Params{"id": r.ID})
	if cloud.IsNotFound(err) {
		rules, err = nil, nil
	}
	t.must(err, "listing %s", r)
	if len(rules) != 1 {
		t.Fail(fmt.Sprintf("%s is no longer listed", r))
	} else if s := rules[0].State; s != "Active" {
		t.Fail(fmt.Sprintf("%s is in state %s, want Active", r, s))
	}
}

// VMs are the members behind the group's rule.
func (g *Group) VMs() []*VM {
	instances, err := g.Cloud.ListLoadBalancerRuleInstances(g.t.ctx, g.ID)
	g.t.must(err, "listing the members of group %s", g.Name)
	if len(instances) == 0 {
		g.t.Inconclusive("group %s has no members behind its rule", g.Name)
	}
	var vms []*VM
	for _, one := range instances {
		vms = append(vms, &VM{Account: g.Account, ID: one.Id, InternalID: g.t.internalID("cloud.vm_instance", one.Id), Name: one.Name})
	}
	return vms
}

// DefaultGroups are the sizes of populations where nobody chose any, smallest first.
func DefaultGroups() []int { return []int{1, 2, 10, 50} }

// GroupCounts are the numbers of groups that the target has room for.
func (t *T) GroupCounts(counts ...int) []int {
	if t.site.Groups == nil {
		return counts
	}
	return t.site.Groups
}

// RequireTwinPolicies ends a story of groups as inconclusive when it was told with one group at a time only. With one group
// the comparison of sets of lines swallows nothing: each change is the first, or the last, of its kind on the router. The
// count is the point, as different ids are in usage (T1, T15).
func (t *T) RequireTwinPolicies(counts []int) {
	if slices.Contains(counts, 1) {
		t.Note("one group alone", "shows nothing of a router that compares its files as sets of lines: every change of it is in force there, too; "+
			"the count of groups is the point")
	}
	if !t.Failed() && FewestTwins(counts) == 0 {
		t.Inconclusive("with one group alone nothing is shown: no other rule of the router has the same policy (T15); the count of groups is the point")
	}
}

// FewestTwins is the least of the counts with which a rule has a sibling; 0 without one.
func FewestTwins(counts []int) int {
	fewest := 0
	for _, n := range counts {
		if n > 1 && (fewest == 0 || n < fewest) {
			fewest = n
		}
	}
	return fewest
}

// NoteMembers reports that a group which should have no members yet has some: its rule's policy is then nothing new.
func (t *T) NoteMembers(g *Group) {
	if n := g.Count(); n > 0 {
		t.Note("a group without members", "group %s had %d members before it was disabled", g.Name, n)
	}
}
