package network

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEachSideReachesTheOthers(t *testing.T) {
	s := newSite(t, "reach", 2)
	newBackends(t, s, "10.1.1.10:8080")
	require.NoError(t, s.Router.EnsureAddress(t.Context(), netip.MustParseAddr("203.0.113.7")))
	public := NewBackends(s.Router)
	t.Cleanup(func() { require.NoError(t, public.Close()) })
	require.NoError(t, public.SetMembers(t.Context(), addrPorts("203.0.113.7:80")))

	for _, c := range []struct {
		name     string
		from     *Namespace
		src, dst string
	}{
		{"client to guest", s.Clients, "198.18.0.2", "10.1.1.10:8080"},
		{"client to router", s.Clients, "198.18.0.1", "203.0.113.7:80"},
		{"router to guest", s.Router, "203.0.113.7", "10.1.1.10:8080"},
		{"guest to router", s.Guests, "10.1.1.10", "203.0.113.7:80"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, err := get(t.Context(), c.from, c.src, c.dst, "")
			require.NoError(t, err)
			require.Contains(t, answer, "backend "+c.dst+"\n")
			require.Contains(t, answer, "source "+c.src+"\nvia connection\n")
		})
	}
}

func TestIPv6(t *testing.T) {
	s := newSite(t, "six", 1)
	require.NoError(t, s.EnsureClient(t.Context(), netip.MustParseAddr("2001:db8::5")))
	newBackends(t, s, "[fd10::1]:80")
	answer, err := get(t.Context(), s.Clients, "2001:db8::5", "[fd10::1]:80", "")
	require.NoError(t, err)
	require.Contains(t, answer, "source 2001:db8::5\n")
}

func TestOverlappingGuestNetworksNeverMeet(t *testing.T) {
	one, two := newSite(t, "one", 1), newSite(t, "two", 1)
	first := newBackends(t, one, "10.1.1.10:80")
	second := newBackends(t, two, "10.1.1.10:80", "10.1.1.11:80")
	_, err := get(t.Context(), one.Clients, "198.18.0.1", "10.1.1.10:80", "")
	require.NoError(t, err)
	require.EqualValues(t, 1, first.Members()[0].Requests)
	require.EqualValues(t, 0, second.Members()[0].Requests)

	_, err = get(t.Context(), one.Clients, "198.18.0.1", "10.1.1.11:80", "")
	require.ErrorIs(t, err, syscall.EHOSTUNREACH, "a member of the other site answered or the packet was dropped")
}

func TestCloseLeavesNothing(t *testing.T) {
	privileged(t)
	var namespacesBefore map[string]bool
	eventually(t, "namespaces of earlier tests gone", func() (string, bool) {
		namespacesBefore = openNamespaces(t)
		return fmt.Sprint(namespacesBefore), len(namespacesBefore) == 1
	})
	linksBefore := linkNames(t)

	s, err := NewSite(t.Context(), SiteOptions{Name: "brief"})
	require.NoError(t, err)
	b := s.Backends()
	require.NoError(t, b.SetMembers(t.Context(), addrPorts("10.1.1.1:80")))
	c, err := s.Clients.Dial(t.Context(), s.ClientAddresses()[30], netip.MustParseAddrPort("10.1.1.1:80"))
	require.NoError(t, err)
	cmd := exec.Command("sleep", "1000")
	require.NoError(t, s.Router.Start(cmd))
	require.Len(t, openNamespaces(t), 4, "this walk does not see the site's namespaces")
	require.Equal(t, linksBefore, linkNames(t), "the site changed the links of the process's own namespace")

	require.NoError(t, c.Close())
	require.NoError(t, b.Close())
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "second close")
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())
	eventually(t, "namespaces gone", func() (string, bool) {
		now := openNamespaces(t)
		return fmt.Sprint(now), len(now) == 1
	})
	require.Equal(t, linksBefore, linkNames(t))
	_, err = s.Router.Dial(t.Context(), netip.Addr{}, netip.MustParseAddrPort("10.1.1.1:80"))
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, s.Router.EnsureAddress(t.Context(), netip.MustParseAddr("10.0.0.1")), ErrClosed)
}

func TestDialErrors(t *testing.T) {
	s := newSite(t, "errors", 1)
	b := newBackends(t, s, "10.1.1.1:80")
	require.NoError(t, b.StopMember(netip.MustParseAddrPort("10.1.1.1:80")))
	client := s.ClientAddresses()[0]
	for _, c := range []struct {
		name string
		from netip.Addr
		to   string
		want error
	}{
		{"stopped member", client, "10.1.1.1:80", syscall.ECONNREFUSED},
		{"nobody's address", client, "10.1.1.2:80", syscall.EHOSTUNREACH},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.Clients.Dial(t.Context(), c.from, netip.MustParseAddrPort(c.to))
			require.ErrorIs(t, err, c.want)
			var op *net.OpError
			require.ErrorAs(t, err, &op)
		})
	}
	t.Run("context ends while connecting", func(t *testing.T) {
		// A full accept queue of a listener that never accepts makes the kernel drop the handshake.
		l, err := s.Guests.Listen(t.Context(), netip.MustParseAddrPort("10.1.1.1:81"))
		require.NoError(t, err)
		defer func() { require.NoError(t, l.Close()) }()
		require.NoError(t, setBacklog(l, 0))
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		for {
			c, err := s.Clients.Dial(ctx, client, netip.MustParseAddrPort("10.1.1.1:81"))
			if err != nil {
				require.ErrorIs(t, err, context.DeadlineExceeded)
				break
			}
			defer func() { _ = c.Close() }()
		}
	})
}

func setBacklog(l net.Listener, n int) error {
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = syscall.Listen(int(fd), n) }); err != nil {
		return err
	}
	return failed
}

func TestEnsureAddressIsIdempotent(t *testing.T) {
	privileged(t)
	n, err := New("addresses")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	a := netip.MustParseAddr("203.0.113.9")
	for range 2 {
		require.NoError(t, n.EnsureAddress(t.Context(), a))
	}
	out := ipAddresses(t, n)
	require.Equal(t, 1, strings.Count(out, "203.0.113.9/32"), out)
	for range 2 {
		require.NoError(t, n.RemoveAddress(t.Context(), a))
	}
	require.NotContains(t, ipAddresses(t, n), "203.0.113.9")
	require.ErrorContains(t, n.EnsureAddress(t.Context(), netip.Addr{}), "not an address")
}

func ipAddresses(t testing.TB, n *Namespace) string {
	t.Helper()
	var list []string
	require.NoError(t, n.Do(t.Context(), func() error {
		addresses, err := net.InterfaceAddrs()
		for _, a := range addresses {
			list = append(list, a.String())
		}
		return err
	}))
	return strings.Join(list, "\n")
}
