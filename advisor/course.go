package advisor

import (
	"math"
	"time"

	"headroom/profiles"
)

// Course is a traffic over a time, as a simulation takes it: what may come at
// once comes in the quiet hours, for a tenth of the time; then the traffic rises
// as steeply as it may, and within 40 % of the time in any case, stays high, and
// falls within 20 %. Traffic that doubles again and again rises by High ln 2 in
// the time in which it does, at the end.
func (s Sizing) Course(t profiles.Traffic, length time.Duration) profiles.Ramp {
	low, high := t.Low.Float(), s.highest(t)
	r := profiles.Ramp{From: low}
	if s.Jump > 0 {
		top := low + s.Jump.Float()
		tenth := length / 10
		r.Stages = []profiles.Stage{{For: tenth, To: low}, {To: top}, {For: tenth, To: top}, {To: low}}
		length -= 2 * tenth
	}
	rise, fall := length*2/5, length/5
	if steepest := s.slope(high); steepest > 0 {
		rise = min(rise, fromSeconds((high-low)/steepest))
	}
	r.Stages = append(r.Stages, profiles.Stage{For: rise, To: high}, profiles.Stage{For: length - rise - fall, To: high}, profiles.Stage{For: fall, To: low})
	return r
}

// highest is the rate that a traffic comes to, in requests/s.
func (s Sizing) highest(t profiles.Traffic) float64 { return t.High.Float() * (1 + s.Growth.Float()) }

// slope is by how many requests/s the traffic may rise each second near a rate;
// 0: nothing was said of that.
func (s Sizing) slope(high float64) float64 {
	if s.Doubles == 0 {
		return s.Rise.Float()
	}
	return max(s.Rise.Float(), high*math.Ln2/s.Doubles.Seconds())
}

// reachable is as much of a traffic as comes up in a course of that length without
// rising more steeply than it may, and how long a course has all of it.
func (s Sizing) reachable(t profiles.Traffic, length time.Duration) (part profiles.Traffic, whole time.Duration) {
	low, high := t.Low.Float(), s.highest(t)
	steepest := s.slope(high)
	if steepest == 0 {
		return t, length
	}
	share := 0.4 // of the length, for the rise
	if s.Jump > 0 {
		share *= 0.8
	}
	whole = fromSeconds((high - low) / steepest / share)
	if reached := low + steepest*share*length.Seconds(); reached < high {
		t.High = profiles.MilliOf(reached / (1 + s.Growth.Float()))
	}
	return t, whole
}
