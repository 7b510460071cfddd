package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// defaultClients is N of the stickiness probe: coprime to every usual number of backends.
const defaultClients = 31

// transfer is the addresses of one of the two transfer links. They never leave a site, so that every site has the same
// ones; 169.254 and fd00:0:0:fffe keep clear of the private networks that a zone gives its guests.
type transfer struct{ router, peer, router6, peer6 string }

func guestLink() transfer {
	return transfer{router: "169.254.252.1", peer: "169.254.252.2", router6: "fd00:0:0:fffe::1",
		peer6: "fd00:0:0:fffe::2"}
}

func clientLink() transfer {
	return transfer{router: "169.254.253.1", peer: "169.254.253.2", router6: "fd00:0:0:fffd::1",
		peer6: "fd00:0:0:fffd::2"}
}

// SiteOptions says how a site is made. The zero value is usable.
type SiteOptions struct {
	// Name is used in messages.
	Name string
	// ClientAddresses are the sources that clients may dial from; nil means 31 of 198.18.0.0/15 (RFC 2544).
	ClientAddresses []netip.Addr
}

// Site is one router with its guests and its clients: three namespaces, two veth pairs, no address translation. Sites
// share nothing, their guest networks may overlap.
//
//	clients ──198.18.x.y── router ──guest members── guests
//	                       (public addresses, HAProxy)
type Site struct {
	Router  *Namespace
	Guests  *Namespace
	Clients *Namespace

	name string

	mu        sync.Mutex
	addresses []netip.Addr
}

// DefaultClientAddresses gives n addresses of 198.18.0.0/15, from 198.18.0.1 on; n is at most 131070.
func DefaultClientAddresses(n int) []netip.Addr {
	addresses := make([]netip.Addr, 0, n)
	for a := netip.MustParseAddr("198.18.0.1"); len(addresses) < n; a = a.Next() {
		addresses = append(addresses, a)
	}
	return addresses
}

// NewSite builds the site. Close must be called also by a caller that never used it.
func NewSite(ctx context.Context, options SiteOptions) (*Site, error) {
	if options.ClientAddresses == nil {
		options.ClientAddresses = DefaultClientAddresses(defaultClients)
	}
	s := &Site{name: options.Name}
	if err := s.build(ctx, options); err != nil {
		return nil, errors.Join(fmt.Errorf("site %s: %w", options.Name, err), s.Close())
	}
	return s, nil
}

