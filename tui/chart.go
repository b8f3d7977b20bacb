package tui

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/guptarohit/asciigraph"
)

// curve is one line of a chart; where its value is not a number it has a gap.
type curve struct {
	name   string
	pen    pen
	values []float64
}

// chart is a framed diagram over time.
type chart struct {
	title  string
	curves []curve // in the order of the legend
	counts bool    // of whole things
	limit  float64 // a line across, where the axis reaches it; 0: none
	axis   axis
	ends   [2]string // what stands at the begin and the end of the time; none: the time of the axis until now
	marks  []mark
	dots   []dot
	empty  string // what stands there without data
}

// dot is a single value.
type dot struct {
	at    float64 // in the width, 0..1
	value float64
}

const dotSign = "●"

const (
	most       = 1e15           // what is above is drawn there: asciigraph cannot scale what has no room above it
	labelWidth = 5              // of the numbers at the vertical axis
	gutter     = labelWidth + 1 // with the line of the axis
)

// plotColumns is how many columns of time a chart of width w has. Curves need
// one value more: a column is drawn from one value to the next.
func plotColumns(w int) int { return max(0, w-2-gutter) }

// render draws exactly w x h cells.
//
// asciigraph draws the curves only. It panics on empty and infinite series,
// and the width of what it returns depends on the labels; so it gets clean
// series of the exact length, no labels, and bounds that are never equal, and
// its axis is replaced by one of fixed width.
func (c chart) render(s *styles, w, h int) []string {
	columns, rows := plotColumns(w), h-3 // the frame and the time axis
	if columns < 4 || rows < 2 {
		return box(s, c.title, "", nil, w, h)
	}
	highest, any := 0.0, false
	for _, curve := range c.curves {
		for _, v := range curve.values {
			if !math.IsNaN(v) {
				any, highest = true, math.Max(highest, math.Min(v, most))
			}
		}
	}
	for _, d := range c.dots {
		any, highest = true, math.Max(highest, math.Min(d.value, most))
	}
	if !any {
		return box(s, c.title, "", centred(s, c.empty, w-2, h-2), w, h)
	}
	top := ceiling(highest)
	if c.counts {
		top = wholeCeiling(highest)
	}
	if c.limit > top && c.limit < 2*top {
		top = ceiling(c.limit)
	}
	lines := c.plot(s, columns, rows, top)
	for _, d := range c.dots {
		lines = d.over(lines, columns, top, s)
	}
	for i, label := range verticalAxis(rows, top) {
		lines[i] = s.paint(dim, label) + lines[i]
	}
	lines = append(lines, c.timeAxis(s, columns))
	return box(s, c.title, c.legend(s, top, w-width(c.title)-8), lines, w, h)
}

// plot returns rows lines of exactly columns cells.
func (c chart) plot(s *styles, columns, rows int, top float64) []string {
	var data [][]float64
	var colours []asciigraph.AnsiColor
	var chars []asciigraph.CharSet
	add := func(p pen, values []float64) {
		data, colours, chars = append(data, values), append(colours, s.pens[p]), append(chars, strokes[p])
	}
	if c.limit > 0 && c.limit <= top {
		across := make([]float64, columns+1)
		for i := range across {
			across[i] = c.limit
		}
		add(penLimit, across)
	}
	for _, p := range drawn {
		for _, curve := range c.curves {
			if values, any := within(curve.values, columns+1, top); any && curve.pen == p {
				add(p, values)
			}
		}
	}
	if len(data) == 0 {
		return exactly(nil, columns, rows)
	}
	text := asciigraph.PlotMany(data,
		asciigraph.Height(rows-1), asciigraph.LowerBound(0), asciigraph.UpperBound(top), asciigraph.Offset(1),
		asciigraph.SeriesColors(colours...), asciigraph.SeriesChars(chars...),
		asciigraph.YAxisValueFormatter(func(float64) string { return "" }))
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		_, n := utf8.DecodeRuneInString(line) // its vertical axis, always the first character
		lines[i] = line[n:]
	}
	return exactly(lines, columns, rows)
}

