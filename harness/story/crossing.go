package story

import (
	"context"
	"fmt"

	"github.com/stackproof/stackproof/harness/cloud"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
)

// Skew sets the shared rule ids and the usage helper ids at least count apart, in whichever direction they are apart
// already. Where they are close, firewall rules on an isolated network bring rule ids ahead: they take rule ids but
// open no LB helper row. Without it a server that confuses the two kinds of id finds the right row all the same (T1).
// Nothing is forced in a database.
func (a *Account) Skew(count int) {
	t := a.t
	defer t.Step("rule ids %d apart from helper ids", count)()
	if (ids{t}).missing(count) == 0 {
		return
	}
	t.alone(func() {
		missing := ids{t}.missing(count) // others may have made rules meanwhile
		if missing == 0 {
			return
		}
		a.Isolated().Address().Firewalls(20000, missing)
	})
}

// ids says how the ids of rules and those of their helper rows lie to one another.
type ids struct{ *T }

// missing is how many harmless rules set ids count apart; the real distance is at least what is seen. Helper ids may be
// ahead of rule ids, by hundreds: usage runs that fail use up helper ids and roll back (confirmed.md 47). A row that is
// opened then gets a larger id than any rule has, so no rule has its own row's id, nor that of a row opened with it.
func (t ids) missing(count int) int {
	ahead := t.ahead("LB.CREATE", "usage_load_balancer_policy")
	if ahead <= -count {
		return 0
	}
	missing := max(0, count-ahead)
	if missing > t.site.SkewBudget {
		t.Inconclusive("rule ids are %d ahead of helper ids; setting them %d apart takes %d harmless rules, the "+
			"budget is %d (--skew-budget)",
			ahead, count, missing, t.site.SkewBudget)
	}
	return missing
}

// CrossedRules creates LB rules until one's id is the helper id of another: with rule ids k ahead of helper ids that
// takes k+1 of them, with helper ids k ahead it takes k harmless rules. At least count are made; ids that are not apart
// are set skew apart first.
func (t *T) CrossedRules(n *Network, skew, count int) []*Rule {
	defer t.Step("LB rules with crossed ids")()
	n.Account.Skew(skew)
	rules := []*Rule{n.LoadBalancer("A")}
	ahead := ids{t}.aheadOf(rules[0])
	ids{t}.affordable(ahead, 1)
	t.alone(func() {
		if ahead < 0 {
			rules = ids{t}.catchUp(n.Account, rules, func(*Rule) *Network { return n })
		}
		rules = append(rules, numbered(n, len(rules)+1, ahead)...)
		for len(rules) < count || !(ids{t}).willCross(rules) {
			if len(rules) >= t.site.SkewBudget {
				t.Inconclusive("%d LB rules of one account did not cross: others create rules at the same time, "+
					"rule ids are %d ahead; the budget is %d (--skew-budget)",
					len(rules), ahead, t.site.SkewBudget)
			}
			rules = append(rules, n.LoadBalancer(fmt.Sprintf("R%d", len(rules)+1)))
		}
	})
	t.Drain()
	return rules
}

// aheadOf is how far the ids of LB rules are ahead of their helper ids. Where usage runs are slow the ids given out
// must do.
func (t ids) aheadOf(r *Rule) int {
	if t.sharesRuns() {
		return t.ahead("LB.CREATE", "usage_load_balancer_policy")
	}
	t.Drain()
	t.RequireOpen(r)
	return int(r.InternalID - t.HelperID(r))
}

