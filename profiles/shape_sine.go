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
// inverse that could be written down, and never falls. Where it is looked at for
// each arrival of a day, most of the way there must be known.
func (s Sine) OffsetOf(n float64) (time.Duration, bool) {
	swing := s.Area(s.Period)
	if swing <= 0 {
		return 0, false
	}
	periods := math.Floor(n / swing)
	n -= periods * swing
	before, behind := s.bracket(n, swing)
	low, high := time.Duration(0), s.Period
	for low < high {
		switch middle := (low + high) / 2; {
		case middle <= before, middle < behind && s.Area(middle) < n:
			low = middle + 1
		default:
			high = middle
		}
	}
	return time.Duration(periods)*s.Period + low, true
}

// bracket is two moments, as close as rounding allows, before and behind that at
// which the area of a period, swing in all, comes to n.
func (s Sine) bracket(n, swing float64) (before, behind time.Duration) {
	const rounding = 1e-14 // of the swing, more than an area is ever off by
	at := time.Duration(kepler(2*math.Pi*n/swing, (s.High-s.Low)/(s.High+s.Low)) / (2 * math.Pi) * float64(s.Period))
	for width := 2 * time.Nanosecond; ; width *= 16 {
		before, behind = max(-1, at-width), min(s.Period+1, at+width)
		if (before < 0 || s.Area(before) < n-rounding*swing) && (behind > s.Period || s.Area(behind) > n+rounding*swing) {
			return before, behind
		}
	}
}

// kepler is E of Kepler's equation E - e sin E = M, with M of 0..2π and e of
// 0..1, by Halley's method from Danby's start M + 0.85e or M - 0.85e (Danby and
// Burkardt 1983). For M near 0 and e near 1 it may be a bit off.
func kepler(m, e float64) float64 {
	x := m + math.Copysign(0.85*e, math.Pi-m)
	for range 8 {
		sin, cos := math.Sincos(x)
		slope := max(1e-9, 1-e*cos)
		off := x - e*sin - m
		step := off / (slope - off*e*sin/(2*slope))
		if x -= step; math.Abs(step) < 1e-6 { // the error goes with its cube
			break
		}
	}
	return max(0, min(2*math.Pi, x))
}
