package firewall

import (
	"context"
	"slices"

	"github.com/stackproof/stackproof/zone/compute"
	"github.com/stackproof/stackproof/zone/net"
)

// Hooks are what rules ask of load balancing.
type Hooks struct {
	// Balanced lists the load balancer rules of an address.
	Balanced func(a *net.Address) []*Rule
}

// Forwards says whether a network has a port forwarding rule.
func (mgr *Manager) Forwards(n *net.Network) bool {
	return slices.ContainsFunc(mgr.PFRules.All(), func(r *PFRule) bool { return r.Network == n })
}

// DropForwarding deletes all port forwarding rules of a network that loses the service.
func (mgr *Manager) DropForwarding(ctx context.Context, n *net.Network) error {
	for _, pf := range mgr.PFRules.All() {
		if pf.Network == n {
			if err := mgr.RemovePFRule(ctx, pf); err != nil {
				return err
			}
		}
	}
	return nil
}

// DropStaticNATOf ends static NAT on the addresses that lead to a VM.
func (mgr *Manager) DropStaticNATOf(ctx context.Context, vm *compute.VM) error {
	for _, a := range mgr.net.Addresses.All() {
		if a.StaticVM == vm {
			if err := mgr.DropStaticNAT(ctx, a); err != nil {
				return err
			}
		}
	}
	return nil
}
