package scenarios_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/lab"
	"github.com/stackproof/stackproof/harness/result"
	"github.com/stackproof/stackproof/harness/story"
	usageprobe "github.com/stackproof/stackproof/probes/usage"
	"github.com/stackproof/stackproof/scenarios"
)

// unnoticed are the columns in which a wrong value cannot be told from a right one, and why.
func unnoticed() map[string]string {
	return map[string]string{
		"cloud_usage.quota_calculated": "the quota service sets it when it likes",
		"cloud_usage.start_date": "a run that begins late cuts its windows anew: one record's has no other " +
			"source",
		"cloud_usage.end_date":     "the same",
		"cloud_usage.size":         "that of a backup is the provider's newest metric, which is no longer told",
		"cloud_usage.virtual_size": "the same",
		"cloud_usage.usage_id": "NICs of one VM with one offering share a record; that of a snapshot is " +
			"#13921's",
		"cloud_usage.description":         "sizes for people, in those of stored volumes and snapshots",
		"usage_backup.size":               "a provider's metric writes it whenever it comes",
		"usage_backup.protected_size":     "the same",
		"usage_vmsnapshot.vm_snapshot_id": "it is in the event's details alone",
	}
}

// TestEveryColumnIsLookedAt plants in copies of real usage rows, in every column of every helper table and of
// cloud_usage, nothing, another value and the neighbour's: each must be found.
func TestEveryColumnIsLookedAt(t *testing.T) {
	needLab(t)
	var s usageprobe.Snapshot
	target, err := lab.New(lab.Options{Release: sound})
	require.NoError(t, err)
	c := harness.RunScenario(t.Context(), target, harness.Scenario{ID: "X-01", Run: story.Of(func(t *story.T) {
		scenarios.OneOfEach(t)
		s, _ = t.UsageRun()
		t.Checked(1)
	})}, harness.Plan{Seed: 1, Progress: silent{}})
	require.NoError(t, target.Close(t.Context()))
	require.Equal(t, result.Pass, c.Verdict, c.Reason)
	require.Empty(t, harness.JudgeUsage(nil, s))

	kinds := map[int64]int64{}
	for _, r := range s.Records {
		kinds[r.ID] = r.Type
	}
	noticed, planted := map[string]int{}, map[string][]string{}
	seen := map[string]bool{}
	for _, cell := range s.Cells() {
		of := cell.Table + cell.Column
		if cell.Table == "cloud_usage" {
			of += fmt.Sprint(kinds[cell.ID])
		}
		if seen[of] {
			continue // another row of the same kind
		}
		seen[of] = true
		name := cell.Table + "." + cell.Column
		if cell.Column == "id" {
			continue // what a row is called is no statement of it
		}
		for _, value := range others(s, cell) {
			altered, err := s.Altered(cell.Table, cell.ID, cell.Column, value)
			if err == nil && len(harness.JudgeUsage(nil, altered)) == 0 {
				planted[name] = append(planted[name], fmt.Sprintf("%d: %s for %s", cell.ID, value, cell.Value))
				continue
			}
			noticed[name]++ // what cannot be read ends the run, which shows, too
		}
	}
	require.Greater(t, len(noticed), 100, "columns")
	for name, missed := range planted {
		assert.Contains(t, unnoticed(), name, "nothing found: %v", missed)
	}
	for name := range unnoticed() {
		assert.NotEmpty(t, planted[name], "%s is noticed", name)
	}
}

// others are values that a column should not have: none, another one, and that of another row of the table.
func others(s usageprobe.Snapshot, cell usageprobe.Cell) []string {
	wrong := cell.Value + "x"
	if n, err := strconv.ParseInt(cell.Value, 10, 64); err == nil {
		wrong = fmt.Sprint(n + 1)
	} else if f, err := strconv.ParseFloat(cell.Value, 64); err == nil {
		wrong = fmt.Sprint(f + 1)
	} else if cell.Value == usageprobe.Null {
		wrong = "7"
	}
	all := []string{usageprobe.Null, wrong}
	for _, o := range s.Cells() {
		if o.Table == cell.Table && o.Column == cell.Column && o.Value != cell.Value {
			all = append(all, o.Value)
			break
		}
	}
	return slices.DeleteFunc(all, func(v string) bool {
		return v == cell.Value || v+cell.Value == usageprobe.Null // an empty type is none
	})
}

// TestAMutedJudgeIsNoPass: where the invariants find nothing whatever the rows say, a run is inconclusive.
func TestAMutedJudgeIsNoPass(t *testing.T) {
	needLab(t)
	chosen, err := scenarios.Catalogue().Select("U-01")
	require.NoError(t, err)
	target, err := lab.New(lab.Options{Release: sound})
	require.NoError(t, err)
	for blind, judge := range map[string]harness.UsageJudge{
		"to all": func(*usageprobe.Snapshot, usageprobe.Snapshot) []usageprobe.Violation { return nil },
		"to columns": func(before *usageprobe.Snapshot, s usageprobe.Snapshot) []usageprobe.Violation {
			return usageprobe.Invariants(before, s, usageprobe.Touched{})
		},
		"to dates": usageprobe.Says,
	} {
		run, err := harness.Run(t.Context(), judged{target, judge}, harness.Plan{Scenarios: chosen, Seed: 1, Workers: 1,
			Progress: silent{}})
		require.NoError(t, err)
		assert.Equal(t, result.Inconclusive, run.Results[0].Verdict, blind)
		assert.Contains(t, run.Results[0].Reason, "is blind", blind)
	}
	require.NoError(t, target.Close(t.Context()))
}

// judged is a target with another judge of usage rows.
type judged struct {
	harness.Target
	judge harness.UsageJudge
}

func (j judged) Site(ctx context.Context, scenario string, seed int64) (*harness.Site, error) {
	site, err := j.Target.Site(ctx, scenario, seed)
	if site != nil {
		site.Judge = j.judge
	}
	return site, err
}
