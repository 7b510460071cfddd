package network

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBackendAnswers(t *testing.T) {
	s := newSite(t, "answers", 1)
	b := newBackends(t, s, "10.1.1.1:80")
	for _, c := range []struct{ name, head, want string }{
		{"plain", "", "source 198.18.0.1\nvia connection\n"},
		{"proxy line", "PROXY TCP4 198.51.100.9 203.0.113.1 1234 80\r\n", "source 198.51.100.9\nvia proxy\n"},
		{"proxy line of unknown origin", "PROXY UNKNOWN\r\n", "source 198.18.0.1\nvia connection\n"},
		{"forwarded", "GET /one HTTP/1.1\r\nX-Forwarded-For: 1.2.3.4\r\nx-forwarded-for: 5.6.7.8, 9.9.9.9\r\n\r\n",
			"source 9.9.9.9\nvia x-forwarded-for\n"},
		{"protocol", "GET /one HTTP/1.1\r\nX-Forwarded-Proto: http\r\nx-forwarded-proto: https\r\n\r\n",
			"source 198.18.0.1\nvia connection\nproto http, https\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, err := get(t.Context(), s.Clients, "198.18.0.1", "10.1.1.1:80", c.head)
			require.NoError(t, err)
			require.Contains(t, answer, "HTTP/1.1 200 OK\r\n")
			require.Contains(t, answer, "backend 10.1.1.1:80\n")
			require.Contains(t, answer, c.want)
		})
	}
	require.Equal(t, map[string]int64{"198.18.0.1": 5, "198.51.100.9": 1, "9.9.9.9": 1}, b.Sources())
}

func TestBackendKeepsConnections(t *testing.T) {
	s := newSite(t, "keep", 1)
	b := newBackends(t, s, "10.1.1.1:80")
	c, err := s.Clients.Dial(t.Context(), s.ClientAddresses()[0], netip.MustParseAddrPort("10.1.1.1:80"))
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	// Two requests in one packet, the first with a body, and a third that closes.
	_, err = io.WriteString(c, "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n")
	require.NoError(t, err)
	r := bufio.NewReader(c)
	read := func() bool {
		answer, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.True(t, strings.HasPrefix(string(body), "backend 10.1.1.1:80\n"), string(body))
		return answer.Close
	}
	require.False(t, read())
	require.False(t, read())
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	require.True(t, read())
	_, err = r.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	require.EqualValues(t, 3, b.Members()[0].Requests)
}

func TestChecksAreNotRequests(t *testing.T) {
	s := newSite(t, "checks", 1)
	b := newBackends(t, s, "10.1.1.1:80")
	c, err := s.Clients.Dial(t.Context(), s.ClientAddresses()[0], netip.MustParseAddrPort("10.1.1.1:80"))
	require.NoError(t, err)
	require.NoError(t, c.(*Conn).Abort())
	answer, err := get(t.Context(), s.Clients, "198.18.0.1", "10.1.1.1:80", "OPTIONS / HTTP/1.0\r\n\r\n")
	require.NoError(t, err)
	require.Contains(t, answer, "200 OK")
	require.Zero(t, b.Members()[0].Requests)
}

func TestSetMembers(t *testing.T) {
	s := newSite(t, "members", 1)
	b := newBackends(t, s, "10.1.1.1:80", "10.1.1.1:81", "10.1.1.2:80")
	ask := func(to string) error {
		_, err := get(t.Context(), s.Clients, "198.18.0.1", to, "")
		return err
	}
	require.NoError(t, ask("10.1.1.1:80"))
	require.NoError(t, b.SetMembers(t.Context(), addrPorts("10.1.1.1:80", "10.1.1.3:80")))
	require.NoError(t, ask("10.1.1.3:80"))
	require.EqualValues(t, 1, b.Members()[0].Requests, "a member that stays lost its counts")
	have := ipAddresses(t, s.Guests)
	require.Contains(t, have, "10.1.1.1/32", "address of a member that stays was removed")
	require.NotContains(t, have, "10.1.1.2/32", "address of a member that went is still there")
	require.Error(t, ask("10.1.1.1:81"))

	at := netip.MustParseAddrPort("10.1.1.3:80")
	require.NoError(t, b.StopMember(at))
	require.NoError(t, b.StopMember(at), "second stop")
	require.Error(t, ask("10.1.1.3:80"))
	require.NoError(t, b.SetMembers(t.Context(), addrPorts("10.1.1.1:80", "10.1.1.3:80")))
	require.Error(t, ask("10.1.1.3:80"), "SetMembers started a stopped member")
	require.NoError(t, b.StartMember(t.Context(), at))
	require.NoError(t, ask("10.1.1.3:80"))
	require.EqualValues(t, 2, b.Members()[1].Requests)

	require.ErrorContains(t, b.StopMember(netip.MustParseAddrPort("10.9.9.9:80")), "10.9.9.9:80: no such member")
	require.ErrorContains(t, b.SetMembers(t.Context(), []netip.AddrPort{{}}), "want address:port")
}

func TestStopCutsOpenConnections(t *testing.T) {
	s := newSite(t, "cut", 1)
	b := newBackends(t, s, "10.1.1.1:80")
	c, err := s.Clients.Dial(t.Context(), s.ClientAddresses()[0], netip.MustParseAddrPort("10.1.1.1:80"))
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\n\r\n")
	require.NoError(t, err)
	_, err = c.Read(make([]byte, 1024))
	require.NoError(t, err)
	require.NoError(t, b.StopMember(netip.MustParseAddrPort("10.1.1.1:80")))
	_, err = c.Read(make([]byte, 1024))
	require.ErrorIs(t, err, io.EOF)
}

// BenchmarkSetMembers shows the time for 200 members, started and stopped.
func BenchmarkSetMembers(b *testing.B) {
	s := newSite(b, "many", 1)
	backends := s.Backends()
	b.Cleanup(func() { require.NoError(b, backends.Close()) })
	var members []netip.AddrPort
	for i := range 200 {
		members = append(members, netip.MustParseAddrPort(fmt.Sprintf("10.1.%d.%d:80", 1+i/100, 1+i%100)))
	}
	for b.Loop() {
		require.NoError(b, backends.SetMembers(b.Context(), members))
		require.NoError(b, backends.SetMembers(b.Context(), nil))
	}
}

// BenchmarkNewSite shows what one router's surroundings cost.
func BenchmarkNewSite(b *testing.B) {
	privileged(b)
	for b.Loop() {
		s, err := NewSite(b.Context(), SiteOptions{Name: "bench"})
		require.NoError(b, err)
		require.NoError(b, s.Close())
	}
}

// BenchmarkDial shows new connections a second from 31 addresses straight to a backend, a request each.
func BenchmarkDial(b *testing.B) {
	s := newSite(b, "dial", 31)
	newBackends(b, s, "10.1.1.1:80")
	to := netip.MustParseAddrPort("10.1.1.1:80")
	clients := s.ClientAddresses()
	buf := make([]byte, 1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c, err := s.Clients.Dial(b.Context(), clients[i%len(clients)], to)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
		for err == nil {
			_, err = c.Read(buf)
		}
		_ = c.Close()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "conns/s")
}
