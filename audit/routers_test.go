package audit

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/router"
)

// fakeRouters stands for virtual routers: what each shows is what a test says.
type fakeRouters map[string]RouterView

func (f fakeRouters) View(_ context.Context, p RouterPlace) (RouterView, error) {
	v, known := f[p.Name]
	if !known {
		return v, errors.New("ssh: no route to host")
	}
	return v, nil
}

// routerSite has two rules of one VPC with two routers: 7 is sticky, 8 is not and has two members.
func routerSite(t *testing.T) *testSite {
	s := damaged(t)
	s.db.SetMaxOpenConns(1) // of SET SESSION
	for _, statement := range []string{
		"SET SESSION sql_mode = ''",
		"DELETE FROM cloud.firewall_rules",
		"DELETE FROM cloud.vm_instance",
		"DELETE FROM cloud.networks",
		"DELETE FROM cloud.user_ip_address",
		"DELETE FROM cloud.load_balancing_rules",
		"CREATE TABLE cloud.domain_router (id BIGINT PRIMARY KEY, vpc_id BIGINT, public_ip_address VARCHAR(40), " +
			"template_version VARCHAR(40), scripts_version VARCHAR(40))",
		"INSERT INTO cloud.domain_router VALUES (3, 1, '10.7.0.1', 'v', 's'), (4, 1, '10.7.0.1', 'v', 's')",
		"INSERT INTO cloud.vm_instance (id, instance_name, state, private_ip_address) VALUES (3, 'r-3-VM', " +
			"'Running', " +
			"'169.254.1.3'), (4, 'r-4-VM', 'Running', '169.254.1.4'), (5, 'r-5-VM', 'Running', '')",
		"INSERT INTO cloud.networks (id, vpc_id) VALUES (2, 1)",
		"INSERT INTO cloud.user_ip_address (id, public_ip_address) VALUES (1, '10.7.0.1')",
		"INSERT INTO cloud.firewall_rules (id, uuid, ip_address_id, start_port, end_port, state, purpose, " +
			"account_id, " +
			"network_id) VALUES (7, 'u7', 1, 80, 80, 'Active', 'LoadBalancing', 2, 2), " +
			"(8, 'u8', 1, 81, 81, 'Active', 'LoadBalancing', 2, 2), (9, 'u9', 1, 82, 82, 'Add', 'LoadBalancing', 2, 2)",
		"INSERT INTO cloud.load_balancing_rules (id, name, default_port_start, default_port_end, algorithm, scheme) " +
			"VALUES (7, 'a', 8080, 8080, 'Source', 'Public'), (8, 'b', 8081, 8081, 'roundrobin', 'Public'), " +
			"(9, 'c', 1, 1, 'source', 'Public')",
		"INSERT INTO cloud.nics (instance_id, network_id, ip4_address) VALUES (21, 2, '10.1.1.21')",
		"INSERT INTO cloud.load_balancer_vm_map (load_balancer_id, instance_id, `revoke`, instance_ip) VALUES " +
			"(7, 21, 0, NULL), (8, 21, 0, '10.1.1.21'), (8, 22, 0, '10.1.1.22'), (8, 23, 1, '10.1.1.23')",
		"INSERT INTO cloud.load_balancer_stickiness_policies (id, load_balancer_id, method_name, params, `revoke`) " +
			"VALUES (1, 7, 'SourceBased', '', 0)",
	} {
		s.exec(statement)
	}
	return s
}

// inForce is a router that has these rules in force.
func inForce(t *testing.T, change func(*router.Push)) RouterView {
	t.Helper()
	rules, err := router.RulesFor(release.Default)
	require.NoError(t, err)
	p := router.Push{MaxConn: "4096", StatsVisibility: "guest-network", StatsGuestIP: "10.1.1.1", StatsPort: "8081",
		LoadBalancers: []router.LoadBalancer{
			{
				SrcIP:        "10.7.0.1",
				SrcPort:      80,
				Algorithm:    "source",
				Stickiness:   []router.Stickiness{{Method: "SourceBased"}},
				Destinations: []router.Destination{{IP: "10.1.1.21", Port: 8080}},
			},
			{SrcIP: "10.7.0.1", SrcPort: 81, Algorithm: "roundrobin", Destinations: []router.Destination{
				{IP: "10.1.1.22", Port: 8081}, {IP: "10.1.1.21", Port: 8081}}},
		}}
	if change != nil {
		change(&p)
	}
	rendered, err := router.Render(p, rules)
	require.NoError(t, err)
	v := RouterView{Files: router.Files{Live: rendered.File(), New: rendered.File(), Serving: rendered.File(),
		MasterPID: 100, Workers: 1, RunningSince: time.Unix(1, 0)}, Tables: map[string]int64{"10_7_0_1-80": 3}}
	for name, section := range rulesOnly(v.Files.Live) {
		v.Stats = append(v.Stats, router.Stat{Proxy: name, Name: "FRONTEND", Status: "OPEN"})
		for _, server := range section.Servers() {
			v.Stats = append(v.Stats, router.Stat{Proxy: name, Name: server.Name, Status: "UP", Sessions: 5})
		}
	}
	return v
}

