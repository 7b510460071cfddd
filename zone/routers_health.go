package zone

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/fault"
	"github.com/stackproof/stackproof/release"
)

// healthCommand answers the newest results of a router's own health checks: that of its HAProxy, which holds the live file
// against the rules and knows nothing of stickiness (systemvm/debian/root/health_checks/haproxy_check.py@4.20.0.0).
func healthCommand() command {
	return command{
		name: "getRouterHealthCheckResults", about: "Starts a router.", admin: true,
		params: []param{{"routerid", "uuid:router", true, "the ID of the router"},
			{"performfreshchecks", "boolean", false, "if true is passed for this parameter, health checks are performed on the fly. Else last performed checks data is fetched"}},
		run: func(z *Zone, c *call) (obj, error) {
			r, err := routerParam(z, c, "routerid")
			if err != nil {
				return nil, err
			}
			details := z.balanceMismatch(r)
			if z.knobs[fault.HealthCheckAlarms] {
				details = "Missing section for load balancing"
			}
			one := obj{"checkname": "haproxy_check.py", "checktype": "advanced", "success": details == "", "lastupdated": stamp(z.now()), "details": details}
			return obj{"routerhealthchecks": obj{"routerid": r.UUID, "healthchecks": []obj{one}}}, nil
		},
	}
}

// balanceMismatch is what the check says of algorithms: they are compared letter by letter with the rules', also where the
// file has them in lower case.
func (z *Zone) balanceMismatch(r *Router) string {
	if z.knobs[release.AlgorithmVerbatim] {
		return ""
	}
	for _, n := range z.implemented(r) {
		for _, rule := range z.rulesOnRouter(r, n) {
			if lower := strings.ToLower(rule.Algorithm); len(rule.Members) > 0 && rule.Algorithm != lower {
				return fmt.Sprintf("Incorrect balance method for listen %s-%dExpected : %s but found %s\n", strings.ReplaceAll(rule.Address.IP.String(), ".", "_"),
					rule.StartPort, rule.Algorithm, lower)
			}
		}
	}
	return ""
}
