package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackproof/stackproof/harness/result"
)

func TestCompareRuns(t *testing.T) {
	failed := func(id string, classes ...string) result.Case {
		c := result.Case{ID: id, Verdict: result.Fail, Reason: "broken"}
		for _, class := range classes {
			c.Findings = append(c.Findings, result.Finding{Class: result.Class(class), Says: class})
		}
		return c
	}
	passed := func(id string) result.Case { return result.Case{ID: id, Verdict: result.Pass} }
	undecided := func(id string) result.Case {
		return result.Case{ID: id, Verdict: result.Inconclusive, Reason: "nothing seen"}
	}
	for name, tt := range map[string]struct {
		before, after                 []result.Case
		fresh, gone, missing, decided int
	}{
		"the same": {[]result.Case{passed("U-01"), failed("L-01", "a")},
			[]result.Case{passed("U-01"), failed("L-01", "a")}, 0, 0, 0, 0},
		"a new failure": {[]result.Case{passed("U-01")}, []result.Case{failed("U-01")}, 1, 0, 0, 0},
		"another class": {[]result.Case{failed("U-01", "a")}, []result.Case{failed("U-01", "a", "b")}, 1, 0, 0,
			0},
		"mended": {[]result.Case{failed("U-01", "a")}, []result.Case{passed("U-01")}, 0, 1, 0, 0},
		"not run again": {[]result.Case{passed("U-01"), passed("U-02")}, []result.Case{passed("U-01")}, 0, 0, 1,
			0},
		"not decided any more": {[]result.Case{passed("U-01")}, []result.Case{undecided("U-01")}, 0, 0, 0, 1},
		"new and failing":      {nil, []result.Case{failed("U-03")}, 1, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := compareRuns(result.Run{Results: tt.before}, result.Run{Results: tt.after})
			require.Len(t, c.New, tt.fresh)
			require.Len(t, c.Gone, tt.gone)
			require.Len(t, c.Missing, tt.missing)
			require.Len(t, c.Undecided, tt.decided)
		})
	}
}

// TestCompareTraffic: reachability and stickiness are told before and after.
func TestCompareTraffic(t *testing.T) {
	grid := func(rows ...[]int) result.Case {
		g := result.Grid{Rule: "web", Verdict: "sticky"}
		for _, r := range rows {
			g.Clients = append(g.Clients, result.GridRow{Rule: r})
		}
		return result.Case{ID: "L-01", Verdict: result.Pass, Views: result.Views{Grids: []result.Grid{g}}}
	}
	c := compareRuns(
		result.Run{Results: []result.Case{grid([]int{0, 0}, []int{1, 1})}},
		result.Run{Results: []result.Case{grid([]int{0, 1}, []int{-1, -1})}},
	)
	require.Contains(t, c.text(), "web sticky: 2 of 2 clients answered by 2 backends, 0 moved")
	require.Contains(t, c.text(), "web sticky: 1 of 2 clients answered by 2 backends, 1 moved")
}
