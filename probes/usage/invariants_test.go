package usageprobe

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fault is a change to the sound world and what must be found because of it: exactly these invariants.
type fault struct {
	name  string
	sql   []string
	do    func(s *site)
	want  []string // invariants, each once
	class Class    // of at least one violation
	text  string   // part of at least one violation
}

func faults() []fault {
	const lb, records = "cloud_usage.usage_load_balancer_policy", "cloud_usage.cloud_usage"
	const again = "INSERT INTO " + records +
		" (zone_id, account_id, domain_id, description, usage_display, usage_type, raw_usage, usage_id, start_date, " +
		"end_date) " +
		"SELECT zone_id, account_id, domain_id, description, usage_display, usage_type, 0, usage_id, start_date, " +
		"end_date FROM " + records + " WHERE usage_type = "
	crossed := func(s *site) {
		s.event("LB.DELETE", 3, "", "10:25:00", true)
		s.exec("DELETE FROM cloud.firewall_rules WHERE id = 3")
		s.exec("UPDATE " + lb + " SET deleted = '2026-03-04 10:25:00' WHERE id = 3")
	}
	return []fault{
		{name: "row of a dead rule still open", sql: []string{"UPDATE " + lb + " SET deleted = NULL WHERE lb_id = 4"},
			want: []string{"I1"}, class: ClassLeakedRow,
			text: "I1: load balancer rule 4 of account 2, cloud_usage.usage_load_balancer_policy helper id 2: " +
				"expected it closed at 2026-03-04 10:13:30 by the resource's own delete event, seen opened at " +
				"2026-03-04 10:02:00 and still open [leaked-row]"},
		{name: "dead port forwarding rule still open",
			sql:  []string{"UPDATE cloud_usage.usage_port_forwarding SET deleted = NULL WHERE pf_id = 6"},
			want: []string{"I1"}, class: ClassLeakedRow},
		{name: "first life of an address still open",
			sql: []string{"UPDATE cloud_usage.usage_ip_address SET released = NULL WHERE assigned = '2026-03-04 " +
				"10:03:00'"}, want: []string{"I1", "I2"}},
		{name: "stopped VM still running",
			sql: []string{"UPDATE cloud_usage.usage_vm_instance SET end_date = NULL WHERE usage_type = 1 AND " +
				"start_date = '2026-03-04 10:05:10'"}, want: []string{"I1", "I2"}},
		{name: "removed VPC still open",
			sql: []string{"UPDATE cloud_usage.usage_vpc SET removed = NULL WHERE vpc_id = 2"}, want: []string{"I1"}},
		{name: "deleted volume still open",
			sql:  []string{"UPDATE cloud_usage.usage_volume SET deleted = NULL WHERE created = '2026-03-04 10:09:00'"},
			want: []string{"I1"}},
		{name: "rule gone without an event", sql: []string{"DELETE FROM cloud.firewall_rules WHERE id = 5"},
			want: []string{"I1"}, text: "cloud.usage_event has no delete event of it"},
		{name: "delete closed another rule's row", do: crossed, want: []string{"I1", "I2", "I3", "I4", "I5"},
			class: ClassCrossedClose,
			text: "the row with helper id 3, which belongs to load balancer rule 5, " +
				"was closed at that second instead"},
		{name: "live rule without a row", sql: []string{"DELETE FROM " + lb + " WHERE lb_id = 5"}, want: []string{"I2"},
			text: "(uuid firewall_rules-5)"},
		{name: "row opened at a wrong second", sql: []string{"UPDATE " + lb +
			" SET created = '2026-03-04 10:02:01' WHERE lb_id = 5"}, want: []string{"I2"}},
		{name: "network opened twice", sql: []string{"INSERT INTO cloud_usage.usage_networks SELECT NULL, " +
			"network_offering_id, zone_id, network_id, account_id, domain_id, state, NULL, created FROM " +
			"cloud_usage.usage_networks WHERE network_id = 212"},
			want: []string{"I2"}, class: ClassDuplicateNetwork},
		{name: "live address closed", sql: []string{"UPDATE cloud_usage.usage_ip_address SET released = '2026-03-04 " +
			"10:09:00' WHERE ip_id = 3"}, want: []string{"I2", "I3"},
			text: "expected it open: the resource has no delete event"},
		{name: "delete event of a live rule", do: func(s *site) {
			s.event("LB.DELETE", 5, "", "10:25:00", true)
			s.exec("UPDATE " + lb + " SET deleted = '2026-03-04 10:25:00' WHERE lb_id = 5")
		}, want: []string{"I2"}, class: ClassRolledBackDelete},
		{name: "closed a second late", sql: []string{"UPDATE " + lb +
			" SET deleted = '2026-03-04 10:13:31' WHERE lb_id = 4"}, want: []string{"I3"}},
		{name: "closed later than the newest job, though it died long before", sql: []string{"UPDATE " + lb +
			" SET deleted = '2026-03-04 11:13:30' WHERE lb_id = 4"}, want: []string{"I3"}},
		{name: "VPN user closed by the job's time",
			sql:  []string{"UPDATE cloud_usage.usage_vpn_user SET deleted = '2026-03-04 10:20:03'"},
			want: []string{"I3"}, class: ClassVPNUserDate},
		{name: "network closed at no event",
			sql: []string{"UPDATE cloud_usage.usage_networks SET removed = '2026-03-04 10:23:00' WHERE removed = " +
				"'2026-03-04 10:22:00'"}, want: []string{"I3"}},
		{name: "two NICs closed by the removal of one", do: twoNICs, want: []string{"I2", "I3"},
			class: ClassSharedNICOffering},
		{name: "dead rule billed on", sql: []string{"INSERT INTO " + records +
			" (zone_id, account_id, domain_id, description, usage_display, usage_type, raw_usage, usage_id, " +
			"start_date, end_date) VALUES (0, 2, 0, '', '', 11, 0.1666666716337204, 4, '2026-03-04 10:20:00', " +
			"'2026-03-04 10:29:59')"},
			want: []string{"I4", "I5"}, text: "I4: load balancer rule 4 of account 2, cloud_usage.cloud_usage: " +
				"expected no billed time outside its life (2026-03-04 10:02:00 to 2026-03-04 10:13:30), seen 1 " +
				"record with 0.166667 hours too many"},
		{name: "window of the delete billed in full", sql: []string{"UPDATE " + records +
			" SET raw_usage = 0.1666666716337204 WHERE usage_type = 11 AND usage_id = 4 AND start_date = " +
			"'2026-03-04 10:10:00'"}, want: []string{"I4", "I5"}},
		{name: "record missing", sql: []string{"DELETE FROM " + records +
			" WHERE usage_type = 11 AND usage_id = 3 AND start_date = '2026-03-04 10:10:00'"}, want: []string{"I5"}},
		{name: "record four seconds short", sql: []string{"UPDATE " + records +
			" SET raw_usage = raw_usage - 4/3600 WHERE usage_type = 3 AND usage_id = 3 AND start_date = '2026-03-04 " +
			"10:20:00'"}, want: []string{"I5"}},
		{name: "event not copied", sql: []string{"DELETE FROM cloud_usage.usage_event WHERE type = 'VPC.DELETE'"},
			want: []string{"I6"}, text: "seen it is not there"},
		{name: "event not processed", sql: []string{"UPDATE cloud_usage.usage_event SET processed = 0 WHERE type = " +
			"'VPC.DELETE'"}, want: []string{"I6"}, text: "seen processed=0"},
		{name: "event changed on the way",
			sql:  []string{"UPDATE cloud_usage.usage_event SET resource_id = 77 WHERE type = 'VPC.DELETE'"},
			want: []string{"I6"}, text: "resource 77"},
		{name: "gap between jobs", sql: []string{"UPDATE cloud_usage.usage_job SET start_millis = start_millis + 1 " +
			"WHERE id = 2"}, want: []string{"I7"}, text: "gap of 1ms"},
		{name: "jobs overlap", sql: []string{"UPDATE cloud_usage.usage_job SET start_millis = start_millis - 1000 " +
			"WHERE id = 3"}, want: []string{"I7"}, text: "overlap of 1s"},
		{name: "record twice", sql: []string{again + "31 AND usage_id = 1 AND start_date = '2026-03-04 10:10:00'"},
			want: []string{"I8"}, class: ClassDuplicateNetwork},
		{name: "record of a network three times, which had two rows",
			sql: []string{again + "30 AND usage_id = 213 AND start_date = '2026-03-04 10:00:00' LIMIT 1",
				again + "30 AND usage_id = 213 AND start_date = '2026-03-04 10:00:00' LIMIT 1"},
			want: []string{"I8"}, class: ClassDuplicateNetwork},
	}
}