// TestRouters: each difference between a router and the database is one line of L4, of L6 or of L7.
func TestRouters(t *testing.T) {
	s := routerSite(t)
	type sight struct {
		routers fakeRouters
		reach   func(context.Context, string) error
	}
	both := func(push func(*router.Push), view func(*RouterView)) func() sight {
		return func() sight {
			routers := fakeRouters{}
			for _, name := range []string{"r-3-VM", "r-4-VM"} {
				v := inForce(t, push)
				if view != nil {
					view(&v)
				}
				routers[name] = v
			}
			return sight{routers: routers, reach: func(context.Context, string) error { return nil }}
		}
	}
	at := func(i int, change func(*router.LoadBalancer)) func() sight {
		return both(func(p *router.Push) { change(&p.LoadBalancers[i]) }, nil)
	}
	view := func(change func(*RouterView)) func() sight { return both(nil, change) }
	for name, tt := range map[string]struct {
		sight   func() sight
		check   string
		outcome Outcome
		text    string
	}{
		"as it should be": {both(nil, nil), "L4", Clean, "2 routers have in force what the database says"},
		"a rule is missing": {both(func(p *router.Push) { p.LoadBalancers = p.LoadBalancers[:1] }, nil), "L4", Found,
			`nothing listens at 10.7.0.1:81 for rule 8 "b"`},
		"a dead rule listens": {both(func(p *router.Push) {
			p.LoadBalancers = append(p.LoadBalancers, router.LoadBalancer{SrcIP: "10.7.0.1", SrcPort: 90,
				Algorithm: "source", Destinations: []router.Destination{{IP: "10.1.1.9", Port: 1}}})
		}, nil), "L4", Found, "section 10_7_0_1-90 still listens at 10.7.0.1:90, and no rule is there"},
		"another algorithm": {at(1, func(l *router.LoadBalancer) { l.Algorithm = "leastconn" }), "L4", Found,
			"the algorithm is leastconn, the rule's is roundrobin"},
		"a member too few": {at(1, func(l *router.LoadBalancer) { l.Destinations = l.Destinations[:1] }), "L4", Found,
			"the backends are 10.1.1.22:8081, the rule's members are 10.1.1.21:8081, 10.1.1.22:8081"},
		"a removed member": {at(1, func(l *router.LoadBalancer) {
			l.Destinations = append(l.Destinations, router.Destination{IP: "10.1.1.23", Port: 8081})
		}), "L4", Found, "the backends are 10.1.1.21:8081, 10.1.1.22:8081, 10.1.1.23:8081"},
		"another port": {at(0, func(l *router.LoadBalancer) { l.Destinations[0].Port = 1 }), "L4", Found,
			"the backends are 10.1.1.21:1, the rule's members are 10.1.1.21:8080"},
		"a policy is not in force": {at(0, func(l *router.LoadBalancer) { l.Stickiness = nil }), "L4", Found,
			"it is sticky by none, the rule's policy says source"},
		"a removed policy": {at(1, func(l *router.LoadBalancer) {
			l.Stickiness = []router.Stickiness{{Method: "LbCookie"}}
		}), "L4", Found, "it is sticky by cookie, the rule's policy says none"},
		"HAProxy does not run": {view(func(v *RouterView) { v.Files.MasterPID, v.Files.Serving = 0, nil }), "L4", Found,
			"HAProxy does not run"},
		"the last change was refused": {view(func(v *RouterView) {
			v.Files.New = []byte("listen x\n\tbind " +
				"y\n")
		}), "L4",
			Found, "haproxy.cfg.new differs from haproxy.cfg"},
		"not reloaded": {view(func(v *RouterView) { v.Files.Serving = nil }), "L4", Found,
			"HAProxy has not been reloaded since haproxy.cfg changed"},
		"one router does not answer": {func() sight {
			return sight{routers: fakeRouters{"r-3-VM": inForce(t, nil)}}
		}, "L4", Undecidable, "1 of 2 routers could not be looked at, first: r-4-VM: ssh: no route to host"},
		"a redundant router has other rules": {func() sight {
			return sight{routers: fakeRouters{"r-3-VM": inForce(t, nil), "r-4-VM": inForce(t, func(p *router.Push) {
				p.LoadBalancers[0].Algorithm = "leastconn"
			})}}
		}, "L6", Found, "redundant routers r-3-VM and r-4-VM of VPC 1 differ in section 10_7_0_1-80"},
		"redundant routers agree": {both(nil, nil), "L6", Clean, "running routers are of one version"},
		"traffic": {both(nil, nil), "L7", Clean,
			"baseline of 4 rules: 4 reached, of 4 the backends were seen"},
		"a backend is down": {view(func(v *RouterView) {
			for i, stat := range v.Stats {
				if stat.Name == "10_7_0_1-81_0" {
					v.Stats[i].Status = "DOWN"
				}
			}
		}), "L7", Found, `rule 8 "b" at 10.7.0.1:81 on r-3-VM: 10_7_0_1-81_0 down, 1 up`},
		"not reached": {func() sight {
			x := both(nil, nil)()
			x.reach = func(_ context.Context, address string) error {
				if strings.HasSuffix(address, ":80") {
					return errors.New("connection refused")
				}
				return nil
			}
			return x
		}, "L7", Found, `rule 7 "a" at 10.7.0.1:80 on r-3-VM cannot be reached from here: connection refused`},
		"the admin socket is silent": {view(func(v *RouterView) { v.Stats, v.Silent = nil, "socat: not found" }), "L7",
			Undecidable, "of 2 routers the backends could not be seen, first: r-3-VM: socat: not found"},
		"a router is not seen": {func() sight {
			return sight{routers: fakeRouters{"r-3-VM": inForce(t, nil)}}
		}, "L7", Undecidable, "of 1 routers the backends could not be seen, first: r-4-VM: ssh: no route to host"},
		"nobody looked": {func() sight { return sight{} }, "L7", NotLooked, "give --router"},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			seen := tt.sight()
			r := s.audit(func(o *Options) {
				if o.Reach = seen.reach; seen.routers != nil {
					o.Routers = seen.routers
				}
			})
			c := r.Check(tt.check)
			require.Equal(t, tt.outcome, c.Outcome, c.Text)
			require.Contains(t, c.Text+strings.Join(c.Evidence, "\n"), tt.text)
		})
	}
}

