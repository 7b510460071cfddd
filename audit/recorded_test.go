package audit

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// wrong lists the findings in short: class, kind, id, helper row, crossed by.
func wrong(r *Result) []string {
	var all []string
	for _, f := range r.Findings {
		s := fmt.Sprintf("%s %s %d", f.Class, f.Kind, f.ID)
		if f.HelperID != 0 {
			s += fmt.Sprintf(" row %d", f.HelperID)
		}
		if f.CrossedBy != 0 {
			s += fmt.Sprintf(" by %d", f.CrossedBy)
		}
		all = append(all, s)
	}
	return all
}

// TestRecordedSites: what running servers left behind is judged as it is known to be (confirmed.md 1, 26 and 45).
func TestRecordedSites(t *testing.T) {
	known := map[string][]string{
		"4.19.1.0": {
			"OPEN_BUT_DEAD load balancer rule 2 row 1",
			"OPEN_BUT_DEAD load balancer rule 7 row 4",
			"OPEN_BUT_DEAD load balancer rule 9 row 5",
			"OPEN_BUT_DEAD load balancer rule 10 row 6",
			"OPEN_BUT_DEAD load balancer rule 11 row 7",
			"OPEN_BUT_DEAD load balancer rule 12 row 8",
			"WRONG_DATE load balancer rule 3 row 2 by 2",
			"WRONG_DATE load balancer rule 4 row 3 by 3",
		},
		"4.20.0.0": {
			"OPEN_BUT_DEAD load balancer rule 6 row 4",
			"OPEN_BUT_DEAD load balancer rule 7 row 5",
			"OPEN_BUT_DEAD port forwarding rule 5 row 2",
			"WRONG_DATE load balancer rule 8 row 6 by 6",
		},
		"4.22.1.0": {"MISSING public IP address 3", "MISSING VPC 1", "MISSING volume 4"},
	}
	releases := recordedReleases(t)
	for release, folder := range releases {
		t.Run(release, func(t *testing.T) {
			s := site4(t)
			s.load(folder)
			r := s.audit()
			require.NotZero(t, r.Site.Rows)
			require.NotZero(t, r.Site.Records)
			if want, found := known[release]; found {
				require.Equal(t, want, wrong(r))
			}
			require.Less(t, len(slices.Collect(maps.Keys(r.Classes()))), 3)
		})
	}
	require.Subset(t, slices.Collect(maps.Keys(releases)), []string{"4.20.0.0"})
}

// TestRecordedMoney: rule 6 died at 22:17:47 and was billed to 22:25:59, rule 8 was billed up to then though it
// lived until 22:20:38, both in windows of a minute.
func TestRecordedMoney(t *testing.T) {
	folder, found := recordedReleases(t)["4.20.0.0"]
	require.True(t, found)
	s := site4(t)
	s.load(folder)
	r := s.audit()
	hours := map[int64][2]float64{}
	for _, f := range r.Findings {
		hours[f.ID] = [2]float64{f.SurplusHours, f.DeficitHours}
	}
	require.InDelta(t, (8*60+13)/3600.0, hours[6][0], 1e-4)
	require.Zero(t, hours[6][1])
	require.InDelta(t, (2*60+51)/3600.0, hours[8][1], 1e-4)
	require.Len(t, r.Money, 2)
	require.Equal(t, "2026-11", r.Money[0].Month)
	require.EqualValues(t, 11, r.Money[0].UsageType)
	require.InDelta(t, hours[6][0]+hours[7][0], r.Money[0].SurplusHours, 1e-5)
	require.InDelta(t, hours[8][1], r.Money[0].DeficitHours, 1e-5)
	require.EqualValues(t, 12, r.Money[1].UsageType)
}

// TestRecordedStall: events 1 to 4 are never processed, and each of nine jobs has billed everything again.
func TestRecordedStall(t *testing.T) {
	folder, found := recordedReleases(t)["4.22.1.0"]
	require.True(t, found)
	s := site4(t)
	s.load(folder)
	r := s.audit()
	require.NotNil(t, r.Stall)
	require.Equal(t, 4, r.Stall.Events)
	require.EqualValues(t, 4, r.Stall.BlockingEvent)
	require.Equal(t, "VOLUME.CREATE", r.Stall.BlockingType)
	require.Equal(t, "2026-11-25 01:25:42", stamp(r.Stall.BlockedSince))
	require.Equal(t, 9, r.Stall.RepeatedJobs)
	require.Equal(t, 3, r.Stall.Unmetered)
	// Every record but the first of its kind and window is a repetition.
	var repeated int64
	require.NoError(
		t,
		s.db.QueryRowContext(t.Context(), `SELECT SUM(n - 1) FROM (SELECT COUNT(*) n FROM cloud_usage.cloud_usage
		GROUP BY account_id, zone_id, usage_type, usage_id, offering_id, vm_instance_id, template_id, size, network_id, state, type, virtual_size, start_date, end_date) g`).Scan(&repeated),
	)
	require.NotZero(t, repeated)
	require.Equal(t, repeated, r.Stall.RepeatedRecords)
	require.Equal(t, Found, r.Check("U9").Outcome)
	require.Equal(t, []string{"algorithm", "port"}, classes(r.Poison))
}

// classes are those of the poison that a router refuses.
func classes(all []Poison) []string {
	var names []string
	for _, p := range all {
		if !p.Warning {
			names = append(names, p.Class)
		}
	}
	return names
}
