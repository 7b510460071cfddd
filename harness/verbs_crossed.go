package harness

import "fmt"

// CrossedAccounts creates LB rules of two accounts in turns, until the id of one's rule is the helper id of a rule of the
// other; ids that are not apart are set skew apart first.
func (t *T) CrossedAccounts(a, b *Network, skew int) []*Rule {
	defer t.step("LB rules of two accounts with crossed ids")()
	a.Skew(skew)
	owners := []*Network{a}
	rules := []*Rule{a.LoadBalancer("R1")}
	t.Drain()
	t.RequireOpen(rules...)
	ahead := int(rules[0].InternalID - t.HelperID(rules[0]))
	if ahead+2 > t.site.SkewBudget {
		t.Inconclusive("rule ids are %d ahead of helper ids, so a crossing takes %d LB rules; the budget is %d (--skew-budget)", ahead, ahead+2, t.site.SkewBudget)
	}
	other := map[*Network]*Network{a: b, b: a}
	t.alone(func() {
		if t.site.Gate != nil { // others have made rules since
			ahead = t.ahead("LB.CREATE", "usage_load_balancer_policy")
			owners, rules = []*Network{a}, []*Rule{a.LoadBalancer("R0")}
		}
		for len(rules) < ahead+2 {
			owner := other[owners[len(owners)-1]]
			if at := len(rules) - ahead; at >= 0 { // its helper id will be the id of the rule made so many before
				owner = other[owners[at]]
			}
			owners = append(owners, owner)
			rules = append(rules, owner.LoadBalancer(fmt.Sprintf("R%d", len(rules)+1)))
		}
	})
	t.Drain()
	return rules
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
