package harness

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
)

// Skew makes the shared rule ids at least count larger than the usage helper ids, with firewall rules on an isolated
// network: they take rule ids but open no LB helper row. Without it a server that confuses the two kinds of id finds the
// right row all the same (T1). Nothing is forced in a database.
func (a *Account) Skew(count int) {
	t := a.t
	defer t.step("rule ids %d apart from helper ids", count)()
	if t.missing(count) == 0 {
		return
	}
	t.alone(func() {
		missing := t.missing(count) // others may have made rules meanwhile
		if missing == 0 {
			return
		}
		ip := a.Isolated().Address()
		for i := range missing {
			ip.Firewall(20000 + i)
		}
	})
}

// missing is how many harmless rules set ids count apart; the real distance is at least what is seen.
func (t *T) missing(count int) int {
	ahead := t.ahead("LB.CREATE", "usage_load_balancer_policy")
	missing := max(0, count-ahead)
	if missing > t.site.SkewBudget {
		t.Inconclusive("rule ids are %d ahead of helper ids; setting them %d apart takes %d harmless rules, the budget is %d (--skew-budget)",
			ahead, count, missing, t.site.SkewBudget)
	}
	return missing
}

// scan reads one number.
func (t *T) scan(into *int, query string, args ...any) {
	t.must(t.site.DB.QueryRowContext(t.ctx, query, args...).Scan(into), "reading ids")
}

// Firewall opens a port of the address.
func (a *Address) Firewall(port int) {
	made(a.Account, "firewall rule", fmt.Sprint(port), "", func(ctx context.Context) (*cloud.Creating[cloud.FirewallRule], error) {
		return a.Cloud.CreateFirewallRule(ctx, a.ID, "tcp", port, port, "192.0.2.0/24")
	})
}

// FirewallCount is how many firewall rules the address has.
func (a *Address) FirewallCount() int {
	rules, err := a.Cloud.ListFirewallRules(a.t.ctx, cloud.Params{"ipaddressid": a.ID})
	a.t.must(err, "listing the firewall rules of %s", a.IP)
	return len(rules)
}

// CrossedRules creates LB rules until one's id is the helper id of another: with rule ids k ahead of helper ids that
// takes k+1 of them. At least count are made; ids that are not apart are set skew apart first.
func (t *T) CrossedRules(n *Network, skew, count int) []*Rule {
	defer t.step("LB rules with crossed ids")()
	n.Skew(skew)
	rules := []*Rule{n.LoadBalancer("A")}
	ahead := t.aheadOf(rules[0])
	if ahead+1 > t.site.SkewBudget {
		t.Inconclusive("rule ids are %d ahead of helper ids, so a crossing takes %d LB rules of one account; the budget is %d (--skew-budget)",
			ahead, ahead+1, t.site.SkewBudget)
	}
	t.alone(func() {
		for len(rules) < count || !t.willCross(rules) {
			if len(rules) >= t.site.SkewBudget {
				t.Inconclusive("%d LB rules of one account did not cross: others create rules at the same time, rule ids are %d ahead; the budget is %d (--skew-budget)",
					len(rules), ahead, t.site.SkewBudget)
			}
			rules = append(rules, n.LoadBalancer(fmt.Sprintf("R%d", len(rules)+1)))
		}
	})
	t.Drain()
	return rules
}

// aheadOf is how far the ids of LB rules are ahead of their helper ids. Where usage runs are slow the ids given out must do.
func (t *T) aheadOf(r *Rule) int {
	if t.sharesRuns() {
		return t.ahead("LB.CREATE", "usage_load_balancer_policy")
	}
	t.Drain()
	t.RequireOpen(r)
	return int(r.InternalID - t.HelperID(r))
}

// willCross says whether the helper rows that the next usage run opens will make one rule's id the helper id of another.
func (t *T) willCross(rules []*Rule) bool {
	helper, _ := t.waiting()
	return crossing(rules, helper, func(_, _ *Rule) bool { return true })
}

// crossing looks for a rule whose id is the helper id that a fitting other one will have.
func crossing(rules []*Rule, helper map[int64]int64, fits func(dies, victim *Rule) bool) bool {
	for _, victim := range rules {
		for _, dies := range rules {
			if h, waits := helper[victim.InternalID]; dies != victim && waits && h == dies.InternalID && fits(dies, victim) {
				return true
			}
		}
	}
	return false
}

// waiting foretells the helper ids, by rule id, that the next usage run gives to LB rules which have none yet, and the helper id of the
// next rule that is created. On a shared site others' rules lie between ours, so that a number of rules alone promises nothing. Rows
// are opened in the order of the events' times (UsageManagerImpl.java@4.20.0.0).
func (t *T) waiting() (helper map[int64]int64, next int64) {
	next = t.lastID("cloud_usage", "usage_load_balancer_policy")
	pending, err := t.site.DB.QueryContext(t.ctx, "SELECT resource_id FROM cloud.usage_event WHERE type = 'LB.CREATE' "+
		"AND id > (SELECT COALESCE(MAX(id), 0) FROM cloud_usage.usage_event) ORDER BY created, id")
	t.must(err, "reading events that wait for a usage run")
	defer pending.Close()
	helper = map[int64]int64{}
	for pending.Next() {
		var rule int64
		t.must(pending.Scan(&rule), "reading events that wait for a usage run")
		next++
		helper[rule] = next
	}
	t.must(pending.Err(), "reading events that wait for a usage run")
	return helper, next + 1
}

// RequireEqual makes sure that the rule's id is that of its helper row.
func (t *T) RequireEqual(r *Rule) {
	if h := t.HelperID(r); h != r.InternalID {
		t.byDesign = true
		t.Inconclusive("%s has helper id %d: ids are apart here; %s", r, h, t.scenario.Inconclusive)
	}
}
