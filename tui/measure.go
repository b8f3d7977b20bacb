package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"headroom/advisor"
	"headroom/load"
)

// measuringPage follows a measurement: the newest step stays in view. Where
// there is room the throughput stands below the steps.
func measuringPage(st advisor.State, s *styles, w, h int, foot []string) page {
	slo := clean(st.SLO.String())
	now := "waiting for the fleet to come to rest"
	if t := st.Search.Now; t.Name != "" {
		now = "step under way: " + clean(t.Name) + ", for up to " + span(t.Length)
	}
	head, rows := stepTable(st.Search.Steps).render(s, w-2)
	if len(rows) == 0 {
		rows = []string{s.paint(dim, "no step has ended yet")}
	}
	p := page{
		tail: true,
		head: []string{
			" " + s.paint(strong, "Measuring") + cut(" what one replica holds under "+slo, w-11),
			" " + progress(st, s, w-2),
			" " + cut(now, w-2),
			"",
			" " + head,
		},
		rows: indent(rows), sum: stepSigns(st.Search.Steps, s, w), foot: foot,
	}
	if below := append(throughputCurve(st, s, w), foot...); max(usualSteps, len(rows)) <= h-len(p.head)-len(p.sum)-len(below) {
		p.foot = below
	}
	return p
}

// usualSteps is how many steps a measurement has that is soon done.
const usualSteps = 10

// progress is the share of the budget that is spent.
func progress(st advisor.State, s *styles, w int) string {
	whole := st.Search.Budget
	return cut(progressBar(st.Spent(), whole, s)+fmt.Sprintf("  %s left of %s of load", clock(whole-st.Spent()), clock(whole)), w)
}

// progressBar is of a fixed width.
func progressBar(done, whole time.Duration, s *styles) string {
	const cells = 30
	share := 0.0
	if whole > 0 {
		share = done.Seconds() / whole.Seconds()
	}
	full := bar(share, cells)
	return s.paint(accent, full) + s.paint(dim, strings.Repeat("░", cells-width(full)))
}

// replayed is how long a replay has sent its load. It has not begun while the
// load in view is the one before it.
func replayed(st advisor.State) time.Duration {
	if st.Load.Phase == load.Done {
		return 0
	}
	return min(st.Load.Elapsed, st.Replay)
}

// replayingPage follows a replay, with what it is compared with.
func replayingPage(st advisor.State, s *styles, w int, foot []string) page {
	under := "the policy that was there before"
	if st.Applied {
		under = "the advice"
	}
	demand, so := fmt.Sprintf("%s of %s", count(st.Load.Users), plural(st.Load.Wanted, "user")), st.Load.Total
	if st.Load.Open {
		demand = "arrivals " + trimmed(st.Load.Planned) + "/s"
	}
	p95 := none
	if so.Latency.Count > 0 {
		p95 = millis(so.Latency.P95) + " ms"
	}
	now := demand + s.paint(dim, " · so far ") + fmt.Sprintf("p95 %s, %s failed of %s", p95, percent(so.FailShare()), plural(so.Count, "request"))
	if replayed(st) == 0 {
		now = s.paint(dim, "about to begin")
	}
	return page{
		head: []string{
			" " + s.paint(strong, "Replaying") + cut(" the load for the comparison under "+under, w-11),
			" " + cut(progressBar(replayed(st), st.Replay, s)+fmt.Sprintf("  %s of %s", clock(replayed(st)), clock(st.Replay)), w-2),
			" " + cut(now, w-2),
		},
		rows: comparison(st, s, w), foot: foot,
	}
}

var findings = map[string]cell{
	"met":     toned(good, "✓ met"),
	"missed":  toned(bad, "✗ missed"),
	"met?":    toned(warn, "? met"),
	"missed?": toned(warn, "? missed"),
	"spoiled": toned(warn, "? spoilt"),
}

