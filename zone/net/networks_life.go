package net

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/tenancy"
)

// Implement readies a network for its first VM: VLAN, source NAT address and router. Called for every VM that
// starts, as the release's usage events show.
func (mgr *Manager) Implement(ctx context.Context, n *Network) error {
	if n.State == "Implemented" {
		if mgr.On(release.NetworkUsageModelOld) {
			return networkUsage(mgr, ctx, "NETWORK.UPDATE", n)
		}
		return nil
	}
	n.VLAN = freeVLAN(mgr)
	if _, err := mgr.Event(ctx, kernel.Event{Type: "ZONE.VLAN.ASSIGN", Text: fmt.Sprintf("Assigned Zone Vlan: %d "+
		"Network Id: %d", n.VLAN, n.ID),
		User: mgr.tenancy.UserOf(n.Account), Account: n.Account, ResourceID: n.ID, ResourceType: "Network",
		ResourceUUID: n.UUID}); err != nil {
		return err
	}
	if n.VPC == nil && n.Offering.Has("SourceNat") && sourceIP(mgr, nil, n) == nil {
		if _, err := mgr.allocate(ctx, n.Account, netip.Addr{}, func(a *Address) {
			a.Network, a.SourceNAT = n,
				true
		}); err != nil {
			return err
		}
	}
	n.State = "Implemented"
	if err := mgr.Update(ctx, "cloud.networks", n.ID, obj{"state": n.State,
		"broadcast_uri": fmt.Sprintf("vlan://%d", n.VLAN)}); err != nil {
		return err
	}
	if n.VPC != nil {
		if err := mgr.startVPC(ctx, n.VPC); err != nil {
			return err
		}
	} else if len(n.Offering.Services) > 0 {
		if err := mgr.ensureRouters(ctx, nil, n); err != nil {
			return err
		}
	}
	typ := "NETWORK.UPDATE"
	if mgr.On(release.NetworkUsageModelOld) {
		typ = "NETWORK.CREATE"
	}
	return networkUsage(mgr, ctx, typ, n)
}

// freeVLAN picks one of the zone's guest VLANs; they are not exhausted in a lab, so a used one may come again.
func freeVLAN(mgr *Manager) int {
	for range 200 {
		v := 100 + mgr.Number(101)
		taken := func(n *Network) bool { return n.VLAN == v && n.Removed.IsZero() }
		if !slices.ContainsFunc(mgr.Networks.All(), taken) {
			return v
		}
	}
	return 100 + mgr.Number(101)
}

// errNetworkInUse is the failure that a network with VMs gets; the event says that all went well.
var errNetworkInUse = api.Internal("Failed to delete network")

// DestroyNetwork removes a network with its rules, addresses and, for an isolated one, its router. VMs that are not
// expunged forbid it.
func (mgr *Manager) DestroyNetwork(ctx context.Context, n *Network) error {
	if mgr.Hooks.InUse(n, false) {
		return errNetworkInUse
	}
	if err := mgr.Hooks.ReleaseNetwork(ctx, n); err != nil {
		return err
	}
	for _, a := range mgr.Addresses.All() {
		if a.Network != n {
			continue
		}
		if n.VPC == nil {
			if err := mgr.Release(ctx, a); err != nil {
				return err
			}
			continue
		}
		a.Network = nil
		if err := mgr.Update(ctx, "cloud.user_ip_address", a.ID, obj{"network_id": nil}); err != nil {
			return err
		}
	}
	if err := mgr.Hooks.DestroyBalancers(ctx, n); err != nil {
		return err
	}
	for _, r := range slices.Clone(mgr.Routers.All()) {
		if r.Network == n {
			if err := mgr.destroyRouter(ctx, r); err != nil {
				return err
			}
		}
	}
	n.State, n.Removed = "Destroy", mgr.Now()
	if err := mgr.Update(ctx, "cloud.networks", n.ID, obj{"state": n.State, "removed": n.Removed}); err != nil {
		return err
	}
	return networkUsage(mgr, ctx, "NETWORK.DELETE", n)
}

// RequiredNetwork makes the network of an account that has none and needs one: that of the offering that is required.
func RequiredNetwork(mgr *Manager, c *kernel.Call, owner *tenancy.Account) (*Network, error) {
	i := slices.IndexFunc(mgr.NetworkOfferings, func(o *Offering) bool {
		return o.Answer["availability"] == "Required" && o.Answer["state"] == "Enabled"
	})
	if i < 0 {
		return nil, api.Invalid("Unable to find network offering with availability=Required to automatically create " +
			"the " +
			"network as a part of vm creation")
	}
	if err := mgr.tenancy.CheckLimit(owner, tenancy.LimitNetwork); err != nil {
		return nil, err
	}
	name := owner.Name + "-network"
	n := &Network{UUID: mgr.UUID(), Name: name, Text: name, State: "Allocated", Created: mgr.Now(), Account: owner,
		Offering: mgr.NetworkOfferings[i], CIDR: guestCIDR, Gateway: guestCIDR.Addr().Next()}
	return n, mgr.insertNetwork(c.Ctx, n)
}

func networkSync(mgr *Manager, c *kernel.Call) string {
	if n := mgr.NetworkByUUID(c.Str("id")); n != nil {
		return fmt.Sprintf("network:%d", n.ID)
	}
	return ""
}

func networkUpdateText(mgr *Manager, c *kernel.Call) string {
	text := fmt.Sprintf("Updating network: %d", c.EventResource)
	if n := mgr.NetworkByUUID(c.Str("id")); n != nil && c.Has("networkofferingid") {
		text += fmt.Sprintf(". Original network offering ID: %s, new network offering ID: %s", n.Offering.UUID,
			c.Str("networkofferingid"))
	}
	return text
}

func networkDetail(mgr *Manager, c *kernel.Call) string {
	if c.EventResource == 0 {
		return ""
	}
	return fmt.Sprintf("Network Id: %d", c.EventResource)
}
