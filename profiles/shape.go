package profiles

import (
	"math"
	"time"
)

// Shape is a load over time. Its unit is the caller's: users in the closed
// model, arrivals per second in the open one. Shapes are pure values without
// a clock.
type Shape interface {
	// At is the load planned for the moment elapsed since the start.
	At(elapsed time.Duration) float64
	// Area is the area under At up to elapsed: how many arrivals are due
	// before it.
	Area(elapsed time.Duration) float64
	// OffsetOf is the moment at which the area under At comes to exceed n >=
	// 0, that is, when the n-th arrival is due, the first being number 0. ok
	// is false when the shape ends before.
	OffsetOf(n float64) (offset time.Duration, ok bool)
}

// LengthOf is when a shape ends; ok is false for one that does not.
func LengthOf(s Shape) (length time.Duration, ok bool) {
	if ends, ok := s.(interface{ Length() time.Duration }); ok {
		return ends.Length(), true
	}
	return 0, false
}

// Constant is the same load for ever.
type Constant float64

var _ Shape = Constant(0)

// At is the constant itself.
func (c Constant) At(time.Duration) float64 { return float64(c) }

// Area is the constant times the time.
func (c Constant) Area(elapsed time.Duration) float64 { return float64(c) * elapsed.Seconds() }

// OffsetOf is n/c seconds; a load of 0 never gets there.
func (c Constant) OffsetOf(n float64) (time.Duration, bool) {
	if c <= 0 {
		return 0, false
	}
	return seconds(n / float64(c)), true
}

// Stage reaches To linearly from where the stage before it ended, over For;
// a For of 0 jumps.
type Stage struct {
	For time.Duration
	To  float64
}

// Ramp is a load of straight pieces that starts at From and ends with its
// last stage.
type Ramp struct {
	From   float64
	Stages []Stage
}

var _ Shape = Ramp{}

// Length is how long the ramp lasts.
func (r Ramp) Length() time.Duration {
	var sum time.Duration
	for _, s := range r.Stages {
		sum += s.For
	}
	return sum
}

// At interpolates within the stage that covers elapsed; after the last one
// the load is 0.
func (r Ramp) At(elapsed time.Duration) float64 {
	from := r.From
	for _, s := range r.Stages {
		if elapsed < s.For {
			return from + (s.To-from)*float64(elapsed)/float64(s.For)
		}
		elapsed -= s.For
		from = s.To
	}
	return 0
}

// Area adds up the trapezoids of the stages until elapsed.
func (r Ramp) Area(elapsed time.Duration) (sum float64) {
	from := r.From
	for _, s := range r.Stages {
		if elapsed < s.For {
			to := from + (s.To-from)*float64(elapsed)/float64(s.For)
			return sum + (from+to)/2*elapsed.Seconds()
		}
		sum += (from + s.To) / 2 * s.For.Seconds()
		elapsed -= s.For
		from = s.To
	}
	return sum
}

// OffsetOf inverts the area under the ramp. Within a stage that goes from a
// to b over T seconds the area after t is A(t) = a*t + (b-a)*t²/(2T); with
// s = (b-a)/T, its positive root for A(t) = n is t = 2n / (a + sqrt(a²+2sn)),
// the form that does not cancel for small s.
func (r Ramp) OffsetOf(n float64) (time.Duration, bool) {
	var begin time.Duration
	from := r.From
	for _, s := range r.Stages {
		total := s.For.Seconds()
		area := (from + s.To) / 2 * total
		if n < area {
			slope := (s.To - from) / total
			root := from + math.Sqrt(math.Max(0, from*from+2*slope*n))
			if root == 0 {
				return begin, true
			}
			return begin + seconds(2*n/root), true
		}
		n -= area
		begin += s.For
		from = s.To
	}
	return 0, false
}

// Spike is a load of low that jumps to high after a while, stays there for
// some time and comes back for as long as it took to begin.
func Spike(low, high float64, after, stay time.Duration) Ramp {
	return Ramp{From: low, Stages: []Stage{{after, low}, {0, high}, {stay, high}, {0, low}, {after, low}}}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
