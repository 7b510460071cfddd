package audit

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/audit/damage"
)

// sound makes the site one without damage, whose last job has just ended.
func (s *testSite) sound() {
	s.t.Helper()
	require.NoError(s.t, s.server.Reset(s.t.Context()))
	s.volumes()
	s.exec("TRUNCATE TABLE cloud.volumes")
	start := time.Now().UTC().Truncate(2 * time.Hour).Add(-12 * time.Hour)
	h := damage.Play(damage.Options{Handler: damage.Sound, Actions: 500, Seed: 5, Start: start, Window: 2 * time.Hour})
	require.NoError(s.t, h.Write(s.t.Context(), s.db))
	// What was rolled back is damage of its own.
	s.exec(
		"DELETE FROM cloud.usage_event WHERE type = 'LB.DELETE' AND resource_id IN (SELECT id FROM " +
			"cloud.firewall_rules)",
	)
	s.exec(
		"DELETE FROM cloud_usage.usage_event WHERE type = 'LB.DELETE' AND resource_id IN (SELECT id FROM " +
			"cloud.firewall_rules)",
	)
	s.exec(
		"UPDATE cloud_usage.usage_load_balancer_policy h JOIN cloud.firewall_rules f ON f.id = h.lb_id SET " +
			"h.deleted = NULL",
	)
	s.exec(
		"DELETE FROM cloud_usage.cloud_usage WHERE usage_type = 11",
	) // records of what is open again would be missing
	s.insert("cloud.account", map[string]any{"id": 2, "account_name": "acme", "uuid": "a-2"})
	s.exec(
		"INSERT INTO cloud_usage.account (id, account_name, uuid, type, role_id, domain_id) SELECT id, " +
			"account_name, uuid, type, role_id, domain_id FROM cloud.account",
	)
}

