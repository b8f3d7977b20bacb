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
	low, high := t.Low.Float(), t.High.Float()*(1+s.Growth.Float())
	r := profiles.Ramp{From: low}
	if s.Jump > 0 {
		top := low + s.Jump.Float()
		tenth := length / 10
		r.Stages = []profiles.Stage{{For: tenth, To: low}, {To: top}, {For: tenth, To: top}, {To: low}}
		length -= 2 * tenth
	}
	steepest := s.Rise.Float()
	if s.Doubles > 0 {
		steepest = max(steepest, high*math.Ln2/s.Doubles.Seconds())
	}
	rise, fall := length*2/5, length/5
	if steepest > 0 {
		rise = min(rise, fromSeconds((high-low)/steepest))
	}
	r.Stages = append(r.Stages, profiles.Stage{For: rise, To: high}, profiles.Stage{For: length - rise - fall, To: high}, profiles.Stage{For: fall, To: low})
	return r
}
