package realrouter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/proxy"

	"github.com/stackproof/stackproof/probes/dataplane"
)

// Clients are where requests come from.
type Clients struct {
	dataplane.Dialer
	Addresses []netip.Addr
	About     string
}

// FromAddresses sends from addresses of this machine.
func FromAddresses(words []string) (Clients, error) {
	var c Clients
	for _, w := range words {
		a, err := netip.ParseAddr(w)
		if err != nil {
			return c, fmt.Errorf("clients.addresses: %q is not an address", w)
		}
		c.Addresses = append(c.Addresses, a)
	}
	if len(c.Addresses) < 2 {
		return c, errors.New("clients.addresses: at least 2 addresses of this machine are needed; 31 are usual (ip " +
			"address add)")
	}
	c.Dialer, c.About = local{}, fmt.Sprintf("%d addresses of this machine", len(c.Addresses))
	return c, nil
}

type local struct{}

// Dial implements dataplane.Dialer.
func (local) Dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	return d.DialContext(ctx, "tcp", to.String())
}

// vantages are SOCKS5 proxies. A proxy's own address need not be what backends see, and several may be tunnels on this
// machine, so each has a number in the discard prefix 100::/64 (RFC 6666) in place of an address.
type vantages map[netip.Addr]proxy.ContextDialer

// FromProxies sends through SOCKS5 proxies: host:port, or user:password@host:port.
func FromProxies(words []string) (Clients, error) {
	all := vantages{}
	c := Clients{Dialer: all, About: fmt.Sprintf("%d SOCKS5 vantage points", len(words))}
	for i, w := range words {
		u, err := url.Parse("socks5://" + strings.TrimPrefix(strings.TrimPrefix(w, "socks5://"), "socks5h://"))
		if err != nil || u.Port() == "" || u.Hostname() == "" {
			return c, fmt.Errorf("clients.socks5: number %d is not an address: want host:port or "+
				"user:password@host:port", i+1)
		}
		var auth *proxy.Auth
		if u.User != nil {
			auth = &proxy.Auth{User: u.User.Username()}
			auth.Password, _ = u.User.Password()
		}
		d, err := proxy.SOCKS5("tcp", u.Host, auth, &net.Dialer{})
		if err != nil {
			return c, fmt.Errorf("clients.socks5: number %d: %w", i+1, err)
		}
		through, ok := d.(proxy.ContextDialer)
		if !ok {
			return c, fmt.Errorf("clients.socks5: number %d cannot be used", i+1)
		}
		number := netip.AddrFrom16([16]byte{0: 1, 14: byte((i + 1) >> 8), 15: byte(i + 1)})
		all[number] = through
		c.Addresses = append(c.Addresses, number)
	}
	if len(c.Addresses) < 2 {
		return c, errors.New("clients.socks5: at least 2 vantage points are needed, with addresses of their own")
	}
	return c, nil
}

// Dial implements dataplane.Dialer.
func (v vantages) Dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	through := v[from]
	if through == nil {
		return nil, fmt.Errorf("no vantage point %s", from)
	}
	c, err := through.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, fmt.Errorf("through vantage point %s: %w", from, err)
	}
	return tunnel{c, from}, nil
}

// tunnel is a connection through a vantage point. Whether the vantage points really have addresses of their own is
// decided by what the other end saw (distinct).
type tunnel struct {
	net.Conn
	from netip.Addr
}

// LocalAddr is the vantage point's number.
func (t tunnel) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.AddrPortFrom(t.from, 0)) }
