package model

import (
	"math"
	"testing"
)

// cisco is the benchmark that Gunther's USL is usually shown on, as in the
// tests of usl4j.
var cisco = []float64{955.16, 1878.91, 2688.01, 3548.68, 4315.54, 5130.43, 5931.37, 6531.08, 7219.8, 7867.61, 8278.71, 8646.7,
	9047.84, 9426.55, 9645.37, 9897.24, 10097.6, 10240.5, 10532.39, 10798.52, 11151.43, 11518.63, 11806, 12089.37, 12075.41,
	12177.29, 12211.41, 12158.93, 12155.27, 12118.04, 12140.4, 12074.39}

func TestUSLOfTheCiscoBenchmark(t *testing.T) {
	points := make([]Throughput, len(cisco))
	for i, x := range cisco {
		points[i] = Throughput{float64(i + 1), x}
	}
	curves := FitCurves(points)
	c := curves[0]
	for name, v := range map[string]struct{ got, want float64 }{
		"λ": {c.Lambda, 995.6488}, "σ": {c.Sigma, 0.0267159}, "κ": {c.Kappa, 7.69094e-4}, "peak": {c.Peak, 35.57}, "max": {c.Max, 12341.7},
	} {
		if math.Abs(v.got/v.want-1) > 2e-4 {
			t.Errorf("%s = %g, want %g", name, v.got, v.want)
		}
	}
	if c.Model != "usl" || len(curves) != 4 {
		t.Errorf("best of %d models is %s, want usl of 4", len(curves), c.Model)
	}
}

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
