package autoscale

import (
	"context"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/firewall"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
)

// The moves of a group between its states: NEW, ENABLED, DISABLED, SCALING, REVOKE, removed (facts: cloudstack.md 2.7).

func (mgr *Manager) setGroupState(ctx context.Context, g *Group, state string) error {
	if g.State == state {
		return nil
	}
	g.State = state
	return mgr.Update(ctx, "cloud.autoscale_vmgroups", g.ID, obj{"state": state})
}

// configureGroup is the job of createAutoScaleVmGroup: it pushes, makes the rule Active even without a VM, and
// enables the group. A failed push deletes the group again.
func configureGroup(mgr *Manager, c *kernel.Call) (obj, error) {
	ctx := c.Ctx
	g := mgr.GroupByUUID(c.Target.UUID)
	if g == nil || !g.Removed.IsZero() {
		return nil, api.Internal("Failed to create Autoscale Vm Group")
	}
	state := g.Rule.State
	if err := mgr.firewall.SetRuleState(ctx, &g.Rule.Rule, firewall.StateAdd); err != nil {
		return nil, err
	}
	if err := mgr.push.PushNetwork(ctx, g.Rule.Network, push.Cause{Why: push.ForGroup, Rule: g.Rule}); err != nil {
		if err := mgr.firewall.SetRuleState(ctx, &g.Rule.Rule, state); err != nil {
			return nil, err
		}
		if err := mgr.removeGroup(ctx, g); err != nil {
			return nil, err
		}
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to create " +
			"Autoscale Vm Group"}
	}
	if err := mgr.firewall.SetRuleState(ctx, &g.Rule.Rule, firewall.StateActive); err != nil {
		return nil, err
	}
	if g.State == groupNew {
		if err := mgr.setGroupState(ctx, g, groupEnabled); err != nil {
			return nil, err
		}
	}
	return obj{"autoscalevmgroup": groupAnswer(mgr, g)}, nil
}

// enableGroup pushes and plans the monitor. Only a disabled group is enabled; an enabled one is answered as it is.
func enableGroup(mgr *Manager, c *kernel.Call) (obj, error) {
	g, err := liveGroup(mgr, c)
	if err != nil {
		return nil, err
	}
	if g.State == groupEnabled {
		return obj{"autoscalevmgroup": groupAnswer(mgr, g)}, nil
	}
	if g.State != groupDisabled {
		return nil, api.Invalid("Only a AutoScale Vm Group which is in Disabled state can be enabled.")
	}
	if err := mgr.setGroupState(c.Ctx, g, groupEnabled); err != nil {
		return nil, err
	}
	if err := mgr.push.PushNetwork(c.Ctx, g.Rule.Network, push.Cause{Why: push.Enable, Rule: g.Rule}); err != nil {
		return nil, restoreGroup(mgr, c, g, groupDisabled, "enable", err)
	}
	mgr.watch(g)
	mgr.noteGap(g)
	return obj{"autoscalevmgroup": groupAnswer(mgr, g)}, nil
}

// disableGroup pushes and takes the monitor back. Members and their mappings stay.
func disableGroup(mgr *Manager, c *kernel.Call) (obj, error) {
	ctx := c.Ctx
	g, err := liveGroup(mgr, c)
	if err != nil {
		return nil, err
	}
	if g.State == groupDisabled {
		return obj{"autoscalevmgroup": groupAnswer(mgr, g)}, nil
	}
	if g.State != groupEnabled && g.State != groupScaling {
		return nil, api.Invalid("Only a AutoScale Vm Group which is in Enabled or Scaling state can be disabled.")
	}
	if err := mgr.setGroupState(ctx, g, groupDisabled); err != nil {
		return nil, err
	}
	if mgr.push.OnceDisabled == nil {
		mgr.push.OnceDisabled = map[string]bool{}
	}
	mgr.push.OnceDisabled[g.Rule.UUID] = true
	if err := mgr.push.PushNetwork(ctx, g.Rule.Network, push.Cause{Why: push.Disable, Rule: g.Rule}); err != nil {
		return nil, restoreGroup(mgr, c, g, groupEnabled, "disable", err)
	}
	mgr.unwatch(g)
	mgr.noteGap(g)
	return obj{"autoscalevmgroup": groupAnswer(mgr, g)}, nil
}

// restoreGroup is the rollback of enable and disable.
func restoreGroup(mgr *Manager, c *kernel.Call, g *Group, state, what string, cause error) error {
	if !kernel.Unavailable(cause) {
		return cause
	}
	if err := mgr.setGroupState(c.Ctx, g, state); err != nil {
		return err
	}
	return &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: fmt.Sprintf("Failed to %s "+
		"AutoScale Vm Group", what)}
}

