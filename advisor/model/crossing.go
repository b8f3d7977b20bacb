package model

import "math"

// Crossing is the load, in requests per second, at which the share of the hits
// reaches p. It is the logistic regression of that share on the load over the
// totals of all steps: the tail of a waiting time falls off exponentially with
// the capacity that is left (Kingman 1962), so the logarithm of the share is
// about linear in the load. Two requests that nobody sent keep it finite where
// the steps are few: one without any load that was hardly a hit, and one at
// saturation that was hardly none. The result is between 0 and saturation; ok is
// false where the share does not grow with the load.
func Crossing(totals []Tally, saturation, p float64) (load float64, ok bool) {
	points := make([]point, 0, len(totals)+2)
	points = append(points, point{0, nearly0, 1}, point{1, 1 - nearly0, 1})
	for _, t := range totals {
		points = append(points, point{t.Rate() / saturation, t.Hits, t.All})
	}
	a, b := logistic(points)
	if !(b > 0) {
		return 0, false
	}
	return min(max(0, saturation*(math.Log(p/(1-p))-a)/b), saturation), true
}

// nearly0 is how much of a hit the one without load was. Were it none at all,
// the slope could still be infinite.
const nearly0 = 0.01

// point is a number of hits of all at x.
type point struct{ x, hits, all float64 }

// logistic fits log(share / (1 - share)) = a + b x by maximum likelihood. The
// likelihood has one summit, so Newton's method gets there when a step that
// leads down is halved.
func logistic(points []point) (a, b float64) {
	value := likelihood(points, a, b)
	for range 50 {
		var gradA, gradB, aa, ab, bb float64
		for _, p := range points {
			share := 1 / (1 + math.Exp(-a-b*p.x))
			weight, rest := p.all*share*(1-share), p.hits-p.all*share
			gradA += rest
			gradB += rest * p.x
			aa += weight
			ab += weight * p.x
			bb += weight * p.x * p.x
		}
		det := aa*bb - ab*ab
		stepA, stepB := (bb*gradA-ab*gradB)/det, (aa*gradB-ab*gradA)/det
		next := likelihood(points, a+stepA, b+stepB)
		for next < value && math.Abs(stepA)+math.Abs(stepB) > 1e-9 {
			stepA, stepB = stepA/2, stepB/2
			next = likelihood(points, a+stepA, b+stepB)
		}
		if !(math.Abs(stepA)+math.Abs(stepB) > 1e-9) {
			break
		}
		a, b, value = a+stepA, b+stepB, next
	}
	return a, b
}

// likelihood is the logarithm of that of the points.
func likelihood(points []point, a, b float64) float64 {
	sum := 0.0
	for _, p := range points {
		z := a + b*p.x
		// log(1 + e^z) without overflow
		sum += p.hits*z - p.all*(max(z, 0)+math.Log1p(math.Exp(-math.Abs(z))))
	}
	return sum
}
