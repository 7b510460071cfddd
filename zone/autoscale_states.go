package zone

import (
	"context"
	"fmt"
	"slices"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
)

// The moves of a group between its states: NEW, ENABLED, DISABLED, SCALING, REVOKE, removed (facts: cloudstack.md 2.7).

func (z *Zone) setGroupState(ctx context.Context, g *Group, state string) error {
	if g.State == state {
		return nil
	}
	g.State = state
	return z.update(ctx, "cloud.autoscale_vmgroups", g.ID, obj{"state": state})
}

// configureGroup is the job of createAutoScaleVmGroup: it pushes, makes the rule Active even without a VM, and enables the
// group. A failed push deletes the group again.
func configureGroup(z *Zone, c *call) (obj, error) {
	ctx := c.ctx
	g := z.groupByUUID(c.target.uuid)
	if g == nil || !g.Removed.IsZero() {
		return nil, api.Internal("Failed to create Autoscale Vm Group")
	}
	state := g.Rule.State
	if err := z.setRuleState(ctx, &g.Rule.rule, stateAdd); err != nil {
		return nil, err
	}
	if err := z.pushNetwork(withCause(ctx, causeGroup, g.Rule), g.Rule.Network); err != nil {
		if err := z.setRuleState(ctx, &g.Rule.rule, state); err != nil {
			return nil, err
		}
		if err := z.removeGroup(ctx, g); err != nil {
			return nil, err
		}
		return nil, &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to create Autoscale Vm Group"}
	}
	if err := z.setRuleState(ctx, &g.Rule.rule, stateActive); err != nil {
		return nil, err
	}
	if g.State == groupNew {
		if err := z.setGroupState(ctx, g, groupEnabled); err != nil {
			return nil, err
		}
	}
	return obj{"autoscalevmgroup": z.groupAnswer(g)}, nil
}

// enableGroup pushes and plans the monitor. Only a disabled group is enabled; an enabled one is answered as it is.
func enableGroup(z *Zone, c *call) (obj, error) {
	g, err := liveGroup(z, c)
	if err != nil {
		return nil, err
	}
	if g.State == groupEnabled {
		return obj{"autoscalevmgroup": z.groupAnswer(g)}, nil
	}
	if g.State != groupDisabled {
		return nil, api.Invalid("Only a AutoScale Vm Group which is in Disabled state can be enabled.")
	}
	if err := z.setGroupState(c.ctx, g, groupEnabled); err != nil {
		return nil, err
	}
	if err := z.pushNetwork(withCause(c.ctx, causeEnable, g.Rule), g.Rule.Network); err != nil {
		return nil, restoreGroup(z, c, g, groupDisabled, "enable", err)
	}
	z.watch(g)
	z.noteGap(g)
	return obj{"autoscalevmgroup": z.groupAnswer(g)}, nil
}

// disableGroup pushes and takes the monitor back. Members and their mappings stay.
func disableGroup(z *Zone, c *call) (obj, error) {
	ctx := c.ctx
	g, err := liveGroup(z, c)
	if err != nil {
		return nil, err
	}
	if g.State == groupDisabled {
		return obj{"autoscalevmgroup": z.groupAnswer(g)}, nil
	}
	if g.State != groupEnabled && g.State != groupScaling {
		return nil, api.Invalid("Only a AutoScale Vm Group which is in Enabled or Scaling state can be disabled.")
	}
	if err := z.setGroupState(ctx, g, groupDisabled); err != nil {
		return nil, err
	}
	if z.onceDisabled == nil {
		z.onceDisabled = map[string]bool{}
	}
	z.onceDisabled[g.Rule.UUID] = true
	if z.knobs[fault.MembersLostOnDisable] {
		for _, m := range slices.Clone(g.Rule.Members) {
			if err := z.removeMember(ctx, g.Rule, m); err != nil {
				return nil, err
			}
		}
	}
	if err := z.pushNetwork(withCause(ctx, causeDisable, g.Rule), g.Rule.Network); err != nil {
		return nil, restoreGroup(z, c, g, groupEnabled, "disable", err)
	}
	z.unwatch(g)
	z.noteGap(g)
	return obj{"autoscalevmgroup": z.groupAnswer(g)}, nil
}

// restoreGroup is the rollback of enable and disable.
func restoreGroup(z *Zone, c *call, g *Group, state, what string, cause error) error {
	if !unavailable(cause) {
		return cause
	}
	if err := z.setGroupState(c.ctx, g, state); err != nil {
		return err
	}
	return &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: fmt.Sprintf("Failed to %s AutoScale Vm Group", what)}
}

func deleteGroup(z *Zone, c *call) (obj, error) {
	g, err := liveGroup(z, c)
	if err != nil {
		return nil, err
	}
	cleanup := c.boolean("cleanup", false)
	switch {
	case cleanup:
	case g.State != groupNew && g.State != groupDisabled:
		return nil, api.Invalid("Cannot delete autoscale vm group %s because it is in %s state. Please disable it or pass cleanup=true flag which will destroy all VMs.", z.groupName(g), g.State)
	case len(g.Members) > 0:
		return nil, api.Invalid("Cannot delete autoscale vm group %s because there are %d VMs. Please remove the VMs or pass cleanup=true flag which will destroy all VMs.", z.groupName(g), len(g.Members))
	}
	if err := z.endGroup(c.ctx, g, cleanup); err != nil {
		return nil, err
	}
	return obj{"success": true}, nil
}

