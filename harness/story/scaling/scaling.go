package scaling

import (
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/objects"
)

// AwaitMembers waits until every group has its members.
func (t Scaling) AwaitMembers(groups ...*objects.Group) {
	defer t.Step("members of %d groups", len(groups))()
	if len(groups) == 0 {
		return
	}
	want := map[string]int{}
	for _, g := range groups {
		want[g.GroupID] = g.Members
	}
	a := groups[0].Account
	const what = "the members of the autoscale groups"
	t.on.Until(what, objects.MembersWait, objects.GroupInterval, func() (bool, string) {
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

// AwaitLeaver waits until one of the members is behind the group's rule no more, and answers which.
func (t Scaling) AwaitLeaver(g *objects.Group, members []*objects.VM) *objects.VM {
	defer t.Step("until a member of %s leaves", g.Name)()
	var left *objects.VM
	t.on.Until("a member that leaves", 10*time.Minute, objects.GroupInterval, func() (bool, string) {
		began := t.on.Now()
		behind := g.VMs()
		if len(behind) == len(members) {
			g.SawWhole(began)
		}
		for _, vm := range members {
			if !slices.ContainsFunc(behind, func(o *objects.VM) bool { return o.ID == vm.ID }) {
				left = vm
			}
		}
		return left != nil, fmt.Sprintf("%d of %d members are behind the rule", len(behind), len(members))
	})
	return left
}

// ExpectRunning expects that each of the instances runs.
func (t Scaling) ExpectRunning(why string, vms ...*objects.VM) {
	defer t.Step("%d instances run", len(vms))()
	t.Checked(1)
	for _, vm := range vms {
		if state := t.stateOf(vm); state != "Running" {
			t.Fail(result.WrongMembers, fmt.Sprintf("%s is %s: %s", vm.Name, state, why))
		}
	}
}

// ExpectInGrace expects that all of a group's members still run while it scales, the one that has left its rule among
// them. Where looking took longer than the grace period, nothing can be said.
func (t Scaling) ExpectInGrace(g *objects.Group, members ...*objects.VM) {
	defer t.Step("%s scales, and its members run", g.Name)()
	t.Checked(1)
	states := stage.Each(members, func(vm *objects.VM) string { return t.stateOf(vm) })
	group := g.ListedGroup()
	if late := t.on.Now().Sub(g.Whole()); late >= time.Duration(t.on.Grace())*time.Second {
		t.Inconclusive("a member of %s was looked at up to %s after it had left, and its grace period is %d s: the "+
			"server answers too late", g.Name, late.Round(time.Second), t.on.Grace())
	}
	for i, vm := range members {
		if states[i] != "Running" {
			t.Fail(result.WrongMembers, fmt.Sprintf("%s is %s: its grace period is not over", vm.Name, states[i]))
		}
	}
	if group.State != "SCALING" {
		t.Fail(result.WrongMembers, fmt.Sprintf("group %s is %s, want SCALING", g.Name, group.State))
	}
}

// destroying is how long the destruction of a member may take once its grace period is over: a busy server does it when
// it has the time.
const destroying = 2 * time.Minute

// ExpectDestroyed expects that an instance is destroyed soon.
func (t Scaling) ExpectDestroyed(why string, vm *objects.VM) {
	defer t.Step("%s is destroyed", vm.Name)()
	t.Checked(1)
	began := t.on.Now()
	for {
		state := t.stateOf(vm)
		if state == gone || state == "Expunging" || state == "Destroyed" {
			return
		}
		if late := t.on.Now().Sub(began); late > destroying {
			t.Fail(result.WrongMembers, fmt.Sprintf("%s is %s %s after it was to be destroyed: %s", vm.Name, state,
				late.Round(time.Second), why))
			return
		}
		t.on.Pass(objects.GroupInterval)
	}
}

// gone is the state of an instance that is not listed.
const gone = "gone"

func (t Scaling) stateOf(vm *objects.VM) string {
	found, err := vm.Account.Cloud.ListVirtualMachines(t.ctx, cloud.Params{"id": vm.ID})
	if t.on.Refusal(err, "listing %s", vm.Name) != nil || len(found) == 0 {
		return gone
	}
	return found[0].State
}

// ExpectState expects that the group is in a state.
func (t Scaling) ExpectState(g *objects.Group, want string) {
	defer t.Step("group %s is %s", g.Name, want)()
	t.Checked(1)
	if now := g.ListedGroup().State; now != want {
		t.Fail(result.WrongMembers, fmt.Sprintf("group %s is %s, want %s", g.Name, now, want))
	}
}

// givingUp is how long a group is given to stop, and mostStarts how many members it may have tried to start by then: a
// group of 4.20.2 and later is meant to stop after ten.
const (
	givingUp   = 20 * time.Minute
	mostStarts = 25
)

// ExpectGivesUp expects that a group whose members fail to start stops to make more, and leaves no more behind than it
// may have.
func (t Scaling) ExpectGivesUp(g *objects.Group, f *objects.Fault) {
	defer t.Step("group %s gives up", g.Name)()
	t.Checked(1)
	t.on.Pass(givingUp)
	early := f.Met()
	if early == 0 {
		t.Fail(result.WrongMembers, fmt.Sprintf("group %s did not try to start a member", g.Name))
		return
	}
	t.on.Pass(givingUp)
	more := f.Met() - early
	left, err := g.Account.Cloud.ListVirtualMachines(t.ctx, cloud.Params{"autoscalevmgroupid": g.GroupID})
	t.Must(err, "listing the instances of group %s", g.Name)
	says := fmt.Sprintf("starts of members of group %s failed %d times in %s and %d times in the next: %d instances "+
		"are left, its maximum is %d", g.Name, early, givingUp, more, len(left), g.Members)
	if early > mostStarts || more > 0 || len(left) > g.Members {
		t.Fail(result.EndlessMembers, says)
	}
	t.Note("failed starts", "%s", says)
}

// PassGrace lets the grace period of a member that leaves go by.
func (t Scaling) PassGrace() {
	t.on.Pass(time.Duration(t.on.Grace()+10) * time.Second)
}

// ExpectNewOffering expects that the group's members of before have the offering that they had, and those that are new
// another one.
func (t Scaling) ExpectNewOffering(g *objects.Group, before []*objects.VM, offering string) {
	defer t.Step("offerings of the members of %s", g.Name)()
	t.Checked(1)
	fresh := 0
	for _, vm := range g.VMs() {
		found, err := vm.Account.Cloud.ListVirtualMachines(t.ctx, cloud.Params{"id": vm.ID})
		t.Must(err, "listing %s", vm.Name)
		old := slices.ContainsFunc(before, func(o *objects.VM) bool { return o.ID == vm.ID })
		if !old {
			fresh++
		}
		if len(found) != 1 || (found[0].Serviceofferingid == offering) == old {
			t.Fail(result.WrongMembers, fmt.Sprintf("%s was made before the profile got another offering: %t; it does "+
				"not have the offering that it should", vm.Name, old))
		}
	}
	if fresh == 0 && !t.Failed() {
		t.Inconclusive("group %s has no member that was made after the change", g.Name)
	}
}
