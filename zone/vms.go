package zone

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/zone/api"
)

// vmSpec says what VM to create.
type vmSpec struct {
	Name, DisplayName  string
	Account            *Account
	User               *User
	Offering, Template *Offering
	Networks           []*Network
	Group              ScaleGroup // autoscale group that makes it
	IP                 netip.Addr // wanted address in the first network
}

// createVM makes a stopped VM with its NICs and root volume: rows, usage events VOLUME.CREATE and VM.CREATE.
func (z *Zone) createVM(ctx context.Context, s vmSpec) (*VM, error) {
	if s.User == nil {
		s.User = z.userOf(s.Account)
	}
	vm := &VM{UUID: z.uuid(), Name: s.Name, DisplayName: s.DisplayName, Account: s.Account, UserID: s.User.ID, State: "Stopped", Offering: s.Offering,
		Template: s.Template, Host: z.hosts[z.number(len(z.hosts))], Created: z.now(), Updated: z.now(), Group: s.Group}
	if vm.Name == "" {
		vm.Name = "VM-" + vm.UUID
	}
	if vm.DisplayName == "" {
		vm.DisplayName = vm.Name
	}
	id, err := z.insert(ctx, "cloud.vm_instance", obj{
		"name": vm.Name, "uuid": vm.UUID, "instance_name": "", "state": vm.State, "guest_os_id": 12, "data_center_id": zoneID,
		"vm_template_id": s.Template.ID, "vnc_password": "", "created": vm.Created, "type": "User", "vm_type": "User", "account_id": s.Account.ID,
		"domain_id": s.Account.Domain.ID, "service_offering_id": s.Offering.ID, "hypervisor_type": "Simulator", "display_name": vm.DisplayName,
		"host_name": vm.Name, "user_id": s.User.ID, "update_time": vm.Created,
	})
	if err != nil {
		return nil, err
	}
	vm.ID, vm.InstanceName = id, fmt.Sprintf("i-%d-%d-VM", s.Account.ID, id)
	if err := z.update(ctx, "cloud.vm_instance", id, obj{"instance_name": vm.InstanceName}); err != nil {
		return nil, err
	}
	for i, n := range s.Networks {
		wanted := netip.Addr{}
		if i == 0 {
			wanted = s.IP
		}
		if err := z.addNIC(ctx, vm, n, wanted); err != nil {
			return nil, err
		}
	}
	z.vms = append(z.vms, vm)
	vm.Volume, err = z.createVolume(ctx, &Volume{Name: fmt.Sprintf("ROOT-%d", id), Size: imageSize, VM: vm, Account: s.Account, Template: s.Template, State: "Ready"}, s.User)
	if err != nil {
		return nil, err
	}
	return vm, z.vmUsage(ctx, "VM.CREATE", vm)
}

func (z *Zone) addNIC(ctx context.Context, vm *VM, n *Network, wanted netip.Addr) error {
	ip, err := z.guestAddress(n, wanted)
	if err != nil {
		return err
	}
	n.MACs++
	if n.MACs == 2 { // the router's
		n.MACs++
	}
	nic := &NIC{UUID: z.uuid(), Network: n, IP: ip, MAC: fmt.Sprintf("02:03:00:%02x:%02x:%02x", n.ID&0xff, n.MACs>>8&0xff, n.MACs&0xff), Default: len(vm.NICs) == 0}
	nic.ID, err = z.insert(ctx, "cloud.nics", obj{
		"uuid": nic.UUID, "instance_id": vm.ID, "mac_address": nic.MAC, "ip4_address": ip.String(), "netmask": netmask(n.CIDR), "gateway": n.Gateway.String(),
		"network_id": n.ID, "mode": "Dhcp", "state": "Allocated", "strategy": "Start", "device_id": len(vm.NICs), "default_nic": nic.Default, "vm_type": "User",
		"created": z.now(),
	})
	if err != nil {
		return err
	}
	vm.NICs = append(vm.NICs, nic)
	return nil
}

