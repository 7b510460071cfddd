package compute

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// VMSpec says what VM to create.
type VMSpec struct {
	Name, DisplayName  string
	Account            *tenancy.Account
	User               *tenancy.User
	Offering, Template *net.Offering
	Networks           []*net.Network
	Group              Group      // autoscale group that makes it
	IP                 netip.Addr // wanted address in the first network
}

// CreateVM makes a stopped VM with its NICs and root volume: rows, usage events VOLUME.CREATE and VM.CREATE.
func (mgr *Manager) CreateVM(ctx context.Context, s VMSpec) (*VM, error) {
	if s.User == nil {
		s.User = mgr.tenancy.UserOf(s.Account)
	}
	vm := &VM{UUID: mgr.UUID(), Name: s.Name, DisplayName: s.DisplayName, Account: s.Account, UserID: s.User.ID,
		State: "Stopped", Offering: s.Offering,
		Template: s.Template, Host: mgr.net.Hosts[mgr.Number(len(mgr.net.Hosts))], Created: mgr.Now(),
		Updated: mgr.Now(), Group: s.Group}
	if vm.Name == "" {
		vm.Name = "VM-" + vm.UUID
	}
	if vm.DisplayName == "" {
		vm.DisplayName = vm.Name
	}
	id, err := mgr.Insert(ctx, "cloud.vm_instance", obj{
		"name": vm.Name, "uuid": vm.UUID, "instance_name": "", "state": vm.State, "guest_os_id": 12,
		"data_center_id": kernel.ZoneID,
		"vm_template_id": s.Template.ID, "vnc_password": "", "created": vm.Created, "type": "User", "vm_type": "User",
		"account_id": s.Account.ID,
		"domain_id":  s.Account.Domain.ID, "service_offering_id": s.Offering.ID, "hypervisor_type": "Simulator",
		"display_name": vm.DisplayName,
		"host_name":    vm.Name, "user_id": s.User.ID, "update_time": vm.Created,
	})
	if err != nil {
		return nil, err
	}
	vm.ID, vm.InstanceName = id, fmt.Sprintf("i-%d-%d-VM", s.Account.ID, id)
	if err := mgr.Update(ctx, "cloud.vm_instance", id, obj{"instance_name": vm.InstanceName}); err != nil {
		return nil, err
	}
	for i, n := range s.Networks {
		wanted := netip.Addr{}
		if i == 0 {
			wanted = s.IP
		}
		if err := mgr.addNIC(ctx, vm, n, wanted); err != nil {
			return nil, err
		}
	}
	mgr.VMs.Add(vm)
	vm.Volume, err = mgr.createVolume(ctx, &Volume{Name: fmt.Sprintf("ROOT-%d", id), Size: net.ImageSize, VM: vm,
		Account: s.Account, Template: s.Template, State: "Ready"}, s.User)
	if err != nil {
		return nil, err
	}
	return vm, mgr.vmUsage(ctx, "VM.CREATE", vm)
}

func (mgr *Manager) addNIC(ctx context.Context, vm *VM, n *net.Network, wanted netip.Addr) error {
	ip, err := mgr.GuestAddress(n, wanted)
	if err != nil {
		return err
	}
	n.MACs++
	if n.MACs == 2 { // the router's
		n.MACs++
	}
	nic := &NIC{UUID: mgr.UUID(), Network: n, IP: ip, MAC: fmt.Sprintf("02:03:00:%02x:%02x:%02x", n.ID&0xff,
		n.MACs>>8&0xff, n.MACs&0xff), Default: len(vm.NICs) == 0}
	nic.ID, err = mgr.Insert(ctx, "cloud.nics", obj{
		"uuid": nic.UUID, "instance_id": vm.ID, "mac_address": nic.MAC, "ip4_address": ip.String(),
		"netmask": net.Netmask(n.CIDR), "gateway": n.Gateway.String(),
		"network_id": n.ID, "mode": "Dhcp", "state": "Allocated", "strategy": "Start", "device_id": len(vm.NICs),
		"default_nic": nic.Default, "vm_type": "User",
		"created": mgr.Now(),
	})
	if err != nil {
		return err
	}
	vm.NICs = append(vm.NICs, nic)
	return nil
}

// GuestAddress finds a free address of the network, the one after the last given out first.
func (mgr *Manager) GuestAddress(n *net.Network, wanted netip.Addr) (netip.Addr, error) {
	used := map[netip.Addr]bool{n.Gateway: true, n.CIDR.Addr(): true}
	for _, vm := range mgr.VMs.All() {
		for _, nic := range vm.NICs {
			if vm.Removed.IsZero() && nic.Network == n {
				for _, ip := range nic.addresses() {
					used[ip] = true
				}
			}
		}
	}
	for _, ip := range mgr.Hooks.Taken(n) {
		used[ip] = true
	}
	if wanted.IsValid() {
		if !n.CIDR.Contains(wanted) || used[wanted] {
			return wanted, api.Invalid("Unable to acquire Guest IP address %s for network %s", wanted, n.UUID)
		}
		return wanted, nil
	}
	size := 1 << (32 - n.CIDR.Bits())
	first := n.CIDR.Addr().As4()
	base := uint32(first[0])<<24 | uint32(first[1])<<16 | uint32(first[2])<<8 | uint32(first[3])
	for i := range size - 2 {
		at := base + 1 + uint32((n.NextGuestIP+i)%(size-2))
		ip := netip.AddrFrom4([4]byte{byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at)})
		if !used[ip] {
			n.NextGuestIP = (n.NextGuestIP + i + 1) % (size - 2)
			return ip, nil
		}
	}
	return netip.Addr{}, &api.Error{Code: api.CodeCapacity, CSCode: api.CSAPIException,
		Text: fmt.Sprintf("Unable to acquire Guest IP address for network %s", n.UUID)}
}

