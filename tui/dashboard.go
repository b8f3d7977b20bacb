package tui

import (
	"strings"
	"time"

	"headroom/advisor"
)

// renderDashboard draws the charts and, where there is room, the replicas and
// the log beside or below them.
//
//	narrow and low (80x24)   2 x 2 charts, three events, one less for a legend of the marks
//	100x30                   2 x 2 charts, five events
//	120x40                   2 x 2 charts, replicas and log below
//	wide and high (200x60)   4 charts below each other; replicas, advice and log beside them
//	wide and low             4 charts in a row, two or three events
//	narrow and high          throughput and latency across, users and replicas below
func renderDashboard(st advisor.State, s *styles, z zoom, lately trends, w, h int) []string {
	switch {
	case w >= 160 && h >= 32:
		side := min(w*21/50, 90)
		return beside(chartStack(st, s, z, w-side, h), sidePanel(st, s, z, lately, side, h))
	case w >= 110 && h >= 31:
		below := h/3 + (h-h/3)%2
		left := max(62, w/2)
		return append(chartGrid(st, s, z, w, h-below),
			beside(replicaPanel(st, s, lately, left, below), logPanel(st, s, z, w-left, below))...)
	}
	events := 2 + h%2
	switch {
	case h >= 24:
		events += 2
	case h < 18: // where charts get too low to show anything
		events -= 2
	}
	return append(chartGrid(st, s, z, w, h-events), newsLines(st, s, w, events, 1, markLegend(st, s, z, w-2))...)
}

// chartStack puts the four charts below each other in exactly w x h cells, so
// that what happened at one time stands in one column.
func chartStack(st advisor.State, s *styles, z zoom, w, h int) []string {
	charts := []func(advisor.State, zoom, int) chart{throughputChart, latencyChart, usersChart, replicasChart}
	var out []string
	for i, of := range charts {
		left := len(charts) - i
		each := (h - len(out) + left - 1) / left // the upper ones are the higher
		out = append(out, of(st, z, w).render(s, w, each)...)
	}
	return out
}

// chartGrid arranges the four charts in exactly w x h cells.
func chartGrid(st advisor.State, s *styles, z zoom, w, h int) []string {
	half := w / 2
	switch {
	case w >= 150 && h < 20:
		quarter := w / 4
		return beside(
			throughputChart(st, z, quarter).render(s, quarter, h), latencyChart(st, z, quarter).render(s, quarter, h),
			usersChart(st, z, quarter).render(s, quarter, h), replicasChart(st, z, w-3*quarter).render(s, w-3*quarter, h))
	case w < 110 && h >= 30:
		each := h * 3 / 8
		low := h - 2*each
		out := append(throughputChart(st, z, w).render(s, w, each), latencyChart(st, z, w).render(s, w, each)...)
		return append(out, beside(usersChart(st, z, half).render(s, half, low), replicasChart(st, z, w-half).render(s, w-half, low))...)
	default:
		low := h * 2 / 5 &^ 1 // an even height has a row in the middle of its axis
		top := h - low
		return append(
			beside(throughputChart(st, z, half).render(s, half, top), latencyChart(st, z, w-half).render(s, w-half, top)),
			beside(usersChart(st, z, half).render(s, half, low), replicasChart(st, z, w-half).render(s, w-half, low))...)
	}
}

// driven reports whether a point speaks of a load: while nothing runs there
// is no throughput, which is not one of 0.
func driven(p advisor.Point) bool {
	return p.Phase != advisor.Idle && p.Phase != "" && (p.Users > 0 || p.Rate > 0)
}

func timeAxisOf(st advisor.State, z zoom, w int, front ...subject) (axis, []mark) {
	a := newAxis(st.Points, plotColumns(w)+1, z)
	return a, marksOf(a, st.Timeline, front...)
}

// without is what stands where a chart has nothing to show: nothing of the kind
// has been yet, or all of it before the time of the axis.
func without(what string, st advisor.State) string {
	if st.Loaded && !running(st) {
		return "no " + what + " in this time"
	}
	return "no " + what + " yet"
}

// noLoad is what stands where the first chart will be.
func noLoad(st advisor.State) string {
	if st.Phase == advisor.Idle && !st.Loaded {
		return "press " + keys.Start.Help().Key + " to start"
	}
	return without("load", st)
}

func throughputChart(st advisor.State, z zoom, w int) chart {
	a, marks := timeAxisOf(st, z, w, ofLoad, ofWanted)
	rate := a.values(mean, func(p advisor.Point) (float64, bool) { return p.Rate, driven(p) })
	failed := a.values(mean, func(p advisor.Point) (float64, bool) { return p.Failed, driven(p) && p.Failed > 0 })
	c := chart{
		title: "throughput/s", axis: a, marks: marks, empty: noLoad(st),
		curves: []curve{{"all", penMain, rate}, {"failed", penBad, failed}},
	}
	if st.Plan.Open() {
		c.curves = append(c.curves, plannedCurve(a))
	}
	return c
}

// plannedCurve is the load that was planned: users, or arrivals per second.
func plannedCurve(a axis) curve {
	return curve{"planned", penLow, a.values(mean, func(p advisor.Point) (float64, bool) { return p.Planned, p.Phase == advisor.Swarming && driven(p) })}
}

