package compute

import (
	"context"
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// namedDisks are the volumes that destroyVirtualMachine is to delete, too: data disks of the VM
// (UserVmManagerImpl.destroyVm(DestroyVMCmd)@4.20.0.0).
func namedDisks(mgr *Manager, c *kernel.Call, vm *VM) ([]*Volume, error) {
	var named []*Volume
	var strangers strings.Builder
	for _, uuid := range c.List("volumeids") {
		v := mgr.VolumeByUUID(uuid)
		if v == nil || !v.Removed.IsZero() || !tenancy.Visible(mgr.tenancy, c, v.Account) {
			return nil, c.BadEntity("volumeids", uuid)
		}
		if v.VM != vm || v.Device == 0 {
			fmt.Fprintf(&strangers, "Volume %s; ", v.Name)
		}
		named = append(named, v)
	}
	if strangers.Len() > 0 {
		return nil, api.Invalid("The following supplied volumes are not DATADISK attached to the VM: %s",
			strangers.String())
	}
	return named, nil
}

// leaveDisks stops a VM and detaches its data disks before destroyVirtualMachine ends it. Who destroys a VM in another
// way, such as a group, leaves them attached.
func (mgr *Manager) leaveDisks(ctx context.Context, vm *VM) error {
	if err := mgr.stopVM(ctx, vm); err != nil {
		return err
	}
	for _, v := range mgr.Volumes.All() {
		if v.VM != vm || v.Device == 0 || !v.Removed.IsZero() {
			continue
		}
		v.VM, v.Device = nil, 0
		if err := mgr.volumeDetached(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// deleteDisks deletes the volumes that went with their VM: for good, or so that they can be recovered.
func (mgr *Manager) deleteDisks(ctx context.Context, named []*Volume, expunge bool) error {
	if mgr.On(fault.NamedDisksStay) {
		return nil
	}
	for _, v := range named {
		if err := mgr.destroyVolume(ctx, v); err != nil {
			return err
		}
		if !expunge {
			continue
		}
		if err := mgr.DeleteVolume(ctx, v); err != nil {
			return err
		}
	}
	return nil
}
