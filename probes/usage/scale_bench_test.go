package usageprobe

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/internal/testcpu"
)

// rowsOf writes so many rules of one account, every second one deleted, with all that a usage server leaves of them.
func (s *site) rowsOf(n int) {
	s.t.Helper()
	start := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	end := start.Add(time.Hour - time.Millisecond)
	const part = 500
	for first := 0; first < n; first += part {
		var events, rows, live, records []string
		for i := first; i < min(n, first+part); i++ {
			id, born := i+3, start.Add(time.Duration(i/40)*time.Second)
			event := func(nth int, typ string, at time.Time) {
				events = append(events, fmt.Sprintf("(%d, '%s', 2, '%s', 1, %d, '')", 2*i+nth, typ, stamp(at), id))
			}
			event(1, "LB.CREATE", born)
			closed, lived := "NULL", end.Sub(born)+time.Millisecond
			if died := born.Add(5 * time.Second); i%2 == 1 {
				event(2, "LB.DELETE", died)
				closed, lived = "'"+stamp(died)+"'", died.Sub(born)
			} else {
				live = append(live, fmt.Sprintf("(%d, 'u%d', 2, 1, 1, 'Active', 'LoadBalancing', 'x%d', '%s')", id, id,
					id, stamp(born)))
			}
			records = append(records, fmt.Sprintf("(1, 2, 1, '', '', 11, %.7f, %d, '%s', '%s')", lived.Hours(), id,
				stamp(start), stamp(end)))
			rows = append(rows, fmt.Sprintf("(%d, %d, 1, 2, 1, '%s', %s)", i+1, id, stamp(born), closed))
		}
		s.exec("INSERT INTO cloud.usage_event (id, type, account_id, created, zone_id, resource_id, resource_name) " +
			"VALUES " + strings.Join(events, ","))
		s.exec("INSERT INTO cloud_usage.usage_load_balancer_policy (id, lb_id, zone_id, account_id, domain_id, " +
			"created, deleted) VALUES " + strings.Join(rows, ","))
		s.exec("INSERT INTO cloud_usage.cloud_usage (zone_id, account_id, domain_id, description, usage_display, " +
			"usage_type, raw_usage, usage_id, start_date, end_date) VALUES " + strings.Join(records, ","))
		s.exec("INSERT INTO cloud.firewall_rules (id, uuid, account_id, domain_id, network_id, state, purpose, xid, " +
			"created) VALUES " + strings.Join(live, ","))
	}
	s.exec("INSERT INTO cloud_usage.usage_event SELECT * FROM cloud.usage_event")
	s.exec("UPDATE cloud_usage.usage_event SET processed = 1")
	s.exec(fmt.Sprintf("INSERT INTO cloud_usage.usage_job (host, pid, job_type, scheduled, start_millis, end_millis, "+
		"exec_time, success, heartbeat) VALUES ('h', 1, 0, 0, %d, %d, 1, 1, '%s')", start.UnixMilli(), end.UnixMilli(),
		stamp(end)))
}

// BenchmarkScaleRows is what a run reads after a usage run of the rows of its own accounts, and what it makes of them.
func BenchmarkScaleRows(b *testing.B) {
	for _, n := range []int{5000, 10000, 20000} {
		s := newSite(b)
		s.rowsOf(n)
		step := func(what string, f func(b *testing.B)) {
			b.Run(fmt.Sprintf("%s/n=%d", what, n), f)
		}
		before, err := s.probe.Snapshot(b.Context(), account)
		require.NoError(b, err)
		require.Len(b, before.Rows, n)
		step("snapshot", func(b *testing.B) {
			testcpu.Loop(b, func() {
				_, err := s.probe.Snapshot(b.Context(), account)
				require.NoError(b, err)
			})
		})
		step("invariants", func(b *testing.B) {
			testcpu.Loop(b, func() {
				if found := Invariants(&before, before, nil); len(found) > 0 {
					b.Fatalf("expected silence, found %d: %s", len(found), found[0])
				}
			})
		})
		step("drained", func(b *testing.B) {
			testcpu.Loop(b, func() {
				ok, why, err := s.probe.Drained(b.Context(), before.Cutoff.Add(-time.Second), account)
				require.NoError(b, err)
				require.True(b, ok, why)
			})
		})
		step("audit", func(b *testing.B) {
			testcpu.Loop(b, func() {
				found, err := s.probe.Audit(b.Context(), account)
				require.NoError(b, err)
				require.Len(b, found, n)
			})
		})
		step("one rule", func(b *testing.B) {
			testcpu.Loop(b, func() {
				rows, err := s.probe.HelperRows(b.Context(), KindLB, int64(n/2))
				require.NoError(b, err)
				require.Len(b, rows, 1)
			})
		})
	}
}
