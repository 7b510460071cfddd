package net

import (
	"context"
	"slices"
	"time"

	"github.com/stackproof/stackproof/release"
)

// networkGC is network.gc.wait plus network.gc.interval by their defaults: how long an isolated network is left
// implemented without a running VM.
const networkGC = 20 * time.Minute

// PlanNetworkGC looks at a network when its time is over: one of its VMs was stopped. Tiers stay with their VPC.
func (mgr *Manager) PlanNetworkGC(n *Network) {
	if n.VPC != nil {
		return
	}
	mgr.At(mgr.Now().Add(networkGC), "garbage collection of network "+n.Name, func(ctx context.Context) {
		if err := mgr.collectNetwork(ctx, n); err != nil {
			mgr.Log.Error("shutting a network down", "network", n.ID, "err", err)
		}
	})
}

// collectNetwork shuts an idle network down: its router goes, the next VM implements it again. Networks with rules
// are left as they are: nothing that the lab shows depends on what becomes of them.
func (mgr *Manager) collectNetwork(ctx context.Context, n *Network) error {
	if n.State != "Implemented" || !n.Removed.IsZero() || mgr.Hooks.InUse(n, true) ||
		slices.ContainsFunc(mgr.Addresses.All(), func(a *Address) bool {
			return a.Network == n && mgr.Hooks.Ruled(a)
		}) {
		return nil
	}
	for _, r := range slices.Clone(mgr.Routers.All()) {
		if r.Network == n {
			if err := mgr.destroyRouter(ctx, r); err != nil {
				return err
			}
		}
	}
	return mgr.ShutNetwork(ctx, n)
}

// ShutNetwork says that a network is no longer implemented.
func (mgr *Manager) ShutNetwork(ctx context.Context, n *Network) error {
	n.State = "Allocated"
	if err := mgr.Update(ctx, "cloud.networks", n.ID, obj{"state": n.State, "broadcast_uri": nil}); err != nil {
		return err
	}
	if mgr.On(release.NetworkUsageModelOld) {
		return nil
	}
	return networkUsage(mgr, ctx, "NETWORK.UPDATE", n)
}
