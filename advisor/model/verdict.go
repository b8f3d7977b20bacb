package model

import (
	"math"

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
	case upperBound(t, n, Alpha) <= p:
		return Pass
	case lowerBound(t, n, Alpha) >= p:
		return Fail
	}
	return Unsure
}

// lowerBound is the alpha quantile of Beta(t, n-t+1).
func lowerBound(t, n, alpha float64) float64 {
	if t <= 0 {
		return 0
	}
	return mathext.InvRegIncBeta(t, n-t+1, alpha)
}

// upperBound is the 1-alpha quantile of Beta(t+1, n-t).
func upperBound(t, n, alpha float64) float64 {
	if t >= n {
		return 1
	}
	return mathext.InvRegIncBeta(t+1, n-t, 1-alpha)
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

// EnoughToBeLikely is about how many independent requests make it Likely that at
// most a share p is over the limit, when a share s of them is. The median of
// Beta(a, b) is about (a-1/3)/(a+b-2/3) (Kerman 2011), that of Likely hence
// (sn+2/3)/(n+4/3), which has come down to p at n = (2/3-4p/3)/(p-s).
func EnoughToBeLikely(s, p float64) float64 {
	if s >= p {
		return math.Inf(1)
	}
	return (2 - 4*p) / 3 / (p - s)
}

// mostValues bounds the work of EffectiveSize, which in the worst case grows
// with its square.
const mostValues = 20_000

// EffectiveSize is how many independent observations a sequence of n
// correlated ones is worth: n / (1 + 2 sum rho_k), summed over the first run
// of positive autocorrelations (Geyer 1992). Near saturation slow requests
// come in runs, and counting each as evidence of its own would be too sure.
// The result is between 1 and n; it is n where all values are the same.
//
// Of more than mostValues it looks at the m means of batches instead: with s²
// the variance of the values and s_b² that of the means, the mean of all has
// the variance s_b²/m (1 + 2 sum rho_k), and s² divided by that is the size.
func EffectiveSize(values []float64) float64 {
	n := len(values)
	mean, variance := stat.PopMeanVariance(values, nil)
	if n < 2 || variance <= 1e-12*mean*mean {
		return float64(n)
	}
	series := batchMeans(values, 1+(n-1)/mostValues)
	m := len(series)
	mean, spread := stat.PopMeanVariance(series, nil)
	floats.AddConst(-mean, series)
	worth := 1.0 // one observation is worth 1/worth
	for lag := 1; lag <= m/4 && worth < float64(m)/10; lag++ {
		rho := floats.Dot(series[lag:], series[:m-lag]) / float64(m) / spread
		if !(rho > 0) {
			break
		}
		worth += 2 * rho
	}
	return min(max(1, variance/spread*float64(m)/worth), float64(n))
}

// batchMeans averages each size values in a row; a last batch that is not full
// is left out.
func batchMeans(values []float64, size int) []float64 {
	means := make([]float64, len(values)/size)
	for i := range means {
		means[i] = floats.Sum(values[i*size:(i+1)*size]) / float64(size)
	}
	return means
}
