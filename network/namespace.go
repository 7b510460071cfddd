package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// ErrClosed is returned for work given to a namespace after Close.
var ErrClosed = errors.New("network namespace is closed")

// Namespace is an unnamed network namespace held by one OS thread. All methods may be called from any goroutine.
type Namespace struct {
	name    string
	work    chan func()
	closing chan struct{}
	gone    chan struct{}
	once    sync.Once

	fd      netns.NsHandle
	handle  *netlink.Handle
	sockets [2]socketPool
}

// New makes an empty namespace with its loopback up. The name is for messages only; two namespaces may share one.
// It needs CAP_SYS_ADMIN over the user namespace: see Enter.
func New(name string) (*Namespace, error) {
	n := &Namespace{
		name:    name,
		work:    make(chan func()),
		closing: make(chan struct{}),
		gone:    make(chan struct{}),
		fd:      netns.None(),
	}
	ready := make(chan error)
	go n.hold(ready)
	if err := <-ready; err != nil {
		_ = n.Close()
		return nil, fmt.Errorf("network namespace %s: %w", name, err)
	}
	return n, nil
}

// String gives the name that New was called with.
func (n *Namespace) String() string { return n.name }

// hold runs on the namespace's own thread until Close. It returns without unlocking, which ends the thread.
func (n *Namespace) hold(ready chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The runtime never ends the main thread, it would sit in the namespace for ever: take any other one.
		done := make(chan struct{})
		go func() { defer close(done); n.hold(ready) }()
		<-done
		runtime.UnlockOSThread()
		return
	}
	defer close(n.gone)
	err := n.enter()
	ready <- err
	if err != nil {
		return
	}
	for {
		select {
		case f := <-n.work:
			f()
		case <-n.closing:
			return
		}
	}
}

// enter moves the calling thread into a new namespace and sets it up.
func (n *Namespace) enter() error {
	fd, err := netns.New()
	if err != nil {
		return fmt.Errorf("unshare: %w", explain(err))
	}
	n.fd = fd
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink socket: %w", err)
	}
	n.handle = handle
	if err := writeSysctls(); err != nil {
		return err
	}
	lo, err := handle.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	if err := handle.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set loopback up: %w", err)
	}
	return nil
}

// Do runs f on the namespace's thread and returns its error. The context bounds the wait for the thread only; f itself
// always runs to its end. f must not call Do of the same namespace, and a goroutine that f starts is not in the
// namespace.
func (n *Namespace) Do(ctx context.Context, f func() error) error {
	result := make(chan error, 1)
	select {
	case n.work <- func() { result <- f() }:
		return <-result
	case <-n.closing:
		return fmt.Errorf("%s: %w", n.name, ErrClosed)
	case <-ctx.Done():
		return fmt.Errorf("%s: wait for its thread: %w", n.name, context.Cause(ctx))
	}
}

// Start starts cmd inside the namespace. The kernel kills the process (SIGKILL) when the namespace is closed or this
// program dies in whatever way. The caller must call cmd.Wait; a SysProcAttr that the caller set is kept.
func (n *Namespace) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	return n.Do(context.Background(), func() error {
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("start in %s: %w", n.name, err)
		}
		return nil
	})
}

// Listen opens a TCP listener inside the namespace; it and the connections that it accepts are usable from any
// goroutine.
func (n *Namespace) Listen(ctx context.Context, at netip.AddrPort) (net.Listener, error) {
	var l net.Listener
	err := n.Do(ctx, func() error {
		// A local connection needs no keep-alive: it would cost three calls for each one accepted.
		lc := net.ListenConfig{KeepAlive: -1}
		lc.SetMultipathTCP(false)
		var err error
		l, err = lc.Listen(ctx, "tcp", at.String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen in %s: %w", n.name, err)
	}
	return l, nil
}

// Close ends the namespace's thread and kills the processes started in it. Links whose other end lies in another
// namespace vanish with it; sockets still open keep the kernel's namespace, not the thread, alive until they are
// closed.
func (n *Namespace) Close() error {
	var errs []error
	n.once.Do(func() {
		close(n.closing)
		<-n.gone
		for i := range n.sockets {
			n.sockets[i].close()
		}
		if n.handle != nil {
			n.handle.Close()
		}
		if n.fd.IsOpen() {
			errs = append(errs, n.fd.Close())
		}
	})
	return errors.Join(errs...)
}
