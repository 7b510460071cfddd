package lb

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/api"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/push"
)

// stickyMethod is a stickiness method of the virtual router: its parameters, those without a value being flags. None is
// required (facts: cloudstack.md 2.6).
type stickyMethod struct {
	name   string
	params []stickyParam
}

type stickyParam struct {
	name string
	flag bool
}

func stickyMethods() []stickyMethod {
	return []stickyMethod{
		{"LbCookie", []stickyParam{{"cookie-name", false}, {"mode", false}, {"nocache", true}, {"indirect", true},
			{"postonly", true}, {"domain", false}}},
		{"AppCookie", []stickyParam{{"cookie-name", false}, {"length", false}, {"holdtime", false},
			{"request-learn", true}, {"prefix", true}, {"mode", false}}},
		{"SourceBased", []stickyParam{{"tablesize", false}, {"expire", false}}},
	}
}

// policyParams reads and checks param[i].name and param[i].value. A flag has no value: it is stored and pushed as the
// text null. An entry without a name, as cloudstack-go sends it (param[i].key), is refused by that name
// (facts: confirmed.md 8).
func policyParams(mgr *Manager, c *kernel.Call, r *push.Rule) ([][2]string, error) {
	if !slices.Contains(r.Network.Offering.Services, "Lb") {
		return nil, api.Invalid("Failed:  No Stickiness method available for LB rule:%d", r.ID)
	}
	var method *stickyMethod
	for _, m := range stickyMethods() {
		if strings.EqualFold(m.name, c.Str("methodname")) {
			method = &m
		}
	}
	if method == nil || method.name == "AppCookie" && !mgr.On(release.AppCookieAccepted) {
		return nil, api.Invalid("Failed to match Stickiness method name for LB rule:%d", r.ID)
	}
	params := [][2]string{}
	for _, e := range c.Entries("param") {
		name, hasName := e["name"]
		if !hasName {
			name = "null"
		}
		value, hasValue := e["value"]
		if !hasValue {
			value = "null"
		}
		known := method.find(name)
		if known == nil || !hasName {
			return nil, api.Invalid("Failed : Stickiness policy does not support param name :%s", name)
		}
		if !known.flag && !hasValue {
			return nil, api.Invalid("Failed : Value expected for the Param :%s", known.name)
		}
		params = append(params, [2]string{name, value})
	}
	live := 0
	for _, p := range r.Policies {
		if !p.Revoke {
			live++
		}
	}
	if live > 1 {
		return nil, api.Invalid("Failed to create Stickiness policy: Already two policies attached %d", r.ID)
	}
	return params, mgr.checkStickyValues(r, method.name, params)
}

func (m *stickyMethod) find(name string) *stickyParam {
	for i := range m.params {
		if strings.EqualFold(m.params[i].name, name) {
			return &m.params[i]
		}
	}
	return nil
}

// checkStickyValues is the router's check of the values' form, made only where a router exists.
func (mgr *Manager) checkStickyValues(r *push.Rule, method string, params [][2]string) error {
	if len(mgr.net.RoutersOf(r.Network)) == 0 {
		return nil
	}
	for _, kv := range params {
		name, value := strings.ToLower(kv[0]), kv[1]
		cause := ""
		switch {
		case method == "SourceBased" && name == "expire" && !numberWithUnit(value, "dhms"):
			cause = "expire is not in timeformat"
		case method == "SourceBased" && name == "tablesize" && !numberWithUnit(value, "kmg"):
			cause = "tablesize is not in size format"
		case !mgr.On(release.StickyValuesUnchecked) && refusedByHAProxy(name, value, params):
			cause = name + " is no value for HAProxy"
		case method == "AppCookie" && name == "length" && !numberWithUnit(value, ""):
			cause = "length is not a number"
		case method == "AppCookie" && name == "holdtime" && !numberWithUnit(value, "dhms") &&
			!numberWithUnit(value, ""):
			cause = "holdtime is not in timeformat"
		}
		if cause != "" {
			return api.Invalid("Failed LB in validation rule%s Cause: %s: %s", mgr.validated(r, name), cause, value)
		}
	}
	return nil
}

// validated names a rule in the text of that check: which word stands before it depends on the parameter
// (NetworkHelperImpl@4.20.1.0).
func (mgr *Manager) validated(r *push.Rule, param string) string {
	number := fmt.Sprintf(" id: %d", r.ID)
	text := mgr.RuleText(r, number)
	switch {
	case text == number:
		return number
	case param == "length" || param == "holdtime":
		return " id: " + text
	}
	return ": " + text
}

// refusedByHAProxy is the check that the releases lack: a table of size 0, an expiry beyond HAProxy's timer (2^31 ms),
// a cookie's name of several words, a cookie mode that it does not know or that contradicts the flag indirect (measured
// on 2.6).
func refusedByHAProxy(name, value string, params [][2]string) bool {
	has := func(flag string) bool {
		return slices.ContainsFunc(params, func(kv [2]string) bool { return strings.EqualFold(kv[0], flag) })
	}
	switch name {
	case "tablesize":
		return strings.Trim(value[:len(value)-1], "0") == ""
	case "expire":
		n, err := strconv.ParseInt(value[:len(value)-1], 10, 64)
		unit := map[byte]int64{'d': 86400, 'h': 3600, 'm': 60, 's': 1}[value[len(value)-1]]
		return err != nil || n*unit*1000 >= 1<<31
	case "cookie-name":
		return strings.ContainsAny(value, " \t#\"'\\")
	case "mode":
		return !slices.Contains([]string{"insert", "rewrite", "prefix"}, value) || value == "rewrite" && has("indirect")
	}
	return false
}

// numberWithUnit is containsOnlyNumbers of NetworkHelperImpl@4.20.0.0: a Java int, and where units are given
// exactly one of them after it.
func numberWithUnit(s, units string) bool {
	if units != "" {
		if len(s) < 2 || !strings.ContainsRune(units, rune(s[len(s)-1])) {
			return false
		}
		s = s[:len(s)-1]
	}
	_, err := strconv.ParseInt(s, 10, 32)
	return err == nil
}

// storedParams is the column's text: name=value& for each.
func storedParams(params [][2]string) string {
	var b strings.Builder
	for _, kv := range params {
		b.WriteString(kv[0] + "=" + kv[1] + "&")
	}
	return b.String()
}

// shownParams is the answer's map; a repeated name's values are joined with a colon, the later first.
func shownParams(params [][2]string) map[string]string {
	out := map[string]string{}
	for _, kv := range params {
		if have, ok := out[kv[0]]; ok {
			out[kv[0]] = kv[1] + ":" + have
			continue
		}
		out[kv[0]] = kv[1]
	}
	return out
}
