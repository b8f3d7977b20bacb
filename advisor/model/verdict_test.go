package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
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
		low, high := lowerBound(c.t, c.n, Alpha), upperBound(c.t, c.n, Alpha)
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

func TestLikely(t *testing.T) {
	for _, c := range []struct {
		t, n, p float64
		want    bool
	}{
		{0, 0, 0.05, false},
		{0, 12, 0.05, false}, // half of such steps would come from 5.2 % and more
		{0, 13, 0.05, true},
		{2, 60, 0.05, true},
		{3, 60, 0.05, false}, // exactly 5 % is no majority
		{20, 500, 0.05, true},
		{25, 500, 0.05, false},
		{40, 500, 0.05, false},
	} {
		if got := Likely(c.t, c.n, c.p); got != c.want {
			t.Errorf("Likely(%v, %v, %v) = %v, want %v", c.t, c.n, c.p, got, c.want)
		}
	}
}

func TestEffectiveSize(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	independent := make([]float64, 2000)
	for i := range independent {
		independent[i] = r.Float64()
	}
	if got := EffectiveSize(independent); got < 1500 {
		t.Errorf("2000 independent values are worth %v, want nearly all", got)
	}
	// x' = 0.9 x + noise has (1+0.9)/(1-0.9) = 19 times the variance of the mean.
	series := make([]float64, 20000)
	for i := 1; i < len(series); i++ {
		series[i] = 0.9*series[i-1] + r.NormFloat64()
	}
	if got := EffectiveSize(series); math.Abs(got/(20000.0/19)-1) > 0.25 {
		t.Errorf("20000 values that remember 90 %% are worth %v, want about %d", got, 20000/19)
	}
	if got := EffectiveSize(append(slices.Repeat([]float64{1}, 200), slices.Repeat([]float64{5}, 200)...)); got > 12 {
		t.Errorf("two runs of 200 are worth %v, want a few", got)
	}
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{1}, 1}, {[]float64{2, 2, 2}, 3}} {
		if got := EffectiveSize(c.values); got != c.want {
			t.Errorf("EffectiveSize(%v) = %v, want %v", c.values, got, c.want)
		}
	}
}

// Also where the values remember for long, a million take no time to speak of,
// and batches say the same as single values.
func TestEffectiveSizeOfMany(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, memory := range []float64{0, 0.9, 0.99, 0.999} {
		series := make([]float64, 1_000_000)
		for i := 1; i < len(series); i++ {
			series[i] = memory*series[i-1] + r.NormFloat64()
		}
		began := time.Now()
		got := EffectiveSize(series)
		if took := time.Since(began); took > time.Second {
			t.Errorf("a million values that remember %v took %v, want less than a second", memory, took)
		}
		if want := 1e6 * (1 - memory) / (1 + memory); math.Abs(got/want-1) > 0.25 {
			t.Errorf("a million values that remember %v are worth %.0f, want about %.0f", memory, got, want)
		}
	}
	rare := make([]float64, 1_000_000) // one in a thousand, each on its own
	for i := range rare {
		if r.IntN(1000) == 0 {
			rare[i] = 1
		}
	}
	if got := EffectiveSize(rare); got < 0.8e6 || got > 1e6 {
		t.Errorf("rare and independent values are worth %.0f of a million, want nearly all", got)
	}
}

// EnoughToBeLikely is an estimate of where Likely begins to hold.
func TestEnoughToBeLikely(t *testing.T) {
	for _, c := range []struct{ s, p float64 }{{0, 0.05}, {0.02, 0.05}, {0.04, 0.05}, {0, 0.01}, {0.005, 0.01}, {0, 0.5}, {0.3, 0.5}} {
		got := EnoughToBeLikely(c.s, c.p)
		exact := 1.0
		for !Likely(c.s*exact, exact, c.p) {
			exact += 0.1
		}
		if math.Abs(got-exact) > 1+0.1*exact {
			t.Errorf("EnoughToBeLikely(%v, %v) = %.1f, and Likely holds from %.1f on", c.s, c.p, got, exact)
		}
	}
	if got := EnoughToBeLikely(0.05, 0.05); !math.IsInf(got, 1) {
		t.Errorf("EnoughToBeLikely(p, p) = %v, want never", got)
	}
}
