package compute

import (
	"context"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/zone/net"
)

// Hooks are what instances ask of higher rooms.
type Hooks struct {
	// Taken lists addresses of a network that no instance has and that are not free.
	Taken func(n *net.Network) []netip.Addr
	// Guard refuses to change a member of a group that scales.
	Guard func(vm *VM) error
	// Balanced says whether a load balancer rule holds an address of an instance.
	Balanced func(vm *VM, ip netip.Addr) bool
	// leaveRules, leaveAddresses and expunged take an instance that goes out of its load balancers, off its
	// addresses, and out of its group.
	LeaveRules, LeaveAddresses func(ctx context.Context, vm *VM) error
	Expunged                   func(ctx context.Context, vm *VM)
}

// NetworkInUse says whether an instance has a NIC in a network; running leaves out stopped and destroyed ones.
func (mgr *Manager) NetworkInUse(n *net.Network, running bool) bool {
	return slices.ContainsFunc(mgr.VMs.All(), func(vm *VM) bool {
		return vm.Removed.IsZero() && NICIn(vm, n) != nil && !(running &&
			(vm.State == "Stopped" || vm.State == "Destroyed"))
	})
}
