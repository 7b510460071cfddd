package zone

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
)

// scaleUp makes n members, one after the other: created stopped, mapped to the group, started, assigned to the rule.
func (z *Zone) scaleUp(ctx context.Context, g *Group, n int) {
	s := z.scalingOf(g)
	if available(g)+n > g.Max && !z.knobs[fault.MemberCreatedTwice] || !z.knobs[release.AutoscaleUnboundedRetries] && s.errored > erroredThreshold {
		return
	}
	before := g.State
	if err := z.setGroupState(ctx, g, groupScaling); err != nil {
		z.log.Error("scaling a group", "group", g.ID, "err", err)
		return
	}
	defer z.settle(ctx, g, before)
	for range n {
		if g.State == groupRevoke || !g.Removed.IsZero() { // deleted while a push was on its way
			return
		}
		z.scaleEvent(ctx, g, "SCALEUP", "Started", "INFO", fmt.Sprintf("Scaling Up AutoScale VM group %d", g.ID))
		if !z.addMember(ctx, g) {
			return
		}
	}
}

// settle ends scaling; a group that was disabled or deleted meanwhile stays so.
func (z *Zone) settle(ctx context.Context, g *Group, before string) {
	if g.State != groupScaling {
		return
	}
	if err := z.setGroupState(ctx, g, before); err != nil {
		z.log.Error("settling a group", "group", g.ID, "err", err)
	}
}

// addMember makes one member; false ends the round.
func (z *Zone) addMember(ctx context.Context, g *Group) bool {
	failed := func(vm *VM, text string, err error) bool {
		z.log.Warn("scaling up", "group", g.ID, "err", err)
		if vm != nil {
			z.scaleEvent(ctx, g, "SCALEUP", "Completed", "ERROR", fmt.Sprintf(text, vm.ID, g.ID))
		}
		return false
	}
	vm, err := z.createMember(ctx, g)
	if err != nil {
		return failed(nil, "", err)
	}
	if err := z.joinGroup(ctx, g, vm); err != nil {
		return failed(nil, "", err)
	}
	z.noteGap(g)
	if err := z.startVM(ctx, vm); err != nil {
		z.scalingOf(g).errored++
		failed(vm, "Failed to start VM %d in AutoScale VM group %d", err)
		if err := z.destroyMember(ctx, g, vm); err != nil {
			z.log.Error("destroying a member that did not start", "vm", vm.ID, "err", err)
		}
		return false
	}
	z.noteGap(g)
	if err := z.assignMember(ctx, g, vm); err != nil {
		return failed(vm, "Failed to assign LB rule for VM %d in AutoScale VM group %d", err)
	}
	z.noteQuiet(ctx, g)
	z.scaleEvent(ctx, g, "SCALEUP", "Completed", "INFO", fmt.Sprintf("Started and assigned LB rule for VM %d in AutoScale VM group %d", vm.ID, g.ID))
	return true
}

// assignMember maps a started member, with the event rows of the inner call.
func (z *Zone) assignMember(ctx context.Context, g *Group, vm *VM) error {
	row := Event{Type: "LB.ASSIGN.TO.RULE", State: "Started", ResourceType: "FirewallRule", Text: fmt.Sprintf("Assigning to load balancer. Vm Id: %d", vm.ID)}
	start, err := z.event(ctx, row)
	if err != nil {
		return err
	}
	err = z.assign(ctx, g.Rule, []wanted{{vm: vm}})
	row.State, row.StartID, row.Text = "Completed", start, fmt.Sprintf("Successfully completed assigning to load balancer. Vm Id: %d", vm.ID)
	if err != nil {
		row.Level, row.Text = "ERROR", fmt.Sprintf("Error while assigning to load balancer. Vm Id: %d", vm.ID)
	}
	if _, failed := z.event(ctx, row); failed != nil {
		return failed
	}
	return err
}

