package harness

import (
	"errors"
	"fmt"

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

// GroupCounts are the numbers of groups that the target has room for.
func (t *T) GroupCounts(counts ...int) []int {
	if t.site.Groups == nil {
		return counts
	}
	return t.site.Groups
}
