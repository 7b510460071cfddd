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

// planNetworkGC looks at a network when its time is over: one of its VMs was stopped. Tiers stay with their VPC.
func (z *Zone) planNetworkGC(n *Network) {
	if n.VPC != nil {
		return
	}
	z.at(z.now().Add(networkGC), "garbage collection of network "+n.Name, func(ctx context.Context) {
		if err := z.collectNetwork(ctx, n); err != nil {
			z.log.Error("shutting a network down", "network", n.ID, "err", err)
		}
	})
}

// collectNetwork shuts an idle network down: its router goes, the next VM implements it again. Networks with rules are left
// as they are: nothing that the lab shows depends on what becomes of them.
func (z *Zone) collectNetwork(ctx context.Context, n *Network) error {
	if n.State != "Implemented" || !n.Removed.IsZero() || z.netHooks.inUse(n, true) ||
		slices.ContainsFunc(z.addresses, func(a *Address) bool { return a.Network == n && z.netHooks.ruled(a) }) {
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
