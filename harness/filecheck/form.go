package filecheck

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/release"
)

// sections are the lines that a file of the release has for the push, in the order of the sections.
func (c command) sections(has Has) (all map[string][]string, order []string) {
	all = map[string][]string{}
	add := func(name string, lines []string) {
		all[name], order = lines, append(order, name)
	}
	add("global", c.global(has))
	add("defaults", c.defaults(has))
	for _, page := range [][2]string{{"public", "lbStatsPublicIP"}, {"guest", "lbStatsGuestIP"},
		{"private", "lbStatsPrivateIP"}} {
		if c.shows(page[0]) {
			add("stats_on_"+page[0], c.statistics(c.fields[page[1]], has))
		}
	}
	live := false
	for _, r := range c.rules {
		if r.revoked || r.withheld(has) {
			continue
		}
		add(r.section(), r.lines(c.fields["keepAliveEnabled"] == "true", has))
		live = true
	}
	if !live {
		add("vmops", []string{"bind 0.0.0.0:9", "option transparent"})
	}
	return all, order
}

func (c command) global(has Has) []string {
	n, _ := strconv.ParseInt(c.fields["maxconn"], 10, 64) // what is no number has no file
	lines := []string{"log 127.0.0.1:3914 local0 warning", "maxconn " + c.fields["maxconn"],
		fmt.Sprintf("maxpipes %d", n/4), "chroot /var/lib/haproxy", "user haproxy", "group haproxy", "daemon"}
	if !has(release.RendererBefore418) {
		lines = append(lines, "stats socket /run/haproxy/admin.sock")
	}
	return lines
}

func (c command) defaults(has Has) []string {
	lines := []string{"log global", "mode tcp", "option dontlognull", "retries 3", "option redispatch",
		"option forwardfor", "timeout connect 5000"}
	closing := "option httpclose"
	if has(release.RendererBefore418) {
		closing = "option forceclose"
	}
	if c.fields["keepAliveEnabled"] == "true" {
		closing = "no " + closing
	}
	idle := "50000"
	if given, there := c.fields["idleTimeout"]; there && has(release.IdleTimeout) {
		idle = given
	}
	if idle != "0" && !strings.HasPrefix(idle, "-") {
		lines = append(lines, "timeout client "+idle, "timeout server "+idle)
	}
	if !slices.Contains([]string{"global", "guest-network", "link-local", "all", "disabled"},
		c.fields["lbStatsVisibility"]) {
		lines = append(lines, c.page()...) // without a listener of its own
	}
	return append(lines, closing)
}

// untold leaves out the timeouts of a push that asks for a negative one: they are those of a push before.
func (c command) untold(defaults []string, has Has) []string {
	if !has(release.IdleTimeout) || !strings.HasPrefix(c.fields["idleTimeout"], "-") {
		return defaults
	}
	return slices.DeleteFunc(slices.Clone(defaults), func(line string) bool {
		return strings.HasPrefix(line, "timeout client ") || strings.HasPrefix(line, "timeout server ")
	})
}

// leaked takes the closing line for that of a push without keep-alive, where that of another network leaks (#14131).
func (c command) leaked(defaults []string, has Has) []string {
	if c.fields["keepAliveEnabled"] == "true" || !has(release.KeepAliveLeaks) {
		return defaults
	}
	lines := slices.Clone(defaults)
	if i := slices.Index(lines, "no option httpclose"); i >= 0 {
		lines[i] = "option httpclose"
	}
	return lines
}

// shows says whether the statistics are shown on an address.
func (c command) shows(page string) bool {
	only := map[string]string{"global": "public", "guest-network": "guest", "link-local": "private"}
	seen := c.fields["lbStatsVisibility"]
	return seen == "all" || only[seen] == page
}

func (c command) statistics(address string, has Has) []string {
	lines := append(c.page(), "bind "+address+":"+c.fields["lbStatsPort"])
	keepAlive := c.fields["keepAliveEnabled"] == "true"
	if has(release.RuleBlockOrder2) || !keepAlive {
		lines = append(lines, "mode http")
	}
	if !keepAlive {
		lines = append(lines, "option httpclose")
	}
	return lines
}

func (c command) page() []string {
	return []string{"stats enable", "stats uri " + c.fields["lbStatsUri"], `stats realm Haproxy\ Statistics`,
		"stats auth " + c.fields["lbStatsAuth"]}
}

func (r rule) endsTLS(has Has) bool {
	return has(release.SSLOffload) && r.fields["lbProtocol"] == "ssl" && r.certified
}

