package dataplane

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChancesOfFalsePass(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"round robin, N4 B2 M2", FalsePassRoundRobin(4, 2, 2), 0.167},
		{"round robin, N6 B2 M2", FalsePassRoundRobin(6, 2, 2), 0.050},
		{"round robin, N6 B3 M2", FalsePassRoundRobin(6, 2, 3), 0.011},
		{"round robin, coprime", FalsePassRoundRobin(31, 5, 2), 0},
		{"one shuffle, N4 B2 M2", FalsePassOneShuffle(4, 2, 2), 0.086},
		{"one shuffle, M does not divide", FalsePassOneShuffle(5, 2, 2), 0},
		{"independent, N4 B2 M2", FalsePassIndependent(4, 2, 2), 1. / 16},
		{"weights alike", FalsePassWeighted(4, 2, []float64{.5, .5}), 1. / 16},
		{"weights 3 to 1", FalsePassWeighted(1, 2, []float64{.75, .25}), .625},
		{"no mover after reload, N3 B2", NoMoverAfterReload(3, 2), 1. / 8},
		{"movers after reload, N30 B3", MoversAfterReload(30, 3), 20},
		{"all on one, N3 B2", AllOnOne(3, 2), 1. / 4},
		{"missed: p 5 %, 90 clients", MissPartial(.05, 90, 5, 100), .01},
		{"missed: p 10 %, 44 clients", MissPartial(.10, 44, 5, 100), .0097},
		{"missed: p 20 %, 21 clients", MissPartial(.20, 21, 5, 100), .0092},
		{"seen by 31 clients", SmallestFraction(.99, 31, 5, 100), .14},
	} {
		t.Run(c.name, func(t *testing.T) { require.InDelta(t, c.want, c.got, max(c.want*.03, 1e-12)) })
	}
	require.InEpsilon(t, 2e-12, FalsePassOneShuffle(10, 5, 2), 0.3)
	require.InDelta(t, .01, MissPartial(SmallestFraction(.99, 31, 5, 3), 31, 5, 3), 1e-9, "not each other's inverse")
}

// TestExpectedMovers replays the table of 4,000 simulated runs: means to two tenths, lowest values as bounds.
func TestExpectedMovers(t *testing.T) {
	for _, c := range []struct {
		n, m, b                   int
		roundRobin, independent   int
		roundRobinMean, indepMean float64
	}{
		{11, 2, 3, 1, 2, 7.4, 7.4},
		{11, 5, 3, 7, 8, 10.9, 10.9},
		{31, 3, 2, 15, 14, 23.2, 23.2},
		{31, 5, 2, 23, 22, 29.1, 29.1},
		{31, 5, 3, 27, 27, 30.6, 30.6},
		{31, 5, 4, 29, 28, 30.9, 30.9},
	} {
		random := rand.New(rand.NewPCG(1, 2))
		lowest, mean := simulate(random, c.n, c.m, c.b, true)
		require.InDelta(t, c.roundRobinMean, mean, .2, "round robin %+v", c)
		require.GreaterOrEqual(t, lowest, c.roundRobin-1, "round robin %+v", c)
		lowest, mean = simulate(random, c.n, c.m, c.b, false)
		require.InDelta(t, c.indepMean, mean, .2, "independent %+v", c)
		require.GreaterOrEqual(t, lowest, c.independent-1, "independent %+v", c)
		require.InDelta(t, c.indepMean, ExpectedMovers(c.n, c.m, c.b), .07, "formula %+v", c)
	}
}

// simulate deals shuffled rounds to b backends without stickiness, 4,000 times.
func simulate(random *rand.Rand, n, m, b int, roundRobin bool) (lowest int, mean float64) {
	const runs = 4000
	lowest = n
	for range runs {
		first, moved := make([]int, n), make([]bool, n)
		turn := random.IntN(b)
		for round := range m {
			for _, i := range random.Perm(n) {
				backend := random.IntN(b)
				if roundRobin {
					turn = (turn + 1) % b
					backend = turn
				}
				if round == 0 {
					first[i] = backend
				}
				moved[i] = moved[i] || first[i] != backend
			}
		}
		k := 0
		for _, yes := range moved {
			if yes {
				k++
			}
		}
		lowest, mean = min(lowest, k), mean+float64(k)/runs
	}
	return lowest, mean
}

// TestRoundRobinFormulaAgainstSimulation checks the formula where a false pass is common enough to be counted.
func TestRoundRobinFormulaAgainstSimulation(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct{ n, m, b int }{{4, 2, 2}, {6, 2, 2}, {6, 2, 3}} {
		passes := 0
		const runs = 20
		for range runs {
			passes += countFalsePasses(random, c.n, c.m, c.b)
		}
		require.InDelta(t, FalsePassRoundRobin(c.n, c.m, c.b), float64(passes)/(runs*4000), .005, "%+v", c)
	}
}

func countFalsePasses(random *rand.Rand, n, m, b int) int {
	passes := 0
	for range 4000 {
		first, moved := make([]int, n), false
		turn := 0
		for round := range m {
			for _, i := range random.Perm(n) {
				turn = (turn + 1) % b
				if round == 0 {
					first[i] = turn
				}
				moved = moved || first[i] != turn
			}
		}
		if !moved {
			passes++
		}
	}
	return passes
}

func TestCoprime(t *testing.T) {
	for b := 1; b < 31; b++ {
		require.True(t, coprime(31, b), b)
	}
	require.False(t, coprime(31, 31))
	require.False(t, coprime(31, 62))
	require.False(t, coprime(30, 4))
}
