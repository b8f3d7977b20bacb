package profiles

import (
	"sort"
	"time"
)

// Replay is a shape that repeats what was recorded: Counts or Stamps.
type Replay interface {
	Shape
	// Length is when the load ends.
	Length() time.Duration
	// Part is the load from a moment on, for a length above 0, as one of its own.
	Part(from, length time.Duration) Replay
}

// Counts replays a load that was counted: in each interval it is level, at
// what was counted over the length of the interval. It ends with the last.
// Make it with NewCounts.
type Counts struct {
	ends []time.Duration // of the intervals
	sums []float64       // counted up to there
}

var _ Replay = Counts{}

// NewCounts makes a Counts of intervals that end at ends, rising from above
// 0, in which each of counts, 0 or more, came. It keeps ends.
func NewCounts(ends []time.Duration, counts []float64) Counts {
	c := Counts{ends: ends, sums: make([]float64, len(counts))}
	sum := 0.0
	for i, n := range counts {
		sum += n
		c.sums[i] = sum
	}
	return c
}

// Length is the end of the last interval.
func (c Counts) Length() time.Duration {
	if len(c.ends) == 0 {
		return 0
	}
	return c.ends[len(c.ends)-1]
}

// interval is where the i-th interval begins and ends, and what was counted
// before it and in it.
func (c Counts) interval(i int) (from, to time.Duration, before, count float64) {
	if i > 0 {
		from, before = c.ends[i-1], c.sums[i-1]
	}
	return from, c.ends[i], before, c.sums[i] - before
}

// At is the mean of the interval that covers elapsed; 0 after the last.
func (c Counts) At(elapsed time.Duration) float64 {
	i := sort.Search(len(c.ends), func(i int) bool { return c.ends[i] > elapsed })
	if i == len(c.ends) {
		return 0
	}
	from, to, _, count := c.interval(i)
	return count / (to - from).Seconds()
}

// Area is what was counted until elapsed.
func (c Counts) Area(elapsed time.Duration) float64 {
	i := sort.Search(len(c.ends), func(i int) bool { return c.ends[i] > elapsed })
	if i == len(c.ends) {
		if i == 0 {
			return 0
		}
		return c.sums[i-1]
	}
	from, to, before, count := c.interval(i)
	return before + count*float64(elapsed-from)/float64(to-from)
}

// OffsetOf spreads the count of an interval evenly over it.
func (c Counts) OffsetOf(n float64) (time.Duration, bool) {
	i := sort.Search(len(c.sums), func(i int) bool { return c.sums[i] > n })
	if i == len(c.sums) {
		return 0, false
	}
	from, to, before, count := c.interval(i)
	return from + time.Duration((n-before)/count*float64(to-from)), true
}

// Part divides the intervals at its ends as OffsetOf spreads them.
func (c Counts) Part(from, length time.Duration) Replay {
	var p Counts
	to := min(from+length, c.Length())
	for i := sort.Search(len(c.ends), func(i int) bool { return c.ends[i] > from }); i < len(c.ends); i++ {
		end := min(c.ends[i], to)
		p.ends, p.sums = append(p.ends, end-from), append(p.sums, c.Area(end)-c.Area(from))
		if end == to {
			break
		}
	}
	return p
}

// Stamps replays single arrivals: the n-th is due at the n-th of these
// offsets, which are 0 or more and do not fall. It ends with the second in
// which the last one is.
type Stamps []time.Duration

var _ Replay = Stamps{}

// Length is the end of the second that holds the last stamp.
func (s Stamps) Length() time.Duration {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].Truncate(time.Second) + time.Second
}

// At is how many stamps the second around elapsed holds.
func (s Stamps) At(elapsed time.Duration) float64 {
	second := elapsed.Truncate(time.Second)
	return s.Area(second+time.Second) - s.Area(second)
}

// Area is how many stamps are before elapsed.
func (s Stamps) Area(elapsed time.Duration) float64 {
	return float64(sort.Search(len(s), func(i int) bool { return s[i] >= elapsed }))
}

// OffsetOf is the n-th stamp, exactly.
func (s Stamps) OffsetOf(n float64) (time.Duration, bool) {
	if n >= float64(len(s)) {
		return 0, false
	}
	return s[int(n)], true
}

// Part is the stamps before its end.
func (s Stamps) Part(from, length time.Duration) Replay {
	var p Stamps
	for _, at := range s[int(s.Area(from)):int(s.Area(from+length))] {
		p = append(p, at-from)
	}
	return p
}
