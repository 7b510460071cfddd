package harness_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stackproof/stackproof/harness"
	"github.com/stackproof/stackproof/harness/result"
)

func TestParseShard(t *testing.T) {
	s, err := harness.ParseShard("1/3")
	require.NoError(t, err)
	assert.Equal(t, harness.Shard{Index: 1, Of: 3}, s)
	for _, bad := range []string{"", "1", "a/3", "1/b", "-1/3", "0/0", "1/3/4"} {
		_, err := harness.ParseShard(bad)
		assert.ErrorContains(t, err, "is not i/n", bad)
	}
	_, err = harness.ParseShard("3/3")
	assert.ErrorContains(t, err, "the last of 3 is 2/3")
}

func numbered(n int) harness.Catalogue {
	c := make(harness.Catalogue, n)
	for i := range c {
		c[i] = harness.Scenario{ID: fmt.Sprintf("S-%02d", i)}
	}
	return c
}

// Every scenario is in exactly one part, in order, whatever was measured; the same input gives the same parts; and the
// longest part is at most the ideal plus the longest scenario.
func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := numbered(rapid.IntRange(0, 40).Draw(t, "scenarios"))
		n := rapid.IntRange(1, 9).Draw(t, "parts")
		measured := harness.Durations{}
		for i := range c {
			c[i].Weight = rapid.IntRange(0, 9).Draw(t, "weight")
			if rapid.Bool().Draw(t, "known") {
				measured[c[i].ID] = rapid.Float64Range(0.001, 300).Draw(t, "seconds")
			}
		}
		parts := c.Split(n, measured)
		require.Len(t, parts, n)
		var all []string
		for _, p := range parts {
			require.True(t, slices.IsSorted(p.IDs()), "the catalogue's order is kept")
			all = append(all, p.IDs()...)
		}
		slices.Sort(all)
		require.ElementsMatch(t, c.IDs(), all)
		again := c.Split(n, measured)
		for i := range parts {
			require.Equal(t, parts[i].IDs(), again[i].IDs())
		}
		if len(measured) < len(c) {
			return
		}
		var sum, longest, most float64
		for _, d := range measured {
			sum, longest = sum+d, max(longest, d)
		}
		for _, p := range parts {
			load := 0.0
			for _, id := range p.IDs() {
				load += measured[id]
			}
			most = max(most, load)
		}
		require.LessOrEqual(t, most, sum/float64(n)+longest+1e-6)
	})
}

func TestSplitByDuration(t *testing.T) {
	c := numbered(5)
	slow := harness.DurationsOf(result.Run{Results: []result.Case{
		{ID: "S-00", Verdict: result.Fail, Seconds: 60, Repeats: 2}, {ID: "S-01", Verdict: result.Pass, Seconds: 10,
			Repeats: 1},
		{ID: "S-02", Verdict: result.Pass, Seconds: 10, Repeats: 1}, {ID: "S-03", Verdict: result.Pass, Seconds: 10,
			Repeats: 1},
		{ID: "S-04", Verdict: result.Unsupported, Seconds: 0.001, Repeats: 1},
	}})
	assert.Equal(t, harness.Durations{"S-00": 30, "S-01": 10, "S-02": 10, "S-03": 10}, slow,
		"a repeat's seconds, and nothing of what was not run")
	parts := c.Split(2, slow)
	assert.Equal(t, []string{"S-00", "S-04"}, parts[0].IDs(), "S-04 was not measured and counts as the median")
	assert.Equal(t, []string{"S-01", "S-02", "S-03"}, parts[1].IDs())
}

func TestSplitByWeight(t *testing.T) {
	c := numbered(4)
	c[3].Weight = 10
	parts := c.Split(2, nil)
	assert.Equal(t, []string{"S-03"}, parts[0].IDs())
	assert.Equal(t, []string{"S-00", "S-01", "S-02"}, parts[1].IDs())
}
