package load

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// times are durations from 1 µs to 1 h, as many short ones as long ones.
func times(t *rapid.T, name string) []time.Duration {
	exponents := rapid.SliceOfN(rapid.Float64Range(0, math.Log(3600e6)), 1, 300).Draw(t, name)
	out := make([]time.Duration, len(exponents))
	for i, e := range exponents {
		out[i] = time.Duration(math.Exp(e) * float64(time.Microsecond))
	}
	return out
}

func histOf(digits int, values ...time.Duration) *hist {
	h := newHist(digits)
	for _, v := range values {
		h.record(v)
	}
	return h
}

// rank is the q-quantile of sorted values by the nearest rank, as HdrHistogram
// counts: half a value is one.
func rank(sorted []time.Duration, q float64) time.Duration {
	n := int(q*float64(len(sorted)) + 0.5)
	return sorted[max(n, 1)-1]
}

// A quantile is off by at most 1 % with two digits and 0.1 % with three, or by
// the half of a microsecond; the count, the mean and the ends are exact.
func TestHistErrorIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := times(t, "values")
		digits := rapid.IntRange(2, 3).Draw(t, "digits")
		q := histOf(digits, values...).quantiles()
		slices.Sort(values)
		var sum time.Duration
		for _, v := range values {
			sum += v
		}
		if n := len(values); q.Count != int64(n) || q.Min != values[0] || q.Max != values[n-1] || q.Mean != sum/time.Duration(n) {
			t.Fatalf("%+v of %v, want count, ends and mean exact", q, values)
		}
		share := math.Pow(10, -float64(digits))
		for _, c := range []struct {
			q   float64
			got time.Duration
		}{{0.5, q.P50}, {0.9, q.P90}, {0.95, q.P95}, {0.99, q.P99}, {0.999, q.P999}} {
			want := rank(values, c.q)
			bound := share*float64(want) + float64(time.Microsecond)/2
			if math.Abs(float64(c.got-want)) > bound || c.got < q.Min || c.got > q.Max {
				t.Fatalf("the %v-quantile of %v is %v, want %v within %.2g and within %v..%v", c.q, values, c.got, want, share, q.Min, q.Max)
			}
		}
	})
}

// Two histograms merged are the one of all values.
func TestHistMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := times(t, "a"), times(t, "b")
		digits := rapid.IntRange(2, 3).Draw(t, "digits")
		merged, all := histOf(digits, a...), histOf(digits, append(slices.Clone(a), b...)...)
		merged.merge(newHist(digits))
		merged.merge(histOf(digits, b...))
		if got, want := merged.quantiles(), all.quantiles(); got != want {
			t.Fatalf("%v and %v merged are %+v, want %+v", a, b, got, want)
		}
	})
}

// Two digits and three, which have buckets of different widths, agree about
// the ends; what lies beyond the range is counted at its end, and told as it
// was.
func TestHistEnds(t *testing.T) {
	for _, d := range []time.Duration{-time.Second, 0, 1, 2_003_967 * time.Microsecond, 42_857*time.Microsecond + 1, 2 * time.Hour} {
		for _, digits := range []int{2, 3} {
			h := histOf(digits, d)
			if q := h.quantiles(); q.Min != d || q.P50 != d || q.Max != d || h.at(1) != d {
				t.Errorf("%d digits of %v: %+v, at(1) = %v; want all of it exact", digits, d, q, h.at(1))
			}
			h.reset()
			if q := h.quantiles(); q != (Quantiles{}) || h.at(0.5) != 0 {
				t.Errorf("%d digits, after a reset: %+v, want nothing", digits, q)
			}
			h.record(time.Second)
			if q := h.quantiles(); q.Min != time.Second || q.Max != time.Second {
				t.Errorf("%d digits, of 1s after a reset: %+v, want nothing of %v", digits, q, d)
			}
		}
	}
}
