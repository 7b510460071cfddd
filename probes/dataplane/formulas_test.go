package dataplane

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChancesOfFalsePass(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"round robin, N4 B2 M2", falsePassRoundRobin(4, 2, 2), 0.167},
		{"round robin, N6 B2 M2", falsePassRoundRobin(6, 2, 2), 0.050},
		{"round robin, N6 B3 M2", falsePassRoundRobin(6, 2, 3), 0.011},
		{"round robin, coprime", falsePassRoundRobin(31, 5, 2), 0},
		{"independent, N4 B2 M2", FalsePassIndependent(4, 2, 2), 1. / 16},
		{"movers after reload, N30 B3", MoversAfterReload(30, 3), 20},
		{"all on one, N3 B2", AllOnOne(3, 2), 1. / 4},
		{"missed: p 5 %, 90 clients", missPartial(.05, 90, 5, 100), .01},
		{"missed: p 10 %, 44 clients", missPartial(.10, 44, 5, 100), .0097},
		{"missed: p 20 %, 21 clients", missPartial(.20, 21, 5, 100), .0092},
		{"seen by 31 clients", SmallestFraction(.99, 31, 5, 100), .14},
	} {
		t.Run(c.name, func(t *testing.T) { require.InDelta(t, c.want, c.got, max(c.want*.03, 1e-12)) })
	}
	require.InDelta(t, .01, missPartial(SmallestFraction(.99, 31, 5, 3), 31, 5, 3), 1e-9, "not each other's inverse")
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
		require.InDelta(t, falsePassRoundRobin(c.n, c.m, c.b), float64(passes)/(runs*4000), .005, "%+v", c)
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

// falsePassRoundRobin is the chance of a false pass where round robin meets one request for each client and round, in
// an order shuffled for each round, without foreign traffic: 0 where b does not divide n, else ((n/b)!^b / n!)^(m−1).
func falsePassRoundRobin(n, m, b int) float64 {
	if n%b != 0 {
		return 0
	}
	return math.Exp(float64(m-1) * (float64(b)*logFactorial(n/b) - logFactorial(n)))
}

// missPartial is (1 − p(1 − b^(1−m)))^n, the chance to see no mover where a fraction p of all client addresses is not
// sticky.
func missPartial(p float64, n, m, b int) float64 {
	return math.Pow(1-p*(1-math.Pow(float64(b), float64(1-m))), float64(n))
}

func logFactorial(n int) float64 {
	v, _ := math.Lgamma(float64(n) + 1)
	return v
}
