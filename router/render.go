package router

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Rendered is what the management server makes of a push and sends to the router, with the names of that file
// (load_balancer.json). An element of Config may hold several lines.
type Rendered struct {
	Config      []string `json:"config"`
	AddRules    []string `json:"add_rules"`
	RemoveRules []string `json:"remove_rules"`
	StatRules   []string `json:"stat_rules"`
	// Certificates hold private keys: they go to the router and nowhere else.
	Certificates []CertificateEntry `json:"-"`
}

// File is haproxy.cfg as the router writes it: every element split at newlines, every piece ended by one.
func (r Rendered) File() []byte {
	var b bytes.Buffer
	for _, element := range r.Config {
		b.WriteString(element)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Render renders one push as a freshly started management server of these rules does.
func Render(p Push, rules Rules) (Rendered, error) { return new(Renderer).Render(p, rules) }

// Renderer renders as one management server's process does, over its whole life: with Rules.KeepAliveLeaks the first
// push with keep-alive changes the defaults of all later files (#14131). The zero value is ready; it may be used by
// several goroutines.
type Renderer struct {
	mu     sync.Mutex
	leaked bool
	idle   *int64 // the last timeout that was no negative one; nil for that of a fresh server
}

const blankLine = "\t "

// Render renders one push. It fails where the real generator throws (a maxconn that is no number, a missing algorithm).
func (r *Renderer) Render(p Push, rules Rules) (Rendered, error) {
	p = rules.Slips.misread(p)
	maxconn, err := strconv.ParseInt(p.MaxConn, 10, 64)
	if err != nil {
		return Rendered{}, fmt.Errorf("rendering the push: maxconn %q is not a whole number (the management server "+
			"throws NumberFormatException)", p.MaxConn)
	}
	config := globalSection(p.MaxConn, maxconn, rules)
	config = append(config, blankLine)
	config = append(config, defaultsSection(r.keepAliveDefaults(p, rules), r.idleTimeout(p, rules), rules)...)
	config = append(config, statistics(p, rules)...)
	config = append(config, blankLine)
	live := false
	for i, lb := range p.LoadBalancers {
		if lb.Revoked || lb.withheld(rules) {
			continue
		}
		if lb.Algorithm == "" {
			return Rendered{}, fmt.Errorf("rendering the push: loadBalancers[%d] (%s) has no algorithm", i, lb.Name())
		}
		config = append(config, ruleSection(lb, p.KeepAlive, rules)...)
		live = true
	}
	config = append(config, blankLine)
	if !live {
		config = append(config, "listen  vmops", "\tbind 0.0.0.0:9", "\toption transparent")
	}
	add, remove, stat := firewallRules(p)
	if rules.Slips.DoorsStayOpen {
		remove = nil
	}
	return Rendered{Config: config, AddRules: add, RemoveRules: remove, StatRules: stat,
		Certificates: certificates(p, rules)}, nil
}

// keepAliveDefaults says whether the defaults of this file are those of keep-alive.
func (r *Renderer) keepAliveDefaults(p Push, rules Rules) bool {
	if !rules.KeepAliveLeaks {
		return p.KeepAlive
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaked = r.leaked || p.KeepAlive
	return r.leaked
}

// idleTimeout is what this file's timeouts are made of: with Rules.IdleTimeoutKept a negative one leaves them as the
// last push wrote them (HAProxyConfigurator.java@4.22.1.0).
func (r *Renderer) idleTimeout(p Push, rules Rules) int64 {
	if !rules.IdleTimeout {
		return DefaultIdleTimeout
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.IdleTimeout >= 0 {
		r.idle = &p.IdleTimeout
	}
	if r.idle == nil || p.IdleTimeout < 0 && !rules.IdleTimeoutKept {
		return DefaultIdleTimeout
	}
	return *r.idle
}

// DefaultIdleTimeout is the timeout of clients and servers that nothing changed, in milliseconds
// (HAProxyConfigurator.java@4.22.1.0).
const DefaultIdleTimeout = 50000

func globalSection(maxconn string, n int64, rules Rules) []string {
	lines := []string{
		"global",
		"\tlog 127.0.0.1:3914   local0 warning",
		"\tmaxconn " + maxconn,
		"\tmaxpipes " + strconv.FormatInt(n/4, 10),
		"\tchroot /var/lib/haproxy",
		"\tuser haproxy",
		"\tgroup haproxy",
	}
	if !rules.Before418 {
		lines = append(lines, "\tstats socket /run/haproxy/admin.sock")
	}
	return append(lines, "\tdaemon")
}

func defaultsSection(keepAlive bool, idle int64, rules Rules) []string {
	client, server := "", ""
	if idle > 0 {
		client, server = fmt.Sprintf("\ttimeout client     %d", idle), fmt.Sprintf("\ttimeout server     %d", idle)
	}
	closing := "option httpclose"
	if rules.Before418 {
		closing = "option forceclose"
	}
	if keepAlive {
		closing = "no " + closing
	}
	return []string{
		"defaults",
		"\tlog     global",
		"\tmode    tcp",
		"\toption  dontlognull",
		"\tretries 3",
		"\toption redispatch",
		"\toption forwardfor",
		"\t" + closing,
		"\ttimeout connect    5000",
		client,
		server,
	}
}

// statistics gives the statistics listeners by visibility. An unknown visibility puts the directives into defaults,
// without a listener of their own.
func statistics(p Push, rules Rules) []string {
	page := "\tstats enable\n\tstats uri     " + p.StatsURI +
		"\n\tstats realm   Haproxy\\ Statistics\n\tstats auth    " + p.StatsAuth
	listener := func(name, ip string) string {
		s := "\nlisten " + name + "\n\tbind " + javaText(ip) + ":" + p.StatsPort
		if rules.FrontendFirst || !p.KeepAlive {
			s += "\n\tmode http"
		}
		if !p.KeepAlive {
			s += "\n\toption httpclose"
		}
		return s + "\n" + page + "\n"
	}
	public := func() string { return listener("stats_on_public", p.StatsPublicIP) }
	guest := func() string { return listener("stats_on_guest", p.StatsGuestIP) }
	private := func() string { return listener("stats_on_private", p.StatsPrivateIP) }
	switch p.StatsVisibility {
	case "disabled":
		return nil
	case "global":
		return []string{public()}
	case "guest-network":
		return []string{guest()}
	case "link-local":
		return []string{private()}
	case "all":
		return []string{public(), guest(), private()}
	default:
		return []string{page}
	}
}

// javaText is an absent text as the generator concatenates it.
func javaText(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

func poolName(ip string, port int) string {
	return strings.ReplaceAll(ip, ".", "_") + "-" + strconv.Itoa(port)
}

// ruleSection gives the listen section of one live rule.
func ruleSection(lb LoadBalancer, keepAlive bool, rules Rules) []string {
	algorithm := lb.Algorithm
	if !rules.AlgorithmVerbatim {
		algorithm = strings.ToLower(algorithm)
	}
	sticky, cookie := stickLines(lb)
	tls := lb.endsTLS(rules)
	servers := serverLines(lb, cookie, tls, rules.Slips)
	if len(servers) == 0 {
		sticky, cookie = "", false
	}
	listen := "listen " + lb.Name()
	bind := "\tbind " + lb.SrcIP + ":" + strconv.Itoa(lb.SrcPort)
	if tls {
		bind += tlsBind(lb, rules)
	}
	backend := append([]string{"\tbalance " + algorithm}, servers...)
	if sticky != "" {
		backend = append(backend, sticky)
	}
	var mode, cidr []string
	if lb.SrcPort == 80 && !keepAlive || cookie || tls {
		closing := "\toption httpclose"
		if keepAlive && rules.KeepAliveForceclose {
			closing = "\tno option forceclose"
		}
		mode = []string{"\tmode http", closing}
	}
	if strings.TrimSpace(lb.CIDRList) != "" && !rules.Before418 {
		cidr = []string{"\tacl network_allowed src " + lb.CIDRList +
			" \n\ttcp-request connection reject if !network_allowed"}
	}
	if rules.FrontendFirst {
		return slices.Concat([]string{listen, bind}, mode, cidr, backend, []string{blankLine})
	}
	return slices.Concat([]string{listen, bind}, backend, mode, cidr, []string{blankLine})
}

// serverLines numbers the live backends from 0, so indexes shift when one goes.
func serverLines(lb LoadBalancer, cookie, tls bool, slips Slips) []string {
	var lines []string
	for _, d := range lb.Destinations {
		if d.Revoked {
			continue
		}
		port := strconv.Itoa(d.Port)
		line := "\tserver " + lb.Name() + "_" + strconv.Itoa(len(lines)) + " " + d.IP + ":" + port
		if !slips.NoChecks {
			line += " check"
		}
		if tls {
			line += tlsOptions
		}
		if lb.LBProtocol == "tcp-proxy" {
			line += " send-proxy"
		}
		if cookie {
			line += " cookie " + strings.ReplaceAll(d.IP, ".", "_") + "-" + port
		}
		lines = append(lines, line)
	}
	return lines
}

// firewallRules gives what the router opens and closes: each list is a set, in the order of Java's HashSet.
func firewallRules(p Push) (add, remove, stat []string) {
	for _, lb := range p.LoadBalancers {
		entry := lb.SrcIP + ":" + strconv.Itoa(lb.SrcPort) + ":"
		if lb.Revoked {
			remove = append(remove, entry)
		} else {
			add = append(add, entry)
		}
	}
	remove = slices.DeleteFunc(hashOrder(remove), func(s string) bool { return slices.Contains(add, s) })
	ip := ""
	switch p.StatsVisibility {
	case "guest-network":
		ip = javaText(p.StatsGuestIP)
	case "link-local":
		ip = javaText(p.StatsPrivateIP)
	case "global":
		ip = javaText(p.StatsPublicIP)
	case "all":
		ip = "0.0.0.0/0"
	}
	if ip != "" {
		ip += ":" + p.StatsPort + ":" + p.StatsSrcCIDRs + ":,"
	}
	return hashOrder(add), remove, []string{ip}
}
