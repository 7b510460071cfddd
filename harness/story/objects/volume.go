package objects

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Volume is a root or data disk.
type Volume struct {
	owned
	ID, Name   string
	InternalID int64
}

// Billed is the volume on primary storage as it is billed.
func (v *Volume) Billed() watch.Billed { return billed(usageprobe.KindVolume, v.InternalID, v.Name) }

// uploadedVolume is the storage type of an uploaded volume (StorageTypes.java@4.20.0.0).
const uploadedVolume = "4"

// Uploaded is the volume on secondary storage as it is billed.
func (v *Volume) Uploaded() watch.Billed {
	return partBilled(usageprobe.KindStorage, v.InternalID, uploadedVolume, v.Name)
}

// NewVolume creates a data disk with the first offering that is not customised.
func (a *Account) NewVolume() *Volume {
	v := &Volume{owned: a.own(), Name: a.t.Unique("vol")}
	defer a.t.Step("volume %s", v.Name)()
	offering := a.fixedDisk()
	entry := a.t.intend("volume", v.Name, a.Name)
	pending, err := a.Cloud.Create(a.t.Ctx, "createVolume", cloud.Params{"name": v.Name, "diskofferingid": offering,
		"zoneid": a.t.choices().zone}, nil)
	a.t.Must(err, "creating volume %s", v.Name)
	a.t.created(entry, pending.ID, 0)
	v.ID = pending.ID
	_, err = pending.Wait(a.t.Ctx, nil)
	a.t.Must(err, "creating volume %s", v.Name)
	v.InternalID = a.t.named("VOLUME", v.Name)
	return v
}

// fixedDisk is the first disk offering with a size of its own that the account may use.
func (a *Account) fixedDisk() string {
	t := a.t
	var offerings struct {
		DiskOffering []struct {
			ID           string
			IsCustomized bool
		}
	}
	t.Must(a.Cloud.Call(t.Ctx, "listDiskOfferings", nil, &offerings), "listing disk offerings")
	for _, o := range offerings.DiskOffering {
		if !o.IsCustomized {
			return o.ID
		}
	}
	t.Inconclusive("the zone has no disk offering with a size of its own")
	return ""
}

// Upload uploads a data disk; the lab fetches nothing from the address.
func (a *Account) Upload() *Volume {
	v := &Volume{owned: a.own(), Name: a.t.Unique("up")}
	defer a.t.Step("uploaded volume %s", v.Name)()
	var made struct{ ID string }
	entry := a.t.intend("volume", v.Name, a.Name)
	_, err := a.Cloud.Job(a.t.Ctx, "uploadVolume", cloud.Params{"name": v.Name, "url": "http://192.0.2.1/disk.qcow2",
		"format": "QCOW2", "zoneid": a.t.choices().zone}, &made)
	a.t.Must(err, "uploading volume %s", v.Name)
	a.t.created(entry, made.ID, 0)
	v.ID, v.InternalID = made.ID, a.t.named("VOLUME", v.Name)
	return v
}

// RootVolume is the VM's root disk.
func (vm *VM) RootVolume() *Volume {
	var list struct {
		Volume []struct{ ID, Name string }
	}
	vm.t.Must(vm.Account.Cloud.Call(vm.t.Ctx, "listVolumes", cloud.Params{"virtualmachineid": vm.ID, "type": "ROOT"},
		&list), "listing the volumes of %s", vm.Name)
	if len(list.Volume) != 1 {
		vm.t.Inconclusive("VM %s has %d root volumes", vm.Name, len(list.Volume))
	}
	v := &Volume{owned: vm.owned, ID: list.Volume[0].ID, Name: list.Volume[0].Name}
	v.InternalID = vm.t.named("VOLUME", v.Name)
	return v
}

// Attach attaches the volume to a VM.
func (v *Volume) Attach(vm *VM) {
	defer v.t.Step("attach %s", v.Name)()
	v.doApart("attachVolume", cloud.Params{"id": v.ID, "virtualmachineid": vm.ID})
}

