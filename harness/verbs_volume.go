package harness

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Volume is a root or data disk.
type Volume struct {
	*Account
	ID, Name   string
	InternalID int64
}

// Billed is the volume on primary storage as it is billed.
func (v *Volume) Billed() Billed {
	return Billed{v.Name, usageprobe.Ref{Kind: usageprobe.KindVolume, ID: v.InternalID}}
}

// uploadedVolume is the storage type of an uploaded volume (StorageTypes.java@4.20.0.0).
const uploadedVolume = "4"

// Uploaded is the volume on secondary storage as it is billed.
func (v *Volume) Uploaded() Billed {
	return Billed{v.Name, usageprobe.Ref{Kind: usageprobe.KindStorage, ID: v.InternalID, Part: uploadedVolume}}
}

// named reads a resource's internal id from the newest usage event of its family that names it: for objects whose own tables
// are not read.
func (t *T) named(family, name string) int64 {
	var id int
	t.scan(&id, "SELECT COALESCE(MAX(resource_id), 0) FROM cloud.usage_event WHERE type LIKE ? AND resource_name = ?", family+".%", name)
	if id == 0 {
		t.Inconclusive("no %s usage event names %s", family, name)
	}
	return int64(id)
}

// NewVolume creates a data disk with the first offering that is not customised.
func (a *Account) NewVolume() *Volume {
	v := &Volume{Account: a, Name: a.t.unique("vol")}
	defer a.t.step("volume %s", v.Name)()
	var offerings struct {
		DiskOffering []struct {
			ID           string
			IsCustomized bool
		}
	}
	a.t.must(a.Cloud.Call(a.t.ctx, "listDiskOfferings", nil, &offerings), "listing disk offerings")
	offering := ""
	for _, o := range offerings.DiskOffering {
		if !o.IsCustomized && offering == "" {
			offering = o.ID
		}
	}
	if offering == "" {
		a.t.Inconclusive("the zone has no disk offering with a size of its own")
	}
	entry := a.t.intend("volume", v.Name, a.Name)
	pending, err := a.Cloud.Create(a.t.ctx, "createVolume", cloud.Params{"name": v.Name, "diskofferingid": offering, "zoneid": a.t.choices().zone}, nil)
	a.t.must(err, "creating volume %s", v.Name)
	a.t.created(entry, pending.ID, 0)
	v.ID = pending.ID
	_, err = pending.Wait(a.t.ctx, nil)
	a.t.must(err, "creating volume %s", v.Name)
	v.InternalID = a.t.named("VOLUME", v.Name)
	return v
}

// Upload uploads a data disk; the lab fetches nothing from the address.
func (a *Account) Upload() *Volume {
	v := &Volume{Account: a, Name: a.t.unique("up")}
	defer a.t.step("uploaded volume %s", v.Name)()
	var made struct{ ID string }
	entry := a.t.intend("volume", v.Name, a.Name)
	_, err := a.Cloud.Job(a.t.ctx, "uploadVolume", cloud.Params{"name": v.Name, "url": "http://192.0.2.1/disk.qcow2", "format": "QCOW2", "zoneid": a.t.choices().zone}, &made)
	a.t.must(err, "uploading volume %s", v.Name)
	a.t.created(entry, made.ID, 0)
	v.ID, v.InternalID = made.ID, a.t.named("VOLUME", v.Name)
	return v
}

// RootVolume is the VM's root disk.
func (vm *VM) RootVolume() *Volume {
	var list struct {
		Volume []struct{ ID, Name string }
	}
	vm.t.must(vm.Cloud.Call(vm.t.ctx, "listVolumes", cloud.Params{"virtualmachineid": vm.ID, "type": "ROOT"}, &list), "listing the volumes of %s", vm.Name)
	if len(list.Volume) != 1 {
		vm.t.Inconclusive("VM %s has %d root volumes", vm.Name, len(list.Volume))
	}
	v := &Volume{Account: vm.Account, ID: list.Volume[0].ID, Name: list.Volume[0].Name}
	v.InternalID = vm.t.named("VOLUME", v.Name)
	return v
}

// Attach attaches the volume to a VM.
func (v *Volume) Attach(vm *VM) {
	defer v.t.step("attach %s", v.Name)()
	v.t.pass(apart)
	v.do("attachVolume", cloud.Params{"id": v.ID, "virtualmachineid": vm.ID})
	v.t.pass(apart)
}

// Resize makes the volume larger.
func (v *Volume) Resize(gb int) {
	defer v.t.step("%s to %d GB", v.Name, gb)()
	v.t.pass(apart)
	v.do("resizeVolume", cloud.Params{"id": v.ID, "size": gb})
	v.t.pass(apart)
}

