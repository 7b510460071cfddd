package audit

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// schema is U11: what the usage server copies accounts with, and accounts that it passed by. A missing account makes
// every run of the whole site fail once an event names it. Rows that a later release's keys forbid belong to it.
func (a *accounting) schema(ctx context.Context) (Check, error) {
	c := Check{ID: "U11", Title: "the schemas fit together, and to the keys of later releases"}
	add := func(format string, arg ...any) {
		if c.Count++; len(c.Evidence) < evidenceLines {
			c.Evidence = append(c.Evidence, fmt.Sprintf(format, arg...))
		}
	}
	for _, column := range []string{"account_name", "uuid", "type", "role_id", "domain_id", "removed", "cleanup_needed",
		"api_key_access"} {
		if a.cloud.has("account", column) && !a.usage.has("account", column) {
			add(
				"cloud_usage.account has no column %s, which cloud.account has: the usage server cannot copy "+
					"accounts (#10244)",
				column,
			)
		}
	}
	here, there := map[int64]bool{}, int64(0)
	err := a.usage.scan(ctx, "account", nil, "", func(id int64, _ *fields) error {
		here[id] = true
		there = max(there, id)
		return nil
	})
	if err != nil {
		return c, err
	}
	err = a.cloud.scan(ctx, "account", []string{seconds("removed")}, "", func(id int64, f *fields) error {
		if !here[id] && id < there && f.int() == 0 {
			add(
				"account %d is missing in cloud_usage.account for ever: later ones were copied. The first event of "+
					"it fails every usage run of the site. "+
					"Copy its row from cloud.account",
				id,
			)
		}
		return nil
	})
	if err != nil {
		return c, err
	}
	if a.result.KeysInTheWay, err = a.keysInTheWay(ctx); err != nil {
		return c, err
	}
	for _, text := range a.result.KeysInTheWay {
		add("%s", text)
	}
	return verdict(c, "every account that should be there was copied, and no later key is violated", "differences"), nil
}

// keysInTheWay are rows that a unique key of a later release forbids, so that the schema step of an upgrade fails.
// One such key is known: provider, source, value and removed of cloud.counter, which the step from 4.21 to 4.22.0 adds.
// Counters that live have no time of removal, and NULL equals nothing.
func (a *accounting) keysInTheWay(ctx context.Context) (all []string, err error) {
	if !a.cloud.has("counter", "provider", "source", "value", "removed") {
		return nil, nil
	}
	err = a.cloud.each(ctx, "SELECT CAST(GROUP_CONCAT(id ORDER BY id SEPARATOR ', ') AS CHAR) FROM cloud.counter "+
		"WHERE removed IS NOT NULL GROUP BY provider, source, value, removed HAVING COUNT(*) > 1 ORDER BY MIN(id)",
		func(scan func(...any) error) error {
			var ids string
			if err := scan(&ids); err != nil {
				return err
			}
			all = append(all, fmt.Sprintf("the removed counters %s of cloud.counter are equal in all columns of the "+
				"unique key that 4.22.0.0 adds: the upgrade fails on them. Give each another second of removal", ids))
			return nil
		})
	if err != nil {
		return nil, a.cloud.failed("reading cloud.counter", err)
	}
	return all, nil
}

// clockSlack is how far clocks may be apart.
const clockSlack = 2 * time.Minute