// withheld says whether a rule of TLS without a certificate is not served at all.
func (r rule) withheld(has Has) bool {
	return has(release.SSLOffload) && !has(release.SSLWithoutCertificatePlain) && r.fields["lbProtocol"] == "ssl" &&
		!r.certified
}

// ciphers are what a rule that ends TLS offers; its servers have the same words, to no effect.
const ciphers = " ssl-min-ver TLSv1.2 no-tls-tickets ciphers ECDHE-RSA-AES256-GCM-SHA384:" +
	"ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384:" +
	"AES128-GCM-SHA256 ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"

func (r rule) lines(keepAlive bool, has Has) []string {
	algorithm := r.fields["algorithm"]
	if !has(release.AlgorithmVerbatim) {
		algorithm = strings.ToLower(algorithm)
	}
	tls := r.endsTLS(has)
	bind := "bind " + r.address + ":" + r.tcp
	var lines []string
	if tls {
		bind += " ssl crt /etc/cloudstack/ssl/" + r.section() + ".pem alpn h2,http/1.1" + ciphers
		verb := "set-header"
		if has(release.ForwardedProtoKept) {
			verb = "add-header"
		}
		lines = append(lines, "http-request "+verb+" X-Forwarded-Proto https")
	}
	sticky, cookie := r.sticky()
	if len(r.members) == 0 {
		sticky, cookie = nil, false
	}
	lines = append(append(lines, bind, "balance "+algorithm), sticky...)
	for i, m := range r.members {
		lines = append(lines, r.server(i, m, tls, cookie))
	}
	if r.tcp == "80" && !keepAlive || cookie || tls {
		closing := "option httpclose"
		if keepAlive && has(release.KeepAliveCookieInvalid) {
			closing = "no option forceclose"
		}
		lines = append(lines, "mode http", closing)
	}
	if list := strings.Join(strings.Fields(r.fields["cidrList"]), " "); list != "" && !has(release.RendererBefore418) {
		lines = append(lines, "acl network_allowed src "+list, "tcp-request connection reject if !network_allowed")
	}
	return lines
}

func (r rule) server(i int, m member, tls, cookie bool) string {
	line := fmt.Sprintf("server %s_%d %s:%s check", r.section(), i, m.ip, m.port)
	if tls {
		line += ciphers
	}
	if r.fields["lbProtocol"] == "tcp-proxy" {
		line += " send-proxy"
	}
	if cookie {
		line += " cookie " + strings.ReplaceAll(m.ip, ".", "_") + "-" + m.port
	}
	return line
}

// sticky are the lines of the rule's policies, and whether one works with cookies. A method that the server does not
// know leaves the rule without any.
func (r rule) sticky() (lines []string, cookie bool) {
	for _, p := range r.policies {
		switch p.method {
		case "sourcebased":
			lines = append(lines, "stick-table type ip size "+p.value("tablesize", "200k")+" expire "+
				p.value("expire", "30m"), "stick on src")
		case "lbcookie":
			lines, cookie = append(lines, r.lbCookie(p)), true
		case "appcookie":
			lines, cookie = append(lines, r.appCookie(p)), true
		default:
			return nil, false
		}
	}
	return lines, cookie
}

func (r rule) lbCookie(p policy) string {
	words := []string{"cookie", r.cookieName(p, "lbcooki"), p.value("mode", "insert")}
	for _, flag := range []string{"indirect", "nocache", "postonly"} {
		if p.has(flag) {
			words = append(words, flag)
		}
	}
	for _, one := range p.params {
		if one.name == "domain" {
			words = append(words, "domain", one.value)
		}
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

func (r rule) appCookie(p policy) string {
	words := []string{"appsession", r.cookieName(p, "appcookie"), "len", p.value("length", "52"), "timeout",
		p.value("holdtime", "3h")}
	for _, flag := range []string{"prefix", "request-learn"} {
		if p.has(flag) {
			words = append(words, flag)
		}
	}
	if mode := p.value("mode", ""); mode != "" && mode != "null" {
		words = append(words, "mode", mode)
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

// cookieName is the one given, or the method's with the hash of the rule's address, as Java has it, and its port.
func (r rule) cookieName(p policy, prefix string) string {
	var hash int32
	for _, letter := range r.address {
		hash = 31*hash + letter
	}
	name := fmt.Sprintf("%s_%d_%s", prefix, hash, r.tcp)
	for _, one := range p.params {
		if one.name == "cookie-name" && !one.null {
			name = one.value
		}
	}
	return name
}