// twoNICs gives VM 10 a second NIC with the same offering and removes it; both rows close.
func twoNICs(s *site) {
	s.insert("cloud.nics", map[string]any{"id": 21, "instance_id": 10, "uuid": "nic-21", "removed": day("10:26:00")})
	s.insert("cloud_usage.usage_network_offering", map[string]any{"account_id": account, "zone_id": 1,
		"vm_instance_id": 10, "network_offering_id": 13,
		"nic_id": 21, "created": day("10:19:00"), "deleted": day("10:26:00")})
	s.event("NETWORK.OFFERING.ASSIGN", 10, "21", "10:19:00", true)
	s.event("NETWORK.OFFERING.REMOVE", 10, "21", "10:26:00", true)
	s.exec("UPDATE cloud_usage.usage_network_offering SET deleted = '2026-03-04 10:26:00' WHERE deleted IS NULL")
}

func TestInvariants(t *testing.T) {
	s := newSite(t)
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			s := s.with(t)
			s.build(soundWorld())
			require.Empty(t, lines(Invariants(nil, s.snapshot(), nil)), "the sound world must be silent")
			for _, q := range f.sql {
				s.exec(q)
			}
			if f.do != nil {
				f.do(s)
			}
			found := Invariants(nil, s.snapshot(), nil)
			text := lines(found)
			require.Equal(t, f.want, kinds(found), text)
			require.Contains(t, text, f.text)
			require.True(t, slices.ContainsFunc(found, func(v Violation) bool { return v.Class == f.class }),
				"no %q in\n%s", f.class, text)
			require.Equal(t, len(found), strings.Count(text, "\n"), "every violation is one line")

			// The same findings are inherited when the earlier snapshot has them, and new when it does not.
			after := s.snapshot()
			for _, v := range Invariants(&after, after, nil) {
				if v.Invariant != "I7" && v.Invariant != "I8" { // these look at what is new only
					require.True(t, v.Inherited, v.String())
				}
			}
		})
	}
}

