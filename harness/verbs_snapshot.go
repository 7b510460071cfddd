package harness

import (
	"fmt"

	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Snapshot is a VM snapshot of which only the usage events exist: what kind of snapshot a hypervisor makes differs, what it
// reports does not.
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
	return &Snapshot{vm: vm, name: vm.t.unique(name), number: vm.snapshots}
}

func (s *Snapshot) details() map[string]string {
	return map[string]string{"vmSnapshotId": fmt.Sprint(s.number)}
}

// Snapshot forges the creation of a snapshot on secondary storage.
func (vm *VM) Snapshot(name string) *Snapshot {
	s := vm.snapshot(name)
	root := vm.RootVolume()
	vm.Forge("VMSNAPSHOT.CREATE", vm.InternalID, map[string]any{"resource_name": s.name, "offering_id": snapshotOffering, "template_id": root.InternalID,
		"size": snapshotSize}, s.details())
	return s
}

// Delete forges the deletion of a snapshot on secondary storage.
func (s *Snapshot) Delete() {
	s.vm.Forge("VMSNAPSHOT.DELETE", s.vm.InternalID, map[string]any{"resource_name": s.name, "offering_id": snapshotOffering}, s.details())
}

// Billed is the snapshot on secondary storage as it is billed.
func (s *Snapshot) Billed() Billed {
	return Billed{s.name, usageprobe.Ref{Kind: usageprobe.KindVMSnapshot, ID: s.vm.InternalID, Part: fmt.Sprint(s.number)}}
}

// SnapshotOnPrimary forges the creation of a snapshot on primary storage.
func (vm *VM) SnapshotOnPrimary(name string) *Snapshot {
	s := vm.snapshot(name)
	vm.Forge("VMSNAPSHOT.ON_PRIMARY", vm.InternalID, map[string]any{"resource_name": s.name, "size": snapshotSize, "virtual_size": snapshotSize}, s.details())
	return s
}

// OffPrimary forges the deletion of a snapshot on primary storage.
func (s *Snapshot) OffPrimary() {
	s.vm.Forge("VMSNAPSHOT.OFF_PRIMARY", s.vm.InternalID, map[string]any{"resource_name": s.name}, s.details())
}

// OnPrimary is the snapshot on primary storage as it is billed.
func (s *Snapshot) OnPrimary() Billed {
	return Billed{s.name, usageprobe.Ref{Kind: usageprobe.KindOnPrimary, ID: s.vm.InternalID, Part: s.name}}
}