// Delete deletes the volume, which must not be attached.
func (v *Volume) Delete() {
	defer v.t.step("delete %s", v.Name)()
	v.t.pass(apart)
	v.t.must(v.Cloud.Call(v.t.ctx, "deleteVolume", cloud.Params{"id": v.ID}, nil), "deleting volume %s", v.Name)
	v.t.must(v.t.removed(v.ID, nil), "noting the removal of volume %s", v.Name)
	v.t.pass(apart)
}

// Detach detaches the volume from its VM.
func (v *Volume) Detach() {
	defer v.t.step("detach %s", v.Name)()
	v.do("detachVolume", cloud.Params{"id": v.ID})
}

// ExpectSize expects that the volume's open usage row has its size in GB.
func (t *T) ExpectSize(v *Volume, gb int) {
	t.watch.checks++
	for _, row := range open(t.watch.rows(v.Billed())) {
		if size := row.Column("size"); size != fmt.Sprint(int64(gb)<<30) {
			t.Fail(fmt.Sprintf("%s has %d GB, but its open usage row says %s bytes", v.Billed(), gb, size), t.watch.evidence()...)
		}
	}
}

// Start starts a stopped VM.
func (vm *VM) Start() {
	defer vm.t.step("start %s", vm.Name)()
	vm.do("startVirtualMachine", cloud.Params{"id": vm.ID})
}

// Recover brings a destroyed VM back, stopped, as the administrator.
func (vm *VM) Recover() {
	defer vm.t.step("recover %s", vm.Name)()
	vm.t.pass(apart)
	vm.t.must(vm.t.site.Cloud.Call(vm.t.ctx, "recoverVirtualMachine", cloud.Params{"id": vm.ID}, nil), "recovering %s", vm.Name)
	vm.t.pass(apart)
}

// NIC is a further NIC of a VM.
type NIC struct {
	vm         *VM
	ID         string
	InternalID int64
}

// Billed is the NIC's network offering as it is billed.
func (n *NIC) Billed() Billed {
	return Billed{"NIC of " + n.vm.Name, usageprobe.Ref{Kind: usageprobe.KindNIC, ID: n.vm.InternalID, Part: fmt.Sprint(n.InternalID)}}
}

// NICs are the VM's, the default one first.
func (vm *VM) NICs() []*NIC {
	found, err := vm.Cloud.ListVirtualMachines(vm.t.ctx, cloud.Params{"id": vm.ID})
	vm.t.must(err, "listing %s", vm.Name)
	if len(found) != 1 {
		vm.t.Inconclusive("VM %s is not listed", vm.Name)
	}
	var nics []*NIC
	for _, one := range found[0].Nic {
		nics = append(nics, &NIC{vm: vm, ID: one.Id, InternalID: vm.t.internalID("cloud.nics", one.Id)})
	}
	return nics
}

// Join gives the VM a NIC in another network.
func (vm *VM) Join(n *Network) {
	defer vm.t.step("%s into %s", vm.Name, n.Name)()
	vm.do("addNicToVirtualMachine", cloud.Params{"virtualmachineid": vm.ID, "networkid": n.ID})
}

// Remove takes the NIC away.
func (n *NIC) Remove() {
	defer n.vm.t.step("NIC away from %s", n.vm.Name)()
	n.vm.t.pass(apart)
	n.vm.do("removeNicFromVirtualMachine", cloud.Params{"virtualmachineid": n.vm.ID, "nicid": n.ID})
	n.vm.t.pass(apart)
}

// BackUp assigns the VM to the zone's first backup offering.
func (vm *VM) BackUp() {
	defer vm.t.step("backups of %s", vm.Name)()
	var list struct {
		BackupOffering []struct{ ID string }
	}
	vm.t.must(vm.t.site.Cloud.Call(vm.t.ctx, "listBackupOfferings", cloud.Params{"zoneid": vm.t.choices().zone}, &list), "listing backup offerings")
	if len(list.BackupOffering) == 0 {
		vm.t.Unsupported("the zone has no backup offering; import one of the dummy provider")
	}
	vm.do("assignVirtualMachineToBackupOffering", cloud.Params{"virtualmachineid": vm.ID, "backupofferingid": list.BackupOffering[0].ID})
	vm.t.onRemove("backups of "+vm.Name, func(ctx context.Context) error {
		_, err := vm.Cloud.Job(ctx, "removeVirtualMachineFromBackupOffering", cloud.Params{"virtualmachineid": vm.ID, "forced": true}, nil)
		if cloud.IsNotFound(err) {
			return nil
		}
		return err
	})
	vm.t.pass(apart)
}

// NoBackUp takes the VM from its backup offering.
func (vm *VM) NoBackUp() {
	defer vm.t.step("no backups of %s", vm.Name)()
	vm.t.pass(apart)
	vm.do("removeVirtualMachineFromBackupOffering", cloud.Params{"virtualmachineid": vm.ID, "forced": true})
	vm.t.pass(apart)
}
