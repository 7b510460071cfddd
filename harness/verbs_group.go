package harness

import (
	"context"
	"fmt"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Group is an autoscale VM group on a rule of its own.
type Group struct {
	*Rule
	GroupID string
	Members int
}

// Times of a group. The interval is the shortest that servers accept without strain; members of a real zone may take
// minutes to deploy (confirmed.md 28: 100 members after 219 s).
const (
	groupInterval = 10 * time.Second
	membersWait   = 15 * time.Minute
)

// scaling is what the groups of a network share: a profile and two policies that never act. The simulator's CPU is
// always 10 %, so "over 90" and "under 1" keep min=max groups still (T17).
type scaling struct{ profile, up, down string }

func (n *Network) scaling() *scaling {
	if n.scale != nil {
		return n.scale
	}
	defer n.t.step("autoscale policies")()
	s := &scaling{}
	s.up, s.down = n.scalePolicy("scaleup", "GT", "90"), n.scalePolicy("scaledown", "LT", "1")
	c := n.t.choices()
	s.profile, _ = n.make("autoscale profile", n.Name, "", "createAutoScaleVmProfile", cloud.Params{"zoneid": c.zone,
		"serviceofferingid": c.serviceOffering, "templateid": c.template, "expungevmgraceperiod": "30"})
	n.scale = s
	return s
}

func (n *Network) scalePolicy(action, operator, threshold string) string {
	var counters struct {
		Counter []struct{ ID, Source, Provider string }
	}
	n.call("listCounters", cloud.Params{"source": "CPU"}, &counters)
	provider := "VirtualRouter"
	if n.VPC != nil {
		provider = "VpcVirtualRouter"
	}
	var counter string
	for _, c := range counters.Counter {
		if c.Provider == provider && c.Source == "CPU" {
			counter = c.ID
		}
	}
	if counter == "" {
		n.t.Inconclusive("the zone has no CPU counter of provider %s", provider)
	}
	condition, _ := n.make("condition", action, "", "createCondition", cloud.Params{"counterid": counter, "relationaloperator": operator,
		"threshold": threshold})
	policy, _ := n.make("autoscale policy", action, "", "createAutoScalePolicy", cloud.Params{"action": action, "duration": "60",
		"conditionids": condition, "name": n.t.unique(action)})
	return policy
}

// Group creates a rule with an autoscale group of exactly members VMs; its members come with the next monitor interval
// (see AwaitMembers).
func (n *Network) Group(name string, members int) *Group {
	defer n.t.step("autoscale group %s", name)()
	s := n.scaling()
	g := &Group{Rule: n.LoadBalancer(name), Members: members}
	full := n.t.unique("grp")
	g.GroupID, _ = n.make("autoscale group", full, "cloud.autoscale_vmgroups", "createAutoScaleVmGroup", cloud.Params{
		"lbruleid": g.ID, "minmembers": fmt.Sprint(members), "maxmembers": fmt.Sprint(members), "scaleuppolicyids": s.up,
		"scaledownpolicyids": s.down, "vmprofileid": s.profile, "interval": fmt.Sprint(int(groupInterval.Seconds())), "name": full})
	g.t.onRemove("group "+full, g.remove)
	return g
}

// AwaitMembers waits until every group has its members.
func (t *T) AwaitMembers(groups ...*Group) {
	defer t.step("members of %d groups", len(groups))()
	if len(groups) == 0 {
		return
	}
	want := map[string]int{}
	for _, g := range groups {
		want[g.GroupID] = g.Members
	}
	a := groups[0].Account
	t.until("the members of the autoscale groups", membersWait, groupInterval, func() (bool, string) {
		var list struct {
			AutoScaleVMGroup []struct {
				ID        string
				State     string
				Available int `json:"availablevirtualmachinecount"`
			}
		}
		a.call("listAutoScaleVmGroups", cloud.Params{"listall": "true", "pagesize": "500", "page": "1"}, &list)
		full := 0
		for _, g := range list.AutoScaleVMGroup {
			if n, ours := want[g.ID]; ours && g.Available == n && g.State == "ENABLED" {
				full++
			}
		}
		return full == len(want), fmt.Sprintf("%d of %d groups are enabled and complete", full, len(want))
	})
}

// Disable disables the group; its members and their places behind the rule stay.
func (g *Group) Disable() {
	defer g.t.step("disable group %s", g.Name)()
	g.job("disableAutoScaleVmGroup", cloud.Params{"id": g.GroupID}, nil)
}

// Enable enables the group.
func (g *Group) Enable() {
	defer g.t.step("enable group %s", g.Name)()
	g.job("enableAutoScaleVmGroup", cloud.Params{"id": g.GroupID}, nil)
}

// remove deletes the group with its members; a group that is gone is fine.
func (g *Group) remove(ctx context.Context) error {
	_, err := g.Cloud.Job(ctx, "deleteAutoScaleVmGroup", cloud.Params{"id": g.GroupID, "cleanup": "true"}, nil)
	if cloud.IsNotFound(err) {
		return nil
	}
	return err
}