// memberName is autoScaleVm-<group>-<seq>-<six letters>, the group's name cut so that 63 letters hold it all.
func (z *Zone) memberName(g *Group) string {
	const prefix = "autoScaleVm-"
	letters := make([]byte, 6)
	for i := range letters {
		letters[i] = byte('a' + z.number(26))
	}
	suffix := fmt.Sprintf("-%d-%s", g.NextSeq, letters)
	return prefix + g.Name[:min(len(g.Name), 63-len(prefix)-len(suffix))] + suffix
}

// scaleDown takes the last mapped VM out of the rule at once and destroys it after the profile's grace period; the group
// is SCALING until then.
func (z *Zone) scaleDown(ctx context.Context, g *Group) {
	if available(g)-1 < g.Min || len(g.Rule.Members) == 0 {
		return
	}
	before := g.State
	if err := z.setGroupState(ctx, g, groupScaling); err != nil {
		z.log.Error("scaling a group", "group", g.ID, "err", err)
		return
	}
	z.scaleEvent(ctx, g, "SCALEDOWN", "Started", "INFO", fmt.Sprintf("Scaling down AutoScale VM group %d", g.ID))
	vm := g.Rule.Members[len(g.Rule.Members)-1].VM
	if err := z.unassign(ctx, g.Rule, []wanted{{vm: vm}}, true); err != nil {
		z.log.Warn("scaling down", "group", g.ID, "err", err)
		z.scaleEvent(ctx, g, "SCALEDOWN", "Completed", "ERROR", fmt.Sprintf("Failed to remove LB rule for a VM in AutoScale VM group %d", g.ID))
		z.settle(ctx, g, before)
		return
	}
	z.dropFromGroup(ctx, g, vm)
	z.noteQuietDown(ctx, g)
	z.noteGap(g)
	end := z.now().Add(time.Duration(g.Profile.Grace) * time.Second)
	z.at(end, fmt.Sprintf("destruction of VM %d", vm.ID), func(ctx context.Context) {
		ctx = withOrigin(ctx, origin{thread: fmt.Sprintf("VmGroup-Monitor-%d-1", g.ID)})
		level, text := "INFO", "Destroyed VM %d in AutoScale VM group %d"
		if err := z.destroyMember(ctx, g, vm); err != nil {
			level, text = "ERROR", "Failed to destroy VM %d in AutoScale VM group %d"
		}
		z.scaleEvent(ctx, g, "SCALEDOWN", "Completed", level, fmt.Sprintf(text, vm.ID, g.ID))
		z.settle(ctx, g, before)
	})
}

// createMember makes a stopped VM from the group's profile, in the rule's network first.
func (z *Zone) createMember(ctx context.Context, g *Group) (*VM, error) {
	name := z.memberName(g)
	g.NextSeq++
	if err := z.update(ctx, "cloud.autoscale_vmgroups", g.ID, obj{"next_vm_seq": g.NextSeq}); err != nil {
		return nil, err
	}
	networks := []*Network{g.Rule.Network}
	for _, u := range strings.Split(g.Profile.Deploy["networkids"], ",") {
		if n := z.networkByUUID(u); n != nil && n != g.Rule.Network {
			networks = append(networks, n)
		}
	}
	if err := z.checkVMLimits(g.Account, g.Profile.Offering); err != nil {
		return nil, err
	}
	vm, err := z.createVM(ctx, vmSpec{
		Name: name, DisplayName: name, Account: g.Account, Offering: g.Profile.Offering, Template: g.Profile.Template, Networks: networks, Group: g,
	})
	if err != nil {
		return nil, err
	}
	_, err = z.event(ctx, Event{
		Type: "VM.CREATE", State: "Created", Text: "Successfully created entity for deploying Vm. Vm Id: " + vm.UUID,
		ResourceID: vm.ID, ResourceType: "VirtualMachine", ResourceUUID: vm.UUID,
	})
	return vm, err
}

// destroyMember destroys and expunges a VM of a group and takes it out of the group.
func (z *Zone) destroyMember(ctx context.Context, g *Group, vm *VM) error {
	err := z.expungeVM(ctx, vm)
	z.dropFromGroup(ctx, g, vm)
	return err
}
