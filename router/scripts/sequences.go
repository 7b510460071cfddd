package scripts

import (
	"fmt"

	"github.com/stackproof/stackproof/router"
)

// Sequence is a row of pushes to a fresh router whose fate was measured on the scripts of 4.19.1.0 (which compare files
// as sets of lines) and 4.20.0.0 (which compare them line by line, #9822).
type Sequence struct {
	Name  string // also the name of its router
	Steps []SequenceStep
}

// SequenceStep is one push.
type SequenceStep struct {
	Push   router.Push
	Masked bool // lost by a set comparison; none is lost by a list comparison
}

// Pushes are the steps' pushes in order.
func (s Sequence) Pushes() []router.Push {
	var list []router.Push
	for _, step := range s.Steps {
		list = append(list, step.Push)
	}
	return list
}

// BuiltInPushes are those of all Sequences, each on a router of its own: what two trees are compared by where nobody
// has a recording.
func BuiltInPushes() []router.Push {
	var list []router.Push
	for _, s := range Sequences() {
		list = append(list, s.Pushes()...)
	}
	return list
}

// outline is a sequence before it has a router.
type outline struct {
	name  string
	steps []outlineStep
}

type outlineStep struct {
	rules              []rule
	aggregated, masked bool
}

// Sequences gives them in a fixed order; the first is the four commands of #9583.
func Sequences() []Sequence {
	var list []Sequence
	for _, o := range outlines() {
		s := Sequence{Name: o.name}
		for _, step := range o.steps {
			p := command(o.name, step.rules)
			p.Aggregated = step.aggregated
			s.Steps = append(s.Steps, SequenceStep{Push: p, Masked: step.masked})
		}
		list = append(list, s)
	}
	return list
}

func outlines() []outline {
	a, b := plain(8080), plain(8082)
	stickyA, stickyB := sticky(8080), sticky(8082)
	fewer := stickyA
	fewer.servers = 2
	tableSize := rule{port: 8082, method: "SourceBased", params: [][2]string{{"tablesize", "10k"}}}
	cookie := func(port int) rule {
		return rule{port: port, method: "LbCookie", params: [][2]string{{"cookie-name", "lb"}, {"mode", "insert"}}}
	}
	least := func(port int) rule { return rule{port: port, algorithm: "leastconn"} }
	appB := rule{port: 8082, method: "AppCookie", params: [][2]string{{"cookie-name", "app"}}}
	revokedB := rule{port: 8082, revoked: true}
	push := func(rules ...rule) outlineStep { return outlineStep{rules: rules} }
	lost := func(rules ...rule) outlineStep { return outlineStep{rules: rules, masked: true} }
	whole := func(rules ...rule) outlineStep { return outlineStep{rules: rules, aggregated: true} }
	return []outline{
		{"the-four-commands", []outlineStep{push(a, b), push(stickyA, b), lost(stickyA, stickyB), push(stickyA, b)}},
		{"removal-while-the-sibling-keeps-its-policy", []outlineStep{push(a, b), push(fewer, stickyB), lost(fewer, b)}},
		{"policy-moves", []outlineStep{push(stickyA, b), lost(a, stickyB)}},
		{"another-table-size", []outlineStep{push(stickyA, b), push(stickyA, tableSize)}},
		{"algorithms-exchanged", []outlineStep{push(a, least(8082)), lost(least(8080), b)}},
		{"both-to-none", []outlineStep{push(a, b), push(fewer, stickyB), push(a, b)}},
		{"pending-arrives-with-another-change", []outlineStep{push(stickyA, b), lost(stickyA, stickyB),
			push(fewer, stickyB)}},
		{"cookies-in-server-lines", []outlineStep{push(cookie(8080), b), push(cookie(8080), cookie(8082)),
			push(cookie(8080), b)}},
		{"refused-file", []outlineStep{push(a, b), push(a, appB), push(a, appB), push(a, b)}},
		{"revoked-rule", []outlineStep{push(a, b), push(a, revokedB)}},
		// Blanks collapse in the aggregated form, so the first direct push after it always differs.
		{"aggregated-then-one-more-policy", []outlineStep{whole(stickyA, b), push(stickyA, stickyB), lost(stickyA, b)}},
		{"aggregated-then-the-same", []outlineStep{whole(stickyA, b), push(stickyA, b), push(stickyA, b)}},
	}
}

// rule is a load balancing rule of 192.168.2.5 with its policy.
type rule struct {
	port      int
	algorithm string // roundrobin when empty
	method    string // of the policy, none when empty
	params    [][2]string
	servers   int // 3 when 0
	revoked   bool
}

func sticky(port int) rule { return rule{port: port, method: "SourceBased"} }

func plain(port int) rule { return rule{port: port} }

// command is the push for these rules, in this order.
func command(name string, rules []rule) router.Push {
	p := router.Push{
		StatsVisibility: "global", StatsPublicIP: "192.168.2.4", StatsPort: "8081", StatsSrcCIDRs: "0/0",
		StatsAuth: "admin1:AdMiN123",
		StatsURI:  "/admin?stats", MaxConn: "4096", IdleTimeout: router.DefaultIdleTimeout, VPCID: "1",
		AccessDetails: map[string]string{"router.name": name, "router.ip": "169.254.228.201"},
	}
	for _, r := range rules {
		lb := router.LoadBalancer{
			UUID: fmt.Sprintf("00000000-0000-4000-8000-%012d", r.port), SrcIP: "192.168.2.5", SrcPort: r.port,
			Protocol:  "tcp",
			Algorithm: r.algorithm, Revoked: r.revoked,
		}
		if lb.Algorithm == "" {
			lb.Algorithm = "roundrobin"
		}
		servers := r.servers
		if servers == 0 {
			servers = 3
		}
		for i := range servers {
			lb.Destinations = append(lb.Destinations, router.Destination{IP: fmt.Sprintf("10.0.1.%d", 11+i),
				Port: r.port})
		}
		if r.method != "" {
			policy := router.Stickiness{Method: r.method}
			for _, q := range r.params {
				policy.Params = append(policy.Params, router.Param{Name: q[0], Value: q[1]})
			}
			lb.Stickiness = []router.Stickiness{policy}
		}
		p.LoadBalancers = append(p.LoadBalancers, lb)
	}
	return p
}
