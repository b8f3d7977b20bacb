package model

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Line is y = Base + Slope x, by least squares.
type Line struct {
	Base, Slope float64
	R2          float64 // share of the variance of y that it explains, 0..1
	P           float64 // probability of such a slope by chance if there were none (t-test), 0..1
}

// FitLine fits a line. ok is false with fewer than three points, or where x
// does not vary.
func FitLine(x, y []float64) (l Line, ok bool) {
	if len(x) < 3 || stat.Variance(x, nil) == 0 {
		return Line{}, false
	}
	l.Base, l.Slope = stat.LinearRegression(x, y, nil, false)
	l.P = 1
	if stat.Variance(y, nil) == 0 {
		return l, true
	}
	l.R2 = stat.RSquared(x, y, nil, l.Base, l.Slope)
	freedom := float64(len(x) - 2)
	t := math.Sqrt(l.R2 * freedom / max(1-l.R2, 1e-12))
	l.P = 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Survival(t)
	return l, true
}

// At is y at x.
func (l Line) At(x float64) float64 { return l.Base + l.Slope*x }

// Interpolate is y at x on the straight lines between the points, from the
// origin on; beyond the last it goes on at the last one's ratio. The points need
// not be sorted.
func Interpolate(xs, ys []float64, x float64) float64 {
	order := make([]int, len(xs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(xs[i], xs[j]) })
	x0, y0 := 0.0, 0.0
	for _, i := range order {
		if xs[i] >= x && xs[i] > x0 {
			return y0 + (ys[i]-y0)*(x-x0)/(xs[i]-x0)
		}
		x0, y0 = xs[i], ys[i]
	}
	if x0 == 0 {
		return y0
	}
	return y0 * x / x0
}
