package usage

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
)

const vmTable = "usage_vm_instance"

// instances handles the events of virtual machines.
type instances struct{ *pass }

// vmEvent: START and STOP open and close the running row, CREATE and DESTROY the allocated one. Rows are found by VM
// without account and closed by the account of the row found.
func (p instances) vmEvent(ctx context.Context, event Event) error {
	switch event.Type {
	case "VM.CREATE":
		return p.openVM(ctx, event, TypeAllocatedVM)
	case "VM.DESTROY":
		return p.closeVM(ctx, event, TypeAllocatedVM)
	case "VM.STOP":
		return p.closeVM(ctx, event, TypeRunningVM)
	case "VM.START", "VM.DYNAMIC.SCALE":
		if err := p.closeVM(ctx, event, TypeRunningVM); err != nil {
			return err
		}
		if err := p.reallocate(ctx, event); err != nil {
			return err
		}
		return p.openVM(ctx, event, TypeRunningVM)
	case "VM.UPGRADE":
		if err := p.closeVM(ctx, event, TypeAllocatedVM); err != nil {
			return err
		}
		return p.openVM(ctx, event, TypeAllocatedVM)
	}
	return nil
}

func (p instances) closeVM(ctx context.Context, event Event, usageType int) error {
	_, err := p.closeRows(ctx, event, event.Created, closing{usageType: usageType, table: vmTable, until: "end_date",
		find:   row{"vm_instance_id": event.ResourceID.V, "usage_type": usageType},
		update: []string{"account_id", "vm_instance_id", "usage_type"}, what: "vm instance"})
	return err
}

func (p instances) openVM(ctx context.Context, event Event, usageType int) error {
	return p.insertVM(ctx, event, row{"usage_type": usageType, "zone_id": event.ZoneID, "account_id": event.AccountID,
		"vm_instance_id": event.ResourceID.V, "vm_name": event.ResourceName, "service_offering_id": event.OfferingID.V,
		"template_id": event.TemplateID.V, "hypervisor_type": event.ResourceType})
}

// insertVM adds a row that begins at the event, with the size of a dynamic offering from the event's details.
func (p instances) insertVM(ctx context.Context, event Event, values row) error {
	for column, name := range map[string]string{"cpu_cores": "cpuNumber", "cpu_speed": "cpuSpeed", "memory": "memory"} {
		value, err := p.detail(ctx, event, name)
		if err != nil {
			return err
		}
		values[column] = value
	}
	usageType, _ := values["usage_type"].(int)
	return p.insert(ctx, usageType, vmTable, event, values.and("start_date", event.Created))
}

// reallocate ends the allocated row and begins another when a start or scale event has another service offering.
func (p instances) reallocate(ctx context.Context, event Event) error {
	found, err := p.rows(ctx, "SELECT zone_id, account_id, vm_name, template_id, hypervisor_type, "+
		"service_offering_id FROM cloud_usage."+
		vmTable+" WHERE vm_instance_id = ? AND usage_type = ? AND end_date IS NULL", event.ResourceID.V,
		TypeAllocatedVM)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		p.log.ErrorContext(ctx, fmt.Sprintf("Cannot find allocated vm entry for a vm running with id: %d",
			event.ResourceID.V))
	}
	if len(found) != 1 || found[0].integer("service_offering_id") == event.OfferingID.V ||
		p.options.Faults.ScaleIgnored {
		return nil
	}
	if err := p.closeVM(ctx, event, TypeAllocatedVM); err != nil {
		return err
	}
	return p.insertVM(ctx, event, found[0].and("service_offering_id", event.OfferingID.V).
		and("usage_type", TypeAllocatedVM).and("vm_instance_id", event.ResourceID.V))
}

// number reads a whole number from a text; what is none is 0, as in CloudStack.
func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return value
}

// nullable is what a nullable column gets.
func nullable(value sql.Null[int64]) any {
	if !value.Valid {
		return nil
	}
	return value.V
}
