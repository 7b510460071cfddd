package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// poolBatch is how many sockets one visit to the namespace's thread makes. A visit costs two thread switches, more than
// a whole local connect.
const poolBatch = 64

// socketPool holds unbound, non-blocking TCP sockets of one address family. A socket belongs to the namespace that it
// was made in, so that bind and connect can be done by any thread.
type socketPool struct {
	mu     sync.Mutex
	closed bool
	ready  []int
}

func (p *socketPool) take(ctx context.Context, n *Namespace, family int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return -1, ErrClosed
	}
	if len(p.ready) == 0 {
		if err := n.Do(ctx, func() error { return p.fill(family) }); err != nil {
			return -1, err
		}
	}
	fd := p.ready[len(p.ready)-1]
	p.ready = p.ready[:len(p.ready)-1]
	return fd, nil
}

// fill makes at least one socket or fails: near the limit of open files it gives what it got.
func (p *socketPool) fill(family int) error {
	for range poolBatch {
		fd, err := newSocket(family)
		if err != nil {
			if len(p.ready) > 0 {
				return nil
			}
			return err
		}
		p.ready = append(p.ready, fd)
	}
	return nil
}

func newSocket(family int) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	// The port is chosen at connect, for the whole 4-tuple: an address then has as many ports for each destination.
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil &&
		family == unix.AF_INET {
		_ = unix.Close(fd)
		return -1, os.NewSyscallError("setsockopt IP_BIND_ADDRESS_NO_PORT", err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		_ = unix.Close(fd)
		return -1, os.NewSyscallError("setsockopt TCP_NODELAY", err)
	}
	return fd, nil
}

func (p *socketPool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, fd := range p.ready {
		_ = unix.Close(fd)
	}
	p.ready = nil
}

// Dial opens a TCP connection from inside the namespace with the given source address (the zero Addr leaves the choice
// to the kernel). Only the making of the socket needs the namespace's thread, many dials go on at once.
func (n *Namespace) Dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	c, err := n.dial(ctx, from.Unmap(), netip.AddrPortFrom(to.Addr().Unmap(), to.Port()))
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Source: tcpAddr(netip.AddrPortFrom(from, 0)),
			Addr: tcpAddr(to), Err: err}
	}
	return c, nil
}

func (n *Namespace) dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !to.IsValid() {
		return nil, errors.New("no destination address")
	}
	if from.IsValid() && from.Is4() != to.Addr().Is4() {
		return nil, fmt.Errorf("source %s and destination %s are of different families", from, to)
	}
	family, pool := unix.AF_INET, &n.sockets[0]
	if to.Addr().Is6() {
		family, pool = unix.AF_INET6, &n.sockets[1]
	}
	fd, err := pool.take(ctx, n, family)
	if err != nil {
		return nil, err
	}
	if from.IsValid() {
		if err := unix.Bind(fd, sockaddr(netip.AddrPortFrom(from, 0))); err != nil {
			_ = unix.Close(fd)
			return nil, os.NewSyscallError("bind", err)
		}
	}
	return connect(ctx, fd, to)
}

// connect finishes the handshake and hands the socket over to the runtime's poller. os.File serves here as a connected
// socket because net.FileConn would duplicate the descriptor and ask for both names, four calls more for each
// connection.
func connect(ctx context.Context, fd int, to netip.AddrPort) (net.Conn, error) {
	sa := sockaddr(to)
	err := unix.Connect(fd, sa)
	if errors.Is(err, unix.EINPROGRESS) {
		// On one machine the handshake is often over by now; asking costs less than a round through the poller.
		err = connected(unix.Connect(fd, sa))
	}
	if err != nil && !pending(err) {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("connect", err)
	}
	c := &Conn{file: os.NewFile(uintptr(fd), "tcp"), to: to}
	if err == nil {
		return c, nil
	}
	if err := c.await(ctx, sa); err != nil {
		_ = c.file.Close()
		return nil, err
	}
	return c, nil
}

func pending(err error) bool {
	return errors.Is(err, unix.EALREADY) || errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.EINTR)
}

func connected(err error) error {
	if errors.Is(err, unix.EISCONN) {
		return nil
	}
	return err
}

// await waits until the handshake is over, the context ends or its deadline passes.
func (c *Conn) await(ctx context.Context, sa unix.Sockaddr) error {
	raw, err := c.file.SyscallConn()
	if err != nil {
		return err
	}
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, func() { _ = c.file.SetWriteDeadline(time.Unix(1, 0)) })
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		failed = connected(unix.Connect(int(fd), sa))
		return !pending(failed)
	})
	if !stop() {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	return os.NewSyscallError("connect", failed)
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

func tcpAddr(a netip.AddrPort) net.Addr {
	if !a.Addr().IsValid() {
		return nil
	}
	return net.TCPAddrFromAddrPort(a)
}

// Conn is one TCP connection of Dial.
type Conn struct {
	file *os.File
	to   netip.AddrPort
}

var _ net.Conn = (*Conn)(nil)

// Read reads like a TCP connection: io.EOF after the other side's end, os.ErrDeadlineExceeded after the deadline.
func (c *Conn) Read(p []byte) (int, error) { return c.file.Read(p) }

// Write writes all of p or fails.
func (c *Conn) Write(p []byte) (int, error) { return c.file.Write(p) }

// Close closes the connection in order (FIN).
func (c *Conn) Close() error { return c.file.Close() }

// Abort closes with a reset, which leaves no TIME_WAIT behind. For a connection whose answer is of no interest any
// more.
func (c *Conn) Abort() error {
	err := c.control(func(fd int) error {
		return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	})
	return errors.Join(err, c.file.Close())
}

// CloseWrite sends the end of the stream and leaves the reading side open.
func (c *Conn) CloseWrite() error {
	return c.control(func(fd int) error { return unix.Shutdown(fd, unix.SHUT_WR) })
}

func (c *Conn) control(f func(fd int) error) error {
	raw, err := c.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}

// LocalAddr asks the kernel for the address and port really bound; nil once closed.
func (c *Conn) LocalAddr() net.Addr {
	var sa unix.Sockaddr
	err := c.control(func(fd int) (err error) { sa, err = unix.Getsockname(fd); return err })
	if err != nil {
		return nil
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return tcpAddr(netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)))
	case *unix.SockaddrInet6:
		return tcpAddr(netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port)))
	}
	return nil
}

// RemoteAddr is the address that was dialled.
func (c *Conn) RemoteAddr() net.Addr { return tcpAddr(c.to) }

// SetDeadline bounds reads and writes.
func (c *Conn) SetDeadline(t time.Time) error { return c.file.SetDeadline(t) }

// SetReadDeadline bounds reads.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.file.SetReadDeadline(t) }

// SetWriteDeadline bounds writes.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.file.SetWriteDeadline(t) }

// SyscallConn gives the raw connection, for socket options.
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return c.file.SyscallConn() }
