package dataplane

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const stick = "stick-table type ip size 200k expire 30m\nstick on src"

func probe(t *testing.T, c Config) Observation {
	t.Helper()
	o, err := Probe(t.Context(), c)
	require.NoError(t, err)
	return o
}

type verdictCase struct {
	name, target, control string
	servers               int
	change                func(*Config)
	want                  Verdict
	reason                string
	check                 func(*testing.T, Observation)
}

func verdictCases() []verdictCase {
	return []verdictCase{
		{name: "sticky", target: stick, servers: 2, want: Sticky, check: func(t *testing.T, o Observation) {
			require.Zero(t, o.Target.Moved)
			require.Equal(t, 31, *o.Sources.TableUsed)
			require.Equal(t, []string{"10.1.1.1:8080", "10.1.1.2:8080"}, o.Target.Backends)
		}},
		{name: "sticky, clients in parallel", target: stick, servers: 3, want: Sticky,
			change: func(c *Config) { c.Parallel = 16 }},
		{name: "sticky, leastconn control", target: stick, control: "balance leastconn", servers: 3, want: Sticky},
		{name: "sticky, sources told by http", target: stick + "\nmode http\noption forwardfor",
			control: "mode http\noption forwardfor",
			servers: 2, want: Sticky, check: func(t *testing.T, o Observation) {
				require.Equal(t, Sources{Told: 31, Distinct: 31, Bound: 31, TableUsed: o.Sources.TableUsed}, o.Sources)
			}},
		{name: "sticky, sources told by proxy", target: stick + "\n#proxy", servers: 2, want: Sticky,
			check: func(t *testing.T, o Observation) { require.Equal(t, 31, o.Sources.Told) }},
		{name: "not sticky", servers: 2, want: NotSticky, check: func(t *testing.T, o Observation) {
			require.GreaterOrEqual(t, o.Target.Moved, 22, "lowest of 4000 simulated runs")
			require.Nil(t, o.Sources.TableUsed)
			require.Len(t, o.Movers[0].Trace, 5)
			require.Nil(t, o.LossAfter, "a rule without a table was taken for a lost table")
		}},
		{name: "not sticky, clients in parallel", servers: 4, want: NotSticky,
			change: func(c *Config) { c.Parallel = 16 }},
		{name: "balance source looks sticky", target: "balance source", servers: 2, want: Sticky,
			check: func(t *testing.T, o Observation) {
				no := false
				v, reason := Judge(o, &no, "source")
				require.Equal(t, Inconclusive, v)
				require.Contains(t, reason, "algorithm is source")
			}},
		{name: "table too small", target: "stick-table type ip size 30 expire 30m\nstick on src", servers: 2,
			want: Partial,
			check: func(t *testing.T, o Observation) {
				require.Contains(t, strings.Join(o.Notes, "\n"), "entries for 31 clients")
				require.Contains(t, o.String(), "10.1.1.")
			}},
		{name: "table known to be too small", target: "stick-table type ip size 28 expire 30m\nstick on src",
			servers: 2,
			change:  func(c *Config) { c.TableSize = 28 }, want: Inconclusive,
			reason: "31 clients do not fit a stick table of 28"},
		{name: "control is sticky", target: stick, control: stick, servers: 2, want: Inconclusive,
			reason: "on the control rule control only 0 of 31 clients moved, 29.1 expected"},
		{name: "one backend", target: stick, servers: 1, want: Inconclusive,
			reason: "only one backend answered on control: 10.1.1.1:8080"},
		{name: "fewer backends than there are", target: stick, servers: 2, change: func(c *Config) { c.Backends = 3 },
			want:   Inconclusive,
			reason: "2 of 3 backends answered on control"},
		{name: "common divisor", target: stick, servers: 2, change: func(c *Config) { c.Clients = c.Clients[:30] },
			want:   Inconclusive,
			reason: "30 clients and 2 backends have a common divisor"},
		{name: "entries expire", target: stick, servers: 2, change: func(c *Config) { c.TableExpiry = time.Nanosecond },
			want:   Inconclusive,
			reason: "entries expire after 1ns"},
	}
}

func TestVerdictsOfRealHAProxy(t *testing.T) {
	for _, c := range verdictCases() {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, c.servers, c.target, c.control)
			config := l.config()
			if c.change != nil {
				c.change(&config)
			}
			o := probe(t, config)
			require.Equal(t, c.want, o.Verdict, o)
			require.Contains(t, o.Reason, c.reason)
			require.True(t, o.Watched)
			require.Contains(t, o.String(), "seed 7")
			if c.check != nil {
				c.check(t, o)
			}
		})
	}
}

