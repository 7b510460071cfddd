package chaos

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A failing trial is cut down to the faults and the call that it takes.
func TestShrink(t *testing.T) {
	tries := 0
	got, err := Shrink(t.Context(), Trial{Faults: []string{"a", "b", "c"}, Call: 100},
		func(_ context.Context, t Trial) (bool, error) {
			tries++
			return slices.Contains(t.Faults, "b") && t.Call >= 7, nil
		})
	require.NoError(t, err)
	assert.Equal(t, Trial{Faults: []string{"b"}, Call: 7}, got)
	assert.Less(t, tries, 12)
	got, err = Shrink(t.Context(), Trial{Faults: []string{"a"}, Call: 1}, func(context.Context, Trial) (bool, error) {
		return false, nil
	})
	require.NoError(t, err)
	assert.Equal(t, Trial{Faults: []string{"a"}, Call: 1}, got, "what no smaller one shows stays")
}

// The matrix counts each trial under each of its faults, and only allowed outcomes are not bad.
func TestMatrix(t *testing.T) {
	m := Matrix{[]Tried{
		{Trial: Trial{Faults: []string{"none"}}, Outcome: Right},
		{Trial: Trial{Faults: []string{"api-half", "usage-killed"}}, Outcome: Undecided},
		{Trial: Trial{Faults: []string{"api-half"}}, Outcome: Wrong},
		{Trial: Trial{Faults: []string{"api-half"}}, Outcome: Leak},
		{Trial: Trial{Faults: []string{"disk-full-ledger"}}, Outcome: NotRun},
	}}
	assert.Equal(t, 5, m.Faults())
	require.Len(t, m.Bad(), 2)
	for line := range strings.Lines(m.String()) {
		if strings.Contains(line, "api-half ") {
			assert.Equal(t, []string{"api-half", "0", "1", "0", "0", "1", "0", "0", "1", "0"}, cells(line))
		}
	}
	assert.Contains(t, m.String(), "usage-killed")
	assert.NotContains(t, m.String(), "log-rotated", "what nobody met has no line")
}

func cells(line string) (all []string) {
	for _, cell := range strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|") {
		all = append(all, strings.TrimSpace(cell))
	}
	return all
}

// A seed draws the same trial again; every fault is drawn by some seed, those of routers for runs with routers only.
func TestDraw(t *testing.T) {
	both := []Trial{{Scenario: "U-01"}, {Scenario: "L-01", Routers: true}}
	drawn := map[string]bool{}
	for seed := range int64(1000) {
		one := Draw(seed, both, Faults())
		assert.Equal(t, one, Draw(seed, both, Faults()))
		all, err := FaultsOf(one.Faults)
		require.NoError(t, err)
		for _, f := range all {
			drawn[f.Name] = true
			assert.False(t, f.routers && !one.Routers, one)
		}
	}
	for _, f := range Faults() {
		assert.True(t, drawn[f.Name], f.Name)
		assert.NotEmpty(t, f.About, f.Name)
	}
}

// A reason that names nothing of what happened is no true cause.
func TestCause(t *testing.T) {
	cut, err := FaultsOf([]string{"database-cut-1s"})
	require.NoError(t, err)
	got, _ := caused(Undecided, cut, "reading rows: Invalid connection")
	assert.Equal(t, Undecided, got)
	got, _ = caused(Undecided, cut, "the moon is full")
	assert.Equal(t, WrongCause, got)
}
