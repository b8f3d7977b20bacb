package model

import "gonum.org/v1/gonum/mathext"

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

// EffectiveSize is how many independent observations a sequence of n
// correlated ones is worth: n / (1 + 2 sum rho_k), summed over the first run
// of positive autocorrelations (Geyer 1992). over tells, in the order of
// arrival, which requests were over the limit: near saturation they come in
// runs, and counting each as evidence of its own would be too sure. The result
// is between 1 and n.
func EffectiveSize(over []bool) float64 {
	n := len(over)
	var at []int // of those that are over
	before := make([]int, n+1)
	for i, o := range over {
		before[i+1] = before[i]
		if o {
			at = append(at, i)
			before[i+1]++
		}
	}
	mean := float64(len(at)) / float64(max(n, 1))
	variance := mean * (1 - mean)
	if variance == 0 {
		return float64(n)
	}
	sum := 0.0
	for lag := 1; lag <= n/4; lag++ {
		pairs := 0
		for _, i := range at {
			if i >= lag && over[i-lag] {
				pairs++
			}
		}
		// sum of (o_i - mean)(o_(i-lag) - mean), multiplied out
		ends := before[n-lag] + before[n] - before[lag]
		covariance := float64(pairs) - mean*float64(ends) + float64(n-lag)*mean*mean
		rho := covariance / float64(n) / variance
		if rho <= 0 {
			break
		}
		sum += rho
	}
	return max(1, float64(n)/(1+2*sum))
}
