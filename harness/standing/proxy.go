package standing

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// proxies is how many client addresses a person gets.
const proxies = 5

// connect makes a connection from a client's address to a public address of the zone.
type connect func(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error)

// proxy is a SOCKS5 proxy on loopback (RFC 1928) without authentication whose connections come from one client address.
// It knows CONNECT to IPv4 and IPv6 addresses: the zone's addresses have no names.
type proxy struct {
	connect  connect
	client   netip.Addr
	listener net.Listener
	ctx      context.Context // ends with close
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// greetingLimit is how long a client may take to say where it wants to go.
const greetingLimit = 10 * time.Second

func startProxy(c connect, client netip.Addr) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for requests to routers: %w", err)
	}
	p := &proxy{connect: c, client: client, listener: l, conns: map[net.Conn]bool{}}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.running.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) close() error {
	p.stop()
	err := p.listener.Close()
	p.mu.Lock()
	for c := range p.conns {
		err = errors.Join(err, ignoreClosed(c.Close()))
	}
	p.conns = nil
	p.mu.Unlock()
	p.running.Wait()
	return err
}

// keep remembers a connection so that close can cut it; false when the proxy has been closed.
func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		return false
	}
	p.conns[c] = true
	return true
}

func (p *proxy) drop(c net.Conn) {
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
	_ = c.Close()
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		if !p.keep(c) {
			_ = c.Close()
			return
		}
		p.running.Go(func() { p.serve(c) })
	}
}

// Answers of SOCKS5.
const (
	socksGranted     = 0
	socksUnreachable = 4
	socksRefused     = 7 // command not supported
	socksAddressType = 8 // address type not supported
)

func (p *proxy) serve(c net.Conn) {
	defer p.drop(c)
	_ = c.SetDeadline(time.Now().Add(greetingLimit))
	to, code, err := greet(c)
	if err != nil {
		return
	}
	var far net.Conn
	if code == socksGranted {
		if far, err = p.connect(p.ctx, p.client, to); err != nil {
			code = socksUnreachable
		} else if !p.keep(far) {
			_ = far.Close()
			return
		}
	}
	if far != nil {
		defer p.drop(far)
	}
	if _, err := c.Write([]byte{5, byte(code), 0, 1, 0, 0, 0, 0, 0, 0}); err != nil || far == nil {
		return
	}
	_ = c.SetDeadline(time.Time{})
	pump(c, far)
}

// pump copies both ways until both ends have said all.
func pump(near, far net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0])
			if half, ok := way[1].(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		})
	}
	both.Wait()
}

// greet reads a client's greeting and request: where to, or why not.
func greet(c io.ReadWriter) (to netip.AddrPort, code int, err error) {
	var head [4]byte
	if _, err := io.ReadFull(c, head[:2]); err != nil || head[0] != 5 {
		return to, 0, errors.Join(err, errors.New("no SOCKS5 client"))
	}
	if _, err := io.CopyN(io.Discard, c, int64(head[1])); err != nil {
		return to, 0, err
	}
	if _, err := c.Write([]byte{5, 0}); err != nil {
		return to, 0, err
	}
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return to, 0, err
	}
	var size int
	switch head[3] {
	case 1:
		size = 4
	case 4:
		size = 16
	default:
		return to, socksAddressType, nil
	}
	rest := make([]byte, size+2)
	if _, err := io.ReadFull(c, rest); err != nil {
		return to, 0, err
	}
	ip, _ := netip.AddrFromSlice(rest[:size])
	to = netip.AddrPortFrom(ip, binary.BigEndian.Uint16(rest[size:]))
	if head[1] != 1 {
		return to, socksRefused, nil
	}
	return to, socksGranted, nil
}
