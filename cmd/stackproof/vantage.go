package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"

	"github.com/vishvananda/netns"

	"github.com/stackproof/stackproof/harness/realrouter"
	"github.com/stackproof/stackproof/probes/dataplane"
)

// vantage is where the requests of a probe come from.
type vantage struct {
	dataplane.Dialer
	addresses []netip.Addr
	names     map[netip.Addr]string // where an address is only a number
	// assumed says that nobody can tell here whether the clients have addresses of their own.
	assumed bool
}

// mostClients bounds a range of addresses.
const mostClients = 4096

// parseVantage reads the words of --from: addresses and ranges of this machine, netns:NAME, or socks5://HOST:PORT. They
// are all of one kind.
func parseVantage(words []string) (vantage, error) {
	kinds := map[string][]string{}
	for _, w := range words {
		switch {
		case strings.HasPrefix(w, "netns:"):
			kinds["netns"] = append(kinds["netns"], strings.TrimPrefix(w, "netns:"))
		case strings.HasPrefix(w, "socks5://"), strings.HasPrefix(w, "socks5h://"):
			kinds["socks5"] = append(kinds["socks5"], w)
		default:
			kinds["address"] = append(kinds["address"], w)
		}
	}
	if len(kinds) > 1 {
		return vantage{}, errors.New("addresses, namespaces and SOCKS5 proxies cannot be mixed")
	}
	switch {
	case kinds["netns"] != nil:
		return inNamespaces(kinds["netns"]), nil
	case kinds["socks5"] != nil:
		return throughProxies(kinds["socks5"])
	}
	return fromAddresses(kinds["address"])
}

func fromAddresses(words []string) (vantage, error) {
	var v vantage
	for _, w := range words {
		first, last, isRange := strings.Cut(w, "-")
		from, err := netip.ParseAddr(first)
		if err != nil {
			return v, fmt.Errorf("%q is no address, range of addresses, netns:NAME or socks5://HOST:PORT", w)
		}
		to := from
		if isRange {
			if to, err = netip.ParseAddr(last); err != nil || to.Less(from) || to.Is4() != from.Is4() {
				return v, fmt.Errorf("%q is no range: want FIRST-LAST", w)
			}
		}
		for a := from; a.IsValid() && !to.Less(a); a = a.Next() {
			if v.addresses = append(v.addresses, a); len(v.addresses) > mostClients {
				return v, fmt.Errorf("%q: more than %d clients", w, mostClients)
			}
		}
	}
	texts := make([]string, len(v.addresses))
	for i, a := range v.addresses {
		texts[i] = a.String()
	}
	if len(texts) < 2 {
		return v, errors.New("at least 2 clients are needed; 31 are usual")
	}
	clients, err := realrouter.FromAddresses(texts)
	v.Dialer = clients.Dialer
	return v, err
}

// have says which address of this machine it does not have: nothing could be asked from there.
func (v vantage) have(ctx context.Context) error {
	if v.assumed { // proxies and namespaces are numbers here
		return nil
	}
	var config net.ListenConfig
	for _, a := range v.addresses {
		l, err := config.Listen(ctx, "tcp", netip.AddrPortFrom(a, 0).String())
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			return fmt.Errorf("this machine does not have the address %s: add it (ip address add), or name others", a)
		}
		if err == nil {
			err = l.Close()
		}
		if err != nil {
			return fmt.Errorf("address %s: %w", a, err)
		}
	}
	return nil
}

func throughProxies(words []string) (vantage, error) {
	clients, err := realrouter.FromProxies(words)
	if err != nil {
		return vantage{}, err
	}
	v := vantage{Dialer: clients.Dialer, addresses: clients.Addresses, names: map[netip.Addr]string{}, assumed: true}
	for i, a := range clients.Addresses {
		v.names[a] = fmt.Sprintf("proxy %d", i+1) // a proxy's address may hold its password
	}
	return v, nil
}

// namespaces are vantage points in network namespaces of this machine (ip netns). Each has a number in the discard
// prefix 100::/64 (RFC 6666), since several may have the same address.
type namespaces map[netip.Addr]string

func inNamespaces(names []string) vantage {
	all := namespaces{}
	v := vantage{Dialer: all, names: map[netip.Addr]string{}, assumed: true}
	for i, name := range names {
		number := netip.AddrFrom16([16]byte{0: 1, 14: byte((i + 1) >> 8), 15: byte(i + 1)})
		all[number] = name
		v.names[number] = "netns " + name
		v.addresses = append(v.addresses, number)
	}
	return v
}

// Dial implements dataplane.Dialer. A socket belongs for ever to the namespace in which it was made.
func (n namespaces) Dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	type dialled struct {
		conn net.Conn
		err  error
	}
	done := make(chan dialled, 1)
	go func() {
		// The thread is not handed back: it ends with this goroutine, and its namespace with it.
		runtime.LockOSThread()
		conn, err := dialIn(ctx, n[from], to)
		done <- dialled{conn, err}
	}()
	d := <-done
	return d.conn, d.err
}

func dialIn(ctx context.Context, name string, to netip.AddrPort) (net.Conn, error) {
	handle, err := netns.GetFromName(name)
	if err != nil {
		return nil, fmt.Errorf("network namespace %s: %w", name, err)
	}
	err = netns.Set(handle)
	if err := errors.Join(err, handle.Close()); err != nil {
		return nil, fmt.Errorf("network namespace %s: %w", name, err)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", to.String())
}

// secured speaks TLS over another dialer's connections. Certificates are not judged: they are looked at.
type secured struct {
	dataplane.Dialer
	config *tls.Config
}

func newSecured(d dataplane.Dialer, serverName string) secured {
	return secured{
		d,
		&tls.Config{ServerName: serverName, InsecureSkipVerify: true},
	} // who answers is the question, not whether to trust
}

// Dial implements dataplane.Dialer.
func (s secured) Dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	plain, err := s.Dialer.Dial(ctx, from, to)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(plain, s.config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("TLS with %s: %w", to, err), plain.Close())
	}
	return conn, nil
}

// name is how a client is called.
func (v vantage) name(client string) string {
	if a, err := netip.ParseAddr(client); err == nil && v.names[a] != "" {
		return v.names[a]
	}
	return client
}

// doubt says why the clients may share an address; empty when each is known to have its own.
func (v vantage) doubt(o dataplane.Observation) string {
	if !v.assumed || o.Method == dataplane.ByCookie || o.Sources.Told == o.Clients && o.Sources.Distinct == o.Clients {
		return ""
	}
	return "the backends did not tell whose requests they got, so it is not known whether these vantage points " +
		"reach the load balancer from different addresses"
}
