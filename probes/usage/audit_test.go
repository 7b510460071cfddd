package usageprobe

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
)

// toy is seven LB rules, ids 3 to 9 on helper ids 1 to 7, of two accounts. Rules 3, 4, 5 and 9 were really deleted and
// the delete of 7 was rolled back, through a handler that finds the row by its helper id.
func toy(s *site) {
	const first, second = 2, 3
	create := []struct {
		id, owner int64
		at        string
	}{{3, first, "09:00:00"}, {4, first, "09:00:10"}, {5, first, "09:00:20"}, {6, first, "09:00:30"},
		{7, second, "09:00:40"}, {8, first, "09:00:50"}, {9, first, "09:01:00"}}
	for _, c := range create {
		s.rule("LB.CREATE", c.id, c.owner, c.at)
		s.insert("cloud_usage.usage_load_balancer_policy", map[string]any{"lb_id": c.id, "account_id": c.owner,
			"created": day(c.at)})
		s.insert("cloud.firewall_rules", map[string]any{"id": c.id, "uuid": "rule-" + c.at, "account_id": c.owner,
			"purpose": "LoadBalancing", "state": "Active"})
	}
	remove := func(id, owner int64, at string, dead bool) {
		s.rule("LB.DELETE", id, owner, at)
		s.exec("UPDATE cloud_usage.usage_load_balancer_policy SET deleted = ? WHERE id = ? AND account_id = ? AND "+
			"deleted IS NULL", day(at), id, owner)
		if dead {
			s.exec("DELETE FROM cloud.firewall_rules WHERE id = ?", id)
		}
	}
	remove(5, first, "10:00:00", true)   // closes helper 5 (LB 7)? no: another account. Own row open
	remove(4, first, "10:10:00", true)   // closes helper 4, the live rule 6
	remove(9, first, "10:20:00", true)   // no helper 9. Own row open
	remove(7, second, "10:25:00", false) // rolled back; helper 7 is of the other account
	remove(3, first, "10:30:00", true)   // closes helper 3 (LB 5), half an hour after its delete
}

func (s *site) rule(typ string, id, owner int64, at string) {
	s.t.Helper()
	for _, table := range []string{"cloud.usage_event", "cloud_usage.usage_event"} {
		values := map[string]any{"type": typ, "account_id": owner, "created": day(at), "resource_id": id}
		if table == "cloud_usage.usage_event" {
			values["processed"] = 1
			var last int64
			require.NoError(s.t, s.db.QueryRowContext(s.t.Context(),
				"SELECT MAX(id) FROM cloud.usage_event").Scan(&last))
			values["id"] = last
		}
		s.insert(table, values)
	}
}

func verdicts(t *testing.T, p *Probe, accountIDs ...int64) (map[int64]AuditVerdict, map[int64]AuditRow) {
	t.Helper()
	found, err := p.Audit(t.Context(), accountIDs...)
	require.NoError(t, err)
	judged, rows := map[int64]AuditVerdict{}, map[int64]AuditRow{}
	for _, a := range found {
		require.NotContains(t, judged, a.ID, "one row a rule")
		judged[a.ID], rows[a.ID] = a.Verdict, a
	}
	return judged, rows
}

