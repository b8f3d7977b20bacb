package profiles

import (
	"math"
	"slices"
	"sort"
	"time"
)

// Course is a load as it was planned and then changed, one shape after the
// other. Changing it makes another one. The zero value is no load.
type Course struct {
	pieces []piece
}

// piece is a shape in force from a moment of the course until the next piece.
type piece struct {
	from  time.Duration
	area  float64       // of the course before it
	skip  time.Duration // how far into the shape it begins
	done  float64       // area of the shape before skip
	shape Shape
}

var _ Shape = Course{}

// NewCourse is a course of one shape.
func NewCourse(s Shape) Course { return Course{}.Change(0, s) }

// Change lets a shape take over at a moment, whatever was planned from there
// on. The arrival that comes next is as far along as it was: there is neither
// a gap nor a burst.
func (c Course) Change(at time.Duration, to Shape) Course {
	return c.splice(at, piece{shape: to})
}

// Spawn goes from the load at a moment to a number of users, and stays: up so
// many a second, the first at once, and down at once.
func (c Course) Spawn(at time.Duration, users int, perSecond float64) Course {
	from, to := max(c.At(at), 1), float64(users)
	if to <= from {
		return c.Change(at, Constant(to))
	}
	rise := Stage{For: seconds(min((to-from)/perSecond, 1e9)), To: to} // a billion seconds is for ever
	return c.Change(at, Ramp{From: from, Stages: []Stage{rise}}).Change(at+rise.For, Constant(to))
}

// Hold puts a time without load at a moment; everything behind it moves on.
func (c Course) Hold(at, length time.Duration) Course {
	rest := c.pieces[c.covering(at):]
	out := c.splice(at, piece{shape: Constant(0)})
	for i, p := range rest {
		from := p.from
		if i == 0 {
			p.skip += at - p.from
			from = at
		}
		out = out.splice(from+length, piece{shape: p.shape, skip: p.skip})
	}
	return out
}

// splice puts p in the place of everything from a moment on.
func (c Course) splice(at time.Duration, p piece) Course {
	p.from, p.area, p.done = at, c.Area(at), p.shape.Area(p.skip)
	keep := sort.Search(len(c.pieces), func(i int) bool { return c.pieces[i].from >= at })
	return Course{append(slices.Clip(c.pieces[:keep]), p)}
}

// covering is the number of the piece that is in force at a moment; 0 where
// none is.
func (c Course) covering(at time.Duration) int {
	return max(0, sort.Search(len(c.pieces), func(i int) bool { return c.pieces[i].from > at })-1)
}

// Settled reports whether the load does not change any more from a moment on.
func (c Course) Settled(at time.Duration) bool {
	last := len(c.pieces) - 1
	if last < 0 || c.pieces[last].from > at {
		return last < 0
	}
	_, constant := c.pieces[last].shape.(Constant)
	return constant
}

// At is the load of the piece in force.
func (c Course) At(elapsed time.Duration) float64 {
	if len(c.pieces) == 0 {
		return 0
	}
	p := &c.pieces[c.covering(elapsed)]
	return p.shape.At(elapsed - p.from + p.skip)
}

// Area adds up the pieces.
func (c Course) Area(elapsed time.Duration) float64 {
	if len(c.pieces) == 0 {
		return 0
	}
	p := &c.pieces[c.covering(elapsed)]
	return p.area + p.shape.Area(elapsed-p.from+p.skip) - p.done
}

// OffsetOf looks in the piece in which the area exceeds n.
func (c Course) OffsetOf(n float64) (time.Duration, bool) {
	i := len(c.pieces) - 1
	for i > 0 && c.pieces[i].area > n {
		i--
	}
	if i < 0 {
		return 0, false
	}
	p := &c.pieces[i]
	offset, ok := p.shape.OffsetOf(n - p.area + p.done)
	return max(p.from, p.from+offset-p.skip), ok
}

// Stages writes the course until a moment as jumps and straight pieces, from
// 0 on: the first is a jump. Curves and replays become pieces of a second, or
// a thousand pieces if that is less.
func (c Course) Stages(end time.Duration) []Stage {
	var out stageList
	for i, p := range c.pieces {
		to := end
		if i+1 < len(c.pieces) {
			to = min(end, c.pieces[i+1].from)
		}
		if to <= p.from {
			continue
		}
		begin, over := p.skip, p.skip+to-p.from
		for _, at := range bends(p.shape, begin, over) {
			// What comes before a jump, and what behind it.
			out.add(Stage{For: at - begin, To: p.shape.At(max(begin, at-1))})
			out.add(Stage{To: p.shape.At(at)})
			begin = at
		}
		out.add(Stage{For: over - begin, To: p.shape.At(max(begin, over-1))})
	}
	return out.stages
}

// bends are the moments from begin until before over at which a shape may
// jump or change its slope, begin itself first.
func bends(s Shape, begin, over time.Duration) []time.Duration {
	out := []time.Duration{begin}
	at := func(bend time.Duration) {
		if bend > begin && bend < over {
			out = append(out, bend)
		}
	}
	switch s := s.(type) {
	case Constant:
	case Ramp:
		sum := time.Duration(0)
		for _, stage := range s.Stages {
			sum += stage.For
			at(sum)
		}
	case Counts:
		for _, end := range s.ends {
			at(end)
		}
	default:
		step := max(time.Second, (over-begin)/1000)
		for bend := begin.Truncate(time.Second) + step; bend < over; bend += step {
			at(bend)
		}
	}
	return out
}

// stageList leaves out what changes nothing and joins what belongs together.
type stageList struct{ stages []Stage }

func (l *stageList) add(s Stage) {
	s.To = math.Round(s.To*1000) / 1000
	n := len(l.stages)
	level := n > 0 && l.stages[n-1].To == s.To
	switch {
	case s.For == 0 && level:
	case s.For == 0 && n > 0 && l.stages[n-1].For == 0:
		l.stages = l.stages[:n-1] // a jump that nothing follows
		l.add(s)
	case level && l.level(n-1):
		l.stages[n-1].For += s.For
	default:
		l.stages = append(l.stages, s)
	}
}

// level reports whether the i-th stage takes time and does not change the
// load.
func (l *stageList) level(i int) bool {
	return i > 0 && l.stages[i].For > 0 && l.stages[i-1].To == l.stages[i].To
}
