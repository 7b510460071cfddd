package autoscale

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/lb"
	"github.com/stackproof/stackproof/zone/net"
)

// scaleUp makes n members, one after the other: created stopped, mapped to the group, started, assigned to the rule.
func (mgr *Manager) scaleUp(ctx context.Context, g *Group, n int) {
	s := mgr.scalingOf(g)
	if !mgr.Hooks.Fits(g, n) || !mgr.On(release.AutoscaleUnboundedRetries) &&
		s.errored > ErroredThreshold {
		return
	}
	before := g.State
	if err := mgr.setGroupState(ctx, g, groupScaling); err != nil {
		mgr.Log.Error("scaling a group", "group", g.ID, "err", err)
		return
	}
	defer mgr.settle(ctx, g, before)
	for range n {
		if g.State == groupRevoke || !g.Removed.IsZero() { // deleted while a push was on its way
			return
		}
		mgr.scaleEvent(ctx, g, "SCALEUP", "Started", "INFO", fmt.Sprintf("Scaling Up AutoScale VM group %d", g.ID))
		if !mgr.addMember(ctx, g) {
			return
		}
	}
}

// settle ends scaling; a group that was disabled or deleted meanwhile stays so.
func (mgr *Manager) settle(ctx context.Context, g *Group, before string) {
	if g.State != groupScaling && !(g.State == groupDisabled && mgr.On(fault.ScalingForgetsDisable)) {
		return
	}
	if err := mgr.setGroupState(ctx, g, before); err != nil {
		mgr.Log.Error("settling a group", "group", g.ID, "err", err)
	}
}

// addMember makes one member; false ends the round.
func (mgr *Manager) addMember(ctx context.Context, g *Group) bool {
	group := mgr.groupText(g, kernel.LongText(g.ID))
	failed := func(vm *compute.VM, text string, err error) bool {
		mgr.Log.Warn("scaling up", "group", g.ID, "err", err)
		if vm != nil {
			mgr.scaleEvent(ctx, g, "SCALEUP", "Completed", "ERROR", fmt.Sprintf(text, mgr.compute.VMText(vm), group))
		}
		return false
	}
	vm, err := mgr.createMember(ctx, g)
	if err != nil {
		return failed(nil, "", err)
	}
	if err := mgr.joinGroup(ctx, g, vm); err != nil {
		return failed(nil, "", err)
	}
	mgr.noteGap(g)
	if err := mgr.compute.StartVM(ctx, vm); err != nil {
		if mgr.On(release.AutoscaleUnboundedRetries) { // no ServerApiException, so only the round ends
			return failed(nil, "", err)
		}
		mgr.scalingOf(g).errored++
		failed(vm, "Failed to start VM %s in AutoScale VM group %s", err)
		if err := mgr.destroyMember(ctx, g, vm); err != nil {
			mgr.Log.Error("destroying a member that did not start", "vm", vm.ID, "err", err)
		}
		return false
	}
	mgr.noteGap(g)
	if err := mgr.assignMember(ctx, g, vm); err != nil {
		failed(vm, "Failed to assign LB rule for VM %s in AutoScale VM group %s", err)
		if !mgr.On(release.UnassignedMemberStays) {
			if err := mgr.destroyMember(ctx, g, vm); err != nil {
				mgr.Log.Error("destroying a member that was not assigned", "vm", vm.ID, "err", err)
			}
		}
		return false
	}
	mgr.noteQuiet(ctx, g)
	mgr.scaleEvent(ctx, g, "SCALEUP", "Completed", "INFO", fmt.Sprintf("Started and assigned LB rule for VM %s "+
		"in AutoScale VM group %s", mgr.compute.VMText(vm), group))
	return true
}

// assignMember maps a started member, with the event rows of the inner call.
func (mgr *Manager) assignMember(ctx context.Context, g *Group, vm *compute.VM) error {
	row := kernel.Event{Type: "LB.ASSIGN.TO.RULE", State: "Started", ResourceType: "FirewallRule",
		Text: fmt.Sprintf("Assigning to load balancer. Vm Id: %d", vm.ID)}
	start, err := mgr.Event(ctx, row)
	if err != nil {
		return err
	}
	err = mgr.lb.Assign(ctx, g.Rule, []lb.Wanted{{VM: vm}})
	row.State, row.StartID, row.Text = "Completed", start, fmt.Sprintf("Successfully completed assigning to load "+
		"balancer. Vm Id: %d", vm.ID)
	if err != nil {
		row.Level, row.Text = "ERROR", fmt.Sprintf("Error while assigning to load balancer. Vm Id: %d", vm.ID)
	}
	if _, failed := mgr.Event(ctx, row); failed != nil {
		return failed
	}
	return err
}

// memberName is autoScaleVm-<group>-<seq>-<six letters>, the group's name cut so that 63 letters hold it all.
func (mgr *Manager) memberName(g *Group) string {
	const prefix = "autoScaleVm-"
	letters := make([]byte, 6)
	for i := range letters {
		letters[i] = byte('a' + mgr.Number(26))
	}
	suffix := fmt.Sprintf("-%d-%s", g.NextSeq, letters)
	return prefix + g.Name[:min(len(g.Name), 63-len(prefix)-len(suffix))] + suffix
}

