package model

import (
	"math"
	"math/rand/v2"
	"testing"
)

// series is n values of a level with noise, made of a function of the place.
func series(n int, noise float64, level func(i int) float64) []float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	out := make([]float64, n)
	for i := range out {
		out[i] = level(i) + noise*rng.NormFloat64()
	}
	return out
}

func TestWarmUp(t *testing.T) {
	flat := func(int) float64 { return 10 }
	for _, c := range []struct {
		name      string
		values    []float64
		low, high int
		steady    bool
	}{
		{"none", nil, 0, 0, true},
		{"too few to tell", series(39, 0, func(i int) float64 { return float64(i) }), 0, 0, true},
		{"all the same", series(200, 0, flat), 0, 0, true},
		{"a step down after 40", series(400, 0.5, func(i int) float64 {
			if i < 40 {
				return 30
			}
			return 10
		}), 40, 60, true},
		{"a slow start", series(1000, 0.5, func(i int) float64 { return 10 + 20*math.Exp(-float64(i)/30) }), 60, 200, true},
		{"a start from empty", series(1000, 0.5, func(i int) float64 { return 10 - 10*math.Exp(-float64(i)/30) }), 50, 200, true},
		{"it grows all the time", series(400, 0.5, func(i int) float64 { return float64(i) }), 205, 300, false},
		{"it changes near the end", series(400, 0.1, func(i int) float64 {
			if i < 280 {
				return 10
			}
			return 30
		}), 280, 300, false},
	} {
		if cut, steady := WarmUp(c.values); cut < c.low || cut > c.high || steady != c.steady {
			t.Errorf("%s: WarmUp = %d, %v; want %d..%d, %v", c.name, cut, steady, c.low, c.high, c.steady)
		}
	}
}

func TestDrift(t *testing.T) {
	for _, c := range []struct {
		name      string
		values    []float64
		low, high float64
	}{
		{"too few", []float64{1, 2, 3}, 0, 0},
		{"all the same", series(100, 0, func(int) float64 { return 7 }), 0, 0},
		{"noise", series(100, 3, func(int) float64 { return 7 }), 0, 0},
		{"a step up", series(100, 1, func(i int) float64 { return 10 * float64(i/50) }), 4, 10.5},
		{"a step down", series(100, 1, func(i int) float64 { return 10 * float64(1-i/50) }), -10.5, -4},
		{"it grows all the time", series(40, 0.5, func(i int) float64 { return float64(i) }), 1, 20},
	} {
		if got := Drift(c.values); got < c.low || got > c.high {
			t.Errorf("%s: Drift = %.2f, want %g..%g", c.name, got, c.low, c.high)
		}
	}
}
