package model

import (
	"math"
	"testing"
)

func TestFitCurves(t *testing.T) {
	at := func(f func(n float64) float64, users ...float64) []Throughput {
		var out []Throughput
		for i, n := range users {
			out = append(out, Throughput{n, f(n) * (1 + 0.002*float64(i%3-1))}) // measured within 0.2 %
		}
		return out
	}
	for _, c := range []struct {
		name   string
		points []Throughput
		model  string
		max    float64
		peak   float64
	}{
		{"one at a time: it is a hinge at 1", at(func(n float64) float64 { return min(n, 1) * 40 }, 1, 2, 4, 8, 16, 32), "hinge", 40, 1},
		{"four at a time", at(func(n float64) float64 { return min(n, 4) * 40 }, 1, 2, 4, 8, 16, 32, 64), "hinge", 160, 4},
		{"four replicas with random dispatch, a closed network: X = 4N/(S(N+3))", at(func(n float64) float64 { return 4 * n / (0.25 * (n + 3)) }, 1, 2, 4, 8, 12, 16), "amdahl", 16, 0},
		{"nothing saturates", at(func(n float64) float64 { return 7 * n }, 1, 2, 4, 8, 16, 32), "linear", 0, 0},
	} {
		curves := FitCurves(c.points)
		got := curves[0]
		if got.Model != c.model || math.Abs(got.Max-c.max) > 0.03*c.max || math.Abs(got.Peak-c.peak) > 0.03*max(1, c.peak) {
			t.Errorf("%s: %+v, want %s with max %g at %g", c.name, curves, c.model, c.max, c.peak)
		}
	}
	if got := FitCurves([]Throughput{{1, 40}, {2, 40}}); len(got) != 0 {
		t.Errorf("two points fit %+v, want nothing", got)
	}
	if got := FitCurves(at(func(n float64) float64 { return min(n, 1) * 40 }, 1, 2, 4, 8)); len(got) != 1 {
		t.Errorf("four points fit %d models, want one: the others have too many parameters", len(got))
	}
}
