package harness

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
)

func key(list string, i int, field string) string { return fmt.Sprintf("%s[%d].%s", list, i, field) }

// Remove takes VMs from behind the rule.
func (r *Rule) Remove(vms ...*VM) {
	defer r.t.step("%d VMs away from %s", len(vms), r.Name)()
	ids := make([]string, len(vms))
	for i, vm := range vms {
		ids[i] = vm.ID
	}
	r.t.must(r.Cloud.RemoveFromLoadBalancerRule(r.t.ctx, r.ID, ids...), "taking VMs from behind %s", r)
}

// TryRemoveByAddress takes a VM from behind the rule by its address, which may be refused: the refusal, or nil.
func (r *Rule) TryRemoveByAddress(vm *VM) *cloud.Error {
	defer r.t.step("%s away from %s by its address", vm.Name, r.Name)()
	_, err := r.Cloud.Job(r.t.ctx, "removeFromLoadBalancerRule", cloud.Params{"id": r.ID, key("vmidipmap", 0, "vmid"): vm.ID,
		key("vmidipmap", 0, "vmip"): vm.IP.String()}, nil)
	return r.t.refusal(err, "taking %s from behind %s", vm.Name, r)
}

// Stop stops the instance.
func (vm *VM) Stop() {
	defer vm.t.step("stop %s", vm.Name)()
	_, err := vm.Cloud.StopVirtualMachine(vm.t.ctx, vm.ID)
	vm.t.must(err, "stopping %s", vm.Name)
}

// Destroy destroys the instance without expunging it: it stays behind its rules until it is expunged.
func (vm *VM) Destroy() {
	defer vm.t.step("destroy %s", vm.Name)()
	vm.t.must(vm.Cloud.DestroyVirtualMachine(vm.t.ctx, vm.ID, false), "destroying %s", vm.Name)
}

// Expunge removes the instance for good, as the administrator; it must be destroyed before.
func (vm *VM) Expunge() {
	defer vm.t.step("expunge %s", vm.Name)()
	vm.t.must(vm.t.site.Cloud.ExpungeVirtualMachine(vm.t.ctx, vm.ID), "expunging %s", vm.Name)
}
