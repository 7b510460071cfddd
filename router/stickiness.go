package router

import (
	"fmt"
	"strings"
)

// stickLines gives a rule's stickiness directives, "" for none, and whether the method is one that works with cookies.
// A method that the generator does not know leaves the rule without any.
func stickLines(lb LoadBalancer) (lines string, cookie bool) {
	var b strings.Builder
	for _, policy := range lb.Stickiness {
		switch {
		case strings.EqualFold(policy.Method, "LbCookie"):
			b.WriteString(lbCookie(lb, policy.Params))
			cookie = true
		case strings.EqualFold(policy.Method, "SourceBased"):
			b.WriteString(sourceBased(policy.Params))
		case strings.EqualFold(policy.Method, "AppCookie"):
			b.WriteString(appCookie(lb, policy.Params))
			cookie = true
		default:
			return "", false
		}
	}
	return b.String(), cookie
}

// params looks parameters up without regard to case; of several with one name the last counts.
type params []Param

func (ps params) value(name, absent string) string {
	for _, p := range ps {
		if strings.EqualFold(p.Name, name) {
			if absent = p.Value; p.Null {
				absent = "null"
			}
		}
	}
	return absent
}

// flag counts by presence: the value false switches on, too.
func (ps params) flag(name, word string) string {
	for _, p := range ps {
		if strings.EqualFold(p.Name, name) {
			return word + " "
		}
	}
	return ""
}

// cookieName is the given name, or one made of the method's prefix, the hash of the rule's address, and its port.
func (ps params) cookieName(lb LoadBalancer, prefix string) string {
	name := fmt.Sprintf("%s_%d_%d", prefix, javaHash(lb.SrcIP), lb.SrcPort)
	for _, p := range ps {
		if strings.EqualFold(p.Name, "cookie-name") && !p.Null {
			name = p.Value
		}
	}
	return name
}

func sourceBased(ps params) string {
	return "\tstick-table type ip size " + ps.value("tablesize", "200k") + " expire " + ps.value("expire", "30m") +
		"\n\tstick on src"
}

// lbCookie: the default mode carries a blank of its own, so the line ends in two when nothing follows.
func lbCookie(lb LoadBalancer, ps params) string {
	line := "\tcookie " + ps.cookieName(lb, "lbcooki") + " " + ps.value("mode", "insert ") + " " +
		ps.flag("indirect", "indirect") + ps.flag("nocache", "nocache") + ps.flag("postonly", "postonly")
	domains := ""
	for _, p := range ps {
		if strings.EqualFold(p.Name, "domain") {
			domains += "domain " + params{p}.value("domain", "") + " "
		}
	}
	if domains != "" {
		line += domains + " "
	}
	return line
}

func appCookie(lb LoadBalancer, ps params) string {
	line := "\tappsession " + ps.cookieName(lb, "appcookie") + " len " + ps.value("length", "52") +
		" timeout " + ps.value("holdtime", "3h") + " " + ps.flag("prefix", "prefix") +
		ps.flag("request-learn", "request-learn")
	for _, p := range ps {
		if strings.EqualFold(p.Name, "mode") && !p.Null {
			return line + "mode " + ps.value("mode", "") + " "
		}
	}
	return line
}
