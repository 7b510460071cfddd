package stats

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The published table of zero-failure bounds, in percent as printed.
func TestUpperWithoutFailures(t *testing.T) {
	for _, tt := range []struct {
		n        int
		p95, p99 string
	}{
		{10, "25.9 %", "36.9 %"}, {14, "19.3 %", "28.0 %"}, {20, "13.9 %", "20.6 %"}, {30, "9.5 %", "14.2 %"},
		{59, "5.0 %", "7.5 %"}, {100, "3.0 %", "4.5 %"}, {299, "1.0 %", "1.5 %"}, {1000, "0.30 %", "0.46 %"},
	} {
		require.Equal(t, tt.p95, percent(Upper(0, tt.n, Confidence95)), "n=%d", tt.n)
		require.Equal(t, tt.p99, percent(Upper(0, tt.n, Confidence99)), "n=%d", tt.n)
		require.InDelta(t, 1-math.Pow(0.05, 1/float64(tt.n)), Upper(0, tt.n, Confidence95), 1e-12)
	}
}

// Reference values: exact binomial tail sums, computed below without the beta function.
func TestBoundsAgainstBinomialTails(t *testing.T) {
	for _, n := range []int{1, 2, 5, 20, 59, 100, 1000} {
		for _, k := range []int{0, 1, 2, n / 3, n / 2, n - 1, n} {
			if k < 0 || k > n {
				continue
			}
			up, low := Upper(k, n, 0.95), Lower(k, n, 0.95)
			if k < n {
				require.InDelta(t, 0.05, atMost(k, n, up), 1e-9, "P(X<=%d of %d) at its upper bound", k, n)
			} else {
				require.Equal(t, 1.0, up)
			}
			if k > 0 {
				require.InDelta(t, 0.05, 1-atMost(k-1, n, low), 1e-9, "P(X>=%d of %d) at its lower bound", k, n)
			} else {
				require.Equal(t, 0.0, low)
			}
		}
	}
}

func TestInterval(t *testing.T) {
	low, high := Interval(1, 20, 0.95)
	require.InDelta(t, 0.0012651, low, 1e-6)
	require.InDelta(t, 0.2487328, high, 1e-6)
	low, high = Interval(0, 10, 0.95)
	require.Zero(t, low)
	require.InDelta(t, 0.3084971, high, 1e-6)
	low, high = Interval(20, 20, 0.95)
	require.InDelta(t, 0.8315665, low, 1e-6)
	require.Equal(t, 1.0, high)
	low, high = Interval(0, 0, 0.95)
	require.Equal(t, []float64{0, 1}, []float64{low, high})
	// A measured sensitivity of 20 of 20 is at least 86 %.
	require.InDelta(t, 0.8609, Lower(20, 20, 0.95), 1e-4)
}

func atMost(k, n int, p float64) float64 {
	var sum float64
	for i := 0; i <= k; i++ {
		ln, _ := math.Lgamma(float64(n + 1))
		li, _ := math.Lgamma(float64(i + 1))
		lr, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(ln - li - lr + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

func TestClaim(t *testing.T) {
	r := func(total, failures, inconclusives int) Repeats {
		return Repeats{Scenario: "L-01", Target: "existing", Release: "4.20.1.0", Total: total, Failures: failures,
			Inconclusives: inconclusives}
	}
	for _, tt := range []struct {
		in       Repeats
		withheld bool
		want     string
	}{
		{r(59, 0, 0), false, "0 of 59 repeats failed (L-01, existing, 4.20.1.0). With 95 % confidence the failure " +
			"rate under these conditions is below 5.0 %."},
		{Repeats{Scenario: "L-01", Target: "lab", Release: "4.20.1.0", Total: 59, Planted: 20, Caught: 20}, false,
			"0 of 59 repeats failed (L-01, lab, 4.20.1.0). With 95 % confidence the failure rate under these " +
				"conditions is below 5.0 %; allowing for measured sensitivity 20/20 (at least 86 %), below 5.8 % " +
				"with at least 90 % confidence in both bounds together."},
		{Repeats{Scenario: "L-01", Target: "lab", Release: "4.20.1.0", Total: 59, Planted: 3}, false,
			"0 of 59 repeats failed (L-01, lab, 4.20.1.0). With 95 % confidence the failure rate under these " +
				"conditions is below 5.0 %."},
		{r(1, 0, 0), false, "0 of 1 repeat failed (L-01, existing, 4.20.1.0). With 95 % confidence the failure rate " +
			"under these conditions is below 95.0 %."},
		{r(20, 1, 0), false, "1 of 20 repeats failed (L-01, existing, 4.20.1.0). With 95 % confidence the failure " +
			"rate under these conditions is between 0.13 % and 24.9 %."},
		{r(20, 20, 0), false, "20 of 20 repeats failed (L-01, existing, 4.20.1.0). With 95 % confidence the failure " +
			"rate under these conditions is between 83.2 % and 100.0 %."},
		{r(20, 0, 2), false, "0 of 18 decided repeats failed (L-01, existing, 4.20.1.0); 2 more, of 20 in all, " +
			"could not be decided and do not count. With 95 % confidence the failure rate under these conditions is " +
			"below 15.3 %."},
		{r(20, 0, 3), true, "0 of 17 decided repeats failed (L-01, existing, 4.20.1.0); 3 more, of 20 in all, could " +
			"not be decided and do not count. That is more than 10 %, so no failure rate is claimed."},
		{r(20, 4, 3), true, "4 of 17 decided repeats failed (L-01, existing, 4.20.1.0); 3 more, of 20 in all, could " +
			"not be decided and do not count. That is more than 10 %, so no failure rate is claimed."},
		{r(3, 0, 3), true, "None of 3 repeats was decided (L-01, existing, 4.20.1.0). Nothing is claimed."},
		{r(0, 0, 0), true, "None of 0 repeats was decided (L-01, existing, 4.20.1.0). Nothing is claimed."},
	} {
		require.Equal(t, tt.withheld, tt.in.Withheld(), tt.want)
		require.Equal(t, tt.want, tt.in.Claim())
	}
}
