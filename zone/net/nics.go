package net

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/fault"
)

const (
	PublicLast = 200
)

// Sized reads the size of a simulated host from the last part of its URL, such as memory=17179869184&cpucore=8
// (SimulatorDiscoverer.java@4.20.0.0, find).
func (h *Host) Sized() {
	words := h.URL[strings.LastIndexByte(h.URL, '/')+1:]
	for _, word := range strings.Split(words, "&") {
		name, value, _ := strings.Cut(word, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case err != nil:
		case strings.EqualFold(name, "memory"):
			h.Memory = n
		case strings.EqualFold(name, "cpucore"):
			h.Cores = n
		}
	}
}

// HasZone says whether there is a zone to speak of.
func (mgr *Manager) HasZone() bool { return !mgr.Bare || mgr.Created }

// TieAddress ties a VPC's free address to the tier that its first rule names.
func (mgr *Manager) TieAddress(ctx context.Context, a *Address, n *Network) error {
	if a.Network != nil || a.VPC == nil || n == nil || n.VPC != a.VPC {
		return nil
	}
	a.Network = n
	return mgr.Update(ctx, "cloud.user_ip_address", a.ID, obj{"network_id": n.ID})
}

// UntieAddress unties a VPC's address from its tier when no rule is left on it.
func (mgr *Manager) UntieAddress(ctx context.Context, a *Address) error {
	if a.VPC == nil || a.Network == nil || a.StaticNAT || mgr.Hooks.Ruled(a) || mgr.On(fault.AddressStaysTied) {
		return nil
	}
	a.Network = nil
	return mgr.Update(ctx, "cloud.user_ip_address", a.ID, obj{"network_id": nil})
}

// RoutersOf lists the routers that serve n: none while it is not implemented, so that a push counts as done.
func (mgr *Manager) RoutersOf(n *Network) []*Router {
	if n == nil || n.State != "Implemented" {
		return nil
	}
	var routers []*Router
	for _, r := range mgr.Routers.All() {
		if r.Network == n || n.VPC != nil && r.VPC == n.VPC {
			routers = append(routers, r)
		}
	}
	return routers
}

// routerNIC is a router's interface in a guest network.
type routerNIC struct {
	UUID, Mac string
	Device    int
}

// GuestNIC is the router's interface in n, plugged when first asked for. A VPC's router has control and public
// interfaces before the tiers'.
func (mgr *Manager) GuestNIC(r *Router, n *Network) routerNIC {
	if mgr.nics == nil {
		mgr.nics = map[nicKey]routerNIC{}
	}
	key := nicKey{r.ID, n.ID}
	if have, ok := mgr.nics[key]; ok {
		return have
	}
	nic := routerNIC{UUID: mgr.UUID(), Mac: fmt.Sprintf("02:03:00:%02x:00:02", n.ID&0xff)}
	if r.VPC != nil {
		nic.Device = 2
		for other := range mgr.nics {
			if other.router == r.ID {
				nic.Device++
			}
		}
	}
	mgr.nics[key] = nic
	return nic
}

type nicKey struct{ router, network int64 }

// GuestIP is the router's address in n: the gateway, but for redundant routers, which share it.
func GuestIP(r *Router, n *Network) string {
	if (r.Redundant != "" || r.Internal) && r.GuestIP.IsValid() && n.CIDR.Contains(r.GuestIP) {
		return r.GuestIP.String()
	}
	return n.Gateway.String()
}
