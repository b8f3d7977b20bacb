package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// WritePair writes two runs side by side, in lines of so many columns; of 0 of
// any width.
func WritePair(w io.Writer, a, b Run, width int) error {
	p := &paper{w: w, width: width}
	p.pair(a, b)
	return p.err
}

// WritePairMarkdown writes two runs side by side in Markdown.
func WritePairMarkdown(w io.Writer, a, b Run, _ int) error { return newPairPage(a, b).markdown(w) }

// WritePairHTML writes two runs side by side as one file for a browser.
func WritePairHTML(w io.Writer, a, b Run, _ int) error { return newPairPage(a, b).html(w) }

func newPairPage(a, b Run) page {
	out := page{Title: "Two runs: A and B", Mood: plain}
	_, first := conclusion(a)
	_, second := conclusion(b)
	out.Verdict = fmt.Sprintf("A: %s. B: %s", first, second)
	out.add("Side by side", func(p *paper) { p.pair(a, b) })
	out.add("Over time", func(p *paper) {
		p.chart(together("Throughput", "requests/s", false, a, b, func(p load.Point) float64 { return p.Rate }))
		p.chart(together("Latency p95 of successes", "ms, logarithmic", true, a, b, func(p load.Point) float64 {
			if p.Latency.Count == 0 {
				return math.NaN()
			}
			return inMillis(p.Latency.P95)
		}))
	})
	out.add("How A was made", func(p *paper) { p.origin(a) })
	out.add("How B was made", func(p *paper) { p.origin(b) })
	return out
}

// pair is the table of the figures of both, and the objectives of either.
func (p *paper) pair(a, b Run) {
	p.say("A is %s", a.Target)
	p.say("B is %s", b.Target)
	row := func(name string, of func(Run) string) []string { return []string{name, of(a), of(b)} }
	rows := [][]string{
		{"", "A", "B"},
		row("began, UTC", func(r Run) string { return r.Date.UTC().Format(time.DateTime) }),
		row("load", func(r Run) string { return demand(r.Result) }),
		row("for", func(r Run) string { return r.Result.Loaded.Round(100 * time.Millisecond).String() }),
	}
	for _, f := range figures {
		rows = append(rows, row(f.name, f.of))
	}
	seen := map[string]bool{}
	for _, r := range []Run{a, b} {
		for _, o := range r.Result.SLO {
			if !seen[o.Name] {
				seen[o.Name] = true
				rows = append(rows, row("SLO "+o.Name, func(r Run) string { return objectiveOf(r, o.Name) }))
			}
		}
	}
	for _, r := range []Run{a, b} {
		for _, t := range r.Result.Thresholds {
			if name := "threshold " + t.Threshold.String(); !seen[name] {
				seen[name] = true
				rows = append(rows, row(name, func(r Run) string { return thresholdOf(r, t.Threshold) }))
			}
		}
	}
	p.printf("\n")
	p.table("lrr", rows)
}

// thresholdOf is what a run says to a threshold.
func thresholdOf(r Run, t profiles.Threshold) string {
	for _, judged := range r.Result.Thresholds {
		if judged.Threshold == t {
			return judged.Format() + mark(judged.Valid, judged.Holds)
		}
	}
	return none
}

// objectiveOf is what a run says to an objective.
func objectiveOf(r Run, name string) string {
	for _, o := range r.Result.SLO {
		if o.Name == name {
			return verdict(o)
		}
	}
	return none
}

// together draws one figure of both runs over the seconds since each began.
func together(title, unit string, log bool, a, b Run, figure func(load.Point) float64) *chart {
	long := a.Result.Points
	if more := b.Result.Points; len(more) > 0 && (len(long) == 0 || more[len(more)-1].At > long[len(long)-1].At) {
		long = more
	}
	at := pick(long, func(p load.Point) float64 { return p.At.Seconds() })
	of := func(name string, points []load.Point) series {
		return series{name, pick(long, func(moment load.Point) float64 {
			from := moment.At - time.Second/2 // the seconds of two runs do not end at once
			i, _ := slices.BinarySearchFunc(points, from, func(p load.Point, t time.Duration) int { return cmp.Compare(p.At, t) })
			if i == len(points) {
				return math.NaN()
			}
			return figure(points[i])
		})}
	}
	return plot(title, unit, overSeconds(at), log, of("A", a.Result.Points), of("B", b.Result.Points))
}
