package dataplane

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// traces makes a pass in which each string is a client and each letter the backend of a request, a second apart.
func traces(target, control []string) *pass {
	p := &pass{}
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for side, list := range [][]string{target, control} {
		for i, letters := range list {
			if side == targetSide {
				p.clients = append(p.clients, client{from: netip.AddrFrom4([4]byte{198, 18, 0, byte(i)}),
					local: netip.AddrFrom4([4]byte{198, 18, 0, byte(i)})})
			}
			var steps []Step
			for r, letter := range letters {
				steps = append(steps, Step{At: start.Add(time.Duration(r) * time.Second), Backend: string(letter)})
			}
			p.traces[side] = append(p.traces[side], steps)
		}
	}
	return p
}

func repeated(n int, trace string) []string {
	var list []string
	for range n {
		list = append(list, trace)
	}
	return list
}

func judged(t *testing.T, c Config, p *pass) Observation {
	t.Helper()
	c.Requests = len(p.traces[controlSide][0])
	o := Observation{Target: Side{Target: Target{Rule: "target"}}, Control: Side{Target: Target{Rule: "control"}},
		Clients: len(p.clients)}
	require.NoError(t, evaluate(t.Context(), &o, &c, p))
	return o
}

func TestThresholds(t *testing.T) {
	control := repeated(31, "ABABA")
	stays := append(repeated(16, "AAAAA"), repeated(15, "BBBBB")...)
	moving := func(k int) []string { return append(repeated(k, "ABABA"), stays[k:]...) }
	// E[K] is 29.06 with two backends: half of it is 14.53.
	for _, c := range []struct {
		movers int
		want   Verdict
	}{{0, Sticky}, {1, Partial}, {14, Partial}, {15, NotSticky}, {31, NotSticky}} {
		require.Equal(t, c.want, judged(t, Config{}, traces(moving(c.movers), control)).Verdict, "%d movers", c.movers)
	}
	for _, c := range []struct {
		movers int
		want   Verdict
	}{{14, Inconclusive}, {15, Sticky}} {
		require.Equal(t, c.want, judged(t, Config{}, traces(stays, moving(c.movers))).Verdict,
			"%d movers on the control rule", c.movers)
	}
}

func TestPatterns(t *testing.T) {
	control := repeated(5, "ABABA")
	for _, c := range []struct {
		name   string
		target []string
		want   []Pattern
		loss   string
	}{
		{"one moment", []string{"AABBB", "AABBB", "BBAAA", "AAAAA", "BBBBB"}, []Pattern{MovedOnce, MovedOnce,
			MovedOnce}, "1..2"},
		{"different moments", []string{"ABBBB", "AAABB", "AAAAA", "BBBBB", "BBBBB"}, []Pattern{MovedOnce, MovedOnce},
			""},
		{"one alternates", []string{"AABBB", "ABABA", "AAAAA", "BBBBB", "BBBBB"}, []Pattern{MovedOnce, Alternates}, ""},
		{"there and back", []string{"ABAAA", "AAAAA", "AAAAA", "BBBBB", "BBBBB"}, []Pattern{Alternates}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := judged(t, Config{}, traces(c.target, control))
			var got []Pattern
			for _, m := range o.Movers {
				got = append(got, m.Pattern)
			}
			require.Equal(t, c.want, got)
			moment := ""
			if o.LossAfter != nil {
				moment = fmt.Sprintf("%d..%d", o.LossAfter.Second(), o.LossBefore.Second())
			}
			require.Equal(t, c.loss, moment)
		})
	}
}

type usedTable int

func (u usedTable) Table(context.Context, string) (int, bool, error) { return int(u), true, nil }

