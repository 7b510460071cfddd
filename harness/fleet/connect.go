package fleet

import (
	"context"
	"net"
	"net/netip"
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
