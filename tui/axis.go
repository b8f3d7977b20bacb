package tui

import (
	"math"
	"time"

	"headroom/advisor"
	"headroom/load"
)

// zoom is how much of the past the charts show.
type zoom uint8

const (
	zoomFive zoom = iota
	zoomAll
	zoomMinute
	zooms
)

func (z zoom) String() string { return [zooms]string{"5m", "all", "1m"}[z] }

const day = 24 * time.Hour

// windows are the lengths of time of a zoom. The charts begin with the first
// and move on to the next when the session is older.
var windows = [zooms][]time.Duration{
	zoomMinute: {time.Minute},
	zoomFive:   {time.Minute, 2 * time.Minute, 5 * time.Minute},
	zoomAll: {time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day},
}

// window is how much the charts show of a session of that age. After the last
// window they slide; those of all of it grow by days.
func (z zoom) window(age time.Duration) time.Duration {
	for _, w := range windows[z] {
		if age <= w {
			return w
		}
	}
	if z == zoomAll && age < math.MaxInt64-day {
		return (age + day - 1).Truncate(day)
	}
	return windows[z][len(windows[z])-1]
}

// short reports whether a session of that age is too young for all that the
// zoom is of.
func (z zoom) short(age time.Duration) bool {
	return z != zoomAll && z.window(age) < windows[z][len(windows[z])-1]
}

// fold is how the points that share a column become one value.
type fold uint8

const (
	mean fold = iota // rates, typical latencies
	peak             // high percentiles, counts: a peak must not vanish
)

// axis is the time axis that the charts of one screen share: which points
// fall into which of the columns. Columns start at multiples of their length,
// so that values do not change while they move to the left.
type axis struct {
	points  []advisor.Point // those in view, and one before them
	columns int
	step    time.Duration // a column stands for
	first   int64         // number of the first column, counted from the start of the session
	now     time.Duration // of the latest point
}

// ageOf is how old a session is that has this history.
func ageOf(points []advisor.Point) time.Duration {
	if len(points) == 0 {
		return 0
	}
	return points[len(points)-1].At
}

// newAxis lays the latest points out over so many columns.
func newAxis(points []advisor.Point, columns int, z zoom) axis {
	a := axis{columns: columns, step: time.Second}
	if columns < 1 || len(points) == 0 {
		return a
	}
	a.now = ageOf(points)
	a.step = z.window(a.now) / time.Duration(max(1, columns-1))
	a.first = int64(a.now/a.step) - int64(columns) + 1

	begin := time.Duration(a.first) * a.step
	from := len(points)
	for from > 0 && points[from-1].At >= begin {
		from--
	}
	a.points = points[max(0, from-1):]
	return a
}

// hold is how long a point speaks for the time after it: somewhat longer than
// the next one may be away.
func (a axis) hold(p advisor.Point) time.Duration {
	return max(time.Second, (a.now-p.At)/load.Resolution) * 5 / 2
}

// column is where a point falls; it may be outside.
func (a axis) column(at time.Duration) int { return int(int64(at/a.step) - a.first) }

// values folds the points of each column. Where there is no data the value is
// not a number: of() says so by ok, and so does the time before the first
// point and after a pause.
func (a axis) values(how fold, of func(advisor.Point) (v float64, ok bool)) []float64 {
	out := make([]float64, a.columns)
	sums := make([]float64, a.columns)
	counts := make([]int, a.columns)
	for i := range out {
		out[i] = math.NaN()
	}
	for _, p := range a.points {
		c := a.column(p.At)
		v, ok := of(p)
		if c < 0 || c >= a.columns || !ok || math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		counts[c]++
		sums[c] += v
		if how == mean {
			out[c] = sums[c] / float64(counts[c])
		} else if counts[c] == 1 || v > out[c] {
			out[c] = v
		}
	}
	a.bridge(out, of)
	return out
}

// bridge fills columns that no point fell into with the value before them:
// where columns are as short as the distance of the points, some miss theirs.
func (a axis) bridge(out []float64, of func(advisor.Point) (float64, bool)) {
	for i := 0; i+1 < len(a.points); i++ {
		here, next := a.points[i], a.points[i+1]
		v, ok := of(here)
		if !ok || next.At-here.At > a.hold(here) || math.IsInf(v, 0) {
			continue
		}
		for c := max(0, a.column(here.At)+1); c < min(a.columns, a.column(next.At)); c++ {
			out[c] = v
		}
	}
}

// span is the time from the first column to the last.
func (a axis) span() time.Duration {
	return (time.Duration(a.columns-1) * a.step).Round(time.Second)
}

// ceiling is the smallest round number that is not below v: an axis that ends
// on it does not move with every point, and the labels at its quarters are
// exact.
func ceiling(v float64) float64 {
	if !(v > 0) || math.IsInf(v, 0) {
		return 1
	}
	v = math.Max(v, leastCeiling)
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, tenths := range []float64{10, 12, 16, 20, 24, 30, 40, 50, 60, 80, 100} {
		if top := tenths * unit / 10; top >= v*(1-1e-9) && !math.IsInf(top, 0) {
			return top
		}
	}
	return v
}

// leastCeiling is the lowest whose quarters have room for their digits.
const leastCeiling = 0.1

// wholeCeiling is the same for things that are counted: a quarter of it is a
// whole number.
func wholeCeiling(v float64) float64 {
	top := ceiling(v)
	for math.Mod(top, 4) != 0 {
		top = ceiling(top * 1.01)
	}
	return top
}
