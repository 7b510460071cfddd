package router

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// testHost is an unnamed network namespace held by one locked thread, with every address on its loopback link.
type testHost struct {
	work chan func()
	mu   sync.Mutex
	has  map[netip.Addr]bool
}

func needHAProxy(tb testing.TB) {
	tb.Helper()
	if _, err := FindHAProxy(""); err != nil {
		tb.Skip(err)
	}
}

func newTestHost(tb testing.TB) *testHost {
	tb.Helper()
	needHAProxy(tb)
	h := &testHost{work: make(chan func()), has: map[netip.Addr]bool{}}
	ready := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		ready <- func() error {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return err
			}
			lo, err := netlink.LinkByName("lo")
			if err != nil {
				return err
			}
			return netlink.LinkSetUp(lo)
		}()
		for f := range h.work {
			f()
		}
	}()
	tb.Cleanup(func() {
		close(h.work)
		<-ended
	})
	if err := <-ready; errors.Is(err, unix.EPERM) {
		tb.Skipf("no network namespace without root or a user namespace: %v", err)
	} else {
		require.NoError(tb, err)
	}
	return h
}

// do runs f inside the namespace.
func (h *testHost) do(f func() error) error {
	result := make(chan error, 1)
	h.work <- func() { result <- f() }
	return <-result
}

func (h *testHost) Start(cmd *exec.Cmd) error { return h.do(cmd.Start) }

func (h *testHost) EnsureAddress(_ context.Context, addr netip.Addr) error {
	return h.do(func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.has[addr] {
			return nil
		}
		h.has[addr] = true
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		one := &netlink.Addr{IPNet: netlink.NewIPNet(addr.AsSlice())}
		if addr.Is6() {
			one.Flags = unix.IFA_F_NODAD
		}
		return netlink.AddrAdd(lo, one)
	})
}

// backend answers every connection with its own address, until the test ends.
func (h *testHost) backend(tb testing.TB, address string) {
	tb.Helper()
	addr := netip.MustParseAddrPort(address)
	require.NoError(tb, h.EnsureAddress(tb.Context(), addr.Addr()))
	var listener net.Listener
	require.NoError(tb, h.do(func() (err error) {
		listener, err = net.Listen("tcp", address)
		return err
	}))
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, address)
			_ = conn.Close()
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
}

// dial connects from a source address and gives what the backend says.
func (h *testHost) dial(from, to string) (answer string, err error) {
	source := netip.MustParseAddr(from)
	if err := h.EnsureAddress(context.Background(), source); err != nil {
		return "", err
	}
	err = h.do(func() error {
		dialer := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: source.AsSlice()}}
		conn, err := dialer.Dial("tcp", to)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			return err
		}
		data, err := io.ReadAll(conn)
		answer = string(data)
		return err
	})
	return answer, err
}

// moved counts the clients out of n whose second connection reaches another backend than the first.
func (h *testHost) moved(tb testing.TB, to string, n int) int {
	tb.Helper()
	firsts := make([]string, n)
	moved := 0
	for round := range 2 {
		for i := range n {
			// One more client in between keeps round robin from falling into step with the number of clients.
			answer, err := h.dial(fmt.Sprintf("10.9.0.%d", i+1), to)
			require.NoError(tb, err)
			require.NotEmpty(tb, answer, "no backend behind %s", to)
			if round == 0 {
				firsts[i] = answer
			} else if firsts[i] != answer {
				moved++
			}
		}
		if round == 0 {
			_, err := h.dial("10.9.1.1", to)
			require.NoError(tb, err)
		}
	}
	return moved
}

func newTestRouter(tb testing.TB, h Host, o Options) *Router {
	tb.Helper()
	if o.Dir == "" {
		o.Dir = tb.TempDir()
	}
	o.Name, o.Host = "r-3-VM", h
	r, err := New(o)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, r.Close()) })
	return r
}

// eventually waits for a condition and fails with its last observation.
func eventually(tb testing.TB, what string, f func() (bool, string)) {
	tb.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		ok, seen := f()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%s did not come about; last seen: %s", what, seen)
		}
		<-tick.C
	}
}