// TestTrafficCompared: what was served before an upgrade and is not served after it is worse.
func TestTrafficCompared(t *testing.T) {
	before := []Traffic{{Rule: 7, UUID: "u7", Name: "a", Router: "r-3-VM", Address: "10.7.0.1:80", Reachable: "yes",
		Up: []string{"x", "y"}, Sticky: "source"}}
	for name, tt := range map[string]struct {
		change func(*Traffic)
		want   string
	}{
		"unchanged":         {func(*Traffic) {}, ""},
		"nobody tried":      {func(n *Traffic) { n.Reachable = "" }, ""},
		"nobody looked":     {func(n *Traffic) { n.Up, n.Sticky = nil, "" }, ""},
		"another rule":      {func(n *Traffic) { n.UUID, n.Reachable = "u8", "refused" }, ""},
		"not reached":       {func(n *Traffic) { n.Reachable = "refused" }, "was reached before, not now: refused"},
		"a backend is gone": {func(n *Traffic) { n.Up = n.Up[:1] }, "had 2 backends that were up, and has 1"},
		"not sticky":        {func(n *Traffic) { n.Sticky = "" }, "was sticky by source, and is by none"},
	} {
		t.Run(name, func(t *testing.T) {
			after := before[0]
			tt.change(&after)
			worse := compareTraffic(before, []Traffic{after})
			if tt.want == "" {
				require.Empty(t, worse)
				return
			}
			require.Len(t, worse, 1)
			require.Contains(t, worse[0], tt.want)
		})
	}
}
