package story

import (
	"fmt"
	"slices"
	"time"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
)

// AwaitLeaver waits until one of the members is behind the group's rule no more, and answers which.
func (t Scaling) AwaitLeaver(g *Group, members []*VM) *VM {
	defer t.Step("until a member of %s leaves", g.Name)()
	var left *VM
	t.until("a member that leaves", 10*time.Minute, groupInterval, func() (bool, string) {
		behind := g.VMs()
		for _, vm := range members {
			if !slices.ContainsFunc(behind, func(o *VM) bool { return o.ID == vm.ID }) {
				left = vm
			}
		}
		return left != nil, fmt.Sprintf("%d of %d members are behind the rule", len(behind), len(members))
	})
	return left
}

// ExpectRunning expects that each of the instances runs.
func (t Scaling) ExpectRunning(why string, vms ...*VM) {
	defer t.Step("%d instances run", len(vms))()
	t.Checked(1)
	for _, vm := range vms {
		if state := t.stateOf(vm); state != "Running" {
			t.Fail(result.WrongMembers, fmt.Sprintf("%s is %s: %s", vm.Name, state, why))
		}
	}
}

// ExpectDestroyed expects that an instance is there no more.
func (t Scaling) ExpectDestroyed(why string, vm *VM) {
	defer t.Step("%s is destroyed", vm.Name)()
	t.Checked(1)
	if state := t.stateOf(vm); state != gone && state != "Expunging" && state != "Destroyed" {
		t.Fail(result.WrongMembers, fmt.Sprintf("%s is %s: %s", vm.Name, state, why))
	}
}

// gone is the state of an instance that is not listed.
const gone = "gone"

func (t Scaling) stateOf(vm *VM) string {
	found, err := vm.Account.Cloud.ListVirtualMachines(t.ctx, cloud.Params{"id": vm.ID})
	if t.refusal(err, "listing %s", vm.Name) != nil || len(found) == 0 {
		return gone
	}
	return found[0].State
}

// ExpectState expects that the group is in a state.
func (t Scaling) ExpectState(g *Group, want string) {
	defer t.Step("group %s is %s", g.Name, want)()
	t.Checked(1)
	now, err := g.Account.Cloud.AutoScaleVMGroup(t.ctx, g.GroupID)
	t.Must(err, "reading group %s", g.Name)
	if now.State != want {
		t.Fail(result.WrongMembers, fmt.Sprintf("group %s is %s, want %s", g.Name, now.State, want))
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
func (t Scaling) ExpectGivesUp(g *Group, f *Fault) {
	defer t.Step("group %s gives up", g.Name)()
	t.Checked(1)
	t.pass(givingUp)
	early := f.Met()
	if early == 0 {
		t.Fail(result.WrongMembers, fmt.Sprintf("group %s did not try to start a member", g.Name))
		return
	}
	t.pass(givingUp)
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
	t.pass((expungeGrace + 10) * time.Second)
}
