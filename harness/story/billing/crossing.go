package billing

import (
	"fmt"

	"github.com/stackproof/stackproof/harness/story/objects"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// CrossedRules creates LB rules until one's id is the helper id of another: with rule ids k ahead of helper ids that
// takes k+1 of them, with helper ids k ahead it takes k harmless rules. At least count are made; ids that are not apart
// are set skew apart first.
func (t Crossings) CrossedRules(n *objects.Network, skew, count int) []*objects.Rule {
	defer t.Step("LB rules with crossed ids")()
	n.Account.Skew(skew)
	rules := []*objects.Rule{n.LoadBalancer("A")}
	ahead := t.aheadOf(rules[0])
	t.affordable(ahead, 1)
	t.on.Alone(func() {
		if ahead < 0 {
			rules = t.catchUp(n.Account, rules, func(*objects.Rule) *objects.Network { return n })
		}
		rules = append(rules, objects.Numbered(n, len(rules)+1, ahead)...)
		for len(rules) < count || !t.willCross(rules) {
			t.withinBudget(rules, "one account", ahead)
			rules = append(rules, n.LoadBalancer(fmt.Sprintf("R%d", len(rules)+1)))
		}
	})
	UsageRuns(t).Drain()
	return rules
}

// aheadOf is how far the ids of LB rules are ahead of their helper ids. Where usage runs are slow the ids given out
// must do.
func (t Crossings) aheadOf(r *objects.Rule) int {
	if t.on.SharesRuns() {
		return t.on.Ahead("LB.CREATE", "usage_load_balancer_policy")
	}
	UsageRuns(t).Drain()
	RuleRows(t).RequireOpen(r)
	return int(r.InternalID - RuleRows(t).HelperID(r))
}

// affordable ends a story whose crossing would take more rules than the budget, before the first of them is made. More
// are the rules that it takes besides.
func (t Crossings) affordable(ahead, more int) {
	if cost := max(ahead, -ahead) + more; cost > t.site.SkewBudget {
		t.Inconclusive("%s, so a crossing takes %s; the budget is %d (--skew-budget)", gap(ahead),
			crossingRules(ahead, more), t.site.SkewBudget)
	}
}

// withinBudget ends a story whose rules have not crossed.
func (t Crossings) withinBudget(rules []*objects.Rule, of string, ahead int) {
	if len(rules) >= t.site.SkewBudget {
		t.Inconclusive("%d LB rules of %s did not cross: others create rules at the same time, rule ids are %d ahead; "+
			"the budget is %d (--skew-budget)", len(rules), of, ahead, t.site.SkewBudget)
	}
}

// gap says how rule ids and helper ids lie to each other.
func gap(ahead int) string {
	if ahead < 0 {
		return fmt.Sprintf("helper ids are %d ahead of rule ids", -ahead)
	}
	return fmt.Sprintf("rule ids are %d ahead of helper ids", ahead)
}

func crossingRules(ahead, more int) string {
	if ahead < 0 {
		return fmt.Sprintf("%d rules, most of them harmless firewall rules", more-ahead)
	}
	return fmt.Sprintf("%d LB rules", ahead+more)
}

// catchUpSkew is how far rule ids must be ahead for LB rules to cross by themselves.
const catchUpSkew = 2

// catchUp makes rules until one has the id that is the helper id of another of them, for helper ids that are ahead of
// rule ids: harmless firewall rules until the next rule has it, then an LB rule on the network that by names for that
// other rule.
func (t Crossings) catchUp(a *objects.Account, rules []*objects.Rule,
	by func(victim *objects.Rule) *objects.Network) []*objects.Rule {
	ip := a.Isolated().Address()
	for made := 0; made < t.site.SkewBudget; made++ {
		helper, next := t.helperIDs(rules), t.on.LastID("cloud", "firewall_rules")+1
		var victim *objects.Rule
		for _, r := range rules {
			if h, there := helper[r.InternalID]; there && h >= next &&
				(victim == nil || h < helper[victim.InternalID]) {
				victim = r
			}
		}
		ahead := t.on.Ahead("LB.CREATE", "usage_load_balancer_policy")
		switch {
		case victim == nil && ahead < 0: // others' rules took the ids that would have met ours
			rules = append(rules, by(rules[0]).LoadBalancer(fmt.Sprintf("R%d", len(rules)+1)))
		case victim == nil && ahead < catchUpSkew:
			ip.Firewall(20000 + made)
		case victim == nil: // rule ids are ahead now, by little: LB rules cross as on any other server
			return rules
		case helper[victim.InternalID] > next:
			ip.Firewall(20000 + made)
		default:
			rules = append(rules, by(victim).LoadBalancer(fmt.Sprintf("R%d", len(rules)+1)))
			if rules[len(rules)-1].InternalID == next {
				return rules
			}
		}
	}
	t.Inconclusive("%d rules have not brought rule ids up to helper ids; the budget is %d (--skew-budget)",
		t.site.SkewBudget, t.site.SkewBudget)
	return nil
}

// willCross says whether the helper rows that are there, and those that the next usage run opens, will make one rule's
// id the helper id of another.
func (t Crossings) willCross(rules []*objects.Rule) bool {
	return crossing(rules, t.helperIDs(rules), func(_, _ *objects.Rule) bool { return true })
}

// helperIDs are the helper ids of rules, by rule id: those that they have, else those that the next usage run will give
// them.
func (t Crossings) helperIDs(rules []*objects.Rule) map[int64]int64 {
	helper, _ := t.waiting()
	for _, r := range rules {
		rows, err := t.on.Usage().HelperRows(t.ctx, usageprobe.KindLB, r.InternalID)
		t.Must(err, "setting ids apart")
		if n := len(rows); n > 0 {
			helper[r.InternalID] = rows[n-1].HelperID
		}
	}
	return helper
}

// crossing looks for a rule whose id is the helper id that a fitting other one will have.
func crossing(rules []*objects.Rule, helper map[int64]int64, fits func(dies, victim *objects.Rule) bool) bool {
	for _, victim := range rules {
		for _, dies := range rules {
			if h, waits := helper[victim.InternalID]; dies != victim && waits && h == dies.InternalID &&
				fits(dies, victim) {
				return true
			}
		}
	}
	return false
}

// waiting foretells the helper ids, by rule id, that the next usage run gives to LB rules which have none yet, and the
// helper id of the next rule that is created. On a shared site others' rules lie between ours, so that a number of
// rules alone promises nothing. Rows are opened in the order of the events' times (UsageManagerImpl.java@4.20.0.0).
func (t Crossings) waiting() (helper map[int64]int64, next int64) {
	next = t.on.LastID("cloud_usage", "usage_load_balancer_policy")
	rules, err := t.on.Usage().Waiting(t.ctx, "LB.CREATE")
	t.Must(err, "setting ids apart")
	helper = map[int64]int64{}
	for _, rule := range rules {
		next++
		helper[rule] = next
	}
	return helper, next + 1
}

// RequireEqual makes sure that the rule's id is that of its helper row.
func (t RuleRows) RequireEqual(r *objects.Rule) {
	if h := t.HelperID(r); h != r.InternalID {
		t.InconclusiveByDesign("%s has helper id %d: ids are apart here", r, h)
	}
}

// CrossedAccounts creates LB rules of two accounts in turns, until the id of one's rule is the helper id of a rule of
// the other; ids that are not apart are set skew apart first.
func (t Crossings) CrossedAccounts(a, b *objects.Network, skew int) []*objects.Rule {
	defer t.Step("LB rules of two accounts with crossed ids")()
	a.Account.Skew(skew)
	rules := []*objects.Rule{a.LoadBalancer("R1")}
	ahead := t.aheadOf(rules[0])
	t.affordable(ahead, 2)
	differ := func(dies, victim *objects.Rule) bool { return dies.Account != victim.Account }
	t.on.Alone(func() {
		if ahead < 0 {
			rules = append(rules, b.LoadBalancer("R2"))
			rules = t.catchUp(a.Account, rules, func(victim *objects.Rule) *objects.Network {
				if victim.Network == a {
					return b
				}
				return a
			})
		}
		for last := a; ; {
			_, next := t.waiting()
			if crossing(rules, t.helperIDs(rules), differ) {
				return
			}
			t.withinBudget(rules, "two accounts", ahead)
			last = turn(rules, next, last, a, b)
			rules = append(rules, last.LoadBalancer(fmt.Sprintf("R%d", len(rules)+1)))
		}
	})
	UsageRuns(t).Drain()
	return rules
}

// turn says whose rule comes next: not that of the account whose rule has the id that will be the new one's helper id,
// else the other account's than the last.
func turn(rules []*objects.Rule, next int64, last, a, b *objects.Network) *objects.Network {
	for _, r := range rules {
		if r.InternalID == next {
			last = r.Network
		}
	}
	if last == a {
		return b
	}
	return a
}

// CrossedBetween finds two live rules of different accounts where the first one's id is the helper id of the second
// (T2).
func (t RuleRows) CrossedBetween(rules ...*objects.Rule) (dies, victim *objects.Rule) {
	for _, d := range rules {
		for _, v := range rules {
			if d.Account != v.Account && t.HelperID(v) == d.InternalID {
				return d, v
			}
		}
	}
	t.Inconclusive("no rule's id equals the helper id of another account's rule, so a crossed close cannot show (T2)")
	return nil, nil
}

// portForwardAhead is aheadOf for port forwarding rules.
func (t Crossings) portForwardAhead(p *objects.PortForward) int {
	if t.on.SharesRuns() {
		return t.on.Ahead("NET.RULEADD", "usage_port_forwarding")
	}
	UsageRuns(t).Drain()
	return int(p.InternalID - t.watch.RequireOpen(p.Billed()).HelperID)
}

// CrossedPortForwards creates port forwarding rules until one's id is the helper id of another; at least count. With
// rule ids k ahead of their helper ids that takes k+1 of them. Where that is too many there are count of them, crossed
// is false, and a note says what a crossing would take: that each rule's own row is closed can be shown all the same.
func (t Crossings) CrossedPortForwards(n *objects.Network, vm *objects.VM, skew, count int) (
	rules []*objects.PortForward, crossed bool) {
	defer t.Step("port forwarding rules with crossed ids")()
	n.Account.Skew(skew)
	ip := n.Address()
	rules = []*objects.PortForward{n.PortForward(ip, "P1", vm)}
	ahead := t.portForwardAhead(rules[0])
	t.on.Alone(func() {
		next := ahead
		if t.site.Gate != nil { // others have made rules since
			next = t.on.Ahead("NET.RULEADD", "usage_port_forwarding")
			ahead = 1 + next
		}
		if next == 0 { // each rule would have the id of its own row
			n.Account.SkewBlind(skew)
			ahead += skew
		}
		want := count
		if crossed = t.crossesPortForwards(ahead); crossed {
			want = max(count, ahead+1)
		}
		for len(rules) < want {
			rules = append(rules, n.PortForward(ip, fmt.Sprintf("P%d", len(rules)+1), vm))
		}
	})
	UsageRuns(t).Drain()
	return rules, crossed
}

// crossesPortForwards says whether a crossing can be afforded, on this server and by the stories that come after; else
// a note says why there is none.
func (t Crossings) crossesPortForwards(ahead int) bool {
	why := ""
	switch {
	case ahead < 0:
		why = fmt.Sprintf("%s of port forwarding, and stay so", gap(ahead))
	case ahead+1 > t.site.SkewBudget:
		why = fmt.Sprintf("%s of port forwarding: it takes %d port forwarding rules; the budget is %d (--skew-budget)",
			gap(ahead), ahead+1, t.site.SkewBudget)
	case t.site.Gate != nil:
		if lb := t.on.Ahead("LB.CREATE", "usage_load_balancer_policy"); !leavesRoom(lb, ahead+1, t.site.SkewBudget) {
			why = fmt.Sprintf("it takes %d port forwarding rules, after which LB rules' ids would be %d ahead of "+
				"their helper ids for good: too far for U-02 and U-04 on "+
				"this server (--skew-budget is %d)", ahead+1, lb+ahead+1, t.site.SkewBudget)
		}
	}
	if why == "" {
		return true
	}
	t.Note("no crossing", "That the delete of one port forwarding rule closes another one's row (T2) is not looked "+
		"at here: %s.", why)
	return false
}

// leavesRoom says whether rules of another kind may be made although they set LB rules' ids further apart from their
// helper ids: a crossing of LB rules takes one rule more than that, now and in all later runs on the server.
func leavesRoom(ahead, more, budget int) bool { return ahead+more <= budget*19/20 }
