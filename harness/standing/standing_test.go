package standing

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/apache/cloudstack-go/v2/cloudstack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	socks "golang.org/x/net/proxy"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/internal/testhome"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/router"
	"github.com/stackproof/stackproof/zone"
	"github.com/stackproof/stackproof/zone/database"
)

func TestMain(m *testing.M) {
	router.MaybeChild()
	goleak.VerifyTestMain(testhome.Around(m))
}

// said is what a lab says on stderr.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// up leaves a lab with routers standing until the test's end.
func up(t *testing.T) (*Lab, *said) {
	t.Helper()
	_, noHAProxy := router.FindHAProxy("")
	_, noDatabase := database.Find("")
	require.NoError(t, errors.Join(noHAProxy, noDatabase, network.Check()))
	var errs said
	l, err := Open(t.Context(), Options{Zone: zone.Options{Release: "4.20.1.0", Seed: 1, Listen: "127.0.0.1:0"},
		Routers: true, Errs: &errs})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, l.Close(context.WithoutCancel(t.Context())))
		assert.NoFileExists(t, l.Access.Log)
	})
	return l, &errs
}

// goClient is the Go client of CloudStack on a standing lab.
func goClient(t *testing.T, l *Lab) *cloudstack.CloudStackClient {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return cloudstack.NewAsyncClient(l.Access.API, l.Access.APIKey, l.Access.SecretKey, false,
		cloudstack.WithHTTPClient(&http.Client{Transport: transport}))
}

// signed calls what cloudstack-go has no function for.
func signed(t *testing.T, l *Lab) *cloud.Client {
	t.Helper()
	c, err := cloud.New(cloud.Options{URL: l.Access.API, APIKey: l.Access.APIKey, SecretKey: l.Access.SecretKey})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close(context.WithoutCancel(t.Context()))) })
	return c
}

func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, string(text))
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return string(text)
}

// TestStandingLab is what a person meets, in the order in which the printed text leads to it.
func TestStandingLab(t *testing.T) {
	l, errs := up(t)
	a := l.Access
	t.Run("profile", func(t *testing.T) { profileWorks(t, a) })
	t.Run("env", func(t *testing.T) { envWorks(t, a) })
	t.Run("start page", func(t *testing.T) { pageTells(t, a) })
	t.Run("lacks", func(t *testing.T) { lackIsSaid(t, l, errs) })
	t.Run("stickiness", func(t *testing.T) { stickinessShows(t, l) })
	t.Run("terraform", func(t *testing.T) { terraform(t, l) })
	t.Run("python", func(t *testing.T) { python(t, l) })
	assert.NotContains(t, errs.String(), "panicked")
}

func private(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "keys are their owner's")
}

func profileWorks(t *testing.T, a Access) {
	private(t, a.Cmk)
	o, err := cloud.ProfileFromCmk(a.Cmk, "")
	require.NoError(t, err)
	assert.Equal(t, []string{a.API, a.APIKey, a.SecretKey}, []string{o.URL, o.APIKey, o.SecretKey})
	c, err := cloud.New(cloud.Options{URL: a.API, Username: a.Username, Password: a.Password})
	require.NoError(t, err)
	defer func() { assert.NoError(t, c.Close(context.WithoutCancel(t.Context()))) }()
	var zones map[string]any
	require.NoError(t, c.Call(t.Context(), "listZones", nil, &zones), "login")
	assert.NotEmpty(t, zones["zone"])
}

func envWorks(t *testing.T, a Access) {
	private(t, a.Env)
	out, err := exec.Command("sh", "-c", `. "$0"; echo "$CLOUDSTACK_API_URL $CLOUDSTACK_SECRET $STACKPROOF_DSN"`,
		a.Env).Output()
	require.NoError(t, err)
	assert.Equal(t, a.API+" "+a.SecretKey+" "+a.SelectDSN+"\n", string(out))
	assert.Contains(t, a.Text(), a.Page)
	assert.Contains(t, a.Text(), "admin / password")
	for _, p := range a.Proxies {
		assert.Contains(t, a.Text(), p)
	}
}

func pageTells(t *testing.T, a Access) {
	text := get(t, a.Page)
	for _, want := range []string{"4.20.1.0", "createLoadBalancerRule", "load balancer algorithm", "admin",
		"DefaultIsolatedNetworkOfferingForVpcNetworks"} {
		assert.True(t, strings.Contains(text, want), "the page does not say %s", want)
	}
	for _, never := range []string{a.SecretKey, "<script"} {
		assert.False(t, strings.Contains(text, never), "the page says %s", never)
	}
}

