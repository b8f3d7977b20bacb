package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// chart is a drawing of values over time, or of a distribution. Its measures
// are percent of the plot, which is as wide as its reader's screen; so its
// words are no part of the drawing, and keep their size.
type chart struct {
	Title  string
	Unit   string
	Lines  []line
	Bars   []bar
	XTicks []tick
	YTicks []tick
	Marks  []tick // what happened, and when

	Readings readings
}

// line is one series. Where it has no value there is a gap.
type line struct {
	Name string
	Path string // of an SVG
}

// readings are the values of the lines as the reader sees them.
type readings struct {
	Left  []float64  // percent from the left
	At    []string   // the time there
	Lines [][]string // of each line, the values at these times
}

type bar struct {
	Left, Width, Top, Height float64
	Text                     string
}

type tick struct {
	At   float64 // percent from the left or from the top
	Text string
}

// series are the values of a line; NaN where there is none.
type series struct {
	name   string
	values []float64
}

// axis maps values to percent of the plot.
type axis struct {
	low, high float64
	log       bool
}

// share is where a value lies, in percent with two decimals.
func (a axis) share(v float64) float64 {
	share := (v - a.low) / (a.high - a.low)
	if a.log {
		share = math.Log(v/a.low) / math.Log(a.high/a.low)
	}
	return hundredths(100 * share)
}

func hundredths(v float64) float64 { return math.Round(v*100) / 100 }

// upTo is the axis from 0 to a round number above all values, with its ticks.
// Of what is counted there are no halves.
func upTo(values []float64) (axis, []float64) {
	most, counted := 0.0, true
	for _, v := range values {
		if v > most { // NaN is not
			most = v
		}
		counted = counted && v == math.Trunc(v)
	}
	step := roundStep(most / 4)
	if counted {
		step = max(step, 1)
	}
	a := axis{high: step * max(1, math.Ceil(most/step))}
	var ticks []float64
	for v := 0.0; v <= a.high*1.001; v += step {
		ticks = append(ticks, v)
	}
	return a, ticks
}

// roundStep is the least of 1, 2 and 5 times a power of ten that is no less
// than v.
func roundStep(v float64) float64 {
	if !(v > 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if f*power >= v*0.999 {
			return f * power
		}
	}
	return 10 * power
}

// decades is the logarithmic axis over all values above 0, from and to a power
// of ten or half of one where there is little between them.
func decades(values []float64) (axis, []float64, bool) {
	least, most := math.Inf(1), 0.0
	for _, v := range values {
		if v > 0 {
			least, most = min(least, v), max(most, v)
		}
	}
	if most == 0 {
		return axis{}, nil, false
	}
	a := axis{log: true, low: math.Pow(10, math.Floor(math.Log10(least))), high: math.Pow(10, math.Ceil(math.Log10(most)))}
	if a.high <= a.low {
		a.high = a.low * 10
	}
	var ticks []float64
	factors := []float64{1}
	if a.high/a.low < 150 {
		factors = []float64{1, 2, 5}
	}
	for power := a.low; power <= a.high*1.001; power *= 10 {
		for _, f := range factors {
			if power*f <= a.high*1.001 {
				ticks = append(ticks, power*f)
			}
		}
	}
	return a, ticks, true
}

// timeSteps are what lies between the ticks of a time axis, in seconds.
var timeSteps = []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200}

// timeTicks are at most six.
func timeTicks(a axis) (ticks []tick) {
	const day = 86400
	least := a.high / 5
	step := day * math.Ceil(least/day)
	if i := slices.IndexFunc(timeSteps, func(s float64) bool { return s >= least }); i >= 0 {
		step = timeSteps[i]
	}
	for i := 0; i < 6 && float64(i)*step <= a.high; i++ {
		at := float64(i) * step
		ticks = append(ticks, tick{a.share(at), clock(seconds(at))})
	}
	return ticks
}

// rateTicks are those of an axis of requests per second.
func rateTicks(a axis) (ticks []tick) {
	_, values := upTo([]float64{a.high})
	for _, v := range values {
		if v <= a.high {
			ticks = append(ticks, tick{a.share(v), compact(v)})
		}
	}
	return ticks
}

// logTicks are the round values within a logarithmic axis; its ends, where it
// is too short to have two.
func logTicks(a axis) (ticks []tick) {
	_, values, _ := decades([]float64{a.low, a.high})
	for _, v := range values {
		if a.low <= v && v <= a.high {
			ticks = append(ticks, tick{a.share(v), compact(v)})
		}
	}
	if len(ticks) < 2 {
		return []tick{{0, compact(a.low)}, {100, compact(a.high)}}
	}
	return ticks
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// base is what series are drawn over: rising values from 0 on.
type base struct {
	at    []float64
	ticks func(axis) []tick
	text  func(float64) string
}

// overSeconds is the base of what happens in time.
func overSeconds(at []float64) base {
	return base{at, timeTicks, func(s float64) string { return clock(seconds(s)) }}
}

// plot draws series over a base; nil where there is nothing to draw. With log
// the values stand on a logarithmic scale.
func plot(title, unit string, over base, log bool, all ...series) *chart {
	at := over.at
	c := &chart{Title: title, Unit: unit}
	values := []float64{}
	for _, s := range all {
		values = append(values, s.values...)
	}
	if len(at) < 2 || at[len(at)-1] <= 0 || !slices.ContainsFunc(values, func(v float64) bool { return v >= 0 }) {
		return nil
	}
	y, ticks := upTo(values)
	if log {
		ok := false
		if y, ticks, ok = decades(values); !ok {
			return nil
		}
	}
	x := axis{high: at[len(at)-1]}
	c.XTicks = over.ticks(x)
	for _, v := range ticks {
		c.YTicks = append(c.YTicks, tick{hundredths(100 - y.share(v)), compact(v)})
	}
	for _, t := range at {
		c.Readings.Left = append(c.Readings.Left, x.share(t))
		c.Readings.At = append(c.Readings.At, over.text(t))
	}
	for _, s := range all {
		l, values := line{Name: s.name}, []string{}
		var path strings.Builder
		pen := "M"
		for i, v := range s.values {
			if math.IsNaN(v) || log && v <= 0 {
				pen = "M"
				values = append(values, none)
				continue
			}
			fmt.Fprintf(&path, "%s%v %v", pen, x.share(at[i]), hundredths(100-y.share(v)))
			pen = "L"
			values = append(values, compact(v))
		}
		l.Path = path.String()
		c.Lines, c.Readings.Lines = append(c.Lines, l), append(c.Readings.Lines, values)
	}
	return c
}

// mark puts what happened into a chart over so many seconds.
func (c *chart) mark(at, length float64, text string) {
	if at >= 0 && at <= length {
		c.Marks = append(c.Marks, tick{hundredths(100 * at / length), text})
	}
}

// compact writes a value with three digits.
func compact(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 3, 64) + "M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'g', 3, 64) + "k"
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
