package audit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// Poison is a rule that some release's router refuses, or stands still with.
type Poison struct {
	Class     string   `json:"class"`
	Rule      int64    `json:"rule"`
	UUID      string   `json:"uuid,omitempty"`
	Name      string   `json:"name,omitempty"`
	AccountID int64    `json:"account_id"`
	Account   string   `json:"account"`
	Network   int64    `json:"network"`
	VPC       int64    `json:"vpc,omitempty"`
	Routers   []string `json:"routers"`
	What      string   `json:"what"`
	// From is the first release that it hurts, "" when it hurts all; Until the last one, "" when there is none.
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
	Hurts string `json:"hurts"`
	// Warning: it works, and an upgrade makes it a nuisance. It is no finding of L1.
	Warning bool `json:"warning,omitempty"`
	// Latent: the rule has no backend, so nothing of it is sent until it gets one.
	Latent bool `json:"latent,omitempty"`
}

// in says whether the rule hurts in a release. It goes by ancestry and not by the number: an older line may have a
// later fix. Of a release that nobody knows the worst is taken.
func (p *Poison) in(name string) bool {
	if p.Class == PoisonCase {
		return release.Where(release.AlgorithmVerbatim).Contains(name)
	}
	if p.From == "" {
		return true
	}
	has, err := release.Contains(name, p.From)
	return err != nil || has
}

// The classes of poison.
const (
	PoisonAppCookie    = "appcookie"
	PoisonAlgorithm    = "algorithm"
	PoisonCase         = "algorithm-case"
	PoisonTableSize    = "tablesize"
	PoisonExpire       = "expire"
	PoisonCookieMode   = "cookie-mode"
	PoisonMethod       = "method"
	PoisonTwoPolicies  = "two-policies"
	PoisonKeepAlive    = "keepalive"
	PoisonProtocol     = "protocol-spelling"
	PoisonNoProtocol   = "no-protocol"
	PoisonPort         = "port"
	PoisonPlainSSL     = "ssl-without-certificate"
	PoisonEncryptedKey = "encrypted-key"
	PoisonCIDR         = "cidr-list"
)

// What refusals do: up to 4.21 a router takes the file, its reload fails, and the call succeeds; from 4.22.0.0
// (#11468) it is checked first, so that every change of every rule on the router fails, and then (N-R1) those of
// other kinds too.
const (
	hurtsAlways = "the router's HAProxy refuses the whole file. Up to 4.21 every later change on that router is " +
		"lost without an error, and HAProxy does not start " +
		"after a restart of the router. From 4.22.0.0 on every load balancer call on that router fails, and port " +
		"forwarding, firewall and VPN changes with it"
	hurtsLoud = "from 4.22.0.0 on every load balancer call on that router fails, and port forwarding, firewall and " +
		"VPN changes with it"
)

// balancerRule is what the tables tell of one load balancer rule.
type balancerRule struct {
	id, network, vpc, account int64
	uuid, name, state         string
	algorithm, protocol, cidr string
	scheme                    string
	start, end                int64
	backends, revokedBackends int
	policies                  []policy
	revokedPolicies           int
	certificate, encrypted    bool
	keepAlive                 bool
	// what routers are compared with (readAddresses)
	address       string
	port          int64
	members       []string // address:port
	memberUnknown bool
}

type policy struct {
	id     int64
	method string
	params map[string]string
}

