package fleet

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"

	"github.com/stackproof/stackproof/router"
)

// Connect implements harness.Connector: one connection from a client's address to a rule of the router.
func (f *Fleet) Connect(ctx context.Context, name string, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	v, err := f.looked(ctx, name)
	if err != nil {
		return nil, err
	}
	clients := v.site.Clients
	v.mu.Unlock()
	return f.faults.Dialer(v, clients).Dial(ctx, from, to)
}

// Admin asks a router's HAProxy.
func (f *Fleet) Admin(_ context.Context, name string) (router.Ask, error) {
	v := f.find(name)
	if v == nil {
		return nil, fmt.Errorf("no push has reached router %s", name)
	}
	return v.machine.Admin, nil
}

// ConnectAt is Connect for somebody who knows the public address only: the router is the first, by name, whose newest
// push has a live rule there.
func (f *Fleet) ConnectAt(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	f.mu.Lock()
	names := slices.Sorted(maps.Keys(f.routers))
	all := maps.Clone(f.routers)
	f.mu.Unlock()
	for _, name := range names {
		if balances(all[name].Newest(), to) {
			return f.Connect(ctx, name, from, to)
		}
	}
	return nil, fmt.Errorf("no router has a load balancer rule at %s", to)
}

func balances(p router.Push, at netip.AddrPort) bool {
	return slices.ContainsFunc(p.LoadBalancers, func(lb router.LoadBalancer) bool {
		return !lb.Revoked && lb.SrcIP == at.Addr().String() && lb.SrcPort == int(at.Port())
	})
}
