package tui

import (
	"math"
	"time"

	"headroom/advisor"
)

// windows are how much of the past the charts show. A chart begins with the
// first and moves on to the next when the session is older; after the last
// one it slides.
var windows = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute}

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
	hold    time.Duration // how long a point speaks for the time after it
}

// newAxis lays the latest points out over so many columns.
func newAxis(points []advisor.Point, columns int) axis {
	a := axis{columns: columns, step: time.Second}
	if columns < 1 || len(points) == 0 {
		return a
	}
	now := points[len(points)-1].At
	window := windows[len(windows)-1]
	for _, w := range windows {
		if now <= w {
			window = w
			break
		}
	}
	spacing := time.Second
	if n := len(points) - 1; n > 0 {
		spacing = max(spacing, (now-points[0].At)/time.Duration(n))
	}
	a.step = max(window/time.Duration(max(1, columns-1)), spacing.Truncate(time.Second))
	a.hold = 5 * spacing / 2
	a.first = int64(now/a.step) - int64(columns) + 1

	begin := time.Duration(a.first) * a.step
	from := len(points)
	for from > 0 && points[from-1].At >= begin {
		from--
	}
	a.points = points[max(0, from-1):]
	return a
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
		if !ok || next.At-here.At > a.hold || math.IsInf(v, 0) {
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
// on it does not move with every point.
func ceiling(v float64) float64 {
	if !(v > 0) || math.IsInf(v, 0) {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8, 10} {
		if top := step * unit; top >= v*(1-1e-9) && top > 0 && !math.IsInf(top, 0) {
			return top
		}
	}
	return v
}

// wholeCeiling is the same for things that are counted: a quarter of it is a
// whole number.
func wholeCeiling(v float64) float64 {
	top := 4 * ceiling(v/4)
	if quarter := top / 4; quarter < 100 && quarter != math.Trunc(quarter) {
		top = 4 * math.Ceil(quarter)
	}
	return math.Max(top, 4)
}