func TestSourcesMustBeDistinct(t *testing.T) {
	fresh := func() *pass {
		return traces(append(repeated(16, "AAAAA"), repeated(15, "BBBBB")...), repeated(31, "ABABA"))
	}
	t.Run("backends were told one address", func(t *testing.T) {
		p := fresh()
		for i := range p.clients {
			p.clients[i].sources[controlSide] = "192.0.2.1"
		}
		o := judged(t, Config{}, p)
		require.Equal(t, Inconclusive, o.Verdict)
		require.Equal(t, "31 clients reached the backends from 1 addresses: something on the way hides them", o.Reason)
	})
	t.Run("told, although bound alike", func(t *testing.T) {
		p := fresh()
		for i := range p.clients {
			p.clients[i].sources[targetSide], p.clients[i].local = p.clients[i].from.String(), netip.Addr{}
		}
		require.Equal(t, Sticky, judged(t, Config{}, p).Verdict)
	})
	t.Run("not told, bound alike", func(t *testing.T) {
		p := fresh()
		p.clients[3].local = p.clients[2].local
		o := judged(t, Config{}, p)
		require.Equal(t, Inconclusive, o.Verdict)
		require.Contains(t, o.Reason, "31 clients had 30 local addresses")
	})
	t.Run("one entry for all", func(t *testing.T) {
		o := judged(t, Config{Tables: usedTable(1), Method: BySource}, fresh())
		require.Equal(t, Inconclusive, o.Verdict)
		require.Contains(t, o.Reason, "1 entries for 31 clients")
	})
	t.Run("foreign entries are noted", func(t *testing.T) {
		o := judged(t, Config{Tables: usedTable(40), Method: BySource}, fresh())
		require.Equal(t, Sticky, o.Verdict)
		require.Equal(t, []string{"the stick table has 40 entries for 31 clients"}, o.Notes)
	})
}

func TestForeignBackend(t *testing.T) {
	o := judged(t, Config{}, traces([]string{"AAA", "CCC", "AAA"}, []string{"ABA", "BAB", "ABA"}))
	require.Equal(t, Inconclusive, o.Verdict)
	require.Equal(t, "target has backends that control has not: C", o.Reason)
}

func TestJudge(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		name    string
		seen    Verdict
		method  Method
		table   *bool
		balance string
		want    Verdict
	}{
		{"table in the file", Sticky, BySource, &yes, "roundrobin", Sticky},
		{"table in the file, algorithm source", Sticky, BySource, &yes, "source", Sticky},
		{"source without a table", Sticky, BySource, &no, "source", Inconclusive},
		{"source in another case", Sticky, BySource, &no, "SOURCE", Inconclusive},
		{"source, file not read", Sticky, BySource, nil, "source", Inconclusive},
		{"nothing known", Sticky, BySource, nil, "", Inconclusive},
		{"no table, algorithm not known", Sticky, BySource, &no, "", Inconclusive},
		{"round robin, file not read", Sticky, BySource, nil, "roundrobin", Sticky},
		{"sticky against the file", Sticky, BySource, &no, "roundrobin", Sticky},
		{"cookie", Sticky, ByCookie, nil, "source", Sticky},
		{"not sticky", NotSticky, BySource, &yes, "source", NotSticky},
		{"partial", Partial, BySource, nil, "", Partial},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, reason := Judge(Observation{Verdict: c.seen, Method: c.method}, c.table, c.balance)
			require.Equal(t, c.want, got)
			require.Equal(t, c.want == Inconclusive || c.name == "sticky against the file", reason != "")
		})
	}
}

func TestBadConfiguration(t *testing.T) {
	good := func() Config {
		return Config{
			Target:  Target{Rule: "web", Address: netip.MustParseAddrPort("203.0.113.1:80")},
			Control: Target{Rule: "other", Address: netip.MustParseAddrPort("203.0.113.2:80")},
			Clients: []netip.Addr{netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("198.18.0.2")},
			Dialer: dialFunc(func(context.Context, netip.Addr, netip.AddrPort) (net.Conn, error) {
				return nil,
					net.ErrClosed
			}),
		}
	}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Dialer = nil }, "no dialer"},
		{func(c *Config) { c.Control = c.Target }, "target and control are the same address 203.0.113.1:80"},
		{func(c *Config) { c.Control.Address = netip.AddrPort{} }, "target and control rule need an address"},
		{func(c *Config) { c.Requests = 1 }, "1 requests for each client"},
		{func(c *Config) { c.Clients = c.Clients[:1] }, "1 clients"},
		{func(c *Config) { c.Clients[1] = c.Clients[0] }, "client address 198.18.0.1 is given twice"},
		{func(c *Config) { c.Method = "magic" }, `method "magic": want source or cookie`},
	} {
		config := good()
		c.change(&config)
		_, err := Probe(t.Context(), config)
		require.ErrorContains(t, err, "stickiness probe of web: "+c.want)
	}
	o, err := Probe(t.Context(), good())
	require.NoError(t, err)
	require.Equal(t, Inconclusive, o.Verdict)
}

func TestReplaceCookie(t *testing.T) {
	for _, c := range []struct{ jar, pair, want string }{
		{"", "A=1", "A=1"}, {"A=1", "A=2", "A=2"}, {"A=1", "B=2", "B=2; A=1"}, {"B=2; A=1", "A=3", "A=3; B=2"},
	} {
		require.Equal(t, c.want, replaceCookie(c.jar, c.pair))
	}
}