func TestCookies(t *testing.T) {
	cookie := "mode http\ncookie SRV insert indirect nocache"
	l := newLab(t, 2, cookie, "mode http")
	config := l.config()
	config.Method = ByCookie
	o := probe(t, config)
	require.Equal(t, Sticky, o.Verdict, o)
	require.Equal(t, 31, o.Target.Cookies)
	require.Zero(t, o.Control.Cookies)

	config.Method = BySource
	o = probe(t, config)
	require.Equal(t, NotSticky, o.Verdict, "cookies were kept where the source should decide: %s", o)
}

func TestBackendDown(t *testing.T) {
	l := newLab(t, 2, stick, "")
	require.NoError(t, l.backends.StopMember(netip.MustParseAddrPort("10.1.1.2:8080")))
	l.await("HAProxy sees the backend down on both rules", func() (string, bool) {
		stat, err := l.admin("show stat")
		require.NoError(t, err)
		return stat, strings.Count(stat, "DOWN") == 2
	})
	o := probe(t, l.config())
	require.Equal(t, Inconclusive, o.Verdict)
	require.Contains(t, o.Reason, "only one backend answered")
}

func TestRefusedRequest(t *testing.T) {
	l := newLab(t, 2, stick, "")
	config := l.config()
	config.Target.Address = netip.MustParseAddrPort("203.0.113.1:81")
	o := probe(t, config)
	require.Equal(t, Inconclusive, o.Verdict)
	require.Contains(t, o.Reason, "connection refused")
	require.Len(t, o.Failures, 1)
	require.Equal(t, "target", o.Failures[0].Rule)
	require.Contains(t, o.String(), "failed: target from 198.18.0.1, request 1 at")
}

// silence listens and never answers.
func silence(t *testing.T, l *lab) netip.AddrPort {
	t.Helper()
	at := netip.MustParseAddrPort("203.0.113.2:81")
	silent, err := l.site.Router.Listen(t.Context(), at)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, silent.Close()) })
	return at
}

func TestHangingRequest(t *testing.T) {
	for _, parallel := range []int{1, 8} {
		l := newLab(t, 2, stick, "")
		silent := silence(t, l)
		config := l.config()
		config.Parallel = parallel
		config.Timeout = 2 * time.Second // a loaded machine answers in time
		// The 94th connection is in the first shuffled round of the control rule.
		config.Dialer = redirect(l.site.Clients, 94, silent)
		o := probe(t, config)
		require.Equal(t, Inconclusive, o.Verdict)
		require.Regexp(t, `request 2 of .* failed: timeout of 2s: not answered`, o.Reason)
		require.Len(t, o.Failures, 1)
	}
}

// redirect sends one connection elsewhere.
func redirect(d Dialer, which int64, elsewhere netip.AddrPort) Dialer {
	var count atomic.Int64
	return dialFunc(func(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
		if count.Add(1) == which {
			to = elsewhere
		}
		return d.Dial(ctx, from, to)
	})
}

func TestContextEndsAProbe(t *testing.T) {
	l := newLab(t, 2, stick, "")
	silent := silence(t, l)
	config := l.config()
	config.Timeout = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hanging := redirect(l.site.Clients, 40, silent)
	config.Dialer = dialFunc(func(dialling context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
		c, err := hanging.Dial(dialling, from, to)
		if err == nil && c.RemoteAddr().String() == silent.String() {
			cancel()
		}
		return c, err
	})
	_, err := Probe(ctx, config)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAnswerOfNobody(t *testing.T) {
	for _, c := range []struct{ answer, want string }{
		{"HTTP/1.0 503 Service Unavailable\r\n\r\n", `answer "HTTP/1.0 503 Service Unavailable"`},
		{"HTTP/1.0 200 OK\r\n\r\n<html>it works</html>\n",
			`the answer does not name its backend: "<html>it works</html>"`},
		{"SSH-2.0-OpenSSH\r\n", `no HTTP answer but "SSH-2.0-OpenSSH`},
		{"", `no HTTP answer but ""`},
		{"HTTP/1.0 200 OK\r\n\r\n" + strings.Repeat("x", 70000), "the answer is longer than 65536 bytes"},
	} {
		config := Config{
			Target:  Target{Rule: "web", Address: netip.MustParseAddrPort("203.0.113.1:80")},
			Control: Target{Rule: "other", Address: netip.MustParseAddrPort("203.0.113.2:80")},
			Clients: []netip.Addr{netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("198.18.0.2")},
			Dialer: dialFunc(func(context.Context, netip.Addr, netip.AddrPort) (net.Conn, error) {
				near, far := net.Pipe()
				go func() {
					defer func() { _ = far.Close() }()
					_, _ = far.Read(make([]byte, 1024))
					_, _ = io.WriteString(far, c.answer)
				}()
				return near, nil
			}),
		}
		o := probe(t, config)
		require.Equal(t, Inconclusive, o.Verdict)
		require.Contains(t, o.Reason, "request 1 of 198.18.0.1 to web failed: "+c.want)
	}
}

// triggerDialer does something before one of its dials.
type triggerDialer struct {
	Dialer
	at    int64
	every bool
	count atomic.Int64
	do    func()
}

func (d *triggerDialer) Dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	if n := d.count.Add(1); n == d.at || d.every && n%d.at == 0 {
		d.do()
	}
	return d.Dialer.Dial(ctx, from, to)
}