// groupName is how texts name a group: by its internal id until 4.20.1, as an object from 4.20.2 on.
func (z *Zone) groupName(g *Group) string {
	if z.knobs[release.GroupNamedAsObject] {
		return fmt.Sprintf(`: AutoScaleVmGroup {"id":%d,"name":%q,"uuid":%q}`, g.ID, g.Name, g.UUID)
	}
	return fmt.Sprintf("id : %d", g.ID)
}

// deleteGroupWithCleanup deletes a group with its members, whatever its state: account removal.
func (z *Zone) deleteGroupWithCleanup(ctx context.Context, g *Group) error {
	if !g.Removed.IsZero() {
		return nil
	}
	return z.endGroup(ctx, g, true)
}

// endGroup destroys and expunges the members, one push each, pushes once more and removes the group. The rule stays, in
// state Add; no LB.DELETE is written for it.
func (z *Zone) endGroup(ctx context.Context, g *Group, cleanup bool) error {
	if g.State == groupNew {
		return z.removeGroup(ctx, g)
	}
	state := g.State
	if err := z.setGroupState(ctx, g, groupRevoke); err != nil {
		return err
	}
	if cleanup {
		for _, vm := range slices.Clone(g.Members) {
			if err := z.destroyMember(ctx, g, vm); err != nil {
				z.log.Error("destroying a group's member", "group", g.ID, "vm", vm.ID, "err", err)
			}
		}
	}
	if g.Rule.State == stateActive {
		if err := z.setRuleState(ctx, &g.Rule.rule, stateAdd); err != nil {
			return err
		}
	}
	if err := z.pushNetwork(ctx, g.Rule.Network); err != nil {
		if err := z.setGroupState(ctx, g, state); err != nil {
			return err
		}
		return &api.Error{Code: api.CodeInternal, CSCode: api.CSAPIException, Text: "Failed to delete autoscale vm group"}
	}
	if z.knobs[fault.GroupDeleteEndsRule] {
		if err := z.lbUsage(ctx, "LB.DELETE", g.Rule); err != nil {
			return err
		}
	}
	return z.removeGroup(ctx, g)
}

// removeGroup removes the group softly.
func (z *Zone) removeGroup(ctx context.Context, g *Group) error {
	z.unwatch(g)
	for _, vm := range slices.Clone(g.Members) {
		z.dropFromGroup(ctx, g, vm)
	}
	g.Removed = z.now()
	if g.Rule.Group == g {
		g.Rule.Group = nil
	}
	return z.update(ctx, "cloud.autoscale_vmgroups", g.ID, obj{"removed": g.Removed, "state": g.State})
}

// guardMember refuses to stop, destroy or unmap a member of a group that is not disabled.
func (z *Zone) guardMember(vm *VM) error {
	g, member := vm.Group.(*Group)
	if !member || !g.Removed.IsZero() || g.State == groupDisabled || z.knobs[fault.MemberGuardMissing] {
		return nil
	}
	return api.Invalid("Cannot perform actions on VM in an AutoScale VM group, Please disable the VM group and retry.")
}

// joinGroup and dropFromGroup keep the members and their rows.
func (z *Zone) joinGroup(ctx context.Context, g *Group, vm *VM) error {
	id, err := z.insert(ctx, "cloud.autoscale_vmgroup_vm_map", obj{"vmgroup_id": g.ID, "instance_id": vm.ID})
	if err != nil {
		return err
	}
	if z.memberRows == nil {
		z.memberRows = map[int64]int64{}
	}
	z.memberRows[vm.ID] = id
	vm.Group = g
	g.Members = append(g.Members, vm)
	return nil
}

func (z *Zone) dropFromGroup(ctx context.Context, g *Group, vm *VM) {
	if !slices.Contains(g.Members, vm) {
		return
	}
	g.Members = slices.DeleteFunc(g.Members, func(o *VM) bool { return o == vm })
	vm.Group = nil
	if err := z.remove(ctx, "cloud.autoscale_vmgroup_vm_map", z.memberRows[vm.ID]); err != nil {
		z.log.Error("removing a member's row", "group", g.ID, "vm", vm.ID, "err", err)
	}
	delete(z.memberRows, vm.ID)
}

// leftRule takes a VM that left a group's rule out of the group.
func (z *Zone) leftRule(ctx context.Context, r *LBRule, vm *VM) {
	if g, scaled := r.Group.(*Group); scaled {
		z.dropFromGroup(ctx, g, vm)
	}
}

// expunged takes a VM that is gone out of its group.
func (z *Zone) expunged(ctx context.Context, vm *VM) {
	if g, member := vm.Group.(*Group); member {
		z.dropFromGroup(ctx, g, vm)
	}
}