// scaleDown takes the last mapped VM out of the rule at once and destroys it after the profile's grace period; the
// group is SCALING until then.
func (mgr *Manager) scaleDown(ctx context.Context, g *Group) {
	if available(g)-1 < g.Min || len(g.Rule.Members) == 0 {
		return
	}
	before, group := g.State, mgr.groupText(g, kernel.LongText(g.ID))
	if err := mgr.setGroupState(ctx, g, groupScaling); err != nil {
		mgr.Log.Error("scaling a group", "group", g.ID, "err", err)
		return
	}
	mgr.scaleEvent(ctx, g, "SCALEDOWN", "Started", "INFO", "Scaling down AutoScale VM group "+group)
	vm := g.Rule.Members[len(g.Rule.Members)-1].VM
	if err := mgr.lb.Unassign(ctx, g.Rule, []lb.Wanted{{VM: vm}}, true); err != nil {
		mgr.Log.Warn("scaling down", "group", g.ID, "err", err)
		mgr.scaleEvent(ctx, g, "SCALEDOWN", "Completed", "ERROR", fmt.Sprintf("Failed to remove LB rule for a VM "+
			"in AutoScale VM group %s", group))
		mgr.settle(ctx, g, before)
		return
	}
	mgr.dropFromGroup(ctx, g, vm)
	mgr.noteQuietDown(ctx, g)
	mgr.noteGap(g)
	end := mgr.Now().Add(time.Duration(g.Profile.Grace) * time.Second)
	if mgr.On(fault.GraceIgnored) {
		end = mgr.Now()
	}
	if mgr.On(fault.WrongMemberDestroyed) && len(g.Members) > 0 {
		vm = g.Members[0]
	}
	mgr.At(end, fmt.Sprintf("destruction of VM %d", vm.ID), func(ctx context.Context) {
		ctx = kernel.WithOrigin(ctx, kernel.Origin{Thread: fmt.Sprintf("VmGroup-Monitor-%d-1", g.ID)})
		level, text := "INFO", "Destroyed VM %d in AutoScale VM group %s"
		if err := mgr.destroyMember(ctx, g, vm); err != nil {
			level, text = "ERROR", "Failed to destroy VM %d in AutoScale VM group %s"
		}
		mgr.scaleEvent(ctx, g, "SCALEDOWN", "Completed", level, fmt.Sprintf(text, vm.ID, group))
		mgr.settle(ctx, g, before)
	})
}

// createMember makes a stopped VM from the group's profile, in the rule's network first.
func (mgr *Manager) createMember(ctx context.Context, g *Group) (*compute.VM, error) {
	name := mgr.memberName(g)
	g.NextSeq++
	if err := mgr.Update(ctx, "cloud.autoscale_vmgroups", g.ID, obj{"next_vm_seq": g.NextSeq}); err != nil {
		return nil, err
	}
	networks := []*net.Network{g.Rule.Network}
	for _, u := range strings.Split(g.Profile.Deploy["networkids"], ",") {
		if mgr.On(fault.MemberSettingsLost) {
			break
		}
		if n := mgr.net.NetworkByUUID(u); n != nil && n != g.Rule.Network {
			networks = append(networks, n)
		}
	}
	if err := mgr.compute.CheckVMLimits(g.Account, g.Profile.Offering); err != nil {
		return nil, err
	}
	vm, err := mgr.compute.CreateVM(ctx, compute.VMSpec{
		Name: name, DisplayName: name, Account: g.Account, Offering: g.Profile.Offering, Template: g.Profile.Template,
		Networks: networks, Group: g,
	})
	if err != nil {
		return nil, err
	}
	if mgr.On(fault.MemberSettingsLost) {
		return vm, nil
	}
	if err := mgr.compute.AddDisk(ctx, vm, g.Profile.Deploy["diskofferingid"], nil); err != nil {
		return nil, err
	}
	_, err = mgr.Event(ctx, kernel.Event{
		Type: "VM.CREATE", State: "Created", Text: "Successfully created entity for deploying Vm. Vm Id: " + vm.UUID,
		ResourceID: vm.ID, ResourceType: "VirtualMachine", ResourceUUID: vm.UUID,
	})
	return vm, err
}

// destroyMember destroys and expunges a VM of a group and takes it out of the group. Its data disks stay, detached
// without a usage event, by the release's defect.
func (mgr *Manager) destroyMember(ctx context.Context, g *Group, vm *compute.VM) error {
	disks := mgr.compute.DisksOf(vm)
	err := mgr.compute.ExpungeVM(ctx, vm)
	mgr.dropFromGroup(ctx, g, vm)
	if err != nil || mgr.On(release.MemberDiskStays) {
		return err
	}
	for _, v := range disks {
		if err := mgr.compute.DeleteVolume(ctx, v); err != nil {
			return err
		}
	}
	return nil
}
