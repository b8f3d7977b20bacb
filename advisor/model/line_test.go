package model

import (
	"math"
	"testing"
)

func TestFitLine(t *testing.T) {
	l, ok := FitLine([]float64{1, 2, 3, 4}, []float64{0.37, 0.44, 0.51, 0.58})
	if !ok || math.Abs(l.Base-0.3) > 1e-9 || math.Abs(l.Slope-0.07) > 1e-9 || l.R2 < 0.999 || math.Abs(l.At(7)-0.79) > 1e-9 {
		t.Errorf("FitLine = %+v, %v; want 0.3 + 0.07 x", l, ok)
	}
	if l, ok := FitLine([]float64{1, 2, 3}, []float64{2, 2, 2}); !ok || l.Slope != 0 || l.R2 != 0 {
		t.Errorf("FitLine(flat) = %+v, %v; want slope 0 that explains nothing", l, ok)
	}
	for _, x := range [][]float64{{1, 2}, {3, 3, 3}} {
		if _, ok := FitLine(x, x); ok {
			t.Errorf("FitLine(%v) fits", x)
		}
	}
}

func TestInterpolate(t *testing.T) {
	xs, ys := []float64{20, 10}, []float64{5, 1}
	for _, c := range []struct{ x, want float64 }{{0, 0}, {5, 0.5}, {10, 1}, {15, 3}, {20, 5}, {40, 10}} {
		if got := Interpolate(xs, ys, c.x); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("Interpolate(%g) = %g, want %g", c.x, got, c.want)
		}
	}
	if got := Interpolate(nil, nil, 3); got != 0 {
		t.Errorf("Interpolate of nothing = %g", got)
	}
}
