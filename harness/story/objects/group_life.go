package objects

import (
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Disable disables the group; its members and their places behind the rule stay.
func (g *Group) Disable() {
	defer g.t.Step("disable group %s", g.Name)()
	_, err := g.Account.Cloud.DisableAutoScaleVMGroup(g.t.Ctx, g.GroupID)
	g.t.Must(err, "disabling group %s", g.Name)
}

// Enable enables the group.
func (g *Group) Enable() {
	defer g.t.Step("enable group %s", g.Name)()
	_, err := g.Account.Cloud.EnableAutoScaleVMGroup(g.t.Ctx, g.GroupID)
	g.t.Must(err, "enabling group %s", g.Name)
}

// VMs are the members behind the group's rule.
func (g *Group) VMs() []*VM {
	instances, err := g.Account.Cloud.ListLoadBalancerRuleInstances(g.t.Ctx, g.ID)
	g.t.Must(err, "listing the members of group %s", g.Name)
	if len(instances) == 0 {
		g.t.Inconclusive("group %s has no members behind its rule", g.Name)
	}
	var vms []*VM
	for _, one := range instances {
		vms = append(vms, &VM{owned: g.owned, ID: one.Id, InternalID: g.t.InternalID(usageprobe.ObjectVM, one.Id),
			Name: one.Name})
	}
	return vms
}

// MemberDisks gives the members of groups that are made from now on a data disk each.
func (n *Network) MemberDisks() {
	n.memberDisk = map[string]string{"diskofferingid": n.Account.fixedDisk()}
}

// DataDisks are how many data disks an account has.
func (a *Account) DataDisks() int {
	var answer struct {
		Count int `json:"count"`
	}
	filter := a.ByName()
	filter["type"], filter["listall"] = "DATADISK", true
	a.t.Must(a.t.Site.Cloud.Call(a.t.Ctx, "listVolumes", filter, &answer), "listing the disks of %s", a.Name)
	return answer.Count
}

// MembersJoin has the members of groups that are made from now on in another network, too.
func (n *Network) MembersJoin(other *Network) {
	if n.memberDisk == nil {
		n.memberDisk = map[string]string{}
	}
	n.memberDisk["networkids"] = n.ID + "," + other.ID
}

// shrinking is a scale-down policy that always holds on the simulator, whose CPU is at 10 %, with its quiet time.
type shrinking struct{ quiet int }

// Shrink has the groups that are made from now on scale down, one member after each quiet time.
func (n *Network) Shrink(quiet time.Duration) { n.shrink = &shrinking{int(quiet.Seconds())} }

func (s *shrinking) threshold() int64 {
	if s == nil {
		return 1
	}
	return 50
}

func (s *shrinking) seconds() *int {
	if s == nil {
		return nil
	}
	return &s.quiet
}

// Resize changes the bounds of the group, which must be disabled.
func (g *Group) Resize(least, most int) {
	defer g.t.Step("size of group %s to %d..%d", g.Name, least, most)()
	_, err := g.Account.Cloud.UpdateAutoScaleVMGroup(g.t.Ctx, g.GroupID, cloud.Params{"minmembers": least,
		"maxmembers": most})
	g.t.Must(err, "resizing group %s", g.Name)
	g.Members = least
}

// DeleteGroup deletes the group with its members; the rule stays.
func (g *Group) DeleteGroup() {
	defer g.t.Step("delete group %s", g.Name)()
	g.t.Must(g.Account.Cloud.DeleteAutoScaleVMGroup(g.t.Ctx, g.GroupID, true), "deleting group %s", g.Name)
}

// ListedGroup is the group as the API lists it now.
func (g *Group) ListedGroup() *cloud.AutoScaleVMGroup {
	now, err := g.Account.Cloud.AutoScaleVMGroup(g.t.Ctx, g.GroupID)
	g.t.Must(err, "reading group %s", g.Name)
	return now
}

// Count is how many members the group counts.
func (g *Group) Count() int { return g.ListedGroup().Availablevirtualmachinecount }

// SawWhole notes when all members were last seen behind the group's rule, and Whole tells it.
func (g *Group) SawWhole(at time.Time) { g.whole = at }

// Whole is when all members were last seen behind the group's rule.
func (g *Group) Whole() time.Time { return g.whole }

// Settle lets monitor intervals pass until the group counts its members, or some more have passed: what it then counts
// is for an expectation.
func (g *Group) Settle() {
	defer g.t.Step("group %s settles", g.Name)()
	limit := 3
	if !g.t.Site.Disposable {
		limit = int(MembersWait / GroupInterval) // instances of a real zone take their time
	}
	for range limit {
		g.t.Must(g.t.Site.Clock.Pass(g.t.Ctx, GroupInterval), "waiting for the group's monitor")
		if g.Count() == g.Members {
			return
		}
	}
}

// commandUnknown is how a server refuses a command that it does not have.
const commandUnknown = 432

// ScheduleIn has the group's bounds change after some time, and each hour again: the moment of the first time.
func (g *Group) ScheduleIn(d time.Duration, least, most int) time.Time {
	t := g.t
	defer t.Step("schedule of %s: %d..%d", g.Name, least, most)()
	at := t.Now().UTC().Add(d).Truncate(time.Minute)
	var made struct{ ResourceSchedule struct{ ID string } }
	err := g.Account.Cloud.Call(t.Ctx, "createResourceSchedule", cloud.Params{"resourcetype": "AutoScaleVmGroup",
		"resourceid": g.GroupID, "action": "UPDATE", "timezone": "UTC",
		"schedule":                      fmt.Sprintf("%d * * * *", at.Minute()),
		key("details", 0, "minmembers"): least, key("details", 0, "maxmembers"): most}, &made)
	if refusal := t.Refusal(err, "scheduling %s", g.Name); refusal != nil {
		if refusal.Code == commandUnknown {
			t.Unsupported("autoscale groups of this release have no schedules (#13148)")
		}
		t.Inconclusive("scheduling %s was refused: %v", g.Name, refusal)
	}
	g.schedules = append(g.schedules, made.ResourceSchedule.ID)
	return at
}

// Schedules are the ids of the schedules that the group was given.
func (g *Group) Schedules() []string { return g.schedules }

// ListedSchedules are the ids of the schedules that the API lists for the group, or the refusal.
func (g *Group) ListedSchedules() (ids []string, refusal *cloud.Error) {
	var list struct{ ResourceSchedule []struct{ ID string } }
	err := g.Account.Cloud.Call(g.t.Ctx, "listResourceSchedule", cloud.Params{"resourcetype": "AutoScaleVmGroup",
		"resourceid": g.GroupID}, &list)
	for _, s := range list.ResourceSchedule {
		ids = append(ids, s.ID)
	}
	return ids, g.t.Refusal(err, "listing the schedules of %s", g.Name)
}

// TellsOf says what an event of the kind tells of the schedule; empty where none does.
func (g *Group) TellsOf(schedule, kind string) string {
	var list struct {
		Event []struct{ Description string }
	}
	g.t.Must(g.t.Site.Cloud.Call(g.t.Ctx, "listEvents", cloud.Params{"type": kind, "listall": true}, &list),
		"listing events")
	for _, e := range list.Event {
		if strings.Contains(e.Description, schedule) {
			return e.Description
		}
	}
	return ""
}