// parsePolicy reads the stored parameters: name=value pairs, each followed by &.
func parsePolicy(id int64, method, params string) policy {
	p := policy{id: id, method: method, params: map[string]string{}}
	for _, pair := range strings.Split(params, "&") {
		if name, value, found := strings.Cut(pair, "="); found {
			p.params[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return p
}

// flaw is one reason why a router refuses a rule.
type flaw struct{ class, what, from, until, hurts string }

// warning says that no router refuses it.
func (f flaw) warning() bool { return f.class == PoisonNoProtocol || f.class == PoisonPlainSSL }

// poisoned are all reasons of one rule.
func (b *balancerRule) poisoned() []flaw {
	var all []flaw
	add := func(class, hurts, from, until, format string, a ...any) {
		all = append(all, flaw{class, fmt.Sprintf(format, a...), from, until, hurts})
	}
	switch lower := strings.ToLower(b.algorithm); {
	case !slices.Contains([]string{"roundrobin", "leastconn", "source"}, lower):
		add(PoisonAlgorithm, hurtsAlways, "", "", "algorithm %q is none that HAProxy has", b.algorithm)
	case lower != b.algorithm:
		add(
			PoisonCase,
			"HAProxy refuses the whole file, silently (#9698). Later releases write it in lower case, but their "+
				"health check of the router stays red",
			"",
			"4.19.1.3",
			"algorithm %q is not written in lower case",
			b.algorithm,
		)
	}
	for _, p := range b.policies {
		all = append(all, p.flaws()...)
	}
	if len(b.policies) > 1 {
		add(PoisonTwoPolicies, hurtsAlways, "", "", "%d stickiness policies are live on one rule", len(b.policies))
	}
	cookie := slices.ContainsFunc(b.policies, func(p policy) bool { return strings.EqualFold(p.method, "LbCookie") })
	if b.keepAlive && (cookie || b.certificate) {
		add(
			PoisonKeepAlive,
			hurtsLoud,
			"4.22.0.0",
			"",
			"its network's offering has keep-alive, and the rule has %s",
			either(cookie, "a cookie policy", "a certificate"),
		)
	}
	all = append(all, b.protocolFlaws()...)
	if b.start != b.end || b.start < 1 || b.start > 65535 {
		add(PoisonPort, hurtsAlways, "", "", "public port %d to %d is not one port of 1 to 65535", b.start, b.end)
	} else if b.start == 8081 {
		add(PoisonPort, hurtsAlways, "", "", "public port 8081 may be that of the router's own statistics")
	}
	if strings.Contains(b.cidr, ",") && strings.EqualFold(b.scheme, "Internal") {
		add(
			PoisonCIDR,
			hurtsAlways,
			"4.22.0.0",
			"",
			"source list %q has commas, where an internal load balancer wants blanks",
			b.cidr,
		)
	}
	return all
}

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// protocolFlaws are what 4.22 makes of protocols as older releases stored them (N-L1, N-L7, N-L9, N-L11).
func (b *balancerRule) protocolFlaws() []flaw {
	const from = "4.22.0.0"
	known := []string{"tcp", "udp", "tcp-proxy", "ssl"}
	switch {
	case b.protocol == "":
		return []flaw{
			{
				PoisonNoProtocol,
				"the rule was created without a protocol",
				from,
				"",
				"each updateLoadBalancerRule of it changes the rule and then reports an error (job 530)",
			},
		}
	case !slices.Contains(known, b.protocol):
		return []flaw{{PoisonProtocol, fmt.Sprintf("protocol is spelled %q", b.protocol), from, "",
			"the rule can no longer be updated or get a stickiness policy (431, not in valid protocols)"}}
	case b.protocol == "ssl" && !b.certificate:
		return []flaw{
			{
				PoisonPlainSSL,
				"an ssl rule without a certificate",
				from,
				"",
				"it is served in plain text on its public port",
			},
		}
	case b.encrypted:
		return []flaw{{PoisonEncryptedKey, "its certificate's private key is encrypted", from, "", hurtsLoud}}
	}
	return nil
}

// maxExpire is the longest time that HAProxy takes: 2^31-1 milliseconds.
const maxExpire = 1<<31 - 1

// measure cuts a number with a unit.
func measure(text string) (n int64, unit string, ok bool) {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	n, err := strconv.ParseInt(text[:digits], 10, 64)
	return n, text[digits:], err == nil
}

// flaws of one policy (HAProxy 2.6.12: measured).
func (p policy) flaws() []flaw {
	fatal := func(class, format string, a ...any) []flaw {
		return []flaw{{class: class, what: fmt.Sprintf(format, a...), hurts: hurtsAlways}}
	}
	switch strings.ToLower(p.method) {
	case "appcookie":
		return fatal(
			PoisonAppCookie,
			"stickiness policy %d is an AppCookie, which HAProxy has not known since 1.6",
			p.id,
		)
	case "sourcebased":
		var all []flaw
		if size, given := p.params["tablesize"]; given {
			n, unit, ok := measure(size)
			if !ok || n == 0 || !slices.Contains([]string{"", "k", "m", "g"}, strings.ToLower(unit)) {
				all = append(all, fatal(PoisonTableSize, "stickiness policy %d has tablesize %q", p.id, size)...)
			}
		}
		if expire, given := p.params["expire"]; given && !validTime(expire) {
			all = append(
				all,
				fatal(PoisonExpire, "stickiness policy %d has expire %q; HAProxy takes up to 24 days", p.id, expire)...)
		}
		return all
	case "lbcookie":
		mode, given := p.params["mode"]
		_, indirect := p.params["indirect"]
		if given && !slices.Contains([]string{"insert", "prefix", "rewrite"}, mode) {
			return fatal(PoisonCookieMode, "stickiness policy %d has cookie mode %q", p.id, mode)
		}
		if mode == "rewrite" && indirect {
			return fatal(PoisonCookieMode, "stickiness policy %d has cookie mode rewrite with indirect", p.id)
		}
		return nil
	}
	return fatal(PoisonMethod, "stickiness policy %d has method %q", p.id, p.method)
}

// validTime says whether HAProxy takes a time; without a unit it is in milliseconds.
func validTime(text string) bool {
	n, unit, ok := measure(text)
	if unit == "us" {
		return ok && n/1000 <= maxExpire
	}
	factor := map[string]int64{"": 1, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}[unit]
	return ok && factor > 0 && n <= maxExpire/factor
}
