package tui

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
	"pgregory.net/rapid"

	"headroom/advisor"
	"headroom/load"
)

func TestChartIsExactlyAsLargeAsAsked(t *testing.T) {
	value := rapid.OneOf(rapid.SampledFrom([]float64{math.NaN(), 0, 1e-300, 1, 1e300, math.MaxFloat64}), rapid.Float64Range(0, 1e6))
	s := colourStyles(termenv.ANSI256, true, false)
	rapid.Check(t, func(t *rapid.T) {
		c := chart{
			title: "title", empty: "nothing", limit: rapid.Float64Range(0, 10).Draw(t, "limit"), counts: rapid.Bool().Draw(t, "counts"),
			axis: axis{columns: 10, step: time.Second},
		}
		for p := range rapid.IntRange(0, 4).Draw(t, "curves") {
			c.curves = append(c.curves, curve{"curve", pen(p), rapid.SliceOfN(value, 0, 60).Draw(t, "values")})
		}
		for range rapid.IntRange(0, 5).Draw(t, "marks") {
			c.marks = append(c.marks, mark{rapid.IntRange(-5, 80).Draw(t, "at"), "▲12", accent, ofWanted, rapid.IntRange(0, 1).Draw(t, "rank")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "dots") {
			c.dots = append(c.dots, dot{rapid.Float64Range(-1, 2).Draw(t, "dot"), value.Draw(t, "value")})
		}
		w, h := rapid.IntRange(4, 120).Draw(t, "w"), rapid.IntRange(2, 40).Draw(t, "h")
		lines := c.render(s, w, h)
		if len(lines) != h {
			t.Errorf("%d lines, want %d", len(lines), h)
		}
		for i, line := range lines {
			if got := ansi.StringWidth(line); got != w {
				t.Errorf("line %d is %d cells wide, want %d: %q", i, got, w, line)
			}
		}
	})
}

func TestChartShowsGapsAndTheLimit(t *testing.T) {
	nan := math.NaN()
	c := chart{
		title: "latency ms", limit: 5, axis: axis{columns: 13, step: 5 * time.Second}, marks: []mark{{5, "▲2", accent, ofWanted, 0}},
		curves: []curve{{"p95", penMain, []float64{nan, nan, 2, 2, 8, 8, nan, nan, 8, 8, 8, 2, 2}}},
	}
	got := strings.Join(c.render(plainStyles(), 20, 8), "\n")
	want := strings.Join([]string{
		"╭─ latency ms ─────╮",
		"│    8┤   ╭─╴ ╶──╮ │",
		"│     │···│······│·│",
		"│    4┤   │      │ │",
		"│     │ ╶─╯      ╰─│",
		"│    0┤            │",
		"│     └-1m──▲2──now│",
		"╰──────────────────╯",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// points makes one a second from at on.
func points(from, n int, of func(i int) advisor.Point) []advisor.Point {
	var out []advisor.Point
	for i := range n {
		p := of(i)
		p.At = time.Duration(from+i) * time.Second
		out = append(out, p)
	}
	return out
}

func rateOf(p advisor.Point) (float64, bool) { return p.Rate, true }

func TestAxisFoldsPoints(t *testing.T) {
	a := newAxis(points(1, 300, func(i int) advisor.Point { return advisor.Point{Rate: float64(i + 1)} }), 31, zoomFive)
	if a.step != 10*time.Second || a.span() != 5*time.Minute {
		t.Fatalf("columns of %v over %v, want 10s over 5m", a.step, a.span())
	}
	means, peaks := a.values(mean, rateOf), a.values(peak, rateOf)
	if got := means[1]; got != 14.5 { // the points at 10 to 19 s
		t.Errorf("mean of the second column %v, want 14.5", got)
	}
	if got := peaks[1]; got != 19 {
		t.Errorf("peak of the second column %v, want 19", got)
	}
}

func TestAxisDoesNotChangeWhatHasPassed(t *testing.T) {
	all := points(1, 400, func(i int) advisor.Point { return advisor.Point{Rate: float64(i * i % 97)} })
	before, after := newAxis(all[:380], 40, zoomFive), newAxis(all, 40, zoomFive)
	was, is := before.values(mean, rateOf), after.values(mean, rateOf)
	shift := int(after.first - before.first)
	for i := 0; i+shift+1 < len(was); i++ { // without the last column, which was not complete
		if was[i+shift] != is[i] {
			t.Errorf("column %d was %v and is %v", i, was[i+shift], is[i])
		}
	}
}

func TestAxisBridgesShortColumnsOnly(t *testing.T) {
	// Points come every 1.25 s, columns are a second long.
	var all []advisor.Point
	for i := range 20 {
		all = append(all, advisor.Point{At: time.Duration(i+1) * 1250 * time.Millisecond, Rate: 7})
	}
	all = append(all, advisor.Point{At: 50 * time.Second, Rate: 7})
	a := newAxis(all, 90, zoomFive)
	got := a.values(mean, rateOf)
	if n := a.column(3 * time.Second); got[n] != 7 {
		t.Errorf("the column between two points is %v, want 7", got[n])
	}
	if n := a.column(35 * time.Second); !math.IsNaN(got[n]) {
		t.Errorf("a column within a long silence is %v, want nothing", got[n])
	}
}

func TestAxisWindowGrowsInSteps(t *testing.T) {
	for _, test := range []struct {
		zoom zoom
		age  time.Duration
		want time.Duration
	}{
		{zoomFive, time.Second, time.Minute}, {zoomFive, time.Minute, time.Minute}, {zoomFive, 61 * time.Second, 2 * time.Minute},
		{zoomFive, 121 * time.Second, 5 * time.Minute}, {zoomFive, 50 * time.Minute, 5 * time.Minute},
		{zoomMinute, time.Second, time.Minute}, {zoomMinute, 10 * time.Hour, time.Minute},
		{zoomAll, time.Second, time.Minute}, {zoomAll, 50 * time.Minute, time.Hour}, {zoomAll, 13 * time.Hour, day}, {zoomAll, 49 * time.Hour, 3 * day},
	} {
		a := newAxis([]advisor.Point{{At: test.age}}, 31, test.zoom)
		if got := a.span(); got != test.want {
			t.Errorf("after %v with zoom %v the charts show %v, want %v", test.age, test.zoom, got, test.want)
		}
	}
}

// Where there are more columns than seconds the charts show no more time.
func TestAxisOfAWideChart(t *testing.T) {
	a := newAxis(points(1, 50, func(i int) advisor.Point { return advisor.Point{Rate: float64(i)} }), 121, zoomMinute)
	if a.span() != time.Minute {
		t.Errorf("120 columns show %v, want a minute", a.span())
	}
	got := a.values(mean, rateOf)
	for i, v := range got[len(got)-80:] {
		if math.IsNaN(v) {
			t.Errorf("column %d from the right has a gap", 80-i)
		}
	}
}

func TestZoomOfAYoungSession(t *testing.T) {
	for _, test := range []struct {
		zoom zoom
		age  time.Duration
		want string
	}{
		{zoomFive, 70 * time.Second, "zoom 5m  (2m so far)"}, {zoomFive, 3 * time.Minute, "zoom 5m"}, {zoomAll, 70 * time.Second, "zoom all"}, {zoomMinute, 5 * time.Second, "zoom 1m"},
	} {
		st := steadyState()
		st.Points = points(1, int(test.age.Seconds()), func(int) advisor.Point { return advisor.Point{} })
		m := showing(st, plainStyles(), viewDashboard, 120, 40)
		m.zoom = test.zoom
		if got := join(m.lookNotes(), "  ", 100); got != test.want {
			t.Errorf("after %v: %q, want %q", test.age, got, test.want)
		}
	}
}

// The history of a long session lies further apart the older it is, and its
// curves have no gaps for that.
func TestAxisOfALongSessionHasNoGaps(t *testing.T) {
	var all []advisor.Point
	for i := range 8 * 3600 {
		all = load.Coarsen(append(all, advisor.Point{At: time.Duration(i+1) * time.Second, Rate: 7}), func(p advisor.Point) time.Duration { return p.At })
	}
	for z := range zooms {
		a := newAxis(all, 180, z)
		for i, v := range a.values(mean, rateOf) {
			if begun := (a.first+int64(i))*int64(a.step) > 0; begun && math.IsNaN(v) {
				t.Fatalf("zoom %v: nothing in column %d of steps of %v", z, i, a.step)
			}
		}
	}
}

func TestCeiling(t *testing.T) {
	for _, test := range []struct{ v, want, whole float64 }{
		{0, 1, 4}, {0.01, 0.1, 4}, {0.3, 0.3, 4}, {1, 1, 4}, {4, 4, 4}, {4.1, 5, 8}, {9, 10, 12}, {17, 20, 20}, {23, 24, 24}, {30, 30, 40},
		{50, 50, 60}, {105, 120, 120}, {412.6, 500, 500}, {1001, 1200, 1200}, {math.Inf(1), 1, 4},
	} {
		if got := ceiling(test.v); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("ceiling(%v) = %v, want %v", test.v, got, test.want)
		}
		if got := wholeCeiling(test.v); got != test.whole {
			t.Errorf("wholeCeiling(%v) = %v, want %v", test.v, got, test.whole)
		}
	}
}

// A label says exactly where it stands: in the row that a curve of its value is
// drawn in, and of what is counted a whole number.
func TestLabelsOfAnAxisAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, rows, counts := rapid.Float64Range(0, 9000).Draw(t, "v"), rapid.IntRange(2, 60).Draw(t, "rows"), rapid.Bool().Draw(t, "counts")
		top := ceiling(v)
		if counts {
			top = wholeCeiling(v)
		}
		lines, labels := verticalAxis(rows, top), 0
		if len(lines) != rows || top < v*(1-1e-9) {
			t.Errorf("an axis of %d rows up to %v, want %d up to %v", len(lines), top, rows, v)
		}
		for row, line := range lines {
			if width(line) != gutter {
				t.Errorf("%q takes %d cells, want %d", line, width(line), gutter)
			}
			text, ok := strings.CutSuffix(line, "┤")
			if !ok {
				continue
			}
			labels++
			text, thousands := strings.CutSuffix(strings.TrimSpace(text), "k")
			value, err := strconv.ParseFloat(text, 64)
			if thousands {
				value *= 1000
			}
			quarters := math.Round(value / top * 4)
			at := rows - 1 - int(math.Round(quarters/4*float64(rows-1)))
			if err != nil || at != row || math.Abs(value-top*quarters/4) > 1e-9*top {
				t.Errorf("up to %v in %d rows the label %q stands in row %d, want %d", top, rows, text, row, at)
			}
			if counts && value != math.Trunc(value) {
				t.Errorf("the label %q of a count", text)
			}
		}
		if want := min(rows, 3); labels < want {
			t.Errorf("%d labels in %d rows, want %d", labels, rows, want)
		}
	})
}

func TestMarksOfFleetAndPhases(t *testing.T) {
	all := points(1, 60, func(i int) advisor.Point {
		p := advisor.Point{Phase: advisor.Idle, Wanted: 1}
		if i >= 10 {
			p.Phase = advisor.Swarming
		}
		if i >= 30 {
			p.Wanted = 3
		}
		if i >= 40 {
			p.Phase, p.Wanted = advisor.Measuring, 2
		}
		return p
	})
	var got []string
	for _, m := range marksOf(newAxis(all, 61, zoomFive), advisor.Timeline{}) {
		got = append(got, m.text)
	}
	if s := strings.Join(got, " "); s != "▶ ▲3 M ▼2" {
		t.Errorf("marks %q, want them in the order of time, of two the phase first: ▶ ▲3 M ▼2", s)
	}
}

// Marks that meet stand beside each other where there is room, in their order,
// and beside the end of the axis.
func TestMarksMakeRoom(t *testing.T) {
	at := func(column int, text string) mark { return mark{column, text, accent, ofPhase, 0} }
	for _, test := range []struct {
		name  string
		marks []mark
		want  string
	}{
		{"alone", []mark{at(20, "▲2")}, "-1m─────────────────▲2───────────────now"},
		{"two in a column", []mark{at(20, "A"), at(20, "▲3")}, "-1m─────────────────A─▲3─────────────now"},
		{"three in three columns", []mark{at(20, "A"), at(20, "▲3"), at(22, "V")}, "-1m─────────────────A─▲3─V───────────now"},
		{"at the end", []mark{at(40, "▶")}, "-1m────────────────────────────────▶─now"},
		{"in their order at the end", []mark{at(38, "M"), at(39, "▼1")}, "-1m─────────────────────────────M─▼1─now"},
		{"three at the end", []mark{at(36, "▶"), at(36, "▲2"), at(39, "▲3")}, "-1m──────────────────────────▶─▲2─▲3─now"},
		{"at the beginning", []mark{at(1, "▶")}, "-1m─▶────────────────────────────────now"},
		{"too far out", []mark{at(-1, "■"), at(60, "M")}, "-1m──────────────────────────────────now"},
		{"a crowd", []mark{at(20, "▲2"), at(21, "▲3"), at(22, "▲4"), at(23, "▲5"), at(24, "▲6")}, "-1m─────────────────▲2─▲3─▲4─────────now"},
	} {
		c := chart{axis: axis{columns: 41, step: 1500 * time.Millisecond}, marks: test.marks}
		if got := strings.TrimPrefix(c.timeAxis(plainStyles(), 40), "     └"); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}
