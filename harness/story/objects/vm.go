package objects

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/story/internal/stage"
	"github.com/stackproof/stackproof/harness/story/internal/watch"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// ReportBackups forges what the management server tells the usage server of a VM's backups each time that it looks:
// their size. No API call has it look.
func (vm *VM) ReportBackups(gigabytes int64) {
	offering := vm.t.Watch.RequireOpen(vm.Backup()).Column("backup_offering_id") // as its usage row has it
	vm.Account.Forge("BACKUP.USAGE.METRIC", vm.InternalID, map[string]any{"resource_name": "Backup-" + vm.Name,
		"offering_id": offering, "size": gigabytes << 30, "virtual_size": gigabytes << 30}, nil)
	vm.backups = append(vm.backups, gigabytes)
}

// Backups are the sizes of the VM's backups in GB, as they were reported, in order.
func (vm *VM) Backups() []int64 { return vm.backups }

// told is a column of the VM's first row of allocated time, which the newest usage run showed.
func (vm *VM) told(column string) int64 {
	for _, row := range vm.t.Watch.Rows(vm.Allocated()) {
		n, err := strconv.ParseInt(row.Column(column), 10, 64)
		vm.t.Must(err, "reading %s of %s", column, vm.Name)
		return n
	}
	vm.t.Inconclusive("%s has no usage row", vm.Name)
	return 0
}

// OfferingID is the internal id of the service offering that the VM was first billed with.
func (vm *VM) OfferingID() int64 { return vm.told("service_offering_id") }

// Scale forges that the VM, which runs, gets another service offering.
func (vm *VM) Scale(offering int64) {
	vm.Account.Forge("VM.DYNAMIC.SCALE", vm.InternalID, map[string]any{"resource_name": vm.Name,
		"offering_id": offering, "template_id": vm.told("template_id"), "resource_type": "Simulator"}, nil)
}

// SecondAddress gives the VM's first NIC one more address.
func (vm *VM) SecondAddress() *SecondAddress {
	t := vm.t
	defer t.Step("second address of %s", vm.Name)()
	nic := vm.NICs()[0]
	var made struct{ IPAddress string }
	pending, err := vm.Account.Cloud.Create(t.Ctx, "addIpToNic", cloud.Params{"nicid": nic.ID}, nil)
	t.Must(err, "addIpToNic")
	_, err = pending.Wait(t.Ctx, &made)
	t.Must(err, "addIpToNic")
	ip, err := netip.ParseAddr(made.IPAddress)
	t.Must(err, "reading the second address of %s", vm.Name)
	return &SecondAddress{vm: vm, ID: pending.ID, IP: ip}
}

// SecondAddress is a further address of a VM.
type SecondAddress struct {
	vm *VM
	ID string
	IP netip.Addr
}

// TryRemove takes the address from its NIC: the refusal, or nil.
func (s *SecondAddress) TryRemove() *cloud.Error {
	t := s.vm.t
	defer t.Step("second address away from %s", s.vm.Name)()
	_, err := s.vm.Account.Cloud.Job(t.Ctx, "removeIpFromNic", cloud.Params{"id": s.ID}, nil)
	return t.Refusal(err, "removing the second address of %s", s.vm.Name)
}

// VM is an instance.
type VM struct {
	owned
	ID         string
	InternalID int64
	Name       string
	IP         netip.Addr
	snapshots  int
	backups    []int64 // GB, as they were reported, in order
}

// VMs returns count running instances of the network, creating what is missing.
func (n *Network) VMs(count int) []*VM {
	defer n.t.Step("%d VMs in %s", count, n.Name)()
	for len(n.vms) < count {
		n.vms = append(n.vms, n.NewVM())
	}
	return slices.Clone(n.vms[:count])
}

// NewVM creates and starts an instance.
func (n *Network) NewVM() *VM {
	c := n.t.choices()
	vm := &VM{owned: n.owned, Name: n.t.Unique("vm")}
	defer n.t.Step("VM %s", vm.Name)()
	var deployed *cloud.VirtualMachine
	name := firstThen(vm.Name, func() string { vm.Name = n.t.Unique("vm"); return vm.Name })
	vm.ID, vm.InternalID, deployed = setUp(n.Account, "vm", name, usageprobe.ObjectVM,
		func(ctx context.Context, name string) (*cloud.Creating[cloud.VirtualMachine], error) {
			return n.Account.Cloud.DeployVirtualMachine(ctx, cloud.VirtualMachineSpec{Name: name, ZoneID: c.zone,
				TemplateID:        c.template,
				ServiceOfferingID: c.serviceOffering, NetworkIDs: []string{n.ID}})
		})
	if len(deployed.Nic) == 0 {
		n.t.Inconclusive("VM %s has no address after it was deployed", vm.Name)
	}
	ip, err := netip.ParseAddr(deployed.Nic[0].Ipaddress)
	n.t.Must(err, "reading the address of VM %s", vm.Name)
	vm.IP = ip
	return vm
}

