package network

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// privileged skips where network namespaces cannot be made.
func privileged(t testing.TB) {
	t.Helper()
	if err := Check(); err != nil {
		t.Skip(err)
	}
}

// newSite makes a site that the test's end closes.
func newSite(t testing.TB, name string, clients int) *Site {
	t.Helper()
	privileged(t)
	s, err := NewSite(t.Context(), SiteOptions{Name: name, ClientAddresses: DefaultClientAddresses(clients)})
	if s != nil {
		t.Cleanup(func() { require.NoError(t, s.Close()) })
	}
	require.NoError(t, err)
	return s
}

func newBackends(t testing.TB, s *Site, members ...string) *Backends {
	t.Helper()
	b := s.Backends()
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	require.NoError(t, b.SetMembers(t.Context(), addrPorts(members...)))
	return b
}

func addrPorts(list ...string) []netip.AddrPort {
	var out []netip.AddrPort
	for _, s := range list {
		out = append(out, netip.MustParseAddrPort(s))
	}
	return out
}

// get sends one request and gives the whole answer.
func get(ctx context.Context, n *Namespace, from, to, head string) (string, error) {
	c, err := n.Dial(ctx, netip.MustParseAddr(from), netip.MustParseAddrPort(to))
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, head+"GET / HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	b, err := io.ReadAll(c)
	return string(b), err
}

// openNamespaces walks this process's threads and descriptors as lsns does, and gives every network namespace held.
func openNamespaces(t testing.TB) map[string]bool {
	t.Helper()
	held := map[string]bool{}
	for _, pattern := range []string{"/proc/self/task/*/ns/net", "/proc/self/fd/*"} {
		paths, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, p := range paths {
			if target, err := os.Readlink(p); err == nil && strings.HasPrefix(target, "net:[") {
				held[target] = true
			}
		}
	}
	return held
}

// eventually waits for a condition; the failure carries the last observation.
func eventually(t testing.TB, what string, f func() (string, bool)) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		last, ok := f()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s; last seen: %s", what, last)
		}
		<-tick.C
	}
}

func linkNames(t testing.TB) []string {
	t.Helper()
	links, err := net.Interfaces()
	require.NoError(t, err)
	var names []string
	for _, l := range links {
		names = append(names, fmt.Sprint(l.Index, l.Name))
	}
	return names
}
