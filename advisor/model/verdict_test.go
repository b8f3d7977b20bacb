package model

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The thresholds follow from the exact binomial test; those for n = 500 and
// the smallest passing n are worked by hand.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		t, n, p float64
		want    Verdict
	}{
		{16, 500, 0.05, Pass},
		{17, 500, 0.05, Unsure},
		{25, 500, 0.05, Unsure},
		{33, 500, 0.05, Unsure},
		{34, 500, 0.05, Fail},
		{0, 58, 0.05, Unsure},
		{0, 59, 0.05, Pass},
		{0, 0, 0.05, Unsure},
		{3, 3, 0.05, Fail},
		{0, 28, 0.1, Unsure},
		{0, 29, 0.1, Pass},
		{500, 500, 0.05, Fail},
	} {
		if got := Judge(c.t, c.n, c.p); got != c.want {
			t.Errorf("Judge(%v, %v, %v) = %s, want %s", c.t, c.n, c.p, got, c.want)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct{ t, n, low, high float64 }{
		{15, 500, 0.0186, 0.0458},
		{25, 500, 0.0350, 0.0691},
		{38, 500, 0.0574, 0.0985},
	} {
		low, high := lowerBound(c.t, c.n), upperBound(c.t, c.n)
		if math.Abs(low-c.low) > 5e-4 || math.Abs(high-c.high) > 5e-4 {
			t.Errorf("bounds(%v of %v) = %.4f..%.4f, want %.4f..%.4f", c.t, c.n, low, high, c.low, c.high)
		}
	}
}

func TestEnoughToPass(t *testing.T) {
	for _, c := range []struct {
		p    float64
		want int
	}{{0.05, 59}, {0.1, 29}, {0.01, 299}, {0.5, 5}} {
		if got := EnoughToPass(c.p); got != c.want {
			t.Errorf("EnoughToPass(%v) = %d, want %d", c.p, got, c.want)
		}
	}
}

func TestEffectiveSize(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	independent := make([]bool, 2000)
	for i := range independent {
		independent[i] = r.Float64() < 0.1
	}
	if got := EffectiveSize(independent); got < 1500 {
		t.Errorf("2000 independent requests are worth %v, want nearly all", got)
	}
	// In runs of 20 each, every run is about one observation.
	runs := make([]bool, 2000)
	for i := range runs {
		runs[i] = i%400 < 20 || i%700 > 680
	}
	if got := EffectiveSize(runs); got < 50 || got > 300 {
		t.Errorf("2000 requests in runs of 20 are worth %v, want about 100", got)
	}
	for _, c := range []struct {
		over []bool
		want float64
	}{{nil, 0}, {[]bool{true}, 1}, {[]bool{false, false, false}, 3}, {[]bool{true, true}, 2}} {
		if got := EffectiveSize(c.over); got != c.want {
			t.Errorf("EffectiveSize(%v) = %v, want %v", c.over, got, c.want)
		}
	}
}
