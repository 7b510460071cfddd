package objects

// Skew sets the shared rule ids and the usage helper ids at least count apart, in whichever direction they are apart
// already. Where they are close, firewall rules on an isolated network bring rule ids ahead: they take rule ids but
// open no LB helper row. Without it a server that confuses the two kinds of id finds the right row all the same (T1).
// Nothing is forced in a database.
func (a *Account) Skew(count int) {
	t := a.t
	defer t.Step("rule ids %d apart from helper ids", count)()
	if t.missing(count) == 0 {
		return
	}
	t.Alone(func() {
		missing := t.missing(count) // others may have made rules meanwhile
		if missing == 0 {
			return
		}
		a.Isolated().Address().Firewalls(20000, missing)
	})
}

// missing is how many harmless rules set ids count apart; the real distance is at least what is seen. Helper ids may be
// ahead of rule ids, by hundreds: usage runs that fail use up helper ids and roll back (confirmed.md 47). A row that is
// opened then gets a larger id than any rule has, so no rule has its own row's id, nor that of a row opened with it.
func (t *Cast) missing(count int) int {
	ahead := t.Ahead("LB.CREATE", "usage_load_balancer_policy")
	if ahead <= -count {
		return 0
	}
	missing := max(0, count-ahead)
	if missing > t.Site.SkewBudget {
		t.Inconclusive("rule ids are %d ahead of helper ids; setting them %d apart takes %d harmless rules, the "+
			"budget is %d (--skew-budget)", ahead, count, missing, t.Site.SkewBudget)
	}
	return missing
}

// Ahead is how far the next rule's id will be ahead of its helper id, when nobody else makes rules meanwhile. The event
// opens the helper row, the table holds it. Rules are really deleted and helper rows stay, so where rules came and went
// it is the ids given out that count and not those in use.
func (t *Cast) Ahead(event, table string) int {
	pending, err := t.Usage().Waiting(t.Ctx, event)
	t.Must(err, "reading ids")
	return int(t.LastID("cloud", "firewall_rules")-t.LastID("cloud_usage", table)) - len(pending)
}

// SkewBlind creates count harmless rules without looking: where helper ids cannot be read, rule ids are at least so far
// ahead of them on a database that was born at 4.16.1 or later.
func (a *Account) SkewBlind(count int) {
	t := a.t
	defer t.Step("%d harmless rules", count)()
	if count > t.Site.SkewBudget {
		t.Inconclusive("setting ids apart takes %d harmless rules, the budget is %d (--skew-budget)", count,
			t.Site.SkewBudget)
	}
	ip := a.Isolated().Address()
	for i := range count {
		ip.Firewall(20000 + i)
	}
}
