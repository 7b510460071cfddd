// Package stats says what repeats allow one to claim about a failure rate.
//
// It is arithmetic and wording only: it does not know what a repeat is. A repeat must be independent of the others (a
// fresh account, VPC, rule, policy and push); requests within one repeat are not repeats.
//
// Know before changing: the words are part of the product. A rate is only ever claimed "under these conditions", never
// as "fixed" or "not reproducible", and never when more than a tenth of the repeats were undecided.
package stats

import (
	"fmt"
	"math"
)

// Confidence levels that the table of published bounds has.
const (
	Confidence95 = 0.95
	Confidence99 = 0.99
)

// Upper is the exact one-sided upper bound (Clopper-Pearson) of the failure rate after failures in n independent
// repeats, at a confidence between 0 and 1. Without failures it is 1 - alpha^(1/n). It is 1 when n is 0 or every repeat
// failed.
func Upper(failures, n int, confidence float64) float64 {
	if n <= 0 || failures >= n {
		return 1
	}
	alpha := 1 - confidence
	if failures <= 0 {
		return -math.Expm1(math.Log(alpha) / float64(n))
	}
	return quantile(confidence, float64(failures)+1, float64(n-failures))
}

// Lower is the exact one-sided lower bound. It is 0 without failures.
func Lower(failures, n int, confidence float64) float64 {
	if n <= 0 || failures <= 0 {
		return 0
	}
	if failures >= n {
		return math.Exp(math.Log(1-confidence) / float64(n))
	}
	return quantile(1-confidence, float64(failures), float64(n-failures)+1)
}

// Interval is the exact two-sided interval (Clopper-Pearson): half of what is left to chance on each side.
func Interval(failures, n int, confidence float64) (low, high float64) {
	oneSided := (1 + confidence) / 2
	return Lower(failures, n, oneSided), Upper(failures, n, oneSided)
}

// quantile solves betaIncomplete(x, a, b) = p for x by bisection; the function rises steadily from 0 to 1.
func quantile(p, a, b float64) float64 {
	low, high := 0.0, 1.0
	for range 100 {
		middle := (low + high) / 2
		if betaIncomplete(middle, a, b) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// betaIncomplete is the regularized incomplete beta function, by its continued fraction (Lentz's method).
func betaIncomplete(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2): // the fraction converges fast on the other side
		return 1 - betaIncomplete(1-x, b, a)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a
	return front * fraction(x, a, b)
}

func fraction(x, a, b float64) float64 {
	const tiny, enough, most = 1e-300, 1e-15, 10000
	away := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	f := d
	for i := 1; i < most; i++ {
		m := float64(i)
		for _, term := range [2]float64{
			m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m)),
			-(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1)),
		} {
			d = 1 / away(1+term*d)
			c = away(1 + term/c)
			f *= c * d
		}
		if math.Abs(c*d-1) < enough {
			break
		}
	}
	return f
}

// Repeats is what happened under which conditions. Total counts every repeat; a repeat that was not decided is neither
// a failure nor clean.
type Repeats struct {
	Scenario, Target, Release      string
	Total, Failures, Inconclusives int
	// Planted faults of which the same scenario caught Caught: its measured sensitivity. 0 when it was not measured.
	Planted, Caught int
}

// Sensitivity is the lower 95 % bound of the rate at which the scenario catches a fault; 0 when it is not known.
func (r Repeats) Sensitivity() float64 { return Lower(r.Caught, r.Planted, Confidence95) }

// Decided is the number of repeats that count.
func (r Repeats) Decided() int { return max(0, r.Total-r.Inconclusives) }

// Withheld says whether too many repeats were undecided to claim a rate: more than 10 %, or all.
func (r Repeats) Withheld() bool { return r.Decided() == 0 || r.Inconclusives*10 > r.Total }

// Claim is the sentence that these repeats allow, at 95 % confidence.
func (r Repeats) Claim() string {
	of := fmt.Sprintf("(%s, %s, %s)", r.Scenario, r.Target, r.Release)
	if r.Decided() == 0 {
		return fmt.Sprintf("None of %s was decided %s. Nothing is claimed.", count(r.Total, "repeat"), of)
	}
	sentence := fmt.Sprintf("%d of %s failed %s.", r.Failures, count(r.Decided(), "repeat"), of)
	if r.Inconclusives > 0 {
		sentence = fmt.Sprintf("%d of %s failed %s; %d more, of %d in all, could not be decided and do not count.",
			r.Failures, count(r.Decided(), "decided repeat"), of, r.Inconclusives, r.Total)
	}
	switch {
	case r.Withheld():
		return sentence + " That is more than 10 %, so no failure rate is claimed."
	case r.Failures == 0:
		bound := Upper(0, r.Decided(), Confidence95)
		return sentence + fmt.Sprintf(" With 95 %% confidence the failure rate under these conditions is below %s%s.",
			percent(bound), r.allowing(bound))
	}
	low, high := Interval(r.Failures, r.Decided(), Confidence95)
	return sentence + fmt.Sprintf(
		" With 95 %% confidence the failure rate under these conditions is between %s and %s.", percent(low),
		percent(high))
}

// allowing widens a bound of clean repeats by what is known of the scenario's sensitivity.
func (r Repeats) allowing(bound float64) string {
	s := r.Sensitivity()
	if s == 0 {
		return ""
	}
	return fmt.Sprintf("; allowing for measured sensitivity %d/%d (at least %.0f %%), below %s with at least 90 %% "+
		"confidence in both bounds together",
		r.Caught, r.Planted, 100*s, percent(min(1, bound/s)))
}

// Rate is how often something failed under one condition, out of trials that were alike but for it.
type Rate struct {
	Condition       string `json:"condition"`
	Total, Failures int
}

// String gives the numbers with the interval of the failure rate, at 95 % confidence.
func (r Rate) String() string {
	low, high := 0.0, Upper(0, r.Total, Confidence95)
	if r.Failures > 0 {
		low, high = Interval(r.Failures, r.Total, Confidence95)
	}
	return fmt.Sprintf("%s: %d of %d failed (rate %s to %s)", r.Condition, r.Failures, r.Total, percent(low),
		percent(high))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// percent has one digit after the point, two for rates well below 1 %.
func percent(p float64) string {
	if p > 0 && p < 0.0095 {
		return fmt.Sprintf("%.2f %%", p*100)
	}
	return fmt.Sprintf("%.1f %%", p*100)
}
