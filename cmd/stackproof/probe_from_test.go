package main

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/internal/selfsigned"
)

const stickySource = "  stick-table type ip size 1k expire 1m\n  stick on src\n"

// socks is a SOCKS5 server (RFC 1928, 1929) on loopback. The name of a user is the source address of his connections,
// so that one server is as many vantage points as there are users.
type socks struct {
	net.Listener
	serving sync.WaitGroup

	mu    sync.Mutex
	users map[string]int // requests of each
}

func newSocks(t *testing.T) *socks {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &socks{Listener: l, users: map[string]int{}}
	s.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			s.serving.Go(func() {
				defer conn.Close()
				_ = s.serve(conn) // the client sees it
			})
		}
	})
	t.Cleanup(func() {
		assert.NoError(t, l.Close())
		s.serving.Wait()
	})
	return s
}

func (s *socks) serve(conn net.Conn) error {
	read := func(n int) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(conn, b) // what is missing is zero, and refused
		return b
	}
	read(int(read(2)[1])) // the methods
	if _, err := conn.Write([]byte{5, 2}); err != nil {
		return err
	}
	user := string(read(int(read(2)[1])))
	read(int(read(1)[0])) // the password
	if _, err := conn.Write([]byte{1, 0}); err != nil {
		return err
	}
	request := read(10) // version, connect, reserved, IPv4, address, port
	if request[0] != 5 || request[1] != 1 || request[3] != 1 {
		return fmt.Errorf("request %v", request)
	}
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte(request[4:8])), binary.BigEndian.Uint16(request[8:]))
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(user)}, Timeout: time.Minute}
	there, err := dialer.Dial("tcp", to.String())
	if err != nil {
		_, _ = conn.Write([]byte{5, 1, 0, 1, 0, 0, 0, 0, 0, 0})
		return err
	}
	defer there.Close()
	s.mu.Lock()
	s.users[user]++
	s.mu.Unlock()
	if _, err := conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		return err
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, there)
		_ = conn.Close()
	})
	_, err = io.Copy(there, conn)
	_ = there.Close()
	back.Wait()
	return err
}

// TestProbeThroughProxies: vantage points are SOCKS5 proxies. Backends that tell the source show that each has an
// address of its own; without that a sticky verdict is none. A proxy's password is nowhere.
func TestProbeThroughProxies(t *testing.T) {
	servers := ""
	for _, id := range []string{"web-1", "web-2"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Served-By", id)
			fmt.Fprintf(w, "backend %s\nsource %s\nvia x-forwarded-for\n", id, r.Header.Get("X-Forwarded-For"))
		}))
		t.Cleanup(s.Close)
		servers += fmt.Sprintf("\n  option forwardfor\n  server %s %s", id, s.Listener.Addr())
	}
	at := haproxy(t, "http", "", servers, map[string]string{"sticky": stickySource, "free": "", "free2": ""})
	proxies := newSocks(t)
	const clients = 11
	var from []string
	for i := range clients {
		from = append(from, fmt.Sprintf("socks5://127.0.8.%d:CANARY@%s", i+1, proxies.Addr()))
	}
	page := filepath.Join(t.TempDir(), "p.html")
	for _, tt := range []struct {
		name, target string
		more         []string
		exit         int
		want         string
	}{
		{"sticky", "sticky", []string{"--html", page}, exitOK, "is sticky: 0 of 11 clients changed"},
		{"not sticky", "free2", nil, exitFailure, "is not sticky: "},
		{"nobody tells the source", "sticky", []string{"--identity", "header:X-Served-By"}, exitInconclusive,
			"it is not known whether these vantage points"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"probe", at[tt.target], "--control", at["free"], "--from", strings.Join(from, ",")},
				tt.more...)
			var out, errs bytes.Buffer
			require.Equal(t, tt.exit, run(args, strings.NewReader(""), &out, &errs), "%s%s", &out, &errs)
			assert.Contains(t, out.String(), tt.want)
			assert.Contains(t, out.String(), "proxy 11  ")
			assert.NotContains(t, out.String()+errs.String(), "CANARY")
		})
	}
	written, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.NotContains(t, string(written), "CANARY")
	assert.Contains(t, string(written), "proxy 11")
	proxies.mu.Lock()
	defer proxies.mu.Unlock()
	assert.Len(t, proxies.users, clients, "every request went through a proxy")
}

// TestProbeByCertificate: behind TLS that is passed through, a backend is known by its certificate.
func TestProbeByCertificate(t *testing.T) {
	servers := ""
	for _, id := range []string{"web-1.example", "web-2.example"} {
		pair, err := selfsigned.Make(id, time.Now())
		require.NoError(t, err)
		cert, err := tls.X509KeyPair([]byte(pair.Cert), []byte(pair.Key))
		require.NoError(t, err)
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		s.StartTLS()
		t.Cleanup(s.Close)
		servers += fmt.Sprintf("\n  server %s %s", id, s.Listener.Addr())
	}
	at := haproxy(t, "tcp", "", servers, map[string]string{"sticky": stickySource, "free": "", "free2": ""})
	for target, want := range map[string]struct {
		exit int
		says string
	}{"sticky": {exitOK, "is sticky: 0 of 11"}, "free2": {exitFailure, "is not sticky: "}} {
		var out, errs bytes.Buffer
		require.Equal(t, want.exit, run([]string{"probe", at[target], "--control", at["free"], "--tls", "--identity",
			"tls", "--from", "127.0.9.1-127.0.9.11"}, strings.NewReader(""), &out, &errs), "%s%s", &out, &errs)
		assert.Contains(t, out.String(), want.says)
		assert.Contains(t, out.String(), "A = web-1.example ")
		assert.Contains(t, out.String(), "B = web-2.example ")
	}
}

// TestProbeOfEndedTLS: where the load balancer ends TLS, all answers show its own certificate. That names nobody, and a
// header does.
func TestProbeOfEndedTLS(t *testing.T) {
	pair, err := selfsigned.Make("lb.example", time.Now())
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "lb.pem")
	require.NoError(t, os.WriteFile(file, []byte(pair.Cert+pair.Key), 0o600))
	servers := ""
	for _, id := range []string{"web-1", "web-2"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Served-By", id)
		}))
		t.Cleanup(s.Close)
		servers += fmt.Sprintf("\n  server %s %s", id, s.Listener.Addr())
	}
	at := haproxy(t, "http", "ssl crt "+file, servers, map[string]string{"sticky": stickySource, "free": ""})
	for identity, want := range map[string]struct {
		exit int
		says string
	}{"header:X-Served-By": {exitOK, "is sticky: 0 of 11"}, "tls": {exitInconclusive, "backend"}} {
		var out, errs bytes.Buffer
		require.Equal(t, want.exit, run([]string{"probe", at["sticky"], "--control", at["free"], "--tls", "--identity",
			identity, "--from", "127.0.9.1-127.0.9.11"}, strings.NewReader(""), &out, &errs), "%s%s", &out, &errs)
		assert.Contains(t, out.String(), want.says)
	}
}