// lackIsSaid: what the lab does not have is one line, however often it is asked for, and cannot forge another line.
func lackIsSaid(t *testing.T, l *Lab, errs *said) {
	c := signed(t, l)
	before := errs.String()
	for range 3 {
		require.ErrorContains(t, c.Call(t.Context(), "listWonders", nil, new(any)), "401")
	}
	answer, err := http.Get(l.Access.Integration + "?command=list%0awonders%1b&response=json")
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	get(t, l.Access.Integration+"?command=listZones&colour=blue&response=json")
	new := strings.TrimPrefix(errs.String(), before)
	assert.Equal(t, `lab: a client called a command that the lab does not have, command listWonders
lab: a client called a command that the lab does not have, command "list\nwonders\x1b"
lab: a client sent parameters of which the lab takes no notice, command listZones, parameters colour
`, new)
}

// stickinessShows: requests of a person through a real HAProxy stay where they are once a policy is on the rule, and
// without it they do not.
func stickinessShows(t *testing.T, l *Lab) {
	at := balance(t, l, "sticky", "10.1.0.0/16", "10.1.1.1")
	spread := map[string]bool{}
	for range 4 {
		spread[backend(t, l.Access.Proxies[0], at.address)] = true
	}
	assert.Len(t, spread, 2, "two members in turn, or the next shows nothing")
	c := goClient(t, l)
	_, err := c.LoadBalancer.CreateLBStickinessPolicy(c.LoadBalancer.NewCreateLBStickinessPolicyParams(at.rule,
		"SourceBased", "s"))
	require.NoError(t, err)
	everywhere := map[string]bool{}
	for _, p := range l.Access.Proxies {
		stays := map[string]bool{}
		for range 3 {
			b := backend(t, p, at.address)
			stays[b], everywhere[b] = true, true
		}
		assert.Len(t, stays, 1, "client %s", p)
	}
	assert.Len(t, everywhere, 2, "clients have addresses of their own")
	dialer, err := socks.SOCKS5("tcp", l.Access.Proxies[0], nil, socks.Direct)
	require.NoError(t, err)
	_, err = dialer.Dial("tcp", "192.0.2.1:80")
	require.ErrorContains(t, err, "host unreachable", "no rule is there")
}

// backend is who answers a request through a proxy.
func backend(t *testing.T, through, address string) string {
	t.Helper()
	dialer, err := socks.SOCKS5("tcp", through, nil, socks.Direct)
	require.NoError(t, err)
	conn, err := dialer.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.0\r\nHost: x\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	_, who, found := strings.Cut(string(answer), "backend ")
	require.True(t, found, string(answer))
	who, _, _ = strings.Cut(who, "\n")
	return who
}

// TestListen: the usual address when it is free, any other when it is not, and no other where one was asked for.
func TestListen(t *testing.T) {
	first, err := listen(t.Context(), "")
	require.NoError(t, err)
	defer first.Close()
	second, err := listen(t.Context(), "")
	require.NoError(t, err)
	defer second.Close()
	assert.NotEqual(t, UsualAddress, second.Addr().String(), "it is taken, by the first or by somebody else")
	_, err = listen(t.Context(), second.Addr().String())
	require.ErrorContains(t, err, "address already in use")
}

// TestProxyOfWrongClients: what is no SOCKS5 CONNECT to an address is refused with the protocol's own answer, or cut.
func TestProxyOfWrongClients(t *testing.T) {
	p, err := startProxy(func(context.Context, netip.Addr, netip.AddrPort) (net.Conn, error) {
		return nil, errors.New("nobody is there")
	}, netip.MustParseAddr("198.18.0.1"))
	require.NoError(t, err)
	defer func() { assert.NoError(t, p.close()) }()
	for name, c := range map[string]struct {
		sent []byte
		want []byte
	}{
		"HTTP": {[]byte("GET / HTTP/1.0\r\n\r\n"), []byte{}},
		"name": {[]byte{5, 1, 0, 5, 1, 0, 3, 1, 'a', 0, 80}, []byte{5, 0, 5, socksAddressType, 0, 1, 0, 0, 0, 0,
			0, 0}},
		"bind": {[]byte{5, 1, 0, 5, 2, 0, 1, 1, 2, 3, 4, 0, 80}, []byte{5, 0, 5, socksRefused, 0, 1, 0, 0, 0, 0,
			0, 0}},
		"no rule": {[]byte{5, 1, 0, 5, 1, 0, 1, 1, 2, 3, 4, 0, 80}, []byte{5, 0, 5, socksUnreachable, 0, 1, 0, 0, 0,
			0, 0, 0}},
		"cut":      {[]byte{5, 9}, []byte{}},
		"no words": {nil, []byte{}},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", p.address())
			require.NoError(t, err)
			defer conn.Close()
			_, err = conn.Write(c.sent)
			require.NoError(t, err)
			_ = conn.(*net.TCPConn).CloseWrite() // the proxy may have closed already
			answer := make([]byte, len(c.want)+1)
			n, err := io.ReadFull(conn, answer) // may end in a reset: of what the proxy did not read
			require.Error(t, err, "more than was expected")
			assert.Equal(t, c.want, answer[:n:n])
		})
	}
}
