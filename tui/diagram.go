package tui

import (
	"io"
	"math"
	"strings"
	"time"

	"headroom/profiles"
)

// Diagram is a chart of a time that is over, for a result that is printed.
type Diagram struct {
	Title  string
	Curves []Curve // at most four
	Counts bool    // of whole things
	Limit  float64 // a line across, where the axis reaches it; 0: none
}

// Curve is values that are spread evenly over the time; NaN where there is
// none.
type Curve struct {
	Name   string
	Values []float64
}

// Draw returns diagrams of the same length of time below each other, each of w
// x h cells, in the colours of the terminal behind out, or without any, and in nothing but
// ASCII if so said.
func Draw(out io.Writer, ascii bool, length time.Duration, diagrams []Diagram, w, h int) string {
	s := newStyles(out, ascii)
	ends := [2]string{"0s", profiles.Duration(length.Round(time.Second)).String()}
	var lines []string
	for _, d := range diagrams {
		c := chart{title: d.Title, counts: d.Counts, limit: d.Limit, ends: ends, empty: "nothing"}
		for i, of := range d.Curves {
			c.curves = append(c.curves, curve{of.Name, pen(i), gather(of.Values, plotColumns(w)+1)})
		}
		lines = append(lines, c.render(s, w, h)...)
	}
	drawn := strings.Join(lines, "\n") + "\n"
	if ascii {
		drawn = toASCII(drawn)
	}
	return drawn
}

// gather makes n values of others: the highest of those that fall together, so
// that a peak does not vanish, or the nearest where they are fewer.
func gather(values []float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
		from := i * len(values) / n
		for _, v := range values[from:max(from+min(1, len(values)), (i+1)*len(values)/n)] {
			if !math.IsNaN(v) && !(v <= out[i]) {
				out[i] = v
			}
		}
	}
	return out
}
