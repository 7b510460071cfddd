package result_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

func shardOf(index int, seed int64, results ...result.Case) result.Run {
	r := result.Run{Schema: result.SchemaVersion, Target: "lab", Release: "4.20.1.0", Router: "model", Seed: seed,
		Seconds: 5, Results: results,
		Started: time.Date(2026, 11, 22, 1, 0, index, 0, time.UTC), Shard: &result.Shard{Index: index, Of: 2,
			All: []string{"U-01", "U-02", "L-01"}}}
	for _, c := range results {
		r.Planned = append(r.Planned, c.ID)
	}
	return r
}

func one(id string, v result.Verdict) result.Case { return result.Case{ID: id, Verdict: v, Reason: id} }

func part(name string, r result.Run) result.Part { return result.Part{Name: name, Run: r} }

func TestMerge(t *testing.T) {
	a := shardOf(1, 7, one("L-01", result.Pass))
	a.Notes = []string{"a note"}
	run, err := result.Merge([]result.Part{part("a", a),
		part("b", shardOf(0, 7, one("U-01", result.Pass), one("U-02", result.Pass)))})
	require.NoError(t, err)
	assert.Equal(t, []string{"U-01", "U-02", "L-01"}, []string{run.Results[0].ID, run.Results[1].ID, run.Results[2].ID},
		"the plan's order")
	assert.Equal(t, run.Planned, []string{"U-01", "U-02", "L-01"})
	assert.Equal(t, []string{"a note"}, run.Notes)
	assert.InDelta(t, 6, run.Seconds, 1e-9, "from the first start to the last end")
	assert.Equal(t, 0, run.Started.Second())
	assert.Equal(t, result.ExitOK, run.ExitCode(true))
	assert.Nil(t, run.Shard)
}

func TestMergeMissesAShard(t *testing.T) {
	run, err := result.Merge([]result.Part{part("b", shardOf(0, 7, one("U-01", result.Pass)))})
	require.NoError(t, err)
	assert.Equal(t, []string{"U-02", "L-01"}, run.Missing())
	assert.Contains(t, run.Notes, "no result of shard 1/2")
	assert.Equal(t, result.ExitFailed, run.ExitCode(false))
}

func TestMergeMissesAFile(t *testing.T) {
	whole := shardOf(0, 7, one("U-01", result.Pass))
	whole.Shard = nil
	run, err := result.Merge([]result.Part{part("a", whole), {Name: "b.json", Err: errors.New("b.json is empty")}})
	require.NoError(t, err)
	assert.Equal(t, []string{"results of b.json"}, run.Missing())
	assert.Equal(t, result.ExitFailed, run.ExitCode(false))
	_, err = result.Merge([]result.Part{{Name: "b.json", Err: errors.New("b.json is empty")}})
	assert.ErrorContains(t, err, "none of the 1 results can be read")
	assert.ErrorContains(t, err, "b.json is empty")
}

func TestMergeKeepsTheWorst(t *testing.T) {
	for _, order := range [][2]result.Verdict{{result.Pass, result.Fail}, {result.Fail, result.Pass},
		{result.Inconclusive, result.Fail}, {result.Fail, result.Unsupported}} {
		run, err := result.Merge([]result.Part{part("a", shardOf(0, 7, one("U-01", order[0]))),
			part("b", shardOf(1, 7, one("U-01", order[1]), one("U-02", result.Pass), one("L-01", result.Pass)))})
		require.NoError(t, err)
		require.Len(t, run.Results, 3)
		assert.Equal(t, result.Fail, run.Results[0].Verdict, "%v", order)
		assert.Equal(t, []string{"U-01 has two results, " + string(order[0]) + " in a and " + string(order[1]) +
			" in b: the worse one counts"}, run.Notes)
	}
}

func TestMergeRefuses(t *testing.T) {
	a := shardOf(0, 7, one("U-01", result.Pass))
	release, target, split := shardOf(1, 7), shardOf(1, 7), shardOf(1, 7)
	release.Release, target.Target, split.Shard.Of = "4.19.1.0", "existing", 3
	for want, b := range map[string]result.Run{"different releases": release, "different targets": target,
		"different splits": split} {
		_, err := result.Merge([]result.Part{part("a", a), part("b", b)})
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "b ")
	}
}

func TestMergeNotesSeedsAndRouters(t *testing.T) {
	b := shardOf(1, 8, one("U-02", result.Pass))
	b.Router = "real scripts"
	run, err := result.Merge([]result.Part{part("a", shardOf(0, 7, one("U-01", result.Pass))), part("b", b)})
	require.NoError(t, err)
	assert.Contains(t, run.Notes, "seeds differ: a 7, b 8")
	assert.Contains(t, run.Notes, `routers differ: a has "model", b has "real scripts"`)
}