// guestAddress finds a free address of the network, the one after the last given out first.
func (z *Zone) guestAddress(n *Network, wanted netip.Addr) (netip.Addr, error) {
	used := map[netip.Addr]bool{n.Gateway: true, n.CIDR.Addr(): true}
	for _, vm := range z.vms {
		for _, nic := range vm.NICs {
			if vm.Removed.IsZero() && nic.Network == n {
				used[nic.IP] = true
			}
		}
	}
	for _, ip := range z.computeHooks.taken(n) {
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
	return netip.Addr{}, &api.Error{Code: api.CodeCapacity, CSCode: api.CSAPIException, Text: fmt.Sprintf("Unable to acquire Guest IP address for network %s", n.UUID)}
}

func (z *Zone) vmUsage(ctx context.Context, typ string, vm *VM) error {
	return z.usageEvent(ctx, typ, vm.Account, zoneID, vm.ID, obj{
		"resource_name": vm.Name, "offering_id": vm.Offering.ID, "template_id": vm.Template.ID, "resource_type": "Simulator",
	})
}

func (z *Zone) nicUsage(ctx context.Context, typ string, vm *VM, nics ...*NIC) error {
	for _, nic := range nics {
		size := 0
		if nic.Default && typ == "NETWORK.OFFERING.ASSIGN" {
			size = 1
		}
		if err := z.usageEvent(ctx, typ, vm.Account, zoneID, vm.ID, obj{
			"resource_name": strconv.FormatInt(nic.ID, 10), "offering_id": nic.Network.Offering.ID, "size": size,
		}); err != nil {
			return err
		}
	}
	return nil
}

func (z *Zone) setVM(ctx context.Context, vm *VM, state string) error {
	vm.State, vm.Updated = state, z.now()
	return z.update(ctx, "cloud.vm_instance", vm.ID, obj{"state": state, "update_time": vm.Updated, "host_id": vm.Host.ID})
}

// startVM implements the VM's networks and starts it.
func (z *Zone) startVM(ctx context.Context, vm *VM) error {
	switch vm.State {
	case "Running":
		return nil
	case "Stopped":
	default:
		return api.Invalid("Unable to start VM %s: it is %s", vm.InstanceName, vm.State)
	}
	answer := z.simulated("StartCommand", vm.Host)
	answer.answered()
	if answer.fails {
		return &api.Error{Code: api.CodeCapacity, CSCode: api.CSAPIException, Text: fmt.Sprintf("Unable to start VM instance %s", vm.InstanceName)}
	}
	if err := z.setVM(ctx, vm, "Starting"); err != nil {
		return err
	}
	for _, nic := range vm.NICs {
		if err := z.implement(ctx, nic.Network); err != nil {
			return err
		}
	}
	if err := z.nicUsage(ctx, "NETWORK.OFFERING.ASSIGN", vm, vm.NICs...); err != nil {
		return err
	}
	if err := z.vmUsage(ctx, "VM.START", vm); err != nil {
		return err
	}
	return z.setVM(ctx, vm, "Running")
}

// stopVM stops a running VM; its place behind load balancers stays.
func (z *Zone) stopVM(ctx context.Context, vm *VM) error {
	if vm.State != "Running" {
		return nil
	}
	if err := z.vmUsage(ctx, "VM.STOP", vm); err != nil {
		return err
	}
	if err := z.nicUsage(ctx, "NETWORK.OFFERING.REMOVE", vm, vm.NICs...); err != nil {
		return err
	}
	for _, nic := range vm.NICs {
		z.planNetworkGC(nic.Network)
	}
	return z.setVM(ctx, vm, "Stopped")
}

// The simulator zone's expunge settings: a destroyed VM goes after the delay, at the next turn of the interval.
const (
	expungeDelay    = 20 * time.Second
	expungeInterval = 20 * time.Second
)

// destroyVM destroys a VM. It stays a backend of its load balancers until it is expunged, which is planned here.
func (z *Zone) destroyVM(ctx context.Context, vm *VM) error {
	if vm.State == "Destroyed" || !vm.Removed.IsZero() {
		return nil
	}
	if err := z.stopVM(ctx, vm); err != nil {
		return err
	}
	if err := z.vmUsage(ctx, "VM.DESTROY", vm); err != nil {
		return err
	}
	if err := z.setVM(ctx, vm, "Destroyed"); err != nil {
		return err
	}
	if err := z.destroyRoot(ctx, vm); err != nil {
		return err
	}
	due := z.now().Add(expungeDelay + expungeInterval/2)
	z.at(due, "expunge of "+vm.InstanceName, func(ctx context.Context) {
		if vm.State != "Destroyed" || vm.Updated.Add(expungeDelay).After(z.now()) {
			return
		}
		if err := z.expungeVM(ctx, vm); err != nil {
			z.log.Error("expunging a VM", "vm", vm.InstanceName, "err", err)
		}
	})
	return nil
}

// destroyRoot ends the life of a destroyed VM's root volume; recoverRoot begins another one.
func (z *Zone) destroyRoot(ctx context.Context, vm *VM) error {
	if vm.Volume == nil || !vm.Volume.Removed.IsZero() || vm.Volume.State == "Destroy" {
		return nil
	}
	vm.Volume.State = "Destroy"
	if z.knobs[fault.VMVolumeEventLost] {
		return nil
	}
	return z.volumeEnded(ctx, vm.Volume)
}

func (z *Zone) recoverRoot(ctx context.Context, vm *VM) error {
	if vm.Volume == nil || vm.Volume.State != "Destroy" {
		return nil
	}
	vm.Volume.State = "Ready"
	if z.knobs[fault.RecoverWithoutVolumeEvent] {
		return nil
	}
	return z.usageEvent(ctx, "VOLUME.CREATE", vm.Account, zoneID, vm.Volume.ID, vm.Volume.usageFields())
}

// expungeVM removes a VM for good: from its load balancers (one push a rule), its port forwarding and static NAT rules,
// its group, with its volume.
func (z *Zone) expungeVM(ctx context.Context, vm *VM) error {
	if !vm.Removed.IsZero() {
		return nil
	}
	if err := z.destroyVM(ctx, vm); err != nil {
		return err
	}
	if err := z.setVM(ctx, vm, "Expunging"); err != nil {
		return err
	}
	for _, v := range z.volumes {
		if v.VM != vm || !v.Removed.IsZero() {
			continue
		}
		if v.Device != 0 {
			v.VM = nil
			continue
		}
		if err := z.deleteVolume(ctx, v); err != nil {
			return err
		}
	}
	if err := z.computeHooks.leaveRules(ctx, vm); err != nil {
		vm.State = "Destroyed"
		return err
	}
	if err := z.computeHooks.leaveAddresses(ctx, vm); err != nil {
		return err
	}
	z.computeHooks.expunged(ctx, vm)
	vm.Removed = z.now()
	for _, nic := range vm.NICs {
		if err := z.update(ctx, "cloud.nics", nic.ID, obj{"removed": vm.Removed, "state": "Deallocating"}); err != nil {
			return err
		}
	}
	return z.update(ctx, "cloud.vm_instance", vm.ID, obj{"removed": vm.Removed, "state": "Expunging"})
}

// liveVMs are those that listVirtualMachines shows: not expunged, destroyed ones only to admins.
func liveVMs(z *Zone, c *call) []*VM {
	var out []*VM
	for _, vm := range z.vms {
		if vm.Removed.IsZero() && visible(z, c, vm.Account) && (vm.State != "Destroyed" || callerOf(c).Account.Type != 0) {
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

func listVMs(z *Zone, c *call) (obj, error) {
	var out []obj
	for _, vm := range slices.Backward(liveVMs(z, c)) {
		if c.has("id") && c.str("id") != vm.UUID || c.has("ids") && !slices.Contains(c.list("ids"), vm.UUID) || c.has("name") && !matches(c.str("name"), vm.Name) ||
			c.has("state") && c.str("state") != vm.State || c.has("autoscalevmgroupid") && groupUUID(vm) != c.str("autoscalevmgroupid") ||
			!matches(c.str("keyword"), vm.Name, vm.DisplayName, vm.InstanceName) ||
			c.has("networkid") && !slices.ContainsFunc(vm.NICs, func(n *NIC) bool { return n.Network.UUID == c.str("networkid") }) ||
			c.has("vpcid") && !slices.ContainsFunc(vm.NICs, func(n *NIC) bool { return n.Network.VPC != nil && n.Network.VPC.UUID == c.str("vpcid") }) {
			continue
		}
		one := z.vmAnswer(vm)
		if vm.State == "Running" {
			one = statistics(one)
		}
		out = append(out, one)
	}
	return c.page("virtualmachine", out), nil
}
