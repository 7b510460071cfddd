package net

import (
	"context"
	"net/netip"
)

// Forward is a change of port forwarding on its way to a VPC's router: all rules of an address.
type Forward struct {
	Router string // r-3-VM
	Rules  []Forwarding
}

// Forwarding is one rule of it.
type Forwarding struct {
	Revoked                   bool
	Protocol                  string
	Public, Private           netip.Addr
	PublicPorts, PrivatePorts [2]int // first and last
}

// Forwards is a Pushes whose VPC routers answer for port forwarding themselves: they run a release's own scripts. Those
// of an isolated network's router read its interfaces, of which there are none (configure.py@4.22.0.0, forward_vr): for
// it, and elsewhere, the zone's model answers (Blocked).
type Forwards interface {
	Pushes
	// Forward takes a change to a router. An error is a router that answered result=false.
	Forward(ctx context.Context, f Forward) error
}

// RefusesForward says whether a running router of a network refuses a change of port forwarding. The zone's lock is
// released while one answers for itself.
func RefusesForward(ctx context.Context, mgr *Manager, n *Network, rules []Forwarding) bool {
	to, answers := mgr.Pushes.(Forwards)
	if !answers || n.VPC == nil {
		return mgr.Blocked(n)
	}
	for _, r := range mgr.RoutersOf(n) {
		if r.State != "Running" {
			continue
		}
		mgr.Unlock()
		err := to.Forward(ctx, Forward{Router: r.Name, Rules: rules})
		mgr.Lock()
		if err != nil {
			mgr.Log.Debug("forwarding ports", "router", r.Name, "err", err)
			return true
		}
	}
	return false
}

// Answering says whether the zone's VPC routers answer for port forwarding themselves.
func Answering(mgr *Manager) bool {
	_, answers := mgr.Pushes.(Forwards)
	return answers
}
