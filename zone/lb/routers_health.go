package lb

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/release"
	"github.com/stackproof/stackproof/zone/kernel"
	"github.com/stackproof/stackproof/zone/net"
)

// healthCommand answers the newest results of a router's own health checks: that of its HAProxy, which holds the
// live file against the rules and knows nothing of stickiness
// (systemvm/debian/root/health_checks/haproxy_check.py@4.20.0.0).
func healthCommand() command {
	return command{
		Name: "getRouterHealthCheckResults", About: "Starts a router.", Admin: true,
		Params: []param{{Name: "routerid", Type: "uuid:router", Required: true, About: "the ID of the router"},
			{Name: "performfreshchecks", Type: "boolean", About: "if true is passed for this parameter, health " +
				"checks are performed on the fly. Else last performed checks data is fetched"}},
		Run: func(mgr *Manager, c *kernel.Call) (obj, error) {
			r, err := net.RouterParam(mgr.net, c, "routerid")
			if err != nil {
				return nil, err
			}
			details := balanceMismatch(mgr, r) + bindMismatch(mgr, r)
			one := obj{"checkname": "haproxy_check.py", "checktype": "advanced", "success": details == "",
				"lastupdated": kernel.Stamp(mgr.Now()), "details": details}
			return obj{"routerhealthchecks": obj{"routerid": r.UUID, "healthchecks": []obj{one}}}, nil
		},
	}
}

// balanceMismatch is what the check says of algorithms: they are compared letter by letter with the rules', also
// where the file has them in lower case.
func balanceMismatch(mgr *Manager, r *net.Router) string {
	if mgr.On(release.AlgorithmVerbatim) {
		return ""
	}
	for _, n := range mgr.net.Implemented(r) {
		for _, rule := range mgr.push.RulesOnRouter(r, n) {
			if lower := strings.ToLower(rule.Algorithm); len(rule.Members) > 0 && rule.Algorithm != lower {
				return fmt.Sprintf("Incorrect balance method for listen %s-%dExpected : %s but found %s\n",
					strings.ReplaceAll(rule.Address.IP.String(), ".", "_"),
					rule.StartPort, rule.Algorithm, lower)
			}
		}
	}
	return ""
}

// bindMismatch is what the check says of rules that end TLS: it compares the bind line, options and all, with the
// rule's address (haproxy_check.py@4.22.0.0).
func bindMismatch(mgr *Manager, r *net.Router) string {
	if !mgr.On(release.SSLHealthCheckRed) {
		return ""
	}
	for _, n := range mgr.net.Implemented(r) {
		for _, rule := range mgr.push.RulesOnRouter(r, n) {
			if rule.Certificate != nil && rule.LBProtocol == sslProtocol && len(rule.Members) > 0 {
				at := fmt.Sprintf("%s:%d", rule.Address.IP, rule.StartPort)
				return fmt.Sprintf("Incorrect bind string found. Expected %s but found %s ssl crt "+
					"/etc/cloudstack/ssl/%s-%d.pem alpn h2,http/1.1.", at, at,
					strings.ReplaceAll(rule.Address.IP.String(), ".", "_"), rule.StartPort)
			}
		}
	}
	return ""
}
