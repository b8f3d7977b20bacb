package profiles

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// plainOffset is OffsetOf by nothing but bisection.
func plainOffset(s Sine, n float64) time.Duration {
	swing := s.Area(s.Period)
	periods := time.Duration(n / swing)
	n -= float64(periods) * swing
	low, high := time.Duration(0), s.Period
	for low < high {
		if middle := (low + high) / 2; s.Area(middle) < n {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return periods*s.Period + low
}

// Knowing most of the way changes nothing, also where the load is 0 for a moment.
func TestSineOffsetIsThatOfABisection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		load := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 1000))
		s := Sine{Low: load.Draw(t, "low"), Period: time.Duration(rapid.Int64Range(1000, int64(7*24*time.Hour)).Draw(t, "period"))}
		s.High = s.Low + load.Draw(t, "swing")
		if s.High == 0 {
			s.High = 1
		}
		swing := s.Area(s.Period)
		for _, n := range []float64{0, swing / 2, swing, rapid.Float64Range(0, 3).Draw(t, "periods") * swing, rapid.Float64Range(0, 1e-9).Draw(t, "early") * swing} {
			if got, ok := s.OffsetOf(n); !ok || got != plainOffset(s, n) {
				t.Fatalf("%+v.OffsetOf(%v) = %d, %v; want %d", s, n, got, ok, plainOffset(s, n))
			}
		}
	})
}
