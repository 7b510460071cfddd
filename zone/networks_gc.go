package zone

import (
	"context"
	"slices"
	"time"

	"github.com/stackproof/stackproof/release"
)

// networkGC is network.gc.wait plus network.gc.interval by their defaults: how long an isolated network is left implemented
// without a running VM.
const networkGC = 20 * time.Minute

// planNetworkGC looks at the networks of a VM that was stopped when their time is over. Tiers stay with their VPC.
func (z *Zone) planNetworkGC(vm *VM) {
	for _, nic := range vm.NICs {
		if n := nic.Network; n.VPC == nil {
			z.at(z.now().Add(networkGC), "garbage collection of network "+n.Name, func(ctx context.Context) {
				if err := z.collectNetwork(ctx, n); err != nil {
					z.log.Error("shutting a network down", "network", n.ID, "err", err)
				}
			})
		}
	}
}

// collectNetwork shuts an idle network down: its router goes, the next VM implements it again. Networks with rules are left
// as they are: nothing that the lab shows depends on what becomes of them.
func (z *Zone) collectNetwork(ctx context.Context, n *Network) error {
	uses := func(vm *VM) bool {
		return vm.State != "Stopped" && vm.State != "Destroyed" && slices.ContainsFunc(vm.NICs, func(nic *NIC) bool { return nic.Network == n })
	}
	if n.State != "Implemented" || !n.Removed.IsZero() || slices.ContainsFunc(z.vms, func(vm *VM) bool { return vm.Removed.IsZero() && uses(vm) }) ||
		slices.ContainsFunc(z.addresses, func(a *Address) bool { return a.Network == n && len(z.rulesOnAddress(a)) > 0 }) {
		return nil
	}
	for _, r := range slices.Clone(z.routers) {
		if r.Network == n {
			if err := z.destroyRouter(ctx, r); err != nil {
				return err
			}
		}
	}
	n.State = "Allocated"
	if err := z.update(ctx, "cloud.networks", n.ID, obj{"state": n.State, "broadcast_uri": nil}); err != nil {
		return err
	}
	if z.knobs[release.NetworkUsageModelOld] {
		return nil
	}
	return z.networkUsage(ctx, "NETWORK.UPDATE", n)
}
