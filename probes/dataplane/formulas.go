package dataplane

import "math"

// The formulas speak of n clients with m requests each (the first one primes) and b live, equal backends, b ≥ 1. A
// "mover" is a client that was seen on more than one backend; a "false pass" is a rule without stickiness that shows no
// mover.

// ExpectedMovers is E[K] = n(1 − b^(1−m)) without stickiness.
func ExpectedMovers(n, m, b int) float64 {
	return float64(n) * (1 - math.Pow(float64(b), float64(1-m)))
}

// FalsePassIndependent is b^(−n(m−1)), the chance of a false pass where each request's backend is chosen independently:
// random, or round robin with much foreign traffic.
func FalsePassIndependent(n, m, b int) float64 {
	return math.Pow(float64(b), float64(-n*(m-1)))
}

// FalsePassWeighted is (Σ w^m)^n, the same with weights that sum to 1.
func FalsePassWeighted(n, m int, weights []float64) float64 {
	sum := 0.0
	for _, w := range weights {
		sum += math.Pow(w, float64(m))
	}
	return math.Pow(sum, float64(n))
}

// FalsePassRoundRobin is the chance of a false pass where round robin meets one request for each client and round, in
// an order shuffled for each round, without foreign traffic: 0 where b does not divide n, else ((n/b)!^b / n!)^(m−1).
func FalsePassRoundRobin(n, m, b int) float64 {
	if n%b != 0 {
		return 0
	}
	return math.Exp(float64(m-1) * (float64(b)*logFactorial(n/b) - logFactorial(n)))
}

// FalsePassOneShuffle is the chance of a false pass where round robin meets all n·m requests in one random order: 0
// unless m divides the number of requests that each backend gets.
func FalsePassOneShuffle(n, m, b int) float64 {
	log := logFactorial(n) - logFactorial(n*m)
	for j := range b {
		class := n * m / b
		if j < n*m%b {
			class++
		}
		if class%m != 0 {
			return 0
		}
		log += logFactorial(class) - logFactorial(class/m)
	}
	return math.Exp(log)
}

// NoMoverAfterReload is b^(−n), the chance that a lost table shows in no client, each of which sticks anew by chance.
func NoMoverAfterReload(n, b int) float64 { return math.Pow(float64(b), float64(-n)) }

// MoversAfterReload is n(1 − 1/b), the expected number of clients that move, once each, when the table is lost.
func MoversAfterReload(n, b int) float64 { return float64(n) * (1 - 1/float64(b)) }

// AllOnOne is b^(1−n), the chance that a source hash puts all clients on one backend.
func AllOnOne(n, b int) float64 { return math.Pow(float64(b), float64(1-n)) }

// MissPartial is (1 − p(1 − b^(1−m)))^n, the chance to see no mover where a fraction p of all client addresses is not
// sticky.
func MissPartial(p float64, n, m, b int) float64 {
	return math.Pow(1-p*(1-math.Pow(float64(b), float64(1-m))), float64(n))
}

// SmallestFraction is the smallest fraction of addresses without stickiness that n clients detect with the given
// confidence (0 < confidence < 1): the inverse of MissPartial.
func SmallestFraction(confidence float64, n, m, b int) float64 {
	seen := 1 - math.Pow(float64(b), float64(1-m))
	return (1 - math.Pow(1-confidence, 1/float64(n))) / seen
}

func logFactorial(n int) float64 {
	v, _ := math.Lgamma(float64(n) + 1)
	return v
}

func coprime(a, b int) bool {
	for b != 0 {
		a, b = b, a%b
	}
	return a == 1
}