// What is no fault must be silent.
func TestInvariantsAreSilent(t *testing.T) {
	s := newSite(t)
	for name, do := range map[string]func(s *site){
		"nothing happened": func(*site) {},
		"created and deleted after the last job": func(s *site) {
			s.event("LB.CREATE", 8, "", "10:30:30", false)
			s.insert("cloud.firewall_rules", map[string]any{"id": 8, "uuid": "r-8", "account_id": account,
				"purpose": "LoadBalancing", "state": "Active", "created": day("10:30:30")})
			s.event("LB.DELETE", 5, "", "10:30:40", false)
			s.exec("DELETE FROM cloud.firewall_rules WHERE id = 5")
		},
		"rule being revoked": func(s *site) {
			s.event("LB.DELETE", 5, "", "10:21:00", true)
			s.exec("UPDATE cloud.firewall_rules SET state = 'Revoke' WHERE id = 5")
		},
		"no job ever succeeded": func(s *site) {
			s.exec("UPDATE cloud_usage.usage_job SET success = 0")
			s.exec("DELETE FROM cloud_usage.usage_load_balancer_policy")
		},
		"delete and another delete": func(s *site) { s.event("LB.DELETE", 4, "", "10:14:00", true) },
		"portable address, never billed": func(s *site) {
			s.insert("cloud.user_ip_address", map[string]any{"id": 9, "uuid": "ip-9", "account_id": account,
				"state": "Allocated", "allocated": day("10:00:00"), "is_portable": 1, "public_ip_address": "192.0.2.9"})
		},
		"network updated within a window": func(s *site) {
			s.exec("UPDATE cloud_usage.cloud_usage SET raw_usage = 4/60 WHERE usage_type = 30 AND usage_id = 213 " +
				"AND start_date = '2026-03-04 10:00:00'")
			s.exec("INSERT INTO cloud_usage.cloud_usage (zone_id, account_id, domain_id, description, " +
				"usage_display, usage_type, raw_usage, usage_id, start_date, end_date) SELECT zone_id, account_id, " +
				"domain_id, description, usage_display, usage_type, 2/60, usage_id, start_date, end_date FROM " +
				"cloud_usage.cloud_usage WHERE usage_type = 30 AND usage_id = 213 AND start_date = '2026-03-04 " +
				"10:00:00'")
		},
		"network never implemented": func(s *site) {
			s.insert("cloud.networks", map[string]any{"id": 220, "uuid": "n-220", "account_id": account,
				"state": "Allocated"})
		},
		"router of the account": func(s *site) {
			s.insert("cloud.vm_instance", map[string]any{"id": 30, "uuid": "v-30", "account_id": account,
				"type": "DomainRouter", "state": "Running"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := s.with(t)
			s.build(soundWorld())
			do(s)
			require.Empty(t, lines(Invariants(nil, s.snapshot(), nil)))
		})
	}
	t.Run("other accounts", func(t *testing.T) {
		s := s.with(t)
		s.build(soundWorld())
		s.exec("UPDATE cloud_usage.usage_load_balancer_policy SET deleted = NULL WHERE lb_id = 4")
		require.Empty(t, lines(Invariants(nil, s.snapshot(3), nil)))
		require.Equal(t, []string{"I1"}, kinds(Invariants(nil, s.snapshot(3, account), nil)))
	})
}

func TestUntouchedRows(t *testing.T) {
	s := newSite(t)
	const lb = "cloud_usage.usage_load_balancer_policy"
	touchedLB5 := Touched{{Kind: KindLB, ID: 5}: true}
	for _, tt := range []struct {
		name    string
		do      func(s *site)
		touched Touched
		want    string // of the only I9; empty for none
		class   Class
	}{
		{name: "nothing changed", do: func(*site) {}},
		{name: "crossed close", class: ClassCrossedClose,
			want: "load balancer rule 5 (uuid firewall_rules-5) of account 2, " + lb +
				" helper id 3: expected the row of an untouched resource as before: id=3 lb_id=5 zone_id=1 " +
				"account_id=2 " +
				"domain_id=0 created=2026-03-04 10:02:00 deleted=NULL, " +
				"seen deleted=2026-03-04 10:31:00 [crossed-close]",
			do: func(s *site) {
				s.event("LB.DELETE", 3, "", "10:31:00", true)
				s.exec("UPDATE " + lb + " SET deleted = '2026-03-04 10:31:00' WHERE id = 3")
			}},
		{name: "own event", do: func(s *site) {
			s.event("LB.DELETE", 3, "", "10:31:00", true)
			s.exec("UPDATE " + lb + " SET deleted = '2026-03-04 10:31:00' WHERE lb_id = 3")
		}},
		{name: "named by the caller", touched: touchedLB5,
			do: func(s *site) { s.exec("UPDATE " + lb + " SET zone_id = 7 WHERE lb_id = 5") }},
		{name: "row gone", want: "seen it is gone",
			do: func(s *site) { s.exec("DELETE FROM " + lb + " WHERE lb_id = 5") }},
		{name: "new row out of nothing", want: "seen a new row: id=4 lb_id=3", do: func(s *site) {
			s.insert(lb, map[string]any{"lb_id": 3, "account_id": account, "created": day("10:01:00")})
		}},
		{name: "a column that no type reads", want: "seen is_hidden=1",
			do: func(s *site) { s.exec("UPDATE cloud_usage.usage_ip_address SET is_hidden = 1 WHERE ip_id = 3") }},
		{name: "storage row", want: "seen size=5",
			do: func(s *site) { s.exec("UPDATE cloud_usage.usage_storage SET size = 5") }},
		{name: "storage row with an event", do: func(s *site) {
			s.event("SNAPSHOT.DELETE", 9, "", "10:31:00", true)
			s.exec("UPDATE cloud_usage.usage_storage SET deleted = '2026-03-04 10:31:00'")
		}},
		{name: "backup row", want: "cloud_usage.usage_backup helper id 1: expected the row of an untouched resource",
			do: func(s *site) {
				s.exec("UPDATE cloud_usage.usage_backup SET removed = '2026-03-04 10:31:00'")
			}},
		{name: "backup row with an event", do: func(s *site) {
			s.event("BACKUP.OFFERING.REMOVE", 10, "", "10:31:00", true)
			s.exec("UPDATE cloud_usage.usage_backup SET removed = '2026-03-04 10:31:00'")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := s.with(t)
			s.build(soundWorld())
			s.insert("cloud_usage.usage_backup", map[string]any{"account_id": account, "vm_id": 10,
				"created": day("10:01:00")})
			before := s.snapshot(account)
			tt.do(s)
			var found []Violation
			for _, v := range Invariants(&before, s.snapshot(account), tt.touched) {
				if v.Invariant == "I9" {
					found = append(found, v)
				}
			}
			if tt.want == "" {
				require.Empty(t, lines(found))
				return
			}
			require.Len(t, found, 1, lines(found))
			require.Contains(t, found[0].String(), tt.want)
			require.Equal(t, tt.class, found[0].Class)
			require.False(t, found[0].Inherited)
		})
	}
}

// A finding that is new since the earlier snapshot is not inherited, and I7 and I8 look at new jobs and records only.
func TestInherited(t *testing.T) {
	s := newSite(t)
	s.build(soundWorld())
	s.exec("UPDATE cloud_usage.usage_vpc SET removed = NULL WHERE vpc_id = 2")
	s.exec("UPDATE cloud_usage.usage_job SET start_millis = start_millis + 1 WHERE id = 2")
	before := s.snapshot()
	s.exec("UPDATE cloud_usage.usage_load_balancer_policy SET deleted = NULL WHERE lb_id = 4")
	inherited := map[string]bool{}
	for _, v := range Invariants(&before, s.snapshot(), nil) {
		inherited[v.Invariant+" "+v.Table] = v.Inherited
	}
	require.Equal(t, map[string]bool{
		"I1 cloud_usage.usage_vpc": true, "I1 cloud_usage.usage_load_balancer_policy": false,
		"I9 cloud_usage.usage_load_balancer_policy": false,
	}, inherited)
}

// TestJobsBeforeTheAccounts: a gap between jobs counts against accounts only where it can have billed them.
func TestJobsBeforeTheAccounts(t *testing.T) {
	s := newSite(t)
	s.build(soundWorld())
	s.exec("UPDATE cloud_usage.usage_job SET start_millis = start_millis + 1 WHERE id = 2")
	s.insert("cloud.usage_event", map[string]any{"type": "VPC.CREATE", "account_id": 77, "created": day("10:25:00"),
		"zone_id": 1, "resource_id": 99})
	require.Contains(t, kinds(Invariants(nil, s.snapshot(account), nil)), "I7")
	require.Contains(t, kinds(Invariants(nil, s.snapshot(), nil)), "I7", "the audit looks at all of them")
	require.NotContains(t, kinds(Invariants(nil, s.snapshot(77), nil)), "I7")
}

func kinds(found []Violation) []string {
	var names []string
	for _, v := range found {
		names = append(names, v.Invariant)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func lines(found []Violation) string {
	var b strings.Builder
	for _, v := range found {
		b.WriteString(v.String() + "\n")
	}
	return b.String()
}
