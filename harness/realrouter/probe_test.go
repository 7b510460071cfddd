package realrouter

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/router"
)

// twins is a recorded push whose two rules have the same members; the first is sticky when asked for.
func twins(t *testing.T, sticky, told bool) router.Push {
	t.Helper()
	which := 1
	if sticky {
		which = 2
	}
	p := push(t, which)
	raw := bytes.ReplaceAll(p.Raw, []byte(`"8081"`), []byte(`"8080"`))
	// Port 80 is balanced as HTTP, where backends are told the source.
	if told {
		raw = bytes.Replace(raw, []byte(`"srcPort":"8080"`), []byte(`"srcPort":"80"`), 1)
	}
	same, err := router.ParsePush(raw)
	require.NoError(t, err)
	return same
}

func TestProbesThroughVantagePoints(t *testing.T) {
	f, r := standing(t, "4.20.0.0")
	ctx := t.Context()
	config := dataplane.Config{Seed: 5,
		Control: dataplane.Target{Rule: "192_168_2_5-8082", Address: netip.MustParseAddrPort("192.168.2.5:8082")}}
	all := f.Clients()
	for name, c := range map[string]struct {
		sticky, told bool
		from         func(i int) netip.Addr
		want         dataplane.Verdict
	}{
		"sticky, seen by the table":  {true, false, func(i int) netip.Addr { return all[i] }, dataplane.Sticky},
		"sticky, told":               {true, true, func(i int) netip.Addr { return all[i] }, dataplane.Sticky},
		"not sticky, told":           {false, true, func(i int) netip.Addr { return all[i] }, dataplane.NotSticky},
		"not sticky, seen by nobody": {false, false, func(i int) netip.Addr { return all[i] }, dataplane.Inconclusive},
		"two behind one address": {true, false, func(i int) netip.Addr { return all[max(i, 1)] },
			dataplane.Inconclusive},
		"two behind one, told": {true, true, func(i int) netip.Addr { return all[max(i, 1)] },
			dataplane.Inconclusive},
		"one address, not sticky": {false, false, func(int) netip.Addr { return all[0] }, dataplane.Inconclusive},
		"one, not sticky, told":   {false, true, func(int) netip.Addr { return all[0] }, dataplane.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, f.Push(ctx, "r-4-VM", twins(t, c.sticky, c.told)))
			config.Target = dataplane.Target{Rule: "192_168_2_5-8080",
				Address: netip.MustParseAddrPort("192.168.2.5:8080")}
			if c.told {
				config.Target = dataplane.Target{Rule: "192_168_2_5-80",
					Address: netip.MustParseAddrPort("192.168.2.5:80")}
			}
			var words []string
			for i := range all {
				words = append(words, socks(t, f, c.from(i)))
			}
			var err error
			r.o.Clients, err = FromProxies(words)
			require.NoError(t, err)
			config.Clients = r.Clients()
			o, err := r.Probe(ctx, "r-4-VM", config)
			require.NoError(t, err)
			assert.Equal(t, c.want, o.Verdict, o.String())
			assert.True(t, o.Watched)
		})
	}
}

// socks is a SOCKS5 proxy at 127.0.0.1 that dials from one of the fleet's clients.
func socks(t *testing.T, f *fleet.Fleet, from netip.Addr) string {
	t.Helper()
	ears, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Add(1)
	go func() {
		defer serving.Done()
		for {
			c, err := ears.Accept()
			if err != nil {
				return
			}
			serving.Add(1)
			go func() {
				defer serving.Done()
				defer c.Close()
				serveSocks(f, from, c)
			}()
		}
	}()
	t.Cleanup(func() {
		assert.NoError(t, ears.Close())
		serving.Wait()
	})
	return ears.Addr().String()
}

// serveSocks understands what our client sends: no authentication, CONNECT, an IPv4 address (RFC 1928).
func serveSocks(f *fleet.Fleet, from netip.Addr, c net.Conn) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(c, head); err != nil {
		return
	}
	if _, err := io.CopyN(io.Discard, c, int64(head[1])); err != nil {
		return
	}
	if _, err := c.Write([]byte{5, 0}); err != nil {
		return
	}
	request := make([]byte, 10)
	if _, err := io.ReadFull(c, request); err != nil || request[3] != 1 {
		return
	}
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte(request[4:8])), binary.BigEndian.Uint16(request[8:]))
	up, err := f.Connect(context.Background(), "r-4-VM", from, to)
	if err != nil {
		_, _ = c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	defer up.Close()
	if _, err := c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		return
	}
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(c, up)
		_ = c.Close()
	}()
	_, _ = io.Copy(up, c)
	_ = up.Close()
	<-back
}

func TestClientsAreChecked(t *testing.T) {
	for want, words := range map[string][]string{
		"number 2 is not an address": {"127.0.0.1:1080", "127.0.0.1"},
		"at least 2 vantage points":  {"127.0.0.1:1080"},
	} {
		_, err := FromProxies(words)
		require.ErrorContains(t, err, want)
	}
	_, err := FromProxies([]string{"user:pa:ss@h:1", "sec:ret@h"})
	require.ErrorContains(t, err, "number 2")
	assert.NotContains(t, err.Error(), "ret", "no password in an error")
	for want, words := range map[string][]string{`"here" is not an address`: {"here"},
		"at least 2 addresses": {"192.0.2.1"}} {
		_, err := FromAddresses(words)
		require.ErrorContains(t, err, want)
	}
	c, err := FromAddresses([]string{"127.0.0.2", "127.0.0.3"})
	require.NoError(t, err)
	ears, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ears.Close()
	conn, err := c.Dial(t.Context(), c.Addresses[1], ears.Addr().(*net.TCPAddr).AddrPort())
	require.NoError(t, err)
	defer conn.Close()
	assert.Equal(t, "127.0.0.3", conn.LocalAddr().(*net.TCPAddr).IP.String())
}