// stepTable has a row a step of a measurement.
func stepTable(steps []advisor.Observation) table {
	t := table{columns: []column{
		{title: "load", width: 14, left: true},
		{title: "req/s", width: 6},
		{title: "p50 ms", width: 6, rank: 3},
		{title: "p95 ms", width: 6},
		{title: "in flight", width: 9, rank: 2},
		{title: "failed", width: 6, rank: 1},
		{title: "took", width: 6, rank: 4},
		{title: "the SLO", width: 8, left: true},
		{title: "why", width: 34, left: true, grows: true, wraps: true},
	}}
	for _, o := range steps {
		verdict, ok := findings[o.Finding()]
		if !ok {
			verdict = toned(dim, none)
		}
		why := o.Decisive()
		if o.Health.Verdict == load.Limited {
			verdict, why = toned(bad, "✗ unfit"), "the generator was the limit: "+o.Health.Reason
		}
		p50, p95 := none, none
		if o.Requests > 0 {
			p50, p95 = millis(o.P50), millis(o.P95)
		}
		t.rows = append(t.rows, []cell{
			text(o.Trial.Name), text(figure(o.Rate)), text(p50), text(p95), text(figure(o.InFlight)),
			toned(toneIf(o.Failed > 0, bad), count(o.Failed)), text(span(o.Took)), verdict, text(why),
		})
	}
	return t
}

// stepLines is the table of the latest measurement.
func stepLines(st advisor.State, s *styles, w int) []string {
	if st.Search == nil || len(st.Search.Steps) == 0 {
		return nil
	}
	title := s.paint(strong, "Steps")
	if st.Search.Capacity == nil {
		title += s.paint(warn, " of a measurement that did not end")
	}
	head, rows := stepTable(st.Search.Steps).render(s, w-2)
	out := append([]string{"", " " + title, " " + head}, indent(rows)...)
	return append(out, stepSigns(st.Search.Steps, s, w)...)
}

// stepSigns explain those signs in the table of steps that are not read by
// themselves.
func stepSigns(steps []advisor.Observation, s *styles, w int) []string {
	has := func(what func(o advisor.Observation) bool) bool { return slices.ContainsFunc(steps, what) }
	var out []string
	if has(func(o advisor.Observation) bool { return strings.HasSuffix(o.Finding(), "?") }) {
		out = append(out, "? met, ? missed: by too few independent requests to be sure.")
	}
	if has(func(o advisor.Observation) bool { return o.Spoiled }) {
		out = append(out, "? spoilt: by something else than the service; nothing rests on it.")
	}
	if has(func(o advisor.Observation) bool { return o.Requests > 0 && max(o.P50, o.P95) == load.Unbounded }) {
		out = append(out, unbounded)
	}
	if company := advisor.Company(steps); company != "" {
		out = append(out, "On the machine: "+company+".")
	}
	if len(out) == 0 {
		return nil
	}
	return prose(s, dim, strings.Join(out, " "), w)
}

// unbounded explains a percentile of ∞.
const unbounded = "∞: too many requests failed or had no answer, which count as slower than any."