// Stop stops the instance.
func (vm *VM) Stop() {
	defer vm.t.Step("stop %s", vm.Name)()
	_, err := vm.Account.Cloud.StopVirtualMachine(vm.t.Ctx, vm.ID)
	vm.t.Must(err, "stopping %s", vm.Name)
}

// Destroy destroys the instance without expunging it: it stays behind its rules until it is expunged.
func (vm *VM) Destroy() {
	defer vm.t.Step("destroy %s", vm.Name)()
	vm.t.Must(vm.Account.Cloud.DestroyVirtualMachine(vm.t.Ctx, vm.ID, false), "destroying %s", vm.Name)
}

// Expunge removes the instance for good, as the administrator; it must be destroyed before.
func (vm *VM) Expunge() {
	defer vm.t.Step("expunge %s", vm.Name)()
	vm.t.Must(vm.t.Site.Cloud.ExpungeVirtualMachine(vm.t.Ctx, vm.ID), "expunging %s", vm.Name)
}

// Start starts a stopped VM.
func (vm *VM) Start() {
	defer vm.t.Step("start %s", vm.Name)()
	vm.do("startVirtualMachine", cloud.Params{"id": vm.ID})
}

// Reboot restarts the instance.
func (vm *VM) Reboot() {
	defer vm.t.Step("reboot %s", vm.Name)()
	vm.do("rebootVirtualMachine", cloud.Params{"id": vm.ID})
}

// Recover brings a destroyed VM back, stopped, as the administrator.
func (vm *VM) Recover() {
	defer vm.t.Step("recover %s", vm.Name)()
	vm.t.Pass(stage.Apart)
	vm.t.Must(vm.t.Site.Cloud.Call(vm.t.Ctx, "recoverVirtualMachine", cloud.Params{"id": vm.ID}, nil), "recovering %s",
		vm.Name)
	vm.t.Pass(stage.Apart)
}

// NIC is a further NIC of a VM.
type NIC struct {
	vm         *VM
	ID         string
	InternalID int64
}

// Billed is the NIC's network offering as it is billed.
func (n *NIC) Billed() watch.Billed {
	return partBilled(usageprobe.KindNIC, n.vm.InternalID, fmt.Sprint(n.InternalID), "NIC of "+n.vm.Name)
}

// NICs are the VM's, the default one first.
func (vm *VM) NICs() []*NIC {
	found, err := vm.Account.Cloud.ListVirtualMachines(vm.t.Ctx, cloud.Params{"id": vm.ID})
	vm.t.Must(err, "listing %s", vm.Name)
	if len(found) != 1 {
		vm.t.Inconclusive("VM %s is not listed", vm.Name)
	}
	var nics []*NIC
	for _, one := range found[0].Nic {
		nics = append(nics, &NIC{vm: vm, ID: one.Id, InternalID: vm.t.InternalID(usageprobe.ObjectNIC, one.Id)})
	}
	return nics
}

// Join gives the VM a NIC in another network.
func (vm *VM) Join(n *Network) {
	defer vm.t.Step("%s into %s", vm.Name, n.Name)()
	vm.do("addNicToVirtualMachine", cloud.Params{"virtualmachineid": vm.ID, "networkid": n.ID})
}

// Remove takes the NIC away.
func (n *NIC) Remove() {
	defer n.vm.t.Step("NIC away from %s", n.vm.Name)()
	n.vm.doApart("removeNicFromVirtualMachine", cloud.Params{"virtualmachineid": n.vm.ID, "nicid": n.ID})
}

// BackUp assigns the VM to the zone's first backup offering.
func (vm *VM) BackUp() {
	defer vm.t.Step("backups of %s", vm.Name)()
	var list struct {
		BackupOffering []struct{ ID string }
	}
	vm.t.Must(vm.t.Site.Cloud.Call(vm.t.Ctx, "listBackupOfferings", cloud.Params{"zoneid": vm.t.choices().zone}, &list),
		"listing backup offerings")
	if len(list.BackupOffering) == 0 {
		vm.t.Unsupported("the zone has no backup offering; import one of the dummy provider")
	}
	vm.do("assignVirtualMachineToBackupOffering", cloud.Params{"virtualmachineid": vm.ID,
		"backupofferingid": list.BackupOffering[0].ID})
	vm.t.OnRemove("backups of "+vm.Name, func(ctx context.Context) error {
		_, err := vm.Account.Cloud.Job(ctx, "removeVirtualMachineFromBackupOffering",
			cloud.Params{"virtualmachineid": vm.ID, "forced": true}, nil)
		if cloud.IsNotFound(err) {
			return nil
		}
		return err
	})
	vm.t.Pass(stage.Apart)
}

// NoBackUp takes the VM from its backup offering.
func (vm *VM) NoBackUp() {
	defer vm.t.Step("no backups of %s", vm.Name)()
	vm.doApart("removeVirtualMachineFromBackupOffering", cloud.Params{"virtualmachineid": vm.ID, "forced": true})
}