// clocks is U12: events are dated by the management servers, jobs by the usage server; an event of the future says
// that a clock or a connection's time zone (serverTimezone) is wrong.
func (a *accounting) clocks(ctx context.Context) (Check, error) {
	c := Check{ID: "U12", Title: "clocks agree"}
	var ahead int64
	err := a.cloud.conn.QueryRowContext(ctx,
		"SELECT COALESCE(MAX(TO_SECONDS(created)), 0) - TO_SECONDS(UTC_TIMESTAMP()) FROM "+
			"(SELECT created FROM cloud.usage_event ORDER BY id DESC LIMIT 1000) e").
		Scan(&ahead)
	if err != nil {
		return c, a.cloud.failed("comparing clocks", err)
	}
	if ahead > int64(clockSlack.Seconds()) {
		c.Count++
		c.Evidence = append(
			c.Evidence,
			fmt.Sprintf(
				"the newest usage event is %d s in the future of the database's GMT time: a management server's "+
					"clock or serverTimezone is wrong",
				ahead,
			),
		)
	}
	if a.cloud.has("mshost", "state", "last_update", "name", "removed") {
		err := a.cloud.scan(
			ctx,
			"mshost",
			[]string{
				"TO_SECONDS(UTC_TIMESTAMP()) - COALESCE(TO_SECONDS(last_update), TO_SECONDS(UTC_TIMESTAMP()))",
				"COALESCE(name, '')",
			},
			"removed IS NULL AND state = 'Up'",
			func(id int64, f *fields) error {
				if behind := f.int(); behind < -int64(clockSlack.Seconds()) {
					c.Count++
					c.Evidence = append(
						c.Evidence,
						fmt.Sprintf("management server %d (%s) wrote a time %d s in the future", id, f.text(), -behind),
					)
				}
				return nil
			},
		)
		if err != nil {
			return c, err
		}
	}
	return verdict(c, "no event and no management server is ahead of the database's clock", "wrong clocks"), nil
}

// balancerChecks are L1 to L7.
func (a *accounting) balancerChecks(ctx context.Context, o Options) ([]Check, error) {
	b, err := a.readBalancers(ctx)
	if err != nil {
		return nil, err
	}
	titles := map[string]string{
		"L1": "no rule that a router refuses",
		"L2": "no rule is stuck",
		"L3": "no equal policies where routers compare as sets",
		"L4": "routers run what the database says",
		"L5": "groups and their members fit together",
		"L6": "routers are of one version",
		"L7": "traffic is spread and sticks as before",
	}
	not := func(id, why string) Check { return Check{ID: id, Title: titles[id], Outcome: NotLooked, Text: why} }
	if !b.readable {
		const why = "cloud.load_balancing_rules is not there, or not readable"
		return []Check{
			not("L1", why),
			not("L2", why),
			not("L3", why),
			not("L4", why),
			not("L5", why),
			not("L6", why),
			not("L7", why),
		}, nil
	}
	a.result.Poison = b.poison(a.names)
	l1 := Check{ID: "L1", Title: titles["L1"]}
	for _, p := range a.result.Poison {
		if p.Warning {
			continue
		}
		if l1.Count++; len(l1.Evidence) < evidenceLines {
			l1.Evidence = append(l1.Evidence, p.String())
		}
	}
	l2 := b.stuck()
	l2.Title = titles["L2"]
	l3 := b.twins(a.result.Site.Version)
	l3.Title = titles["L3"]
	l5, err := b.groups(ctx)
	if err != nil {
		return nil, err
	}
	l6, err := b.routerVersions(ctx)
	if err != nil {
		return nil, err
	}
	inside, err := b.inside(ctx, o, a.result)
	if err != nil {
		return nil, err
	}
	if n := inside.l6.Count; n > 0 {
		l6.Count, l6.Evidence = l6.Count+n, append(inside.l6.Evidence, l6.Evidence...)
		l6 = verdict(l6, "", "differences between routers")
	}
	l4, l7 := inside.l4, inside.l7
	l4.Title, l5.Title, l6.Title, l7.Title = titles["L4"], titles["L5"], titles["L6"], titles["L7"]
	l1 = verdict(l1, "no rule holds what a router refuses", "refused rules")
	if l1.Outcome == Clean && len(b.unread) > 0 {
		l1.Outcome, l1.Text = Undecidable, strings.Join(b.unread, ", ")+": not there, or not readable"
	}
	return []Check{
		l1,
		l2,
		l3,
		l4,
		l5,
		l6,
		l7,
	}, nil
}
