package usageprobe

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/release"
)

// conformance is the folder of recordings of running servers.
func conformance() string {
	if dir := os.Getenv("STACKPROOF_CONFORMANCE"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "testdata", "conformance")
}

// tsv reads a recorded table; nil when it was not recorded.
func tsv(t *testing.T, release, table string) []row {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(conformance(), release, "tables", table+".tsv"))
	if os.IsNotExist(err) || err == nil && len(data) == 0 {
		return nil
	}
	require.NoError(t, err)
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	names := strings.Split(lines[0], "\t")
	var rows []row
	for _, line := range lines[1:] {
		r := row{columns: names}
		for _, v := range strings.Split(line, "\t") {
			r.values = append(r.values, sql.NullString{String: v, Valid: v != "NULL"})
		}
		require.Len(t, r.values, len(names), "%s: %s", table, line)
		rows = append(rows, r)
	}
	return rows
}

func parseAll[T any](t *testing.T, rows []row, parse func(row) (T, error)) []T {
	t.Helper()
	var all []T
	for _, r := range rows {
		v, err := parse(r)
		require.NoError(t, err)
		all = append(all, v)
	}
	return all
}

// recorded builds a snapshot of a recorded release. Of the objects of cloud only the rules were recorded.
func recorded(t *testing.T, release string) Snapshot {
	t.Helper()
	s := Snapshot{Resources: map[Ref]Resource{}, Tables: map[Kind]bool{KindLB: true, KindPF: true}}
	for _, spec := range kindSpecs() {
		for _, h := range parseAll(t, tsv(t, release, "cloud_usage."+spec.table), func(r row) (HelperRow, error) {
			h, err := spec.parse(r)
			if spec.vmType != r.number("usage_type") {
				h.HelperID = 0
			}
			return h, err
		}) {
			if h.HelperID != 0 {
				s.Rows = append(s.Rows, h)
			}
		}
	}
	s.Events = parseAll(t, tsv(t, release, "cloud.usage_event"), parseEvent)
	s.UsageEvents = parseAll(t, tsv(t, release, "cloud_usage.usage_event"), parseEvent)
	s.Records = parseAll(t, tsv(t, release, "cloud_usage.cloud_usage"), parseRecord)
	s.Jobs = parseAll(t, tsv(t, release, "cloud_usage.usage_job"), parseJob)
	for _, r := range tsv(t, release, "cloud.firewall_rules") {
		for _, res := range ruleResources(r) {
			res.UUID, res.AccountID = r.text("uuid"), r.number("account_id")
			s.Resources[res.Ref] = res
		}
	}
	s.Cutoff = lastSuccess(s.Jobs)
	return s
}

func releases(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(conformance(), "*", "tables", "cloud_usage.usage_job.tsv"))
	require.NoError(t, err)
	require.NotEmpty(t, found, "no recordings in %s", conformance())
	var names []string
	for _, f := range found {
		names = append(names, filepath.Base(filepath.Dir(filepath.Dir(f))))
	}
	return names
}

// Everything that the recorded servers did right must be silent, and what they are known to do wrong must be found:
// both close LB and PF rows by the wrong id.
func TestRecordedReleases(t *testing.T) {
	known := map[string][]string{
		"4.19.1.0": {
			"I1: load balancer rule 2 of account 2, cloud_usage.usage_load_balancer_policy helper id 1: expected it " +
				"closed at 2026-11-21 23:29:04 by the resource's own delete event, seen opened at 2026-11-21 " +
				"23:28:04 and still open; the row with helper id 2, which belongs to load balancer rule 3, was " +
				"closed at that second instead [leaked-row]",
			"I3: load balancer rule 3 of account 2, cloud_usage.usage_load_balancer_policy helper id 2: expected it " +
				"closed at 2026-11-21 23:30:42, by the resource's own delete event, seen closed at 2026-11-21 " +
				"23:29:04, the clock second of LB.DELETE of load balancer rule 2, whose id is this row's helper id " +
				"[crossed-close]",
		},
		"4.20.0.0": {
			"I4: load balancer rule 6 of account 2, cloud_usage.cloud_usage: expected no billed time outside its " +
				"life (2026-11-21 22:16:12 to 2026-11-21 22:17:47), seen 9 records with 0.136944 hours too many, " +
				"the first id 88 of the window 2026-11-21 22:17:00 to 2026-11-21 22:17:59 [leaked-row]",
			"I5: load balancer rule 8 of account 2, cloud_usage.cloud_usage: expected records of 0.073889 hours (266 " +
				"s) for its life (2026-11-21 22:16:12 to 2026-11-21 22:20:38), seen 0.026389 hours (95 s) in 2 " +
				"records [crossed-close]",
			"I1: port forwarding rule 5 of account 2, cloud_usage.usage_port_forwarding helper id 2: expected it " +
				"closed at 2026-11-21 22:21:02 by the resource's own delete event, seen opened at 2026-11-21 " +
				"22:16:11 and still open [leaked-row]",
		},
	}
	for _, name := range releases(t) {
		t.Run(name, func(t *testing.T) {
			s := recorded(t, name)
			require.NotEmpty(t, s.Rows)
			require.NotEmpty(t, s.Records)
			stalled := release.Where(release.UsageVolumeKeyNarrow).Contains(name) // each run writes all records anew
			var found []string
			for _, v := range Invariants(nil, s, nil) {
				found = append(found, v.String())
				require.True(t, stalled || v.Class != ClassOther, "not a known defect of any release: %s", v)
			}
			require.Subset(t, found, known[name])
			if stalled {
				require.Contains(t, strings.Join(found, "\n"), "hours too many")
			}
		})
	}
}