func deleteGroup(mgr *Manager, c *kernel.Call) (obj, error) {
	g, err := liveGroup(mgr, c)
	if err != nil {
		return nil, err
	}
	cleanup := c.Boolean("cleanup", false)
	switch {
	case cleanup:
	case g.State != groupNew && g.State != groupDisabled:
		return nil, api.Invalid("Cannot delete autoscale vm group %s because it is in %s state. Please disable "+
			"it or pass cleanup=true flag which will destroy all VMs.", mgr.groupName(g), g.State)
	case len(g.Members) > 0:
		return nil, api.Invalid("Cannot delete autoscale vm group %s because there are %d VMs. Please remove the "+
			"VMs or pass cleanup=true flag which will destroy all VMs.", mgr.groupName(g), len(g.Members))
	}
	if err := mgr.endGroup(c.Ctx, g, cleanup); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

// groupText is how texts name a group: by before, from 4.20.1 on as an object, which ends in a point
// (AutoScaleVmGroupVO@4.20.1.0).
func (mgr *Manager) groupText(g *Group, before string) string {
	text := mgr.ObjectText(before, "AutoScaleVmGroup", "id", g.ID, "loadBalancerId", g.Rule.ID, "name", g.Name,
		"profileId", g.Profile.ID, "uuid", g.UUID)
	if text == before {
		return text
	}
	return text + "."
}

// groupName is a group in the texts of a refused deletion.
func (mgr *Manager) groupName(g *Group) string {
	number := fmt.Sprintf("id : %d", g.ID)
	if text := mgr.groupText(g, number); text != number {
		return ": " + text
	}
	return number
}

// DeleteGroupWithCleanup deletes a group with its members, whatever its state: account removal.
func (mgr *Manager) DeleteGroupWithCleanup(ctx context.Context, g *Group) error {
	if !g.Removed.IsZero() {
		return nil
	}
	return mgr.endGroup(ctx, g, true)
}

// endGroup destroys and expunges the members, one push each, pushes once more and removes the group. The rule stays, in
// state Add; no LB.DELETE is written for it.
func (mgr *Manager) endGroup(ctx context.Context, g *Group, cleanup bool) error {
	if g.State == groupNew {
		return mgr.removeGroup(ctx, g)
	}
	state := g.State
	if err := mgr.setGroupState(ctx, g, groupRevoke); err != nil {
		return err
	}
	if cleanup {
		for _, vm := range slices.Clone(g.Members) {
			if err := mgr.destroyMember(ctx, g, vm); err != nil {
				mgr.Log.Error("destroying a group's member", "group", g.ID, "vm", vm.ID, "err", err)
			}
		}
	}
	if g.Rule.State == firewall.StateActive {
		if err := mgr.firewall.SetRuleState(ctx, &g.Rule.Rule, firewall.StateAdd); err != nil {
			return err
		}
	}
	if err := mgr.push.PushNetwork(ctx, g.Rule.Network, push.Cause{}); err != nil {
		if err := mgr.setGroupState(ctx, g, state); err != nil {
			return err
		}
		return &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to delete autoscale " +
			"vm group"}
	}
	return mgr.removeGroup(ctx, g)
}

// removeGroup removes the group softly.
func (mgr *Manager) removeGroup(ctx context.Context, g *Group) error {
	mgr.unwatch(g)
	if !mgr.On(fault.SchedulesOutliveGroup) {
		dropSchedules(mgr, func(s *Schedule) bool { return s.Group == g })
	}
	for _, vm := range slices.Clone(g.Members) {
		mgr.dropFromGroup(ctx, g, vm)
	}
	g.Removed = mgr.Now()
	if g.Rule.Group == g {
		g.Rule.Group = nil
	}
	return mgr.Update(ctx, "cloud.autoscale_vmgroups", g.ID, obj{"removed": g.Removed, "state": g.State})
}

// GuardMember refuses to stop, destroy or unmap a member of a group that is not disabled.
func (mgr *Manager) GuardMember(vm *compute.VM) error {
	g, member := vm.Group.(*Group)
	if !member || !g.Removed.IsZero() || g.State == groupDisabled {
		return nil
	}
	return api.Invalid("Cannot perform actions on VM in an AutoScale VM group, Please disable the VM group and retry.")
}

// joinGroup and dropFromGroup keep the members and their rows.
func (mgr *Manager) joinGroup(ctx context.Context, g *Group, vm *compute.VM) error {
	id, err := mgr.Insert(ctx, "cloud.autoscale_vmgroup_vm_map", obj{"vmgroup_id": g.ID, "instance_id": vm.ID})
	if err != nil {
		return err
	}
	if mgr.memberRows == nil {
		mgr.memberRows = map[int64]int64{}
	}
	mgr.memberRows[vm.ID] = id
	vm.Group = g
	g.Members = append(g.Members, vm)
	return nil
}

func (mgr *Manager) dropFromGroup(ctx context.Context, g *Group, vm *compute.VM) {
	if !slices.Contains(g.Members, vm) {
		return
	}
	g.Members = slices.DeleteFunc(g.Members, func(o *compute.VM) bool { return o == vm })
	vm.Group = nil
	if mgr.On(fault.MemberRowsLeft) {
		return
	}
	if err := mgr.Remove(ctx, "cloud.autoscale_vmgroup_vm_map", mgr.memberRows[vm.ID]); err != nil {
		mgr.Log.Error("removing a member's row", "group", g.ID, "vm", vm.ID, "err", err)
	}
	delete(mgr.memberRows, vm.ID)
}

// LeftRule takes a VM that left a group's rule out of the group.
func (mgr *Manager) LeftRule(ctx context.Context, r *push.Rule, vm *compute.VM) {
	if g, scaled := r.Group.(*Group); scaled {
		mgr.dropFromGroup(ctx, g, vm)
	}
}

// Expunged takes a VM that is gone out of its group.
func (mgr *Manager) Expunged(ctx context.Context, vm *compute.VM) {
	if g, member := vm.Group.(*Group); member {
		mgr.dropFromGroup(ctx, g, vm)
	}
}
