package faults

import (
	"context"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// EventShift is how far faults move a usage event in time.
const EventShift = 10 * time.Minute

// lostEvent is a kind of usage event that a fault loses; an empty reason means any.
type lostEvent struct {
	typ, why string
	knob     release.Knob
}

func lostEvents() []lostEvent {
	return []lostEvent{
		{"LB.CREATE", "", fault.CreateEventLost},
		{"LB.DELETE", "", fault.DeleteEventLost},
		{"LB.DELETE", kernel.WhyReleased, fault.ReleaseEventLost},
		{"LB.DELETE", kernel.WhyUndone, fault.FailedCreateEventLost},
		{"LB.CREATE", kernel.WhyInternal, fault.InternalRuleUnmetered},
		{"LB.DELETE", kernel.WhyInternal, fault.InternalDeleteEventLost},
		{"NET.RULEDELETE", "", fault.PFDeleteEventLost},
		{"VOLUME.DELETE", kernel.WhyWithVM, fault.VMVolumeEventLost},
		{"VOLUME.DELETE", kernel.WhyNeverUsed, fault.VolumeDeleteEventLost},
		{"VOLUME.CREATE", kernel.WhyRecovered, fault.RecoverWithoutVolumeEvent},
		{"BACKUP.OFFERING.REMOVE", "", fault.BackupRemoveEventLost},
		{"BACKUP.OFFERING.BACKUPS.DEL", "", fault.BackupRemoveEventLost},
	}
}

// usage is the seam of usage events.
func (f *Faults) usage(next kernel.WriteUsage) kernel.WriteUsage {
	return func(ctx context.Context, e kernel.UsageEvent) error {
		for _, lost := range lostEvents() {
			if lost.typ == e.Type && (lost.why == "" || lost.why == e.Why) && f.On(lost.knob) {
				return nil
			}
		}
		if owner, ok := e.Owner.(*tenancy.Account); ok && f.On(fault.ProjectBilledToOwner) {
			if owner.Project != nil {
				e.Owner = owner.Project.Owner
			}
		}
		if f.On(fault.SecondNICStays) && f.ofSecondNIC(e) {
			return nil
		}
		if e.Type == "LB.DELETE" {
			return f.deleteEvent(ctx, e, next)
		}
		f.misreport(e)
		return next(ctx, e)
	}
}

// misreport has an event say something else of its resource.
func (f *Faults) misreport(e kernel.UsageEvent) {
	switch {
	case e.Type == "NETWORK.OFFERING.ASSIGN" && f.On(fault.NICOfferingOfFirst):
		if vm := f.compute.VMs.ByID(e.Resource); vm != nil {
			e.Fields["offering_id"] = vm.NICs[0].Network.Offering.ID
		}
	case e.Type == "VOLUME.RESIZE" && f.On(fault.ResizeWithoutOffering):
		delete(e.Fields, "offering_id")
	case e.Type == "VOLUME.CREATE" && f.On(fault.VolumeEventHalfSize) && e.Fields["template_id"] == nil:
		if size, ok := e.Fields["size"].(int64); ok {
			e.Fields["size"] = size / 2
		}
	}
}

// deleteEvent writes the LB.DELETE of a rule twice, for another rule, too late or too early.
func (f *Faults) deleteEvent(ctx context.Context, e kernel.UsageEvent, next kernel.WriteUsage) error {
	switch {
	case f.On(fault.DeleteEventTwice):
		if err := next(ctx, e); err != nil {
			return err
		}
	case f.On(fault.DeleteEventWrongRule):
		id := e.Resource
		for _, other := range f.push.LBRules.All() {
			if other.ID != id && kernel.Owner(other.Account) == e.Owner {
				e.Resource = other.ID
			}
		}
	case f.On(fault.DeleteEventLate):
		f.At(f.Now().Add(EventShift), "a late LB.DELETE", func(ctx context.Context) {
			if err := next(ctx, e); err != nil {
				f.Log.Error("writing a late usage event", "err", err)
			}
		})
		return nil
	case f.On(fault.DeleteEventEarly):
		e.Fields = obj{"created": f.Now().Add(-EventShift)}
	}
	return next(ctx, e)
}