// TestEachCheckHasAFault: a site without damage is clean, and each planted fault is found by its check and by no
// other one that it does not concern.
func TestEachCheckHasAFault(t *testing.T) {
	s := site4(t)
	s.sound()
	r := s.audit()
	require.Empty(t, r.Findings)
	for _, c := range r.Checks {
		require.Contains(t, []Outcome{Clean, NotLooked}, c.Outcome, "%s: %s", c.ID, c.Text)
	}
	require.False(t, r.Damaged())
	pick := func(query string) (id int64) {
		require.NoError(t, s.db.QueryRowContext(t.Context(), query).Scan(&id))
		return id
	}
	dead := pick(
		"SELECT lb_id FROM cloud_usage.usage_load_balancer_policy WHERE deleted IS NOT NULL AND created <> deleted " +
			"ORDER BY id LIMIT 1",
	)
	live := pick("SELECT id FROM cloud.firewall_rules WHERE purpose = 'LoadBalancing' ORDER BY id LIMIT 1")
	for name, tt := range map[string]struct {
		do     []string
		checks []string
		class  string
	}{
		"open though dead": {do: []string{"UPDATE cloud_usage.usage_load_balancer_policy SET deleted = NULL WHERE " +
			"lb_id = DEAD"}, checks: []string{"U1"}, class: "OPEN_BUT_DEAD"},
		"no row": {do: []string{"DELETE FROM cloud_usage.usage_load_balancer_policy WHERE lb_id = LIVE"},
			checks: []string{"U2"}, class: "MISSING"},
		"wrong date": {do: []string{"UPDATE cloud_usage.usage_load_balancer_policy SET deleted = " +
			"DATE_ADD(deleted, INTERVAL 1 SECOND) WHERE lb_id = DEAD"}, checks: []string{"U3"}, class: "WRONG_DATE"},
		"two open rows": {do: []string{"INSERT INTO cloud_usage.usage_load_balancer_policy (zone_id, account_id, " +
			"domain_id, lb_id, created) SELECT zone_id, account_id, domain_id, lb_id, created FROM " +
			"cloud_usage.usage_load_balancer_policy WHERE lb_id = LIVE"},
			checks: []string{"U5"}, class: "DUPLICATE_OPEN"},
		"create event twice": {do: []string{"INSERT INTO cloud.usage_event (type, account_id, created, zone_id, " +
			"resource_id, processed) SELECT type, account_id, created, zone_id, resource_id, 0 FROM " +
			"cloud.usage_event WHERE type = 'LB.CREATE' AND resource_id = LIVE",
			"INSERT INTO cloud_usage.usage_event (id, type, account_id, created, zone_id, resource_id, processed) " +
				"SELECT id, type, account_id, created, zone_id, resource_id, 1 FROM cloud.usage_event ORDER BY id " +
				"DESC LIMIT 1"}, checks: []string{"U6"}},
		"event never copied": {do: []string{"DELETE FROM cloud_usage.usage_event WHERE type = 'LB.CREATE' AND " +
			"resource_id = LIVE"}, checks: []string{"U7"}},
		"event never processed": {do: []string{"UPDATE cloud_usage.usage_event SET processed = 0 WHERE type = " +
			"'LB.CREATE' AND resource_id = LIVE"}, checks: []string{"U7"}},
		"a job is missing": {do: []string{"DELETE FROM cloud_usage.usage_job ORDER BY id LIMIT 1 OFFSET_2"},
			checks: []string{"U8"}},
		"a record is there twice": {do: []string{"INSERT INTO cloud_usage.cloud_usage (zone_id, account_id, " +
			"domain_id, description, usage_display, usage_type, raw_usage, usage_id, start_date, end_date) SELECT " +
			"zone_id, account_id, domain_id, description, usage_display, usage_type, raw_usage, usage_id, " +
			"start_date, end_date FROM cloud_usage.cloud_usage WHERE usage_type = 12 ORDER BY id LIMIT 1"},
			checks: []string{"U9", "U13"}},
		"a record is too long": {do: []string{"UPDATE cloud_usage.cloud_usage SET raw_usage = 12.1 WHERE " +
			"usage_type = 12 ORDER BY id LIMIT 1"}, checks: []string{"U10"}},
		"an account was passed": {do: []string{"INSERT INTO cloud.account (id, account_name, uuid, type, domain_id, " +
			"cleanup_needed) VALUES (1, 'one', 'u1', 0, 1, 0)"}, checks: []string{"U11"}},
		"a clock is ahead": {do: []string{"UPDATE cloud.usage_event SET created = DATE_ADD(UTC_TIMESTAMP(), " +
			"INTERVAL 1 HOUR) ORDER BY id DESC LIMIT 1"}, checks: []string{"U12"}},
		"poison": {do: []string{"UPDATE cloud.load_balancing_rules SET algorithm = 'foo' WHERE id = LIVE"},
			checks: []string{"L1"}},
		"a stuck rule": {do: []string{"UPDATE cloud.firewall_rules SET state = 'Staged' WHERE id = LIVE"},
			checks: []string{"L2"}},
		"equal policies": {do: []string{"INSERT INTO cloud.version (version, updated, step) VALUES ('4.19.1.0', " +
			"NOW(), 'Complete')",
			"INSERT INTO cloud.load_balancer_stickiness_policies (uuid, load_balancer_id, name, method_name, " +
				"params, `revoke`, display) SELECT id, id, 'p', 'SourceBased', '', 0, 1 FROM cloud.firewall_rules " +
				"WHERE purpose = 'LoadBalancing' LIMIT 2"}, checks: []string{"L3"}},
		"a group without rule": {do: []string{"INSERT INTO cloud.autoscale_vmgroups (id, zone_id, domain_id, " +
			"account_id, load_balancer_id, name, min_members, max_members, member_port, `interval`, profile_id, " +
			"state, created) VALUES (1, 1, 1, 2, 999999, 'g', 1, 2, 80, 30, 1, 'ENABLED', NOW())"},
			checks: []string{"L5"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &testSite{t: t, server: s.server, db: s.db, needs: s.needs}
			s.sound()
			for _, query := range tt.do {
				query = strings.NewReplacer("DEAD", itoa(dead), "LIVE", itoa(live)).Replace(query)
				if strings.Contains(query, "OFFSET_2") {
					query = "DELETE FROM cloud_usage.usage_job WHERE id = (SELECT id FROM (SELECT id FROM " +
						"cloud_usage.usage_job ORDER BY id LIMIT 1 OFFSET 2) x)"
				}
				s.exec(query)
			}
			r := s.audit()
			var found []string
			for _, c := range r.Checks {
				if c.Outcome == Found {
					found = append(found, c.ID)
					require.NotEmpty(t, c.Text)
				}
			}
			for _, id := range tt.checks {
				require.Contains(t, found, id)
			}
			if tt.class != "" {
				require.Equal(t, 1, r.Classes()[tt.class])
				require.Len(t, r.Findings, 1)
			}
			require.Subset(t, append(tt.checks, "U13"), found)
		})
	}
}

