package objects

import (
	"context"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Group is an autoscale VM group on a rule of its own.
type Group struct {
	*Rule
	GroupID string
	Members int
	// schedules are the ids of those that it was given.
	schedules []string
	whole     time.Time // when all its members were last seen behind its rule
}

// Times of a group. The interval is the shortest that servers accept without strain; members of a real zone may take
// minutes to deploy (confirmed.md 28: 100 members after 219 s).
const (
	GroupInterval = 10 * time.Second
	MembersWait   = 15 * time.Minute
)

// scaling is what the groups of a network share: a profile and two policies that never act. The simulator's CPU is
// always 10 %, so "over 90" and "under 1" keep min=max groups still (T17).
type scaling struct{ profile, up, down string }

func scalingOf(n *Network) *scaling {
	if n.scale != nil {
		return n.scale
	}
	defer n.t.Step("autoscale policies")()
	s := &scaling{}
	s.up = scaler{n}.policyWhen("scaleup", nil, When{"CPU", "GT", 90})
	s.down = scaler{n}.policyWhen("scaledown", n.shrink, When{"CPU", "LT", n.shrink.threshold()})
	c := n.t.choices()
	grace := n.t.Grace()
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

// When is a condition of a policy: a counter's source compared with a threshold.
type When struct {
	Source, Operator string
	Threshold        int64
}

// policyWhen is a policy that acts while all conditions hold.
func (n scaler) policyWhen(action string, quiet *shrinking, all ...When) string {
	conditions := stage.Each(all, func(w When) string { return n.condition(action, w) })
	name := n.t.Unique(action)
	policy, _, _ := made(n.Account, "autoscale policy", name, "",
		func(ctx context.Context) (*cloud.Creating[cloud.AutoScalePolicy], error) {
			return n.Account.Cloud.CreateAutoScalePolicy(ctx, cloud.AutoScalePolicySpec{Name: name, Action: action,
				Duration: 60, QuietTime: quiet.seconds(), ConditionIDs: conditions})
		})
	return policy
}

func (n scaler) condition(action string, w When) string {
	counters, err := n.Account.Cloud.ListCounters(n.t.Ctx, cloud.Params{"source": w.Source})
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
	s := *scalingOf(n)
	return groupOf(n.LoadBalancer(name), s, members, members)
}

// GroupOf creates a group of least VMs that may grow by one, with a scale-up policy of its own.
func (n *Network) GroupOf(name string, least int, up ...When) *Group {
	defer n.t.Step("autoscale group %s", name)()
	s := *scalingOf(n)
	s.up = scaler{n}.policyWhen("scaleup", nil, up...)
	return groupOf(n.LoadBalancer(name), s, least, least+1)
}

// Group creates a group of exactly members VMs on the rule.
func (r *Rule) Group(members int) *Group {
	defer r.t.Step("autoscale group of %s", r.Name)()
	return groupOf(r, *scalingOf(r.Network), members, members)
}

func groupOf(r *Rule, s scaling, least, most int) *Group {
	g := &Group{Rule: r, Members: least}
	full := r.t.Unique("grp")
	r.t.Must(g.create(full, s, most), "creating autoscale group %s", full)
	return g
}

// create makes a group on its rule.
func (g *Group) create(name string, s scaling, most int) (err error) {
	interval := int(GroupInterval.Seconds())
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
	s := *scalingOf(n)
	groups, names := make([]*Group, count), make([]string, count)
	specs := make([]cloud.LoadBalancerRuleSpec, count)
	for i := range groups {
		groups[i] = &Group{Members: members}
		groups[i].Rule, specs[i] = ruleOn(n, fmt.Sprintf("group %d of %d", i+1, count), Form{})
		names[i] = n.t.Unique("grp")
	}
	n.t.Must(n.t.together(count, func(i int) error {
		if err := createRule(groups[i].Rule, specs[i]); err != nil {
			return err
		}
		return groups[i].create(names[i], s, members)
	}), "creating %d autoscale groups", count)
	for _, g := range groups {
		n.t.born(g.Rule)
	}
	return groups
}

// ProfileID is what the group's members are made by.
func (g *Group) ProfileID() string { return scalingOf(g.Network).profile }

// OtherOffering is a service offering that groups do not have yet.
func (n *Network) OtherOffering() string {
	c := n.t.choices()
	all, err := n.t.Site.Cloud.ListServiceOfferings(n.t.Ctx, nil)
	n.t.Must(err, "listing service offerings")
	for _, o := range all {
		if o.Id != c.serviceOffering && anybodys(o, c.zone) {
			return o.Id
		}
	}
	n.t.Unsupported("the zone has one service offering only")
	return ""
}

// ChangeProfile has the members that the network's groups, which must be disabled, make from now on be of an offering.
func (n *Network) ChangeProfile(offering string) {
	defer n.t.Step("another offering for members")()
	n.do("updateAutoScaleVmProfile", cloud.Params{"id": scalingOf(n).profile, "serviceofferingid": offering})
}
