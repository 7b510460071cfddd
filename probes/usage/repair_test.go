package usageprobe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRepairsOfTheToy: the statements of a plan leave nothing for the next audit but what a person must look into,
// running them again changes nothing, and the undo statements bring the damage back.
func TestRepairsOfTheToy(t *testing.T) {
	s := newSite(t)
	toy(s)
	before, err := s.probe.Audit(t.Context())
	require.NoError(t, err)
	plan, left := PlanRepairs(before)
	require.Len(t, left, 1)
	require.EqualValues(t, 7, left[0].ID, "a delete that was rolled back")
	decisions := map[int64]bool{}
	for _, r := range plan {
		decisions[r.ID] = r.Decision
	}
	require.Equal(t, map[int64]bool{3: false, 4: false, 5: false, 6: true, 9: false}, decisions)
	require.Equal(t, "UPDATE cloud_usage.usage_load_balancer_policy SET deleted = '2026-03-04 10:30:00' WHERE id = "+
		"1 AND lb_id = 3 AND account_id = 2 AND deleted <=> NULL; -- OPEN_BUT_DEAD, usage event 12",
		plan[0].String())
	change := func(statement func(Repair) string, rows int64) {
		for _, r := range plan {
			done, err := s.db.ExecContext(t.Context(), statement(r))
			require.NoError(t, err, statement(r))
			n, err := done.RowsAffected()
			require.NoError(t, err)
			require.Equal(t, rows, n, statement(r))
		}
	}
	change(Repair.SQL, 1)
	judged, _ := verdicts(t, s.probe)
	require.Equal(t, map[int64]AuditVerdict{3: AuditOK, 4: AuditOK, 5: AuditOK, 6: AuditOK, 7: AuditLiveWithDeleteEvent,
		8: AuditOK, 9: AuditOK}, judged)
	change(Repair.SQL, 0)
	change(Repair.Undo, 1)
	after, err := s.probe.Audit(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// TestWhatNoRepairPutsRight, each by one difference from what one does.
func TestWhatNoRepairPutsRight(t *testing.T) {
	at := clock(t, "10:00:00")
	dead := AuditRow{Ref: Ref{Kind: KindPF, ID: 3}, AccountID: 2, HelperID: 1, Died: &at, Verdict: AuditOpenButDead,
		Creates: 1, Deletes: 1, DeleteEvent: 9}
	plan, left := PlanRepairs([]AuditRow{dead})
	require.Len(t, plan, 1)
	require.Empty(t, left)
	for name, spoil := range map[string]func(*AuditRow){
		"two deletes":           func(a *AuditRow) { a.Deletes = 2 },
		"an id that came again": func(a *AuditRow) { a.Creates = 2 },
		"no delete event":       func(a *AuditRow) { a.Verdict, a.Died, a.Deletes = AuditOpenNoDeleteEvent, nil, 0 },
		"being revoked":         func(a *AuditRow) { a.Verdict = AuditUndecided },
		"no row":                func(a *AuditRow) { a.Verdict, a.HelperID = AuditMissing, 0 },
		"wrong date, by nobody": func(a *AuditRow) { a.Verdict, a.Stored = AuditWrongDate, &at },
		"live, closed by nobody": func(a *AuditRow) {
			a.Verdict, a.Died, a.Deletes, a.Stored = AuditClosedButLive, nil,
				0, &at
		},
	} {
		t.Run(name, func(t *testing.T) {
			one := dead
			spoil(&one)
			plan, left := PlanRepairs([]AuditRow{one})
			require.Empty(t, plan)
			require.Len(t, left, 1)
		})
	}
	plan, left = PlanRepairs([]AuditRow{dead, dead})
	require.Empty(t, plan, "two rows of one rule")
	require.Len(t, left, 2)
}

func TestSurplus(t *testing.T) {
	died := clock(t, "10:00:30")
	window := func(start string, hours float64) Record {
		from := clock(t, start)
		return Record{Start: from, End: from.Add(time.Minute - time.Second), RawUsage: hours}
	}
	full := time.Minute.Hours()
	require.InDelta(t, 2.5*full, Surplus([]Record{window("09:59:00", full), window("10:00:00", full),
		window("10:01:00", full), window("10:02:00", full)}, died), 1e-9)
	require.Zero(t, Surplus([]Record{window("10:00:00", full/2)}, died), "billed until it died")
}