// Resize makes the volume larger.
func (v *Volume) Resize(gb int) {
	defer v.t.Step("%s to %d GB", v.Name, gb)()
	v.doApart("resizeVolume", cloud.Params{"id": v.ID, "size": gb})
}

// Delete deletes the volume, which must not be attached.
func (v *Volume) Delete() {
	defer v.t.Step("delete %s", v.Name)()
	v.t.Pass(stage.Apart)
	v.t.Must(v.Account.Cloud.Call(v.t.Ctx, "deleteVolume", cloud.Params{"id": v.ID}, nil), "deleting volume %s", v.Name)
	v.t.Must(v.t.removed(v.ID, nil), "noting the removal of volume %s", v.Name)
	v.t.Pass(stage.Apart)
}

// Detach detaches the volume from its VM.
func (v *Volume) Detach() {
	defer v.t.Step("detach %s", v.Name)()
	v.do("detachVolume", cloud.Params{"id": v.ID})
}

// DestroyWith destroys the instance, and with it the volumes that are named. Its other data disks are detached.
func (vm *VM) DestroyWith(named ...*Volume) {
	t := vm.t
	defer t.Step("destroy %s with %d volumes", vm.Name, len(named))()
	ids := stage.Each(named, func(v *Volume) string { return v.ID })
	t.Pass(stage.Apart)
	_, err := vm.Account.Cloud.Job(t.Ctx, "destroyVirtualMachine", cloud.Params{"id": vm.ID, "volumeids": ids}, nil)
	t.Must(err, "destroying %s with %d volumes", vm.Name, len(named))
	t.Pass(stage.Apart)
}

// Snapshot is a VM snapshot of which only the usage events exist: what kind of snapshot a hypervisor makes differs,
// what it reports does not.
type Snapshot struct {
	vm     *VM
	name   string
	number int
}

// The forged snapshots' size and offering.
const (
	snapshotSize     = 1 << 30
	snapshotOffering = 3
)

func (vm *VM) snapshot(name string) *Snapshot {
	vm.snapshots++
	return &Snapshot{vm: vm, name: vm.t.Unique(name), number: vm.snapshots}
}

func (s *Snapshot) details() map[string]string {
	return map[string]string{"vmSnapshotId": fmt.Sprint(s.number)}
}

// Snapshot forges the creation of a snapshot on secondary storage.
func (vm *VM) Snapshot(name string) *Snapshot {
	s := vm.snapshot(name)
	root := vm.RootVolume()
	vm.Account.Forge("VMSNAPSHOT.CREATE", vm.InternalID, map[string]any{"resource_name": s.name,
		"offering_id": snapshotOffering, "template_id": root.InternalID,
		"size": snapshotSize}, s.details())
	return s
}

// Delete forges the deletion of a snapshot on secondary storage.
func (s *Snapshot) Delete() {
	s.vm.Account.Forge("VMSNAPSHOT.DELETE", s.vm.InternalID, map[string]any{"resource_name": s.name,
		"offering_id": snapshotOffering}, s.details())
}

// Billed is the snapshot on secondary storage as it is billed.
func (s *Snapshot) Billed() watch.Billed {
	return partBilled(usageprobe.KindVMSnapshot, s.vm.InternalID, fmt.Sprint(s.number), s.name)
}

// SnapshotOnPrimary forges the creation of a snapshot on primary storage.
func (vm *VM) SnapshotOnPrimary(name string) *Snapshot {
	s := vm.snapshot(name)
	vm.Account.Forge("VMSNAPSHOT.ON_PRIMARY", vm.InternalID, map[string]any{"resource_name": s.name,
		"size": snapshotSize, "virtual_size": snapshotSize}, s.details())
	return s
}

// OffPrimary forges the deletion of a snapshot on primary storage.
func (s *Snapshot) OffPrimary() {
	s.vm.Account.Forge("VMSNAPSHOT.OFF_PRIMARY", s.vm.InternalID, map[string]any{"resource_name": s.name}, s.details())
}

// OnPrimary is the snapshot on primary storage as it is billed.
func (s *Snapshot) OnPrimary() watch.Billed {
	return partBilled(usageprobe.KindOnPrimary, s.vm.InternalID, s.name, s.name)
}