func (s *Site) build(ctx context.Context, options SiteOptions) error {
	var err error
	if s.Router, err = New(s.name + " router"); err != nil {
		return err
	}
	if s.Guests, err = New(s.name + " guests"); err != nil {
		return err
	}
	if s.Clients, err = New(s.name + " clients"); err != nil {
		return err
	}
	if err := s.join(s.Guests, "guests", guestLink()); err != nil {
		return err
	}
	if err := s.join(s.Clients, "clients", clientLink()); err != nil {
		return err
	}
	// The router knows its clients one by one (EnsureClient); everything else is a guest network.
	for _, gateway := range []string{guestLink().peer, guestLink().peer6} {
		if err := s.Router.route(netip.Prefix{}, netip.MustParseAddr(gateway), "guests"); err != nil {
			return err
		}
	}
	if err := s.Guests.refuseForeign("router"); err != nil {
		return err
	}
	for _, a := range options.ClientAddresses {
		if err := s.EnsureClient(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// join makes the veth pair between the router and a peer, with one end in each namespace from the start, and the peer's
// default route.
func (s *Site) join(peer *Namespace, name string, t transfer) error {
	// On the router the link is called after the peer, on the peer "router". Never eth*, which CloudStack's scripts
	// would take for a network of the zone.
	veth := netlink.NewVeth(netlink.NewLinkAttrs())
	veth.Name, veth.PeerName, veth.PeerNamespace = name, "router", netlink.NsFd(int(peer.fd))
	if err := s.Router.handle.LinkAdd(veth); err != nil {
		return fmt.Errorf("add link router-%s: %w", name, err)
	}
	ends := []struct {
		n               *Namespace
		link, v4, v6    string
		gateway, gateV6 string
	}{
		{n: s.Router, link: name, v4: t.router, v6: t.router6},
		{n: peer, link: "router", v4: t.peer, v6: t.peer6, gateway: t.router, gateV6: t.router6},
	}
	for _, e := range ends {
		if err := e.n.raise(e.link, e.v4+"/30", e.v6+"/64"); err != nil {
			return err
		}
		for _, gateway := range []string{e.gateway, e.gateV6} {
			if gateway == "" {
				continue
			}
			if err := e.n.route(netip.Prefix{}, netip.MustParseAddr(gateway), e.link); err != nil {
				return err
			}
		}
	}
	return nil
}

// raise gives a link its addresses and sets it up.
func (n *Namespace) raise(name string, addresses ...string) error {
	link, err := n.handle.LinkByName(name)
	if err != nil {
		return fmt.Errorf("%s: find link %s: %w", n.name, name, err)
	}
	if err := n.handle.LinkSetUp(link); err != nil {
		return fmt.Errorf("%s: set %s up: %w", n.name, name, err)
	}
	for _, a := range addresses {
		p := netip.MustParsePrefix(a)
		addr := &netlink.Addr{IPNet: prefixNet(p)}
		if p.Addr().Is6() {
			addr.Flags = unix.IFA_F_NODAD
		}
		err := n.handle.AddrReplace(link, addr)
		if err != nil && (!p.Addr().Is6() || !noFamily(err)) {
			return fmt.Errorf("%s: address %s on %s: %w", n.name, a, name, err)
		}
	}
	return nil
}

// route sends a prefix (the zero Prefix: everything of the gateway's family) through a gateway.
func (n *Namespace) route(to netip.Prefix, gateway netip.Addr, link string) error {
	l, err := n.handle.LinkByName(link)
	if err != nil {
		return fmt.Errorf("%s: find link %s: %w", n.name, link, err)
	}
	r := &netlink.Route{LinkIndex: l.Attrs().Index, Gw: gateway.AsSlice()}
	if to.IsValid() {
		r.Dst = prefixNet(to)
	}
	err = n.handle.RouteReplace(r)
	if err != nil && (!gateway.Is6() || !noFamily(err)) {
		return fmt.Errorf("%s: route %s via %s: %w", n.name, to, gateway, err)
	}
	return nil
}

// noFamily recognises a kernel without IPv6.
func noFamily(err error) bool {
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EACCES) ||
		errors.Is(err, unix.ENODEV)
}

// foreignTable is the routing table of packets that came in for an address that is not here.
const foreignTable = 100

// refuseForeign answers "host unreachable" to a packet from the link for an address that is not here, as a network
// answers for a machine that is gone. Without it the packet would go round in circles and the connection hang.
func (n *Namespace) refuseForeign(link string) error {
	for _, everything := range []string{"0.0.0.0/0", "::/0"} {
		p := netip.MustParsePrefix(everything)
		rule := netlink.NewRule()
		rule.Family, rule.IifName, rule.Priority, rule.Table = unix.AF_INET, link, foreignTable, foreignTable
		if p.Addr().Is6() {
			rule.Family = unix.AF_INET6
		}
		err := n.handle.RouteReplace(&netlink.Route{Dst: prefixNet(p), Type: unix.RTN_UNREACHABLE, Table: foreignTable})
		if err == nil {
			err = n.handle.RuleAdd(rule)
		}
		if err != nil && (!p.Addr().Is6() || !noFamily(err)) {
			return fmt.Errorf("%s: refuse unknown addresses: %w", n.name, err)
		}
	}
	return nil
}

// EnsureClient adds a source address for clients and the router's way back to it. It may be called again.
func (s *Site) EnsureClient(ctx context.Context, a netip.Addr) error {
	if err := s.Clients.EnsureAddress(ctx, a); err != nil {
		return err
	}
	a = a.Unmap()
	gateway := netip.MustParseAddr(clientLink().peer)
	if a.Is6() {
		gateway = netip.MustParseAddr(clientLink().peer6)
	}
	if err := s.Router.route(netip.PrefixFrom(a, a.BitLen()), gateway, "clients"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.addresses, a) {
		s.addresses = append(s.addresses, a)
	}
	return nil
}

// ClientAddresses are the sources that the site has, in the order in which they were added.
func (s *Site) ClientAddresses() []netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.addresses)
}

// Close closes the three namespaces and kills what runs in them. Backends must be closed before, by their own Close.
func (s *Site) Close() error {
	var errs []error
	for _, n := range []*Namespace{s.Clients, s.Guests, s.Router} {
		if n != nil {
			errs = append(errs, n.Close())
		}
	}
	return errors.Join(errs...)
}
