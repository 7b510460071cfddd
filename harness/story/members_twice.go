package story

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
)

// TryAssignWith puts a VM behind the rule by its id, and in the same call by a further address of it: the refusal, or
// nil.
func (r *Rule) TryAssignWith(s *SecondAddress) *cloud.Error {
	defer r.t.Step("%s with %s behind %s", s.vm.Name, s.IP, r.Name)()
	_, err := r.Account.Cloud.Job(r.t.ctx, "assignToLoadBalancerRule", cloud.Params{"id": r.ID,
		"virtualmachineids": []string{s.vm.ID}, key("vmidipmap", 0, "vmid"): s.vm.ID,
		key("vmidipmap", 0, "vmip"): s.IP.String()}, nil)
	return r.t.refusal(err, "putting %s with %s behind %s", s.vm.Name, s.IP, r)
}

// TryRemove takes a VM from behind the rule: the refusal, or nil.
func (r *Rule) TryRemove(vm *VM) *cloud.Error {
	defer r.t.Step("%s away from %s", vm.Name, r.Name)()
	return r.t.refusal(r.Account.Cloud.RemoveFromLoadBalancerRule(r.t.ctx, r.ID, vm.ID), "taking %s from behind %s",
		vm.Name, r)
}

// TakeTwice takes a VM from behind the rule, puts it there and takes it away again, with so many seconds between, and
// expects that it is taken away each time.
func (t Answers) TakeTwice(r *Rule, vm *VM, pass func()) {
	t.Checked(1)
	r.Remove(vm)
	first := t.now()
	pass()
	r.Assign(vm)
	pass()
	refusal := r.TryRemove(vm)
	if refusal != nil {
		t.Fail(result.RemovedTwice, fmt.Sprintf("VM %s was taken from %s at %s, and again at %s, which fails: %d %s",
			vm.Name, r.called(), stamp(first), stamp(t.now()), refusal.Code, refusal.Text))
	}
}