// comparison is the same load before and after, side by side.
func comparison(st advisor.State, s *styles, w int) []string {
	if st.Before == nil && st.After == nil {
		return nil
	}
	t := table{columns: []column{
		{title: "", width: 18, left: true},
		{title: "before", width: 17},
		{title: "after", width: 17},
	}}
	row := func(name string, of func(advisor.Outcome) cell) {
		cells := []cell{text(name)}
		for _, o := range []*advisor.Outcome{st.Before, st.After} {
			if o == nil {
				cells = append(cells, toned(dim, "not measured"))
			} else {
				cells = append(cells, of(*o))
			}
		}
		t.rows = append(t.rows, cells)
	}
	times := func(q load.Quantiles, v string) cell {
		if q.Count == 0 {
			return toned(dim, none)
		}
		return text(v + " ms")
	}
	row("holds the SLO", heldCell)
	for i, name := range objectiveNames(st) {
		row(name, func(o advisor.Outcome) cell { return objectiveCell(o, i) })
	}
	row("p50", func(o advisor.Outcome) cell { return times(o.Stats.Latency, millis(o.Stats.Latency.P50)) })
	row("p95", func(o advisor.Outcome) cell { return times(o.Stats.Latency, millis(o.Stats.Latency.P95)) })
	row("p99", func(o advisor.Outcome) cell { return times(o.Stats.Latency, millis(o.Stats.Latency.P99)) })
	row("throughput", func(o advisor.Outcome) cell { return text(figure(o.Stats.Rate()) + " req/s") })
	row("failed", func(o advisor.Outcome) cell {
		return toned(toneIf(o.Stats.Failed > 0, bad), percent(o.Stats.FailShare()))
	})
	row("replicas up", func(o advisor.Outcome) cell { return text(fleetRange(o)) })
	row("replicas answered", func(o advisor.Outcome) cell { return text(count(len(o.Replicas))) })
	known := func(name string, of func(advisor.Outcome) *float64, show func(float64) string) {
		for _, o := range []*advisor.Outcome{st.Before, st.After} {
			if o != nil && of(*o) != nil {
				row(name, func(o advisor.Outcome) cell {
					if v := of(o); v != nil {
						return text(show(*v))
					}
					return toned(dim, none)
				})
				return
			}
		}
	}
	known("in time", func(o advisor.Outcome) *float64 { return o.Attainment }, percent)
	known("replica hours", func(o advisor.Outcome) *float64 { return o.ReplicaSeconds }, func(seconds float64) string { return fmt.Sprintf("%.3g", seconds/3600) })
	known("cost", func(o advisor.Outcome) *float64 { return o.Cost }, func(v float64) string { return fmt.Sprintf("%.3g", v) })
	head, rows := t.render(s, w-2)
	out := append([]string{"", " " + s.paint(strong, "The same load") + s.paint(dim, " before and after"), " " + head}, indent(rows)...)
	return append(out, shortLines(st, s, w)...)
}

// shortLines say that a replay ended below the high rate, and where.
func shortLines(st advisor.State, s *styles, w int) []string {
	for _, o := range []*advisor.Outcome{st.After, st.Before} {
		if o != nil && o.Short != "" {
			return prose(s, dim, "In part: the load came to "+o.Short+", as it rises too slowly for a replay of that length.", w)
		}
	}
	return nil
}

func fleetRange(o advisor.Outcome) string {
	if o.Least == 0 && o.Most == 0 {
		return none
	}
	if o.Least == o.Most {
		return count(o.Least)
	}
	return fmt.Sprintf("%s to %s", count(o.Least), count(o.Most))
}

// objectiveNames are those of the outcome that has most.
func objectiveNames(st advisor.State) []string {
	var names []string
	for _, o := range []*advisor.Outcome{st.Before, st.After} {
		if o != nil && len(o.SLO) > len(names) {
			names = names[:0]
			for _, objective := range o.SLO {
				names = append(names, objective.Name)
			}
		}
	}
	return names
}

func objectiveCell(o advisor.Outcome, i int) cell {
	if i >= len(o.SLO) {
		return toned(dim, none)
	}
	objective := o.SLO[i]
	switch {
	case !objective.Valid:
		return toned(dim, "· no data")
	case objective.Holds:
		return toned(good, "✓ "+objectiveValue(objective))
	default:
		return toned(bad, "✗ "+objectiveValue(objective))
	}
}

func heldCell(o advisor.Outcome) cell {
	held, ok := o.Held()
	switch {
	case !ok && o.Health.Verdict == load.Limited:
		return toned(warn, "? generator limit")
	case !ok:
		return toned(warn, "? cannot tell")
	case held && o.Short != "":
		return toned(warn, "? in part")
	case held:
		return toned(good, "✓ yes")
	default:
		return toned(bad, "✗ no")
	}
}
