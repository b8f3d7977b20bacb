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
	low, high := t.Low.Float(), s.busiest(t).Float()
	jump, rise, fall := s.parts(length)
	r := profiles.Ramp{From: low}
	if jump > 0 {
		top := low + s.Jump.Float()
		r.Stages = []profiles.Stage{{For: jump, To: low}, {To: top}, {For: jump, To: top}, {To: low}}
	}
	if steepest := s.slope(t); steepest > 0 {
		rise = min(rise, fromSeconds((high-low)/steepest))
	}
	r.Stages = append(r.Stages, profiles.Stage{For: rise, To: high}, profiles.Stage{For: length - 2*jump - rise - fall, To: high}, profiles.Stage{For: fall, To: low})
	return r
}

// parts are how long the parts of a course of that length are: the jump, as long
// as the time before it; the rise, at most; and the fall. The load is high for
// the rest.
func (s Sizing) parts(length time.Duration) (jump, rise, fall time.Duration) {
	if s.Jump > 0 {
		jump = length / 10
		length -= 2 * jump
	}
	return jump, length * 2 / 5, length / 5
}

// busiest is the rate of the busy hours with the growth that is expected.
func (s Sizing) busiest(t profiles.Traffic) profiles.Milli {
	return t.High * profiles.Milli(1000+s.Growth) / 1000
}

// slope is by how many requests/s the traffic may rise each second in the busy
// hours; 0: nothing was said of that.
func (s Sizing) slope(t profiles.Traffic) float64 {
	if s.Doubles == 0 {
		return s.Rise.Float()
	}
	return max(s.Rise.Float(), s.busiest(t).Float()*math.Ln2/s.Doubles.Seconds())
}

// reachable is as much of a traffic as comes up in a course of that length without
// rising more steeply than it may, and how long a course has all of it.
func (s Sizing) reachable(t profiles.Traffic, length time.Duration) (part profiles.Traffic, whole time.Duration) {
	low, high, steepest := t.Low.Float(), s.busiest(t).Float(), s.slope(t)
	if steepest == 0 {
		return t, length
	}
	_, rise, _ := s.parts(length)
	whole = fromSeconds((high - low) / steepest * (length.Seconds() / rise.Seconds()))
	if reached := low + steepest*rise.Seconds(); reached < high {
		t.High = profiles.MilliOf(reached / (1 + s.Growth.Float()))
	}
	return t, whole
}
