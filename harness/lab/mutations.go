package lab

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/harness/fleet"
	"github.com/stackproof/stackproof/network"
	"github.com/stackproof/stackproof/probes/dataplane"
	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
)

// mutations are the planted faults of routers (knobs named router-...): between a push and its router, on the router's
// files and process, and between clients and router. What a fleet shows as pushed is what was sent, whatever was done
// to it afterwards.
type mutations struct{ on release.Knobs }

// planted names the faults that are on, for the router's description.
func (m mutations) planted() string {
	var names []string
	for _, k := range fault.AllKnobs() {
		if m.on[k.Name] && strings.HasPrefix(string(k.Name), "router-") && release.Where(k.Name).IsZero() {
			names = append(names, string(k.Name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ", planted: " + strings.Join(names, " ")
}

// Router implements fleet.Faults.
func (m mutations) Router() router.Faults {
	return router.Faults{NeverCopies: m.on[fault.RouterFileStale],
		KeepsCertificates: m.on[fault.RouterKeepsCertificates], SkipsReload: m.on[fault.RouterReloadSkipped],
		ReloadsTwice: m.on[fault.RouterReloadTwice], ReloadsOverlap: m.on[fault.RouterReloadsOverlap],
		StartsEmpty: m.on[fault.RouterStartEmpty], SecondDoor: m.on[fault.RouterSecondDoor], Lines: m.lines()}
}

// slips are the faults of the management server's generator of files.
func (m mutations) slips() router.Slips {
	return router.Slips{NoChecks: m.on[fault.GeneratorNoChecks], OneNetwork: m.on[fault.GeneratorOneNetwork],
		UsualExpiry: m.on[fault.GeneratorUsualExpiry], CookieInsert: m.on[fault.GeneratorCookieInsert],
		DoorsStayOpen: m.on[fault.GeneratorDoorsStayOpen]}
}

// lines is the fault of one line.
func (m mutations) lines() router.LineFault {
	for knob, what := range map[release.Knob]router.LineWrong{fault.RouterLineLost: router.LineLost,
		fault.RouterLineDoubled: router.LineDoubled, fault.RouterLineChanged: router.LineChanged} {
		if m.on[knob] {
			n, _ := strconv.Atoi(fault.Value(knob, func(k release.Knob) bool { return m.on[k] })) // 0: any
			return router.LineFault{What: what, Line: n}
		}
	}
	return router.LineFault{}
}

// ofModel names the faults that are on and planted in the model (Router).
func (m mutations) ofModel() string {
	var names []string
	for _, name := range []release.Knob{fault.RouterFileStale, fault.RouterReloadSkipped, fault.RouterReloadTwice,
		fault.RouterReloadsOverlap, fault.RouterStartEmpty, fault.RouterLineLost, fault.RouterLineDoubled,
		fault.RouterLineChanged, fault.RouterSecondDoor, fault.RouterKeepsCertificates} {
		if m.on[name] {
			names = append(names, string(name))
		}
	}
	return strings.Join(names, ", ")
}

// ignoredEvery is how often router-change-lost-once loses a push.
const ignoredEvery = 4

// Ignored implements fleet.Faults.
func (m mutations) Ignored(n int) bool {
	return m.on[fault.RouterChangeLostOnce] && n%ignoredEvery == 0
}

// Changed implements fleet.Faults.
func (m mutations) Changed(p router.Push) router.Push {
	p.LoadBalancers = slices.Clone(p.LoadBalancers)
	if n := len(p.LoadBalancers); n > 1 && m.on[fault.RouterRuleMissing] {
		p.LoadBalancers = p.LoadBalancers[:n-1]
	}
	for i := range p.LoadBalancers {
		m.changeRule(&p.LoadBalancers[i])
	}
	if n := len(p.LoadBalancers); n > 1 && m.on[fault.RouterPolicyOnWrongSection] {
		first := p.LoadBalancers[0].Stickiness
		for i := range n - 1 {
			p.LoadBalancers[i].Stickiness = p.LoadBalancers[i+1].Stickiness
		}
		p.LoadBalancers[n-1].Stickiness = first
	}
	return p
}

func (m mutations) changeRule(lb *router.LoadBalancer) {
	if n := len(lb.Destinations); n > 0 && m.on[fault.RouterServerMissing] {
		lb.Destinations = lb.Destinations[:n-1]
	}
	if m.on[fault.RouterAlgorithmIgnored] {
		lb.Algorithm = "roundrobin"
	}
	if m.on[fault.RouterSourceListIgnored] {
		lb.CIDRList = ""
	}
	m.setParam(lb, fault.RouterTableTiny, "tablesize", "1")
	m.setParam(lb, fault.RouterExpireShort, "expire", "1ms")
}

// setParam gives every source policy of the rule another value.
func (m mutations) setParam(lb *router.LoadBalancer, planted release.Knob, name, value string) {
	if !m.on[planted] {
		return
	}
	policies := slices.Clone(lb.Stickiness)
	for i, p := range policies {
		if strings.EqualFold(p.Method, "SourceBased") {
			policies[i].Params = append(slices.Clone(p.Params), router.Param{Name: name, Value: value})
		}
	}
	lb.Stickiness = policies
}

// Members implements fleet.Faults.
func (m mutations) Members(ctx context.Context, b *network.Backends, want []netip.AddrPort) error {
	if err := b.SetMembers(ctx, want); err != nil || len(want) == 0 || !m.on[fault.RouterBackendDown] {
		return err
	}
	return b.StopMember(want[len(want)-1])
}

// Dialer implements fleet.Faults.
func (m mutations) Dialer(v *fleet.Router, clients dataplane.Dialer) dataplane.Dialer {
	if !m.on[fault.RouterWrongClientAddress] && !m.on[fault.RouterTableCleared] {
		return clients
	}
	return &wrongDialer{m: m, v: v, clients: clients}
}

// wrongDialer hides clients behind one address, or empties stick tables between their connections.
type wrongDialer struct {
	m       mutations
	v       *fleet.Router
	clients dataplane.Dialer
	dials   atomic.Int64
}

// clearedEvery is after how many connections tables are emptied: not a multiple of the probe's rounds.
const clearedEvery = 40

// Dial implements dataplane.Dialer.
func (d *wrongDialer) Dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	if d.m.on[fault.RouterTableCleared] && d.dials.Add(1)%clearedEvery == 0 {
		for _, lb := range d.v.Newest().LoadBalancers {
			if len(lb.Stickiness) > 0 && !lb.Revoked {
				if err := d.v.ClearTable(ctx, lb.Name()); err != nil {
					return nil, err
				}
			}
		}
	}
	if d.m.on[fault.RouterWrongClientAddress] {
		from = network.DefaultClientAddresses(1)[0]
	}
	return d.clients.Dial(ctx, from, to)
}

// Arrives implements fleet.Faults: it keeps a connection to a rule open for as long as the fleet lives, so that the
// worker that took it never ends.
func (m mutations) Arrives(ctx context.Context, v *fleet.Router) error {
	last, looked := v.Last()
	if !m.on[fault.RouterOldWorkerStays] || !looked {
		return nil
	}
	for _, lb := range last.LoadBalancers {
		ip, err := netip.ParseAddr(lb.SrcIP)
		if err != nil || lb.Revoked || len(lb.Destinations) == 0 {
			continue
		}
		at := netip.AddrPortFrom(ip, uint16(lb.SrcPort)) // the parser bounds ports
		return v.Hold(ctx, network.DefaultClientAddresses(1)[0], at)
	}
	return nil
}

// Done implements fleet.Faults: somebody goes on to take connections for rules that a push takes away.
func (m mutations) Done(ctx context.Context, v *fleet.Router, p router.Push) error {
	if !m.on[fault.RouterKeepsDeleted] {
		return nil
	}
	for _, lb := range p.LoadBalancers {
		ip, err := netip.ParseAddr(lb.SrcIP)
		if err != nil || !lb.Revoked {
			continue
		}
		if err := v.Linger(ctx, netip.AddrPortFrom(ip, uint16(lb.SrcPort))); err != nil { // the parser bounds ports
			return err
		}
	}
	return nil
}