func (mgr *Manager) vmUsage(ctx context.Context, typ string, vm *VM) error {
	return mgr.UsageEvent(ctx, typ, vm.Account, kernel.ZoneID, vm.ID, obj{
		"resource_name": vm.Name, "offering_id": vm.Offering.ID, "template_id": vm.Template.ID,
		"resource_type": "Simulator",
	})
}

func (mgr *Manager) nicUsage(ctx context.Context, typ string, vm *VM, nics ...*NIC) error {
	for _, nic := range nics {
		size := 0
		if nic.Default && typ == "NETWORK.OFFERING.ASSIGN" {
			size = 1
		}
		if err := mgr.UsageEvent(ctx, typ, vm.Account, kernel.ZoneID, vm.ID, obj{
			"resource_name": strconv.FormatInt(nic.ID, 10), "offering_id": nic.Network.Offering.ID, "size": size,
		}); err != nil {
			return err
		}
	}
	return nil
}

func (mgr *Manager) setVM(ctx context.Context, vm *VM, state string) error {
	vm.State, vm.Updated = state, mgr.Now()
	return mgr.Update(ctx, "cloud.vm_instance", vm.ID, obj{"state": state, "update_time": vm.Updated,
		"host_id": vm.Host.ID})
}

// StartVM implements the VM's networks and starts it.
func (mgr *Manager) StartVM(ctx context.Context, vm *VM) error {
	switch vm.State {
	case "Running":
		return nil
	case "Stopped":
	default:
		return api.Invalid("Unable to start VM %s: it is %s", vm.InstanceName, vm.State)
	}
	answer := mgr.Simulated("StartCommand", vm.Host)
	answer.Answered()
	if answer.Fails {
		return &api.Error{Code: api.CodeCapacity, CSCode: api.CSAPIException, Text: fmt.Sprintf("Unable to start "+
			"VM instance %s", vm.InstanceName)}
	}
	if err := mgr.setVM(ctx, vm, "Starting"); err != nil {
		return err
	}
	for _, nic := range vm.NICs {
		if err := mgr.net.Implement(ctx, nic.Network); err != nil {
			return err
		}
	}
	if err := mgr.nicUsage(ctx, "NETWORK.OFFERING.ASSIGN", vm, vm.NICs...); err != nil {
		return err
	}
	if err := mgr.vmUsage(ctx, "VM.START", vm); err != nil {
		return err
	}
	return mgr.setVM(ctx, vm, "Running")
}

// stopVM stops a running VM; its place behind load balancers stays.
func (mgr *Manager) stopVM(ctx context.Context, vm *VM) error {
	if vm.State != "Running" {
		return nil
	}
	if err := mgr.vmUsage(ctx, "VM.STOP", vm); err != nil {
		return err
	}
	if err := mgr.nicUsage(ctx, "NETWORK.OFFERING.REMOVE", vm, vm.NICs...); err != nil {
		return err
	}
	for _, nic := range vm.NICs {
		mgr.net.PlanNetworkGC(nic.Network)
	}
	return mgr.setVM(ctx, vm, "Stopped")
}

// The simulator zone's expunge settings: a destroyed VM goes after the delay, at the next turn of the interval.
const (
	expungeDelay    = 20 * time.Second
	expungeInterval = 20 * time.Second
)

// destroyVM destroys a VM. It stays a backend of its load balancers until it is expunged, which is planned here.
func (mgr *Manager) destroyVM(ctx context.Context, vm *VM) error {
	if vm.State == "Destroyed" || !vm.Removed.IsZero() {
		return nil
	}
	if err := mgr.stopVM(ctx, vm); err != nil {
		return err
	}
	if err := mgr.vmUsage(ctx, "VM.DESTROY", vm); err != nil {
		return err
	}
	if err := mgr.setVM(ctx, vm, "Destroyed"); err != nil {
		return err
	}
	if err := mgr.destroyRoot(ctx, vm); err != nil {
		return err
	}
	due := mgr.Now().Add(expungeDelay + expungeInterval/2)
	mgr.At(due, "expunge of "+vm.InstanceName, func(ctx context.Context) {
		if vm.State != "Destroyed" || vm.Updated.Add(expungeDelay).After(mgr.Now()) {
			return
		}
		if err := mgr.ExpungeVM(ctx, vm); err != nil {
			mgr.Log.Error("expunging a VM", "vm", vm.InstanceName, "err", err)
		}
	})
	return nil
}

