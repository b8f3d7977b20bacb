package advisor

import (
	"math"
	"slices"
	"time"
)

const (
	// stepShare is how much of what was there a load must change by to have
	// made a step: twice the tolerance of 10 % that autoscalers have by
	// default, so that one which is at its target has a reason to act.
	stepShare = 0.2
	// stepRest is how long a load must rest between two changes in the same
	// direction that are two steps. A ramp, keys that are pressed one after
	// the other, and a staircase of seconds are one.
	stepRest = 3 * time.Second
	// smoothing is the number of points that a median is taken over.
	smoothing = 5
)

// maxLevel is more users or arrivals than anything can make; what is beyond is
// an error of whoever made the point.
const maxLevel = 1e12

// pointsOf are the points of a load that can be used, in the order of time.
func pointsOf(points []Point, begin, end time.Duration) []Point {
	var out []Point
	for _, p := range points {
		ok := p.At > begin && p.At <= end && p.Planned >= 0 && p.Planned <= maxLevel
		if ok && (len(out) == 0 || p.At > out[len(out)-1].At) {
			out = append(out, p)
		}
	}
	return out
}

// stepsOf finds the steps of a load, in the order of time: its start; an edit
// by hand, however small; and what else is large against what was there, as
// stepShare and unrest say. Small changes add up: the one that makes them large
// is the step. A pause is a step to nothing, its end one back.
//
// Points are a second apart, so a planned step counts from the point before
// the change, up to a second early. Of an edit the moment is known, and a jump
// of arrivals is found within its second, see begun.
func stepsOf(l stretch, points []Point, edits []edit) []Episode {
	var out []Episode
	at, level := smooth(l, points)
	least := 2 * unrest(points)
	large := func(from, to float64) bool { return math.Abs(to-from) >= max(stepShare*from, least) }
	base := 0.0 // what the last step came to
	for _, m := range movements(at, level) {
		e := Episode{Load: l.At, At: begun(l, m, at, level), Settled: at[m.end], Open: l.Open, Cause: Planned, From: level[m.begin], To: level[m.end]}
		for _, edit := range edits {
			if edit.Steer && edit.At >= at[m.begin] && edit.At <= at[m.end] {
				if e.Cause != ByHand && edit.At < at[m.begin+1] {
					e.At = edit.At
				}
				e.Cause = ByHand
			}
		}
		if m.begin == 0 {
			e.At, e.Cause = l.At, Began
		}
		if e.Cause == Planned && !large(e.From, e.To) {
			if !large(base, e.To) {
				continue
			}
			e.From = base
		}
		base = e.To
		if len(out) > 0 {
			begin := e.At
			out[len(out)-1].Until = &begin
		}
		out = append(out, e)
	}
	if len(out) > 0 {
		out[len(out)-1].Until = l.End
	}
	return out
}

// smooth is the planned load over time, from none at its start on, each value
// the median of those around it. That keeps ramps and edges as they are, and
// takes away what lasts for two points or less, of which a recorded load has
// many.
func smooth(l stretch, points []Point) (at []time.Duration, level []float64) {
	at, level = []time.Duration{l.At}, []float64{0}
	for i, p := range points {
		var around [smoothing]float64
		for k := range around {
			if j := i + k - smoothing/2; j >= 0 {
				around[k] = points[min(j, len(points)-1)].Planned
			}
		}
		slices.Sort(around[:])
		const digits = 1e3 // more are rounding errors of a mean
		at, level = append(at, p.At), append(level, math.Round(around[smoothing/2]*digits)/digits)
	}
	return at, level
}

// unrest is how much a load jumps about from point to point: the median of
// what each differs by from the line between its neighbours, times two. A
// constant load has none, and a ramp neither; counts of a recorded one, which
// vary by their square root, have about 1.7 times that.
func unrest(points []Point) float64 {
	var bends []float64
	for i := 2; i < len(points); i++ {
		bends = append(bends, math.Abs(points[i].Planned-2*points[i-1].Planned+points[i-2].Planned))
	}
	if len(bends) == 0 {
		return 0
	}
	slices.Sort(bends)
	return bends[len(bends)/2]
}

// movement is a stretch in which a load goes one way, as indexes of its
// points.
type movement struct {
	begin, end int
	direction  int
}

func movements(at []time.Duration, level []float64) []movement {
	var out []movement
	for i := 1; i < len(level); i++ {
		direction := up
		switch change := level[i] - level[i-1]; {
		case change == 0:
			continue
		case change < 0:
			direction = down
		}
		if n := len(out); n > 0 && out[n-1].direction == direction && at[i-1]-at[out[n-1].end] < stepRest {
			out[n-1].end = i
			continue
		}
		out = append(out, movement{i - 1, i, direction})
	}
	return out
}

// begun is when a movement began. The level of arrivals is their mean over the
// second before: where it jumps, what has come of the jump in the first second
// says how much of that it had.
func begun(l stretch, m movement, at []time.Duration, level []float64) time.Duration {
	first := at[m.begin]
	if !l.Open || m.end != m.begin+2 {
		return first
	}
	share := (level[m.begin+1] - level[m.begin]) / (level[m.end] - level[m.begin])
	return at[m.begin+1] - time.Duration(share*float64(at[m.begin+1]-first))
}

// outage is a time outside the SLO.
type outage struct {
	lost     time.Duration
	regained *time.Duration // nil: not within the load so far
}

// sloHold is how long points must agree before they count, so that one noisy
// second neither loses the SLO nor regains it: three points a second apart.
const sloHold = 1500 * time.Millisecond

// outages are the times in which a load missed the SLO, by the judgement on
// the last seconds that each point carries, from the first point that says so
// to the first that says otherwise. These look back five seconds, so a regained
// SLO was so for up to that long. Points that cannot tell change nothing. A
// load begins within its SLO, as nothing speaks against it.
func outages(points []Point) []outage {
	var out []outage
	lost := false
	var turn *time.Duration // since when the points say otherwise
	for _, p := range points {
		switch {
		case p.SLO == nil:
			continue
		case *p.SLO != lost:
			turn = nil
			continue
		case turn == nil:
			turn = &p.At
		}
		if p.At-*turn < sloHold {
			continue
		}
		if lost {
			out[len(out)-1].regained = turn
		} else {
			out = append(out, outage{lost: *turn})
		}
		lost, turn = !lost, nil
	}
	return out
}
