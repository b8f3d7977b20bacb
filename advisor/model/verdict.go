package model

import (
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat"
)

// Verdict is what a step says about an objective.
type Verdict string

// The three values of a verdict. Unsure means that the step was too short to
// tell, which is neither a pass nor a failure.
const (
	Pass   Verdict = "pass"
	Fail   Verdict = "fail"
	Unsure Verdict = "unsure"
)

// Alpha is the risk of a wrong Pass, and of a wrong Fail.
const Alpha = 0.05

// Judge decides whether at most a share p of all requests is over a limit,
// when t of n independent ones were. It passes if the upper Clopper-Pearson
// bound of the share is at most p and fails if the lower one is at least p,
// each at risk Alpha (Clopper and Pearson 1934). n and t may be fractions, as
// effective sample sizes are.
func Judge(t, n, p float64) Verdict {
	switch {
	case n <= 0:
		return Unsure
	case upperBound(t, n) <= p:
		return Pass
	case lowerBound(t, n) >= p:
		return Fail
	}
	return Unsure
}

// lowerBound is the Alpha quantile of Beta(t, n-t+1).
func lowerBound(t, n float64) float64 {
	if t <= 0 {
		return 0
	}
	return mathext.InvRegIncBeta(t, n-t+1, Alpha)
}

// upperBound is the 1-Alpha quantile of Beta(t+1, n-t).
func upperBound(t, n float64) float64 {
	if t >= n {
		return 1
	}
	return mathext.InvRegIncBeta(t+1, n-t, 1-Alpha)
}

// EnoughToPass is the smallest number of requests with which Judge can pass a
// share p at all: with none over, (1-p)^n <= Alpha.
func EnoughToPass(p float64) int {
	n := 1
	for left := 1 - p; left > Alpha; left *= 1 - p {
		n++
	}
	return n
}

// Likely reports whether the share of all requests that is over a limit is
// more likely at most p than not, when t of n independent ones were: whether
// the posterior under a uniform prior, Beta(t+1, n-t+1), has its median at or
// below p. With few requests it wants more than that the figure itself is met.
func Likely(t, n, p float64) bool { return n > 0 && mathext.RegIncBeta(t+1, n-t+1, p) >= 0.5 }

// EffectiveSize is how many independent observations a sequence of n
// correlated ones is worth: n / (1 + 2 sum rho_k), summed over the first run
// of positive autocorrelations (Geyer 1992). Near saturation slow requests
// come in runs, and counting each as evidence of its own would be too sure.
// The result is between 1 and n; it is n where all values are the same.
func EffectiveSize(values []float64) float64 {
	n := len(values)
	mean, variance := stat.PopMeanVariance(values, nil)
	if n < 2 || variance <= 1e-12*mean*mean {
		return float64(n)
	}
	centred := make([]float64, n)
	for i, v := range values {
		centred[i] = v - mean
	}
	worth := 1.0 // one observation is worth 1/worth
	for lag := 1; lag <= n/4 && worth < float64(n)/10; lag++ {
		rho := floats.Dot(centred[lag:], centred[:n-lag]) / float64(n) / variance
		if rho <= 0 {
			break
		}
		worth += 2 * rho
	}
	return max(1, float64(n)/worth)
}
