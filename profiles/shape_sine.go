package profiles

import (
	"math"
	"time"
)

// Sine swings between Low and High, once in every Period, for ever. It begins
// at Low, as a day does.
type Sine struct {
	Low, High float64       // 0 <= Low <= High
	Period    time.Duration // more than 0
}

var _ Shape = Sine{}

// turn is how many times the sine has gone around after elapsed, in radians.
func (s Sine) turn(elapsed time.Duration) float64 {
	return 2 * math.Pi * float64(elapsed) / float64(s.Period)
}

// At is m - a*cos(2πt/P), with the mean m, half the swing a and the period P.
func (s Sine) At(elapsed time.Duration) float64 {
	return (s.Low+s.High)/2 - (s.High-s.Low)/2*math.Cos(s.turn(elapsed))
}

// Area is m*t - a*P/2π * sin(2πt/P).
func (s Sine) Area(elapsed time.Duration) float64 {
	return (s.Low+s.High)/2*elapsed.Seconds() - (s.High-s.Low)/2*s.Period.Seconds()/(2*math.Pi)*math.Sin(s.turn(elapsed))
}

// OffsetOf looks for the nanosecond within the right period: the area has no
// inverse that could be written down, and never falls.
func (s Sine) OffsetOf(n float64) (time.Duration, bool) {
	swing := s.Area(s.Period)
	if swing <= 0 {
		return 0, false
	}
	periods := math.Floor(n / swing)
	n -= periods * swing
	low, high := time.Duration(0), s.Period
	for low < high {
		if middle := (low + high) / 2; s.Area(middle) < n {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return time.Duration(periods)*s.Period + low, true
}