func TestAuditOfTheToy(t *testing.T) {
	s := newSite(t)
	toy(s)
	judged, rows := verdicts(t, s.probe)
	require.Equal(t, map[int64]AuditVerdict{
		3: AuditOpenButDead, 4: AuditOpenButDead, 5: AuditWrongDate, 6: AuditClosedButLive, 7: AuditLiveWithDeleteEvent,
		8: AuditOK, 9: AuditOpenButDead,
	}, judged)
	require.EqualValues(t, 4, rows[6].CrossedBy)
	require.EqualValues(t, 3, rows[5].CrossedBy)
	require.Zero(t, rows[3].CrossedBy)
	require.Equal(t, "WRONG_DATE: load balancer rule 5 of account 2, created at 2026-03-04 09:00:20, deleted at "+
		"2026-03-04 10:00:00: helper row 3 is closed at 2026-03-04 10:30:00, by the delete of load balancer rule 3",
		rows[5].String())
	require.Equal(t, "OPEN_BUT_DEAD: load balancer rule 9 of account 2, created at 2026-03-04 09:01:00, deleted at "+
		"2026-03-04 10:20:00: helper row 7 is open", rows[9].String())

	// The usual question finds only the open rows of dead rules.
	var usual int
	require.NoError(t, s.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM cloud_usage.usage_load_balancer_policy h
		LEFT JOIN cloud.firewall_rules f ON f.id = h.lb_id WHERE h.deleted IS NULL AND f.id IS NULL`).Scan(&usual))
	require.Equal(t, 3, usual)

	judged, _ = verdicts(t, s.probe, 3)
	require.Equal(t, map[int64]AuditVerdict{7: AuditLiveWithDeleteEvent}, judged, "only the account asked for")
}

func TestAuditVerdicts(t *testing.T) {
	s := newSite(t)
	for name, tt := range map[string]struct {
		sql  string
		id   int64
		want AuditVerdict
	}{
		"sound world, port forwarding deleted": {"DO 0", 6, AuditOK},
		"sound world, load balancer deleted":   {"DO 0", 4, AuditOK},
		"port forwarding still open": {"UPDATE cloud_usage.usage_port_forwarding SET deleted = NULL", 6,
			AuditOpenButDead},
		"port forwarding closed alive": {"UPDATE cloud_usage.usage_port_forwarding SET deleted = " +
			"'2026-03-04 10:10:00'", 2, AuditClosedButLive},
		"no row": {"DELETE FROM cloud_usage.usage_load_balancer_policy WHERE lb_id = 3",
			3, AuditMissing},
		"gone without an event": {"DELETE FROM cloud.firewall_rules WHERE id = 3", 3,
			AuditOpenNoDeleteEvent},
		"being revoked": {"UPDATE cloud.firewall_rules SET state = 'Revoke' WHERE id = 3", 3,
			AuditUndecided},
		"create of the last minute": {"UPDATE cloud_usage.usage_job SET success = 0", 3, AuditOK},
		"static NAT rule": {"UPDATE cloud.firewall_rules SET purpose = 'StaticNat' WHERE id = 2",
			2, AuditOK},
		"only a second off": {"UPDATE cloud_usage.usage_load_balancer_policy SET deleted = " +
			"'2026-03-04 10:13:29' WHERE lb_id = 4", 4, AuditWrongDate},
	} {
		t.Run(name, func(t *testing.T) {
			s := s.with(t)
			s.build(soundWorld())
			s.exec(tt.sql)
			judged, _ := verdicts(t, s.probe)
			require.Len(t, judged, 5)
			require.Equal(t, tt.want, judged[tt.id])
		})
	}
	t.Run("create event never processed", func(t *testing.T) {
		s := s.with(t)
		s.build(soundWorld())
		s.exec("UPDATE cloud_usage.usage_event SET processed = 0 WHERE type = 'LB.CREATE' AND resource_id = 3")
		s.exec("DELETE FROM cloud_usage.usage_load_balancer_policy WHERE lb_id = 3")
		judged, rows := verdicts(t, s.probe)
		require.Equal(t, AuditMissing, judged[3])
		require.True(t, rows[3].Stalled)
		s.exec("UPDATE cloud_usage.usage_job SET success = 0")
		judged, _ = verdicts(t, s.probe)
		require.NotContains(t, judged, int64(3), "no job covers it yet")
	})
	t.Run("delete event never copied", func(t *testing.T) {
		s := s.with(t)
		s.build(soundWorld())
		s.exec("DELETE FROM cloud_usage.usage_event WHERE type = 'LB.DELETE'")
		s.exec("UPDATE cloud_usage.usage_load_balancer_policy SET deleted = NULL WHERE lb_id = 4")
		judged, rows := verdicts(t, s.probe)
		require.Equal(t, AuditOpenButDead, judged[4])
		require.True(t, rows[4].Lost)
	})
	t.Run("delete event not copied yet", func(t *testing.T) {
		s := s.with(t)
		s.build(soundWorld())
		s.event("LB.DELETE", 3, "", "10:31:00", false)
		s.exec("DELETE FROM cloud.firewall_rules WHERE id = 3")
		judged, _ := verdicts(t, s.probe)
		require.Equal(t, AuditUndecided, judged[3])
	})
}

func TestInternalID(t *testing.T) {
	s := newSite(t)
	s.build(soundWorld())
	for uuid, tt := range map[string]struct {
		of   Object
		want int64
	}{
		"firewall_rules-5": {ObjectRule, 5}, "a-2": {ObjectAccount, 2}, "networks-212": {ObjectNetwork, 212},
		"vpc-1":             {ObjectVPC, 1},
		"user_ip_address-4": {ObjectAddress, 4}, "vm_instance-10": {ObjectVM, 10}, "nic-20": {ObjectNIC, 20},
	} {
		id, err := s.probe.InternalID(t.Context(), tt.of, uuid)
		require.NoError(t, err)
		require.Equal(t, tt.want, id, uuid)
	}
	s.probe.late = 0
	_, err := s.probe.InternalID(t.Context(), ObjectRule, "vpc-1")
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "internal id of firewall_rules vpc-1: no such object in the database after 0s")
	_, err = s.probe.InternalID(t.Context(), "user; --", "vpc-1")
	require.ErrorContains(t, err, "not a table that this probe knows")
}

// TestInternalIDComesLate: a replica has an object later than the server that made it.
func TestInternalIDComesLate(t *testing.T) {
	s := newSite(t)
	looks := 0
	s.probe.late = time.Hour
	s.probe.wait = func(context.Context) error {
		if looks++; looks == 3 {
			s.insert("cloud.vpc", map[string]any{"id": 77, "uuid": "late"})
		}
		return nil
	}
	id, err := s.probe.InternalID(t.Context(), ObjectVPC, "late")
	require.NoError(t, err)
	require.EqualValues(t, 77, id)
	require.Equal(t, 3, looks)
	gone := errors.New("interrupted")
	s.probe.wait = func(context.Context) error { return gone }
	_, err = s.probe.InternalID(t.Context(), ObjectVPC, "never")
	require.ErrorIs(t, err, gone)
}

func TestLookups(t *testing.T) {
	s := newSite(t)
	s.build(soundWorld())
	rows, err := s.probe.HelperRows(t.Context(), KindVMRunning, 10)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, clock(t, "10:16:00"), *rows[0].Closed)
	require.True(t, rows[1].Open())
	row, err := s.probe.HelperRow(t.Context(), KindLB, 2)
	require.NoError(t, err)
	require.EqualValues(t, 4, row.ID)
	row, err = s.probe.HelperRow(t.Context(), KindLB, 99)
	require.NoError(t, err)
	require.Nil(t, row)
	records, err := s.probe.Records(t.Context(), KindLB, 4)
	require.NoError(t, err)
	sum, n := LifeSum(records)
	require.Equal(t, 2, n)
	require.True(t, LifeMatches(sum, n, (11*time.Minute+30*time.Second).Hours()))
	require.False(t, LifeMatches(sum, n, (11*time.Minute+33*time.Second).Hours()), "two records allow two seconds")
	events, err := s.probe.Events(t.Context(), KindVMRunning, 10)
	require.NoError(t, err)
	require.Len(t, events, 3)
	jobs, err := s.probe.Jobs(t.Context())
	require.NoError(t, err)
	require.Len(t, jobs, 5)
	require.Equal(t, clock(t, "10:10:00"), jobs[1].Start)
	_, err = s.probe.HelperRows(t.Context(), "cat", 1)
	require.EqualError(t, err, `read helper rows: no helper table for kind "cat"`)
	now, err := s.probe.Now(t.Context())
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), now, time.Minute)
}

func TestDrained(t *testing.T) {
	s := newSite(t)
	s.build(soundWorld())
	for at, want := range map[string]string{
		"10:29:59": "", // the job ended 999 ms later
		"10:30:00": "no successful usage job ends after 2026-03-04 10:30:00, " +
			"the last one ended 2026-03-04 10:29:59.999",
	} {
		ok, why, err := s.probe.Drained(t.Context(), clock(t, at))
		require.NoError(t, err)
		require.Equal(t, want == "", ok)
		require.Equal(t, want, why)
	}
	s.exec("UPDATE cloud_usage.usage_event SET processed = 0 WHERE type = 'VPC.DELETE'")
	ok, why, err := s.probe.Drained(t.Context(), clock(t, "10:29:00"), account)
	require.NoError(t, err)
	require.False(t, ok)
	require.Contains(t, why, "VPC.DELETE of 2026-03-04 10:25:00, resource 2) is copied: true, processed: false")
	ok, _, err = s.probe.Drained(t.Context(), clock(t, "10:29:00"), 3)
	require.NoError(t, err)
	require.True(t, ok, "another account has nothing left")
	ok, _, err = s.probe.Drained(t.Context(), clock(t, "10:24:59"))
	require.NoError(t, err)
	require.True(t, ok, "the event is later")
}

// Neither the driver's nor the session's time zone may move a date, also where a zone has no such hour.
func TestTimesDoNotPassThroughAZone(t *testing.T) {
	s := newSite(t)
	s.insert("cloud_usage.usage_load_balancer_policy", map[string]any{"lb_id": 3, "account_id": 2,
		"created": "2026-03-29 02:30:00", "deleted": "2026-10-25 02:30:00"})
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for name, change := range map[string]func(*mysql.Config){
		"as the server gives it": func(*mysql.Config) {},
		"parsed in Berlin":       func(c *mysql.Config) { c.ParseTime, c.Loc = true, berlin },
		"text":                   func(c *mysql.Config) { c.ParseTime = false },
		"session in New York":    func(c *mysql.Config) { c.Params = map[string]string{"time_zone": "'-05:00'"} },
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			rows, err := s.openWith(change).HelperRows(t.Context(), KindLB, 3)
			require.NoError(t, err)
			require.Len(t, rows, 1)
			require.Equal(t, "2026-03-29 02:30:00", stamp(rows[0].Created))
			require.Equal(t, "2026-10-25 02:30:00", stamp(*rows[0].Closed))
			require.Contains(t, rows[0].Raw, "created=2026-03-29 02:30:00\tdeleted=2026-10-25 02:30:00")
		})
	}
}

// The probe must not be able to change anything, and says plainly when it cannot read.
func TestRights(t *testing.T) {
	s := newSite(t)
	_, err := s.probe.db.ExecContext(t.Context(), "UPDATE cloud_usage.usage_event SET processed = 0")
	require.ErrorContains(t, err, "denied")
	s.exec("RENAME TABLE cloud_usage.usage_vpc TO cloud_usage.elsewhere")
	_, err = s.probe.Snapshot(t.Context())
	require.EqualError(t, err, "take usage snapshot: read cloud_usage.usage_vpc: no such table, or no right to "+
		"SELECT from it")
	s.exec("RENAME TABLE cloud_usage.elsewhere TO cloud_usage.usage_vpc")
}

// BenchmarkInvariants is a site of ten thousand LB rules, every one deleted.
func BenchmarkInvariants(b *testing.B) {
	s := Snapshot{Resources: map[Ref]Resource{}, Tables: map[Kind]bool{KindLB: true}}
	start := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	for i := range int64(10000) {
		born, died := start.Add(time.Duration(i)*time.Second), start.Add(time.Duration(i+5)*time.Second)
		s.Rows = append(s.Rows, HelperRow{Ref: Ref{Kind: KindLB, ID: i + 3}, Table: "usage_load_balancer_policy",
			HelperID: i + 1, Created: born, Closed: &died})
		for j, typ := range []string{"LB.CREATE", "LB.DELETE"} {
			e := UsageEvent{ID: 2*i + int64(j) + 1, Type: typ, Created: []time.Time{born, died}[j], ResourceID: i + 3,
				Processed: true}
			s.Events, s.UsageEvents = append(s.Events, e), append(s.UsageEvents, e)
		}
	}
	s.Cutoff = start.Add(24 * time.Hour)
	for b.Loop() {
		if found := Invariants(&s, s, nil); len(found) > 0 {
			b.Fatalf("expected silence, found %s", found[0])
		}
	}
}
