package cloud

import (
	"context"
)

// Instances are the calls about virtual machines.
type Instances struct{ *caller }

// VirtualMachineSpec is what deployVirtualMachine takes.
type VirtualMachineSpec struct {
	Owner
	Name, ZoneID, ServiceOfferingID, TemplateID string // the name is unique for the account
	NetworkIDs                                  []string
}

// DeployVirtualMachine starts the deployment of a VM.
func (c Instances) DeployVirtualMachine(ctx context.Context, s VirtualMachineSpec) (*Creating[VirtualMachine], error) {
	p := s.params(Params{"zoneid": s.ZoneID, "serviceofferingid": s.ServiceOfferingID, "templateid": s.TemplateID})
	p.set("name", s.Name).set("networkids", s.NetworkIDs)
	var look Look
	if s.Name != "" {
		look = lookFor(c.ListVirtualMachines, s.params(Params{"name": s.Name}), func(v *VirtualMachine) (string,
			bool) {
			return v.Id, v.Name == s.Name
		})
	}
	return create(ctx, c.caller, "deployVirtualMachine", p, look,
		one(c.ListVirtualMachines, "listVirtualMachines", "id"))
}

// StartVirtualMachine starts a VM.
func (c Instances) StartVirtualMachine(ctx context.Context, id string) (*VirtualMachine, error) {
	return changed[VirtualMachine](ctx, c.caller, "startVirtualMachine", id, nil)
}

// StopVirtualMachine stops a VM; its router is not told.
func (c Instances) StopVirtualMachine(ctx context.Context, id string) (*VirtualMachine, error) {
	return changed[VirtualMachine](ctx, c.caller, "stopVirtualMachine", id, nil)
}

// DestroyVirtualMachine destroys a VM; without expunge it can be recovered until the expunge delay has passed.
func (c Instances) DestroyVirtualMachine(ctx context.Context, id string, expunge bool) error {
	return c.finish(ctx, "destroyVirtualMachine", id, Params{"expunge": expunge})
}

// ExpungeVirtualMachine removes a destroyed VM for good.
func (c Instances) ExpungeVirtualMachine(ctx context.Context, id string) error {
	return c.finish(ctx, "expungeVirtualMachine", id, nil)
}

// ListVirtualMachines calls listVirtualMachines.
func (c Instances) ListVirtualMachines(ctx context.Context, filter Params) ([]*VirtualMachine, error) {
	return list[VirtualMachine](ctx, c.caller, "listVirtualMachines", "virtualmachine", everywhere(filter))
}