// over draws the dot over a plot; one that is not a number, or beyond its
// edges, is left out.
func (d dot) over(lines []string, columns int, top float64, s *styles) []string {
	column, height := math.Round(d.at*float64(columns-1)), math.Round(d.value/top*float64(len(lines)-1))
	if !(column >= 0 && column < float64(columns) && height >= 0 && height < float64(len(lines))) {
		return lines
	}
	at, row := int(column), len(lines)-1-int(height)
	lines[row] = ansi.Cut(lines[row], 0, at) + s.paint(strong, dotSign) + ansi.Cut(lines[row], at+1, columns)
	return lines
}

// drawn are the pens in the order of drawing: what comes later covers what
// came before.
var drawn = [...]pen{penHigh, penLow, penMain, penBad}

// within copies n values, none outside of 0 and top; any reports whether one
// of them is a number.
func within(values []float64, n int, top float64) (out []float64, any bool) {
	out = make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
		if i < len(values) && !math.IsNaN(values[i]) {
			out[i], any = math.Min(math.Max(values[i], 0), top), true
		}
	}
	return out, any
}

// verticalAxis is the axis with its labels, in rows of gutter cells. They are at
// its quarters or, where these are less than three rows high, at its halves,
// each in the row that a curve of its value is drawn in.
func verticalAxis(rows int, top float64) []string {
	last, parts := rows-1, 4
	if last < 3*parts {
		parts = 2
	}
	out := make([]string, rows)
	for i := range out {
		out[i] = strings.Repeat(" ", labelWidth) + "│"
	}
	for i := range parts + 1 {
		share := float64(i) / float64(parts)
		out[last-int(math.Round(share*float64(last)))] = padLeft(cut(axisNumber(share*top), labelWidth), labelWidth) + "┤"
	}
	return out
}

// axisNumber writes a number as exactly as labelWidth cells allow.
func axisNumber(v float64) string {
	if v >= 9999.5 {
		return scaled(v)
	}
	unit := 1000.0
	for limit := 10.0; v >= limit && unit > 1; limit *= 10 {
		unit /= 10
	}
	return strconv.FormatFloat(math.Round(v*unit)/unit, 'f', -1, 64)
}

// timeAxis is the line below the plot, with the marks.
func (c chart) timeAxis(s *styles, columns int) string {
	begin, end := "-"+seconds(c.axis.span()), "now"
	if c.ends != [2]string{} {
		begin, end = c.ends[0], c.ends[1]
	}
	left, right := len(begin), columns-len(end)
	if left >= right {
		return s.paint(dim, strings.Repeat(" ", labelWidth)+"└"+strings.Repeat("─", columns))
	}
	var b strings.Builder
	b.WriteString(s.paint(dim, strings.Repeat(" ", labelWidth)+"└"+begin))
	for _, m := range choose(c.marks, left+1, right-1) {
		b.WriteString(s.paint(dim, strings.Repeat("─", m.at-left)) + s.paint(m.tone, m.text))
		left = m.at + width(m.text)
	}
	b.WriteString(s.paint(dim, strings.Repeat("─", right-left)+end))
	return b.String()
}

// legend names the curves with a piece of each line, as many as fit.
func (c chart) legend(s *styles, top float64, w int) string {
	var parts []part
	add := func(p pen, name string) {
		parts = append(parts, part{s.draw(p, strokes[p].Horizontal) + " " + name, len(parts)})
	}
	for _, curve := range c.curves {
		add(curve.pen, curve.name)
	}
	if c.limit > 0 && c.limit <= top {
		add(penLimit, "SLO")
	}
	if len(parts) == 0 || len(parts) == 1 && len(c.curves) == 1 || width(parts[0].text) > w {
		return ""
	}
	if narrow := join(parts, " ", 1<<20); width(narrow)+len(parts)-1 > w {
		return join(parts, " ", w)
	}
	return join(parts, "  ", w)
}

func centred(s *styles, text string, w, h int) []string {
	out := make([]string, max(0, h))
	if h > 0 {
		text = cut(text, w)
		out[h/2] = strings.Repeat(" ", max(0, (w-width(text))/2)) + s.paint(dim, text)
	}
	return out
}
