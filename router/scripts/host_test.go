package scripts

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
)

var backendLine = regexp.MustCompile(`(?m)^backend (\S+)`)

// answering gives the backend that a new connection lands on.
func answering(ctx context.Context, n *network.Namespace, from netip.Addr, to netip.AddrPort) (string, error) {
	conn, err := n.Dial(ctx, from, to)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		return "", err
	}
	m := backendLine.FindSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("no backend named in %q", text)
	}
	return string(m[1]), nil
}

// moved counts the clients that a second and third pass sends elsewhere than the first.
func moved(tb testing.TB, s *network.Site, port uint16) int {
	tb.Helper()
	to := netip.AddrPortFrom(netip.MustParseAddr("192.168.2.5"), port)
	clients := s.ClientAddresses()
	home, away := map[netip.Addr]string{}, map[netip.Addr]bool{}
	for range 3 {
		for _, c := range clients {
			got, err := answering(tb.Context(), s.Clients, c, to)
			require.NoError(tb, err)
			if home[c] == "" {
				home[c] = got
			}
			away[c] = away[c] || home[c] != got
		}
	}
	n := 0
	for _, gone := range away {
		if gone {
			n++
		}
	}
	return n
}

// The scripts' HAProxy stands between real clients and real backends, in the namespace that the caller gives.
func TestClientsOfARouterWithRealScripts(t *testing.T) {
	t.Parallel()
	s, err := network.NewSite(t.Context(), network.SiteOptions{Name: "scripts",
		ClientAddresses: network.DefaultClientAddresses(7)})
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	b := s.Backends()
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	var members []netip.AddrPort
	for _, port := range []uint16{8080, 8082} {
		for i := range 3 {
			members = append(members, netip.MustParseAddrPort(fmt.Sprintf("10.0.1.%d:%d", 11+i, port)))
		}
	}
	require.NoError(t, b.SetMembers(t.Context(), members))

	o := setTree(t)
	o.Host = s.Router
	v := open(t, o)
	first := apply(t, v, pushOf(t, sticky(8080), plain(8082)), Direct)
	require.Equal(t, router.ActionReload, first.Action, "%+v", first)
	assert.Zero(t, moved(t, s, 8080), "the sticky rule's clients")
	assert.NotZero(t, moved(t, s, 8082), "the control's clients")

	masked := apply(t, v, pushOf(t, sticky(8080), sticky(8082)), Direct)
	require.True(t, masked.Masked())
	assert.NotZero(t, moved(t, s, 8082), "the policy never reached HAProxy")

	other := sticky(8082)
	other.servers = 2
	whole := apply(t, v, pushOf(t, sticky(8080), other), Direct)
	require.Equal(t, router.ActionReload, whole.Action)
	assert.Zero(t, moved(t, s, 8080))
	assert.Zero(t, moved(t, s, 8082), "right after the reload no former worker may answer")
}
