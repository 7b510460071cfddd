package router

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func rulesFor(tb testing.TB, release string) Rules {
	tb.Helper()
	rules, err := RulesFor(release)
	require.NoError(tb, err)
	return rules
}

func stickyRules(file []byte) []string {
	var names []string
	for name, s := range Listens(file) {
		if s.Sticky() {
			names = append(names, name)
		}
	}
	return names
}

// TestPlayStoryB is #9583 with the pushes of a real management server.
func TestPlayStoryB(t *testing.T) {
	pushes := storyB(t)
	require.Len(t, pushes, 58)
	router := pushes[0].Router()
	var named []string
	for _, lb := range pushes[57].LoadBalancers {
		if !lb.Revoked && len(lb.Stickiness) > 0 {
			named = append(named, lb.Name())
		}
	}
	require.Len(t, named, 49)

	old, err := Play(t.Context(), pushes, rulesFor(t, "4.19.1.0"))
	require.NoError(t, err)
	assert.Equal(t, 54, old.Masked)
	sticky := stickyRules(old.Live[router])
	require.Len(t, sticky, 1)
	assert.NotContains(t, named, sticky[0], "the only sticky rule is the one whose policy was deleted")

	fixed, err := Play(t.Context(), pushes, rulesFor(t, "4.20.0.0"))
	require.NoError(t, err)
	assert.Zero(t, fixed.Masked)
	assert.ElementsMatch(t, named, stickyRules(fixed.Live[router]))
}

func TestPlayRecorded32(t *testing.T) {
	pushes := recordedLog(t, "4.20.0.0")
	masked := func(release string) []int {
		result, err := Play(t.Context(), pushes, rulesFor(t, release))
		require.NoError(t, err)
		var list []int
		for i, step := range result.Steps {
			if step.Masked {
				list = append(list, i)
				assert.NotEmpty(t, DiffText(step.New, step.Live), "push %d: no real difference is pending", i)
			}
		}
		return list
	}
	// 19 repeats 18, whose difference is still pending.
	assert.Equal(t, []int{3, 10, 18, 19}, masked("4.19.1.0"))
	assert.Empty(t, masked("4.20.0.0"))

	result, err := Play(t.Context(), pushes, Rules{})
	require.NoError(t, err)
	count := map[string]int{}
	for _, step := range result.Steps {
		count[step.Router]++
		assert.Equal(t, count[step.Router], step.Seq)
	}
	assert.Greater(t, len(count), 1, "want the pushes of several routers")
	assert.Len(t, result.Live, len(count))
}

// TestPlayMaskMatrix walks the recorded mask cases: which changes between two of them are lost by a set comparison.
func TestPlayMaskMatrix(t *testing.T) {
	for _, c := range []struct {
		from, to string
		masked   bool
	}{
		{"mask-1-none", "mask-2-a", false},
		{"mask-2-a", "mask-5-b", true},
		{"mask-2-a", "mask-1-none", false},
		{"mask-8-alg-swap", "mask-9-alg-swapped", true},
		{"mask-1-none", "mask-7-ab-scaled", false},
		{"mask-13-a-lbcookie", "mask-12-ab-lbcookie", false},
		{"mask-2-a", "mask-11-b-revoked", false},
	} {
		t.Run(c.from+" to "+c.to, func(t *testing.T) {
			pushes := []Push{recordedPush(t, c.from), recordedPush(t, c.to)}
			set, err := Play(t.Context(), pushes, Rules{CompareAsSet: true})
			require.NoError(t, err)
			assert.Equal(t, c.masked, set.Steps[1].Masked)
			assert.Equal(t, !c.masked, set.Steps[1].Different)
			list, err := Play(t.Context(), pushes, Rules{})
			require.NoError(t, err)
			assert.True(t, list.Steps[1].Different)
			assert.Equal(t, list.Steps[1].New, list.Steps[1].Live)
		})
	}
}

// TestPlayAggregated: blanks of an aggregated push collapse, so the direct push after it is always applied.
func TestPlayAggregated(t *testing.T) {
	start := recordedPush(t, "mask-2-a")
	start.Aggregated = true
	direct := recordedPush(t, "mask-5-b")
	result, err := Play(t.Context(), []Push{start, direct, recordedPush(t, "mask-2-a")}, Rules{CompareAsSet: true})
	require.NoError(t, err)
	assert.Contains(t, string(result.Steps[0].Live), "\ttimeout connect 5000\n")
	assert.Contains(t, string(result.Steps[0].Live), "\n\t \n", "a tab and one blank stay")
	assert.True(t, result.Steps[1].Different)
	assert.True(t, result.Steps[2].Masked)
}

func TestPlayStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Play(ctx, []Push{recordedPush(t, "mask-2-a")}, Rules{})
	assert.ErrorIs(t, err, context.Canceled)
	_, err = Play(t.Context(), []Push{recordedPush(t, "mask-2-a"), {}}, Rules{})
	assert.ErrorContains(t, err, "push 2 of 2")
}

// TestCompareProperties: a list comparison never loses a change, a set comparison never sees one where there is none.
func TestCompareProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file := func(label string) []byte {
			var f []byte
			for _, n := range rapid.SliceOfN(rapid.IntRange(0, 3), 0, 6).Draw(t, label) {
				f = fmt.Appendf(f, "line %d\n", n)
			}
			return f
		}
		live, next := file("live"), file("next")
		byList, maskedList := compare(live, next, Rules{})
		bySet, maskedSet := compare(live, next, Rules{CompareAsSet: true})
		if byList != (string(live) != string(next)) || maskedList {
			t.Fatal("the list comparison errs")
		}
		if bySet && !byList || maskedSet != (byList && !bySet) {
			t.Fatal("the set comparison errs")
		}
		if back, _ := compare(next, live, Rules{CompareAsSet: true}); back != bySet {
			t.Fatal("the set comparison depends on direction")
		}
	})
}