// destroyRoot ends the life of a destroyed VM's root volume; recoverRoot begins another one.
func (mgr *Manager) destroyRoot(ctx context.Context, vm *VM) error {
	if vm.Volume == nil || !vm.Volume.Removed.IsZero() || vm.Volume.State == "Destroy" {
		return nil
	}
	return mgr.destroyVolume(ctx, vm.Volume)
}

// destroyVolume ends the life of a volume that goes with its VM; the volume itself can be recovered.
func (mgr *Manager) destroyVolume(ctx context.Context, v *Volume) error {
	v.State = "Destroy"
	return mgr.volumeEnded(ctx, v, kernel.WhyWithVM)
}

func (mgr *Manager) recoverRoot(ctx context.Context, vm *VM) error {
	if vm.Volume == nil || vm.Volume.State != "Destroy" {
		return nil
	}
	vm.Volume.State = "Ready"
	return mgr.WriteUsage(ctx, kernel.UsageEvent{
		Type: "VOLUME.CREATE", Owner: vm.Account, Zone: kernel.ZoneID, Resource: vm.Volume.ID,
		Fields: mgr.beganFields(vm.Volume),
		Why:    kernel.WhyRecovered,
	})
}

// ExpungeVM removes a VM for good: from its load balancers (one push a rule), its port forwarding and static NAT rules,
// its group, with its volume.
func (mgr *Manager) ExpungeVM(ctx context.Context, vm *VM) error {
	if !vm.Removed.IsZero() {
		return nil
	}
	if err := mgr.destroyVM(ctx, vm); err != nil {
		return err
	}
	if err := mgr.setVM(ctx, vm, "Expunging"); err != nil {
		return err
	}
	for _, v := range mgr.Volumes.All() {
		if v.VM != vm || !v.Removed.IsZero() {
			continue
		}
		if v.Device != 0 {
			v.VM, v.Device = nil, 0
			if mgr.On(release.ExpungeWithoutDetach) {
				continue
			}
			if err := mgr.volumeDetached(ctx, v); err != nil {
				return err
			}
			continue
		}
		if err := mgr.DeleteVolume(ctx, v); err != nil {
			return err
		}
	}
	if err := mgr.Hooks.LeaveRules(ctx, vm); err != nil {
		vm.State = "Destroyed"
		return err
	}
	if err := mgr.Hooks.LeaveAddresses(ctx, vm); err != nil {
		return err
	}
	mgr.Hooks.Expunged(ctx, vm)
	vm.Removed = mgr.Now()
	for _, nic := range vm.NICs {
		if err := mgr.Update(ctx, "cloud.nics", nic.ID, obj{"removed": vm.Removed,
			"state": "Deallocating"}); err != nil {
			return err
		}
	}
	return mgr.Update(ctx, "cloud.vm_instance", vm.ID, obj{"removed": vm.Removed, "state": "Expunging"})
}

// liveVMs are those that listVirtualMachines shows: not expunged, destroyed ones only to admins.
func liveVMs(mgr *Manager, c *kernel.Call) []*VM {
	var out []*VM
	for _, vm := range mgr.VMs.All() {
		if vm.Removed.IsZero() && tenancy.Visible(mgr.tenancy, c, vm.Account) &&
			(vm.State != "Destroyed" || tenancy.Caller(c).Account.Type != 0) {
			out = append(out, vm)
		}
	}
	return out
}

// groupUUID is the uuid of the VM's autoscale group, "" for none.
func groupUUID(vm *VM) string {
	if vm.Group == nil {
		return ""
	}
	uuid, _, _ := vm.Group.Identity()
	return uuid
}

func listVMs(mgr *Manager, c *kernel.Call) (obj, error) {
	var out []obj
	for _, vm := range slices.Backward(liveVMs(mgr, c)) {
		if c.Has("id") && c.Str("id") != vm.UUID || c.Has("ids") && !slices.Contains(c.List("ids"), vm.UUID) ||
			c.Has("name") && !kernel.Matches(c.Str("name"), vm.Name) ||
			c.Has("state") && c.Str("state") != vm.State || c.Has("autoscalevmgroupid") &&
			groupUUID(vm) != c.Str("autoscalevmgroupid") ||
			!kernel.Matches(c.Str("keyword"), vm.Name, vm.DisplayName, vm.InstanceName) ||
			c.Has("networkid") && !slices.ContainsFunc(vm.NICs,
				func(n *NIC) bool { return n.Network.UUID == c.Str("networkid") }) ||
			c.Has("vpcid") && !slices.ContainsFunc(vm.NICs, func(n *NIC) bool {
				return n.Network.VPC != nil &&
					n.Network.VPC.UUID == c.Str("vpcid")
			}) {
			continue
		}
		one := mgr.VMAnswer(vm)
		if vm.State == "Running" {
			one = statistics(one)
		}
		out = append(out, one)
	}
	return c.Page("virtualmachine", out), nil
}
