package profiles

import (
	"sort"
	"time"
)

// Counts replays a load that was counted: in each interval it is level, at
// what was counted over the length of the interval. It ends with the last.
// Make it with NewCounts.
type Counts struct {
	ends []time.Duration // of the intervals
	sums []float64       // counted up to there
}

var _ Shape = Counts{}

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

// Stamps replays single arrivals: the n-th is due at the n-th of these
// offsets, which do not fall and begin with 0. It ends with the second in
// which the last one is.
type Stamps []time.Duration

var _ Shape = Stamps{}

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
