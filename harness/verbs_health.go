package harness

import (
	"fmt"
	"strings"

	"github.com/stackproof/stackproof/harness/cloud"
	"github.com/stackproof/stackproof/harness/result"
)

// HAProxyCheck is a router's own check of its HAProxy. It compares ports, members and algorithms of the live file, and no
// stick line (haproxy_check.py@4.20.0.0): green or red, no verdict here rests on it.
const HAProxyCheck = "haproxy_check.py"

// Checks says who gives the results of routers' own health checks.
type Checks int

// Who gives the results of routers' own health checks.
const (
	ChecksOfRouter Checks = iota // scripts on the router, as far as the API has results
	ChecksOfModel                // the zone's own model of them
	ChecksNotRun                 // nobody: the routers run a tree's scripts, but not its checks
)

// health are the newest results of the router's own checks, by name; they are shown beside the verdict.
func (t *T) health(n *Network) (green map[string]bool, details string) {
	routers, err := t.site.Cloud.ListRouters(t.ctx, cloud.Params{"name": n.Router()})
	t.must(err, "listing router %s", n.Router())
	if len(routers) != 1 {
		t.Inconclusive("router %s is listed %d times", n.Router(), len(routers))
	}
	var answer struct {
		Results struct {
			Checks []struct {
				Name    string `json:"checkname"`
				Success bool   `json:"success"`
				Details string `json:"details"`
			} `json:"healthchecks"`
		} `json:"routerhealthchecks"`
	}
	if t.site.Checks == ChecksNotRun {
		t.Unsupported("the tree's own %s is not run on router %s: what the zone answers for it says nothing of the tree", HAProxyCheck, n.Router())
	}
	t.must(t.site.Cloud.Call(t.ctx, "getRouterHealthCheckResults", cloud.Params{"routerid": routers[0].Id}, &answer), "getRouterHealthCheckResults")
	green = map[string]bool{}
	text := table("check\tgreen\tdetails", func(row func(...any)) {
		for _, c := range answer.Results.Checks {
			green[c.Name] = c.Success
			row(c.Name, c.Success, strings.TrimSpace(c.Details))
		}
	})
	if _, ok := green[HAProxyCheck]; !ok {
		t.Unsupported("router %s has no result of %s: it runs no health checks", n.Router(), HAProxyCheck)
	}
	title := "health checks of " + n.Router() + ", beside the verdict"
	if t.site.Checks == ChecksOfModel {
		title += " (the zone's model of " + HAProxyCheck + ", which looks at rules, not at a router)"
	}
	t.evidence = append(t.evidence, result.Evidence{Kind: result.KindTable, Title: title, Text: text})
	return green, text
}

// ExpectHealthy expects that a router whose rules are all in force is green to its own check.
func (t *T) ExpectHealthy(n *Network) {
	defer t.step("health checks of the router")()
	t.watch.checks++
	if green, details := t.health(n); !green[HAProxyCheck] {
		t.Fail(fmt.Sprintf("router %s has its rules in force, but its %s alarms", n.Router(), HAProxyCheck),
			result.Evidence{Kind: result.KindNote, Title: "what the check says", Text: details})
	}
}

// ReportFalseAlarm reports a check that is red although the rules are in force, for a reason that every release has.
func (t *T) ReportFalseAlarm(n *Network, why, source string) {
	defer t.step("health checks of the router")()
	green, _ := t.health(n)
	if t.site.Checks == ChecksOfModel {
		why = "in the zone's model, " + why
	}
	t.KnownDefect(!green[HAProxyCheck], why, source)
}
