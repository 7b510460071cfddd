package harness

import "fmt"

// CrossedAccounts creates LB rules of two accounts in turns, until the id of one's rule is the helper id of a rule of the
// other; ids that are not apart are set skew apart first.
func (t *T) CrossedAccounts(a, b *Network, skew int) []*Rule {
	defer t.step("LB rules of two accounts with crossed ids")()
	a.Skew(skew)
	rules := []*Rule{a.LoadBalancer("R1")}
	ahead := t.aheadOf(rules[0])
	if ahead+2 > t.site.SkewBudget {
		t.Inconclusive("rule ids are %d ahead of helper ids, so a crossing takes %d LB rules; the budget is %d (--skew-budget)", ahead, ahead+2, t.site.SkewBudget)
	}
	differ := func(dies, victim *Rule) bool { return dies.Account != victim.Account }
	t.alone(func() {
		for last := a; ; {
			helper, next := t.waiting()
			if crossing(rules, helper, differ) {
				return
			}
			if len(rules) >= t.site.SkewBudget {
				t.Inconclusive("%d LB rules of two accounts did not cross: others create rules at the same time, rule ids are %d ahead; the budget is %d (--skew-budget)",
					len(rules), ahead, t.site.SkewBudget)
			}
			last = turn(rules, next, last, a, b)
			rules = append(rules, last.LoadBalancer(fmt.Sprintf("R%d", len(rules)+1)))
		}
	})
	t.Drain()
	return rules
}

// turn says whose rule comes next: not that of the account whose rule has the id that will be the new one's helper id, else the other
// account's than the last.
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

// CrossedBetween finds two live rules of different accounts where the first one's id is the helper id of the second (T2).
func (t *T) CrossedBetween(rules ...*Rule) (dies, victim *Rule) {
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
