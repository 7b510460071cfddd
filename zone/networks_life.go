package zone

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
)

// implement readies a network for its first VM: VLAN, source NAT address and router. Called for every VM that starts, as
// the release's usage events show.
func (z *Zone) implement(ctx context.Context, n *Network) error {
	if n.State == "Implemented" {
		if z.knobs[release.NetworkUsageModelOld] {
			return z.networkUsage(ctx, "NETWORK.UPDATE", n)
		}
		return nil
	}
	n.VLAN = z.freeVLAN()
	if _, err := z.event(ctx, Event{Type: "ZONE.VLAN.ASSIGN", Text: fmt.Sprintf("Assigned Zone Vlan: %d Network Id: %d", n.VLAN, n.ID),
		User: z.userOf(n.Account), Account: n.Account, ResourceID: n.ID, ResourceType: "Network", ResourceUUID: n.UUID}); err != nil {
		return err
	}
	if n.VPC == nil && n.Offering.has("SourceNat") && z.sourceIP(nil, n) == nil {
		if _, err := z.allocate(ctx, n.Account, netip.Addr{}, func(a *Address) { a.Network, a.SourceNAT = n, true }); err != nil {
			return err
		}
	}
	n.State = "Implemented"
	if err := z.update(ctx, "cloud.networks", n.ID, obj{"state": n.State, "broadcast_uri": fmt.Sprintf("vlan://%d", n.VLAN)}); err != nil {
		return err
	}
	if n.VPC != nil {
		if err := z.startVPC(ctx, n.VPC); err != nil {
			return err
		}
	} else if len(n.Offering.Services) > 0 {
		if err := z.ensureRouters(ctx, nil, n); err != nil {
			return err
		}
	}
	typ := "NETWORK.UPDATE"
	if z.knobs[release.NetworkUsageModelOld] {
		typ = "NETWORK.CREATE"
	}
	return z.networkUsage(ctx, typ, n)
}

// freeVLAN picks one of the zone's guest VLANs; they are not exhausted in a lab, so a used one may come again.
func (z *Zone) freeVLAN() int {
	for range 200 {
		v := 100 + z.number(101)
		if !slices.ContainsFunc(z.networks, func(n *Network) bool { return n.VLAN == v && n.Removed.IsZero() }) {
			return v
		}
	}
	return 100 + z.number(101)
}

func (z *Zone) userOf(a *Account) *User {
	for _, u := range z.users {
		if u.Account == a {
			return u
		}
	}
	return z.system
}

// errNetworkInUse is the failure that a network with VMs gets; the event says that all went well.
var errNetworkInUse = api.Internal("Failed to delete network")

// destroyNetwork removes a network with its rules, addresses and, for an isolated one, its router. VMs that are not
// expunged forbid it.
func (z *Zone) destroyNetwork(ctx context.Context, n *Network) error {
	if z.netHooks.inUse(n, false) {
		return errNetworkInUse
	}
	if err := z.netHooks.releaseNetwork(ctx, n); err != nil {
		return err
	}
	for _, a := range z.addresses {
		if a.Network != n {
			continue
		}
		if n.VPC == nil {
			if err := z.release(ctx, a); err != nil {
				return err
			}
			continue
		}
		a.Network = nil
		if err := z.update(ctx, "cloud.user_ip_address", a.ID, obj{"network_id": nil}); err != nil {
			return err
		}
	}
	if err := z.netHooks.destroyBalancers(ctx, n); err != nil {
		return err
	}
	for _, r := range slices.Clone(z.routers) {
		if r.Network == n {
			if err := z.destroyRouter(ctx, r); err != nil {
				return err
			}
		}
	}
	n.State, n.Removed = "Destroy", z.now()
	if err := z.update(ctx, "cloud.networks", n.ID, obj{"state": n.State, "removed": n.Removed}); err != nil {
		return err
	}
	return z.networkUsage(ctx, "NETWORK.DELETE", n)
}
