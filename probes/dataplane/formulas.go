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

// MoversAfterReload is n(1 − 1/b), the expected number of clients that move, once each, when the table is lost.
func MoversAfterReload(n, b int) float64 { return float64(n) * (1 - 1/float64(b)) }

// AllOnOne is b^(1−n), the chance that a source hash puts all clients on one backend.
func AllOnOne(n, b int) float64 { return math.Pow(float64(b), float64(1-n)) }

// SmallestFraction is the smallest fraction of addresses without stickiness that n clients detect with the given
// confidence (0 < confidence < 1): p with (1 − p(1 − b^(1−m)))^n = 1 − confidence.
func SmallestFraction(confidence float64, n, m, b int) float64 {
	seen := 1 - math.Pow(float64(b), float64(1-m))
	return (1 - math.Pow(1-confidence, 1/float64(n))) / seen
}

func coprime(a, b int) bool {
	for b != 0 {
		a, b = b, a%b
	}
	return a == 1
}
