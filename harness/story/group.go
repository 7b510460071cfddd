package story

import (
	"context"
	"fmt"
	"slices"
	"time"

	usageprobe "github.com/stackproof/stackproof/probes/usage"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Group is an autoscale VM group on a rule of its own.
type Group struct {
	*Rule
	GroupID string
	Members int
	whole   time.Time // when all its members were last seen behind its rule
}

// Times of a group. The interval is the shortest that servers accept without strain; members of a real zone may take
// minutes to deploy (confirmed.md 28: 100 members after 219 s).
const (
	groupInterval = 10 * time.Second
	membersWait   = 15 * time.Minute
)

// grace is how many seconds a member that has left its rule lives on. A server that somebody else runs may answer
// seconds late, and the member must be seen meanwhile.
func (t *core) grace() int {
	if t.site.Disposable {
		return 30
	}
	return 120
}

// scaling is what the groups of a network share: a profile and two policies that never act. The simulator's CPU is
// always 10 %, so "over 90" and "under 1" keep min=max groups still (T17).
type scaling struct{ profile, up, down string }

func (n *Network) scaling() *scaling {
	if n.scale != nil {
		return n.scale
	}
	defer n.t.Step("autoscale policies")()
	s := &scaling{}
	s.up = scaler{n}.scalePolicy("scaleup", "GT", 90, nil)
	s.down = scaler{n}.scalePolicy("scaledown", n.shrink.operator(),
		n.shrink.threshold(), n.shrink)
	c := n.t.choices()
	grace := n.t.grace()
	s.profile, _, _ = made(n.Account, "autoscale profile", n.Name, "",
		func(ctx context.Context) (*cloud.Creating[cloud.AutoScaleVMProfile], error) {
			return n.Account.Cloud.CreateAutoScaleVMProfile(ctx, cloud.AutoScaleVMProfileSpec{ZoneID: c.zone,
				ServiceOfferingID: c.serviceOffering,
				TemplateID:        c.template, ExpungeGrace: &grace, OtherDeployParams: n.memberDisk})
		})
	n.scale = s
	return s
}

// scaler makes what the groups of a network act by.
type scaler struct{ *Network }

func (n scaler) scalePolicy(action, operator string, threshold int64, quiet *shrinking) string {
	return n.policyWhen(action, quiet, When{"CPU", operator, threshold})
}

// When is a condition of a policy: a counter's source compared with a threshold.
type When struct {
	Source, Operator string
	Threshold        int64
}

// policyWhen is a policy that acts while all conditions hold.
func (n scaler) policyWhen(action string, quiet *shrinking, all ...When) string {
	var conditions []string
	for _, w := range all {
		conditions = append(conditions, n.condition(action, w))
	}
	name := n.t.Unique(action)
	policy, _, _ := made(n.Account, "autoscale policy", name, "",
		func(ctx context.Context) (*cloud.Creating[cloud.AutoScalePolicy], error) {
			return n.Account.Cloud.CreateAutoScalePolicy(ctx, cloud.AutoScalePolicySpec{Name: name, Action: action,
				Duration: 60, QuietTime: quiet.seconds(), ConditionIDs: conditions})
		})
	return policy
}

func (n scaler) condition(action string, w When) string {
	counters, err := n.Account.Cloud.ListCounters(n.t.ctx, cloud.Params{"source": w.Source})
	n.t.Must(err, "listing counters")
	provider := "VirtualRouter"
	if n.VPC != nil {
		provider = "VpcVirtualRouter"
	}
	var counter string
	for _, c := range counters {
		if c.Provider == provider && c.Source == w.Source {
			counter = c.Id
		}
	}
	if counter == "" {
		n.t.Inconclusive("the zone has no %s counter of provider %s", w.Source, provider)
	}
	condition, _, _ := made(n.Account, "condition", action, "",
		func(ctx context.Context) (*cloud.Creating[cloud.Condition], error) {
			return n.Account.Cloud.CreateCondition(ctx, counter, w.Operator, w.Threshold, cloud.Owner{})
		})
	return condition
}

// Group creates a rule with an autoscale group of exactly members VMs; its members come with the next monitor interval
// (see AwaitMembers).
func (n *Network) Group(name string, members int) *Group {
	defer n.t.Step("autoscale group %s", name)()
	s := *n.scaling()
	return groupOf(n.LoadBalancer(name), s, members, members)
}

// GroupOf creates a group of least VMs that may grow by one, with a scale-up policy of its own.
func (n *Network) GroupOf(name string, least int, up ...When) *Group {
	defer n.t.Step("autoscale group %s", name)()
	s := *n.scaling()
	s.up = scaler{n}.policyWhen("scaleup", nil, up...)
	return groupOf(n.LoadBalancer(name), s, least, least+1)
}

// Group creates a group of exactly members VMs on the rule.
func (r *Rule) Group(members int) *Group {
	defer r.t.Step("autoscale group of %s", r.Name)()
	return groupOf(r, *r.Network.scaling(), members, members)
}

func groupOf(r *Rule, s scaling, least, most int) *Group {
	g := &Group{Rule: r, Members: least}
	full := r.t.Unique("grp")
	r.t.Must(g.create(full, s, most), "creating autoscale group %s", full)
	return g
}

// create makes a group on its rule.
func (g *Group) create(name string, s scaling, most int) (err error) {
	interval := int(groupInterval.Seconds())
	g.GroupID, _, _, err = create(g.Account, "autoscale group", name, usageprobe.ObjectAutoScaleVMGroup,
		func(ctx context.Context) (*cloud.Creating[cloud.AutoScaleVMGroup], error) {
			return g.Account.Cloud.CreateAutoScaleVMGroup(ctx, cloud.AutoScaleVMGroupSpec{Name: name, LBRuleID: g.ID,
				VMProfileID: s.profile, Min: g.Members, Max: most,
				Interval: &interval, ScaleUpPolicyIDs: []string{s.up}, ScaleDownPolicyIDs: []string{s.down}})
		})
	return err
}

// Groups creates count groups of exactly members VMs each, which do not depend on one another.
func (n *Network) Groups(count, members int) []*Group {
	defer n.t.Step("%d autoscale groups", count)()
	s := *n.scaling()
	groups, names := make([]*Group, count), make([]string, count)
	specs := make([]cloud.LoadBalancerRuleSpec, count)
	for i := range groups {
		groups[i] = &Group{Members: members}
		groups[i].Rule, specs[i] = ruleOn(n, fmt.Sprintf("group %d of %d", i+1, count), Form{})
		names[i] = n.t.Unique("grp")
	}
	n.t.Must(n.t.together(count, func(i int) error {
		if err := groups[i].Rule.create(specs[i]); err != nil {
			return err
		}
		return groups[i].create(names[i], s, members)
	}), "creating %d autoscale groups", count)
	for _, g := range groups {
		n.t.watch.born(g.Rule)
	}
	return groups
}

// Rules are the groups' rules.
func Rules(groups []*Group) []*Rule {
	rules := make([]*Rule, len(groups))
	for i, g := range groups {
		rules[i] = g.Rule
	}
	return rules
}

// Together are the members of the groups, a group that is named twice counts once.
func Together(groups ...*Group) []*VM {
	var vms []*VM
	for i, g := range groups {
		if !slices.Contains(groups[:i], g) {
			vms = append(vms, g.VMs()...)
		}
	}
	return vms
}

// AwaitMembers waits until every group has its members.
func (t Scaling) AwaitMembers(groups ...*Group) {
	defer t.Step("members of %d groups", len(groups))()
	if len(groups) == 0 {
		return
	}
	want := map[string]int{}
	for _, g := range groups {
		want[g.GroupID] = g.Members
	}
	a := groups[0].Account
	t.until("the members of the autoscale groups", membersWait, groupInterval, func() (bool, string) {
		groups, err := a.Cloud.ListAutoScaleVMGroups(t.ctx, nil)
		t.Must(err, "listing the autoscale groups")
		full := 0
		for _, g := range groups {
			if n, ours := want[g.Id]; ours && g.Availablevirtualmachinecount == n && g.State == "ENABLED" {
				full++
			}
		}
		return full == len(want), fmt.Sprintf("%d of %d groups are enabled and complete", full, len(want))
	})
}

// Disable disables the group; its members and their places behind the rule stay.
func (g *Group) Disable() {
	defer g.t.Step("disable group %s", g.Name)()
	_, err := g.Account.Cloud.DisableAutoScaleVMGroup(g.t.ctx, g.GroupID)
	g.t.Must(err, "disabling group %s", g.Name)
}

// Enable enables the group.
func (g *Group) Enable() {
	defer g.t.Step("enable group %s", g.Name)()
	_, err := g.Account.Cloud.EnableAutoScaleVMGroup(g.t.ctx, g.GroupID)
	g.t.Must(err, "enabling group %s", g.Name)
}

// VMs are the members behind the group's rule.
func (g *Group) VMs() []*VM {
	instances, err := g.Account.Cloud.ListLoadBalancerRuleInstances(g.t.ctx, g.ID)
	g.t.Must(err, "listing the members of group %s", g.Name)
	if len(instances) == 0 {
		g.t.Inconclusive("group %s has no members behind its rule", g.Name)
	}
	var vms []*VM
	for _, one := range instances {
		vms = append(vms, &VM{owned: g.owned, ID: one.Id, InternalID: g.t.internalID(usageprobe.ObjectVM, one.Id),
			Name: one.Name})
	}
	return vms
}