// TestKeysInTheWay: removed counters that are equal make an upgrade to 4.22 fail. Living ones, and those that were
// removed at different times, do not.
func TestKeysInTheWay(t *testing.T) {
	s := site4(t)
	s.sound()
	s.exec("CREATE TABLE cloud.counter (id BIGINT UNSIGNED PRIMARY KEY, source VARCHAR(255), value VARCHAR(255), " +
		"provider VARCHAR(255), removed DATETIME NULL)")
	s.exec("INSERT INTO cloud.counter VALUES (1, 'snmp', '1.2', 'Netscaler', '2026-01-01 00:00:00'), " +
		"(2, 'snmp', '1.2', 'Netscaler', '2026-01-01 00:00:01'), (3, 'cpu', 'cpu', 'VirtualRouter', NULL), " +
		"(4, 'cpu', 'cpu', 'VirtualRouter', NULL)")
	require.Equal(t, Clean, s.audit().Check("U11").Outcome)
	s.exec("UPDATE cloud.counter SET removed = '2026-01-01 00:00:00' WHERE id = 2")
	r := s.audit()
	require.Equal(t, Found, r.Check("U11").Outcome)
	require.Contains(t, r.Check("U11").Text, "counters 1, 2 of cloud.counter")
	require.Len(t, r.KeysInTheWay, 1)
	state, line := r.Monitor()
	require.Equal(t, MonitorWarning, state, line) // no money is lost
}

// TestDocuments: each form says the same as the result.
func TestDocuments(t *testing.T) {
	s := damaged(t)
	s.exec("UPDATE cloud.account SET account_name = '=cmd|<b>' WHERE id = 2")
	r := s.audit()
	require.NotEmpty(t, r.Findings)

	var b bytes.Buffer
	require.NoError(t, r.Encode(&b))
	back, err := Decode(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	require.Equal(t, lines(r), lines(back))
	_, err = Decode(strings.NewReader(`{"schema":1}`))
	require.ErrorContains(t, err, "not the JSON of an audit")

	data, err := r.CSV()
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, len(r.Findings)+1)
	require.NotContains(t, string(data), ",=cmd", "a name must not become a formula")

	money, err := r.MoneyCSV()
	require.NoError(t, err)
	require.Equal(t, len(r.Money)+1, strings.Count(string(money), "\n"))

	data, err = r.JUnit()
	require.NoError(t, err)
	var suites junitSuites
	require.NoError(t, xml.Unmarshal(data, &suites))
	require.Equal(t, len(r.Checks), suites.Tests)
	require.Equal(t, suites.Failures, strings.Count(string(data), "<failure"))
	require.NotZero(t, suites.Failures)

	page, err := r.HTML()
	require.NoError(t, err)
	require.Contains(t, string(page), `http-equiv="Content-Security-Policy" content="default-src 'none'`)
	require.NotContains(t, string(page), "<b>")
	require.NotContains(t, string(page), "<script")
	require.Contains(t, string(page), "prefers-color-scheme: dark")
	require.Equal(t, strings.Count(string(page), "<table>"), strings.Count(string(page), "<thead>"))
	require.Contains(t, string(page), r.Findings[0].Table)

	metrics := string(r.Metrics())
	require.True(t, strings.HasSuffix(metrics, "# EOF\n"))
	require.Contains(
		t,
		metrics,
		`stackproof_audit_rows{class="OPEN_BUT_DEAD"} `+itoa(int64(r.Classes()["OPEN_BUT_DEAD"]))+"\n",
	)
	state, line := r.Monitor()
	require.Equal(t, MonitorCritical, state)
	require.Contains(t, line, "STACKPROOF CRITICAL - U1")
	require.Less(t, strings.Count(r.Text(), "\n"), 45, "one screen")
	for _, one := range strings.Split(r.Text(), "\n") {
		require.LessOrEqual(t, len([]rune(one)), 260)
	}
}

// TestNothingDecided: a site without a usage job is not clean.
func TestNothingDecided(t *testing.T) {
	s := site4(t)
	r := s.audit()
	require.False(t, r.Damaged())
	require.True(t, r.Inconclusive())
	state, _ := r.Monitor()
	require.Equal(t, MonitorUnknown, state)
}