// latencyChart shows the SLO's limit on latency as a line across where the
// axis reaches that far.
func latencyChart(st advisor.State, z zoom, w int) chart {
	a, marks := timeAxisOf(st, z, w, ofSLO)
	unit, name := time.Millisecond, "latency ms"
	for _, p := range a.points {
		if p.P99 >= 10*time.Second {
			unit, name = time.Second, "latency s"
			break
		}
	}
	of := func(how fold, value func(advisor.Point) time.Duration) []float64 {
		return a.values(how, func(p advisor.Point) (float64, bool) {
			d := value(p)
			return float64(d) / float64(unit), d > 0
		})
	}
	c := chart{title: name, axis: a, marks: marks, empty: without("answer", st)}
	c.curves = []curve{
		{"p95", penMain, of(peak, func(p advisor.Point) time.Duration { return p.P95 })},
		{"p50", penLow, of(mean, func(p advisor.Point) time.Duration { return p.P50 })},
	}
	if plotColumns(w) >= 40 {
		c.curves = append(c.curves, curve{"p99", penHigh, of(peak, func(p advisor.Point) time.Duration { return p.P99 })})
	}
	if o, ok := st.SLO.Latency(); ok {
		c.limit = o.Limit / unit.Seconds()
	}
	return c
}

func usersChart(st advisor.State, z zoom, w int) chart {
	a, marks := timeAxisOf(st, z, w, ofLoad, ofHand)
	title, users := "users", func(p advisor.Point) (float64, bool) { return float64(p.Users), driven(p) }
	if st.Loaded && st.Load.Open {
		title, users = "users busy with arrivals", func(p advisor.Point) (float64, bool) { return float64(p.InFlight), driven(p) }
	}
	c := chart{
		title: title, axis: a, marks: marks, counts: true, empty: without("load", st),
		curves: []curve{{"users", penMain, a.values(peak, users)}},
	}
	if st.Plan.UserShape != nil {
		c.curves = append(c.curves, plannedCurve(a))
	}
	return c
}

func replicasChart(st advisor.State, z zoom, w int) chart {
	a, marks := timeAxisOf(st, z, w, ofWanted, ofAnswer, ofLeave)
	answering := curve{"answering", penMain, a.values(peak, func(p advisor.Point) (float64, bool) {
		return float64(p.Answering), driven(p) && p.Answering > 0
	})}
	empty := without("replica", st)
	if len(st.Load.Replicas) == 0 {
		empty = noReplica(st)
	}
	c := chart{title: "replicas", axis: a, marks: marks, counts: true, empty: empty, curves: []curve{answering}}
	if !st.Managed {
		return c
	}
	up := a.values(peak, func(p advisor.Point) (float64, bool) { return float64(p.Up), p.Up > 0 || p.Wanted > 0 })
	wanted := a.values(peak, func(p advisor.Point) (float64, bool) { return float64(p.Wanted), p.Wanted > 0 })
	answering.pen = penHigh
	c.curves = []curve{{"up", penMain, up}, {"wanted", penLow, wanted}, answering}
	return c
}

// newsLines are the last events in exactly h lines, each on as many as it takes
// up to most; the legend of the marks, where it is not empty, and a doubt about
// the figures come before them.
func newsLines(st advisor.State, s *styles, w, h, most int, legend string) []string {
	var out []string
	if legend != "" {
		out = append(out, " "+legend)
	}
	if why := doubt(st); why != "" {
		t := warn
		if st.Load.Health.Verdict == "limited" {
			t = bad
		}
		lines := wrap(why, w-2)
		if len(lines) > most {
			lines = append(lines[:most-1], cut(strings.Join(lines[most-1:], " "), w-2))
		}
		for _, line := range lines {
			out = append(out, " "+s.paint(t, line))
		}
	}
	return exactly(append(out, latestEvents(st, s, w, h-len(out), most)...), w, h)
}

func replicaPanel(st advisor.State, s *styles, lately trends, w, h int) []string {
	head, rows := replicaTable(st, trendColumn(lately, 10)).render(s, w-4)
	if len(rows) == 0 {
		return box(s, "who answers", "", centred(s, noReplica(st), w-2, h-2), w, h)
	}
	note := ""
	if room := h - 3; len(rows) > room {
		note = s.paint(dim, count(len(rows)-room)+" more in view 3")
	}
	return box(s, "who answers", note, indent(append([]string{head}, rows...)), w, h)
}

func logPanel(st advisor.State, s *styles, z zoom, w, h int) []string {
	lines := newsLines(st, s, w-2, h-2, 3, "")
	return box(s, "log", markLegend(st, s, z, w-12), lines, w, h)
}

// sidePanel is the right column of a large screen.
func sidePanel(st advisor.State, s *styles, z zoom, lately trends, w, h int) []string {
	replicas := min(max(8, len(st.Fleet.Replicas)+3), h/3)
	advice := adviceSummary(st, s, w-4)
	out := append(replicaPanel(st, s, lately, w, replicas), box(s, "advice", "", advice, w, min(len(advice)+2, h/3))...)
	return append(out, logPanel(st, s, z, w, h-len(out))...)
}
