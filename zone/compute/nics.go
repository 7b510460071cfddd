package compute

import (
	"github.com/stackproof/stackproof/zone/net"
)

// NICIn is the VM's interface in a network.
func NICIn(vm *VM, n *net.Network) *NIC {
	for _, nic := range vm.NICs {
		if nic.Network == n {
			return nic
		}
	}
	return nil
}