func TestReloadInTheMiddle(t *testing.T) {
	l := newLab(t, 2, stick, "")
	config := l.config()
	config.Dialer = &triggerDialer{Dialer: l.site.Clients, at: 150, do: l.start}
	o := probe(t, config)
	require.Equal(t, Sticky, o.Verdict, o)
	require.Equal(t, 2, o.Passes)
	require.Len(t, o.Discarded, 1)
	require.Contains(t, o.String(), "discarded pass: the router changed from \"pid ")
}

func TestPushInEveryPass(t *testing.T) {
	l := newLab(t, 2, stick, "")
	config := l.config()
	config.Dialer = &triggerDialer{Dialer: l.site.Clients, at: 100, every: true, do: func() { l.pushes++ }}
	o := probe(t, config)
	require.Equal(t, Inconclusive, o.Verdict)
	require.Equal(t, 3, o.Passes)
	require.Len(t, o.Discarded, 3)
	require.Contains(t, o.Reason, "the router changed in each of 3 passes")
}

// TestLostTableIsRecognised hides the reload from the probe, as a zone whose router cannot be seen does.
func TestLostTableIsRecognised(t *testing.T) {
	l := newLab(t, 2, stick, "")
	config := l.config()
	config.Watch = nil
	// After priming (62) and one round of both rules (62), before the target's third round.
	config.Dialer = &triggerDialer{Dialer: l.site.Clients, at: 125, do: l.start}
	o := probe(t, config)
	require.False(t, o.Watched)
	require.NotEmpty(t, o.Movers, o)
	for _, m := range o.Movers {
		require.Equal(t, MovedOnce, m.Pattern)
	}
	require.NotNil(t, o.LossAfter)
	require.False(t, o.LossBefore.Before(*o.LossAfter))
	require.Contains(t, o.String(), "the table was lost")
	require.Contains(t, o.String(), "process and pushes were not visible")
}

func TestSameSeedSameSchedule(t *testing.T) {
	l := newLab(t, 2, stick, "")
	schedule := func(seed uint64) []string {
		var order []string
		config := l.config()
		config.Seed = seed
		config.Dialer = dialFunc(func(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
			order = append(order, from.String()+">"+to.String())
			return l.site.Clients.Dial(ctx, from, to)
		})
		probe(t, config)
		return order
	}
	one := schedule(1)
	require.Len(t, one, 2*5*31)
	require.Equal(t, one, schedule(1))
	require.NotEqual(t, one, schedule(2))
	for round := 1; round < 5; round++ {
		target, control := one[round*62:round*62+31], one[round*62+31:round*62+62]
		for i := range target {
			require.Equal(t, strings.Split(target[i], ">")[0], strings.Split(control[i], ">")[0],
				"control has another order")
		}
		require.NotEqual(t, one[:31], target, "round %d is not shuffled", round)
	}
}

type dialFunc func(context.Context, netip.Addr, netip.AddrPort) (net.Conn, error)

func (f dialFunc) Dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	return f(ctx, from, to)
}

func TestObservationIsPlainData(t *testing.T) {
	l := newLab(t, 2, "", "")
	o := probe(t, l.config())
	b, err := json.Marshal(o)
	require.NoError(t, err)
	var back Observation
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, o.String(), back.String())
}