// affordable ends a story whose crossing would take more rules than the budget, before the first of them is made. More
// are the rules that it takes besides.
func (t ids) affordable(ahead, more int) {
	if cost := max(ahead, -ahead) + more; cost > t.site.SkewBudget {
		t.Inconclusive("%s, so a crossing takes %s; the budget is %d (--skew-budget)", gap(ahead),
			crossingRules(ahead, more), t.site.SkewBudget)
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
func (t ids) catchUp(a *Account, rules []*Rule, by func(victim *Rule) *Network) []*Rule {
	ip := a.Isolated().Address()
	for made := 0; made < t.site.SkewBudget; made++ {
		helper, next := t.helperIDs(rules), t.lastID("cloud", "firewall_rules")+1
		var victim *Rule
		for _, r := range rules {
			if h, there := helper[r.InternalID]; there && h >= next &&
				(victim == nil || h < helper[victim.InternalID]) {
				victim = r
			}
		}
		ahead := t.ahead("LB.CREATE", "usage_load_balancer_policy")
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
func (t ids) willCross(rules []*Rule) bool {
	return crossing(rules, t.helperIDs(rules), func(_, _ *Rule) bool { return true })
}

// helperIDs are the helper ids of rules, by rule id: those that they have, else those that the next usage run will give
// them.
func (t ids) helperIDs(rules []*Rule) map[int64]int64 {
	helper, _ := t.waiting()
	for _, r := range rules {
		rows, err := t.rows().HelperRows(t.ctx, usageprobe.KindLB, r.InternalID)
		t.Must(err, "setting ids apart")
		if n := len(rows); n > 0 {
			helper[r.InternalID] = rows[n-1].HelperID
		}
	}
	return helper
}

// crossing looks for a rule whose id is the helper id that a fitting other one will have.
func crossing(rules []*Rule, helper map[int64]int64, fits func(dies, victim *Rule) bool) bool {
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
func (t ids) waiting() (helper map[int64]int64, next int64) {
	next = t.lastID("cloud_usage", "usage_load_balancer_policy")
	rules, err := t.rows().Waiting(t.ctx, "LB.CREATE")
	t.Must(err, "setting ids apart")
	helper = map[int64]int64{}
	for _, rule := range rules {
		next++
		helper[rule] = next
	}
	return helper, next + 1
}

// RequireEqual makes sure that the rule's id is that of its helper row.
func (t RuleRows) RequireEqual(r *Rule) {
	if h := t.HelperID(r); h != r.InternalID {
		t.InconclusiveByDesign("%s has helper id %d: ids are apart here", r, h)
	}
}

// CrossedAccounts creates LB rules of two accounts in turns, until the id of one's rule is the helper id of a rule of
// the other; ids that are not apart are set skew apart first.
func (t *T) CrossedAccounts(a, b *Network, skew int) []*Rule {
	defer t.Step("LB rules of two accounts with crossed ids")()
	a.Account.Skew(skew)
	rules := []*Rule{a.LoadBalancer("R1")}
	ahead := ids{t}.aheadOf(rules[0])
	ids{t}.affordable(ahead, 2)
	differ := func(dies, victim *Rule) bool { return dies.Account != victim.Account }
	t.alone(func() {
		if ahead < 0 {
			rules = append(rules, b.LoadBalancer("R2"))
			rules = ids{t}.catchUp(a.Account, rules, func(victim *Rule) *Network {
				if victim.Network == a {
					return b
				}
				return a
			})
		}
		for last := a; ; {
			_, next := ids{t}.waiting()
			if crossing(rules, (ids{t}).helperIDs(rules), differ) {
				return
			}
			if len(rules) >= t.site.SkewBudget {
				t.Inconclusive("%d LB rules of two accounts did not cross: others create rules at the same time, "+
					"rule ids are %d ahead; the budget is %d (--skew-budget)",
					len(rules), ahead, t.site.SkewBudget)
			}
			last = turn(rules, next, last, a, b)
			rules = append(rules, last.LoadBalancer(fmt.Sprintf("R%d", len(rules)+1)))
		}
	})
	t.Drain()
	return rules
}

// turn says whose rule comes next: not that of the account whose rule has the id that will be the new one's helper id,
// else the other account's than the last.
func turn(rules []*Rule, next int64, last, a, b *Network) *Network {
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
func (t RuleRows) CrossedBetween(rules ...*Rule) (dies, victim *Rule) {
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

// PortForward is a port forwarding rule.
type PortForward struct {
	owned
	Name, ID   string
	InternalID int64
}

// Billed is the rule as it is billed.
func (p *PortForward) Billed() Billed {
	return Billed{p.Name, usageprobe.Ref{Kind: usageprobe.KindPF, ID: p.InternalID}}
}

// PortForward forwards the address's next public port to the VM.
func (n *Network) PortForward(ip *Address, name string, vm *VM) *PortForward {
	defer n.t.Step("port forwarding rule %s", name)()
	p := &PortForward{owned: n.owned, Name: name}
	port := ip.nextPort
	ip.nextPort++
	p.ID, p.InternalID, _ = made(n.Account, "port forwarding rule", n.t.Unique("pf-"+name), usageprobe.ObjectRule,
		func(ctx context.Context) (*cloud.Creating[cloud.PortForwardingRule], error) {
			return n.Account.Cloud.CreatePortForwardingRule(ctx, cloud.PortForwardingSpec{IPAddressID: ip.ID,
				NetworkID: n.ID, VMID: vm.ID, Protocol: "tcp",
				PublicPort: port, PrivatePort: port})
		})
	return p
}

// Delete deletes the rule.
func (p *PortForward) Delete() {
	t := p.t
	defer t.Step("delete port forwarding rule %s", p.Name)()
	t.pass(apart)
	t.Must(p.Account.Cloud.DeletePortForwardingRule(t.ctx, p.ID), "deleting port forwarding rule %s", p.Name)
	t.Must(t.removed(p.ID, nil), "noting the removal of port forwarding rule %s", p.Name)
	t.pass(apart)
}

// portForwardAhead is aheadOf for port forwarding rules.
func (t ids) portForwardAhead(p *PortForward) int {
	if t.sharesRuns() {
		return t.ahead("NET.RULEADD", "usage_port_forwarding")
	}
	t.Drain()
	t.RequireRowOpen(p.Billed())
	return int(p.InternalID - t.watch.rows(p.Billed())[0].HelperID)
}

// CrossedPortForwards creates port forwarding rules until one's id is the helper id of another; at least count. With
// rule ids k ahead of their helper ids that takes k+1 of them. Where that is too many there are count of them, crossed
// is false, and a note says what a crossing would take: that each rule's own row is closed can be shown all the same.
func (t *T) CrossedPortForwards(n *Network, vm *VM, skew, count int) (rules []*PortForward, crossed bool) {
	defer t.Step("port forwarding rules with crossed ids")()
	n.Account.Skew(skew)
	ip := n.Address()
	rules = []*PortForward{n.PortForward(ip, "P1", vm)}
	ahead := ids{t}.portForwardAhead(rules[0])
	t.alone(func() {
		next := ahead
		if t.site.Gate != nil { // others have made rules since
			next = ids{t}.ahead("NET.RULEADD", "usage_port_forwarding")
			ahead = 1 + next
		}
		if next == 0 { // each rule would have the id of its own row
			n.Account.SkewBlind(skew)
			ahead += skew
		}
		want := count
		if crossed = (ids{t}).crossesPortForwards(ahead); crossed {
			want = max(count, ahead+1)
		}
		for len(rules) < want {
			rules = append(rules, n.PortForward(ip, fmt.Sprintf("P%d", len(rules)+1), vm))
		}
	})
	t.Drain()
	return rules, crossed
}

// crossesPortForwards says whether a crossing can be afforded, on this server and by the stories that come after; else
// a note says why there is none.
func (t ids) crossesPortForwards(ahead int) bool {
	why := ""
	switch {
	case ahead < 0:
		why = fmt.Sprintf("%s of port forwarding, and stay so", gap(ahead))
	case ahead+1 > t.site.SkewBudget:
		why = fmt.Sprintf("%s of port forwarding: it takes %d port forwarding rules; the budget is %d (--skew-budget)",
			gap(ahead), ahead+1, t.site.SkewBudget)
	case t.site.Gate != nil:
		if lb := t.ahead("LB.CREATE", "usage_load_balancer_policy"); !leavesRoom(lb, ahead+1, t.site.SkewBudget) {
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

// ahead is how far the next rule's id will be ahead of its helper id, when nobody else makes rules meanwhile. The event
// opens the helper row, the table holds it. Rules are really deleted and helper rows stay, so where rules came and went
// it is the ids given out that count and not those in use.
func (t ids) ahead(event, table string) int {
	pending, err := t.rows().Waiting(t.ctx, event)
	t.Must(err, "reading ids")
	return int(t.lastID("cloud", "firewall_rules")-t.lastID("cloud_usage", table)) - len(pending)
}

// SkewBlind creates count harmless rules without looking: where helper ids cannot be read, rule ids are at least so far
// ahead of them on a database that was born at 4.16.1 or later.
func (a *Account) SkewBlind(count int) {
	t := a.t
	defer t.Step("%d harmless rules", count)()
	if count > t.site.SkewBudget {
		t.Inconclusive("setting ids apart takes %d harmless rules, the budget is %d (--skew-budget)", count,
			t.site.SkewBudget)
	}
	ip := a.Isolated().Address()
	for i := range count {
		ip.Firewall(20000 + i)
	}
}
