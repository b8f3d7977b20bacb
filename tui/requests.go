package tui

import (
	"math"
	"slices"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

// statsColumns are the counts of one kind of request.
var statsColumns = []struct {
	column
	of func(load.Stats) cell
}{
	{column{title: "count", width: 7}, func(r load.Stats) cell { return number(r.Count, count(r.Count)) }},
	{column{title: "failed", width: 7}, func(r load.Stats) cell { return number(r.Failed, count(r.Failed)).in(toneIf(r.Failed > 0, bad)) }},
	{column{title: "fail %", width: 7, rank: 5}, func(r load.Stats) cell {
		return number(r.FailShare(), percent(r.FailShare())).in(toneIf(r.Failed > 0, bad))
	}},
	{column{title: "req/s", width: 6}, func(r load.Stats) cell { return number(r.Rate(), figure(r.Rate())) }},
	{column{title: "received", width: 8, rank: 6}, func(r load.Stats) cell { return number(r.Bytes, profiles.FormatSize(r.Bytes)) }},
}

// streamColumns are those of streams of events, where there are any. What has
// no room among them stands in a row of its own.
var streamColumns = []struct {
	column
	of func(load.Streams) cell
}{
	{column{title: "events", width: 7, rank: 7}, func(r load.Streams) cell { return number(r.Events, count(r.Events)) }},
	{column{title: "open", width: 5, rank: 7}, func(r load.Streams) cell { return number(r.Open, count(r.Open)) }},
	{column{title: "complete", width: 8, rank: 8}, func(r load.Streams) cell { return number(r.Complete, count(r.Complete)) }},
	{column{title: "ttft p50", width: 8, rank: 9}, func(r load.Streams) cell { return timeCell(r.TTFT, r.TTFT.P50) }},
	{column{title: "ttft p95", width: 8}, func(r load.Streams) cell { return timeCell(r.TTFT, r.TTFT.P95) }},
	{column{title: "gap p50", width: 7, rank: 9}, func(r load.Streams) cell { return timeCell(r.Gap, r.Gap.P50) }},
	{column{title: "gap p95", width: 7, rank: 1}, func(r load.Streams) cell { return timeCell(r.Gap, r.Gap.P95) }},
}

// timesColumns are the figures of a distribution of times.
var timesColumns = []struct {
	column
	of func(load.Quantiles) time.Duration
}{
	{column{title: "avg", width: 6, rank: 2}, func(q load.Quantiles) time.Duration { return q.Mean }},
	{column{title: "min", width: 6, rank: 4}, func(q load.Quantiles) time.Duration { return q.Min }},
	{column{title: "p50", width: 6}, func(q load.Quantiles) time.Duration { return q.P50 }},
	{column{title: "p90", width: 6, rank: 1}, func(q load.Quantiles) time.Duration { return q.P90 }},
	{column{title: "p95", width: 6}, func(q load.Quantiles) time.Duration { return q.P95 }},
	{column{title: "p99", width: 6}, func(q load.Quantiles) time.Duration { return q.P99 }},
	{column{title: "max", width: 6, rank: 3}, func(q load.Quantiles) time.Duration { return q.Max }},
}

// times are the cells of a distribution.
func times(q load.Quantiles) []cell {
	cells := make([]cell, len(timesColumns))
	for i, c := range timesColumns {
		cells[i] = timeCell(q, c.of(q))
	}
	return cells
}

// timeCell is a time of a distribution, if that has any.
func timeCell(q load.Quantiles, t time.Duration) cell {
	if q.Count == 0 {
		return toned(dim, none)
	}
	return number(t, millis(t))
}

// timed is two rows: one with the latency behind its other cells, and below it
// one with the service time.
func timed(row []cell, latency, service load.Quantiles) [][]cell {
	below := make([]cell, len(row))
	below[0] = toned(dim, "  service time")
	return [][]cell{append(row, times(latency)...), append(below, times(service)...)}
}

// renderRequests is the table of what was asked for. The row of all stays at its
// end, whatever the others are sorted and filtered by.
func renderRequests(st advisor.State, s *styles, a arrangement, w, h int) page {
	if !st.Loaded {
		return page{rows: centred(s, "no request yet", w, h)}
	}
	t := table{columns: []column{{title: "request", width: 18, left: true, grows: true, name: true}}}
	for _, c := range statsColumns {
		t.columns = append(t.columns, c.column)
	}
	streams := streamColumns
	if st.Load.Total.Streams == nil {
		streams = nil
	}
	for _, c := range streams {
		t.columns = append(t.columns, c.column)
	}
	for _, c := range timesColumns {
		t.columns = append(t.columns, c.column)
	}
	rowsOf := func(name cell, r load.Stats) [][]cell {
		row := []cell{name}
		for _, c := range statsColumns {
			row = append(row, c.of(r))
		}
		for _, c := range streams {
			if r.Streams != nil {
				row = append(row, c.of(*r.Streams))
			} else {
				row = append(row, toned(dim, none))
			}
		}
		return timed(row, r.Latency, r.Service)
	}
	for _, r := range st.Load.Requests {
		t.rows = append(t.rows, rowsOf(text(r.Name), r)[0])
	}
	titles := t.titles(w - 2)
	t, kept := t.arranged(a)
	t.rows = nil // each becomes two
	for _, i := range kept {
		t.rows = append(t.rows, rowsOf(text(st.Load.Requests[i].Name), st.Load.Requests[i])...)
	}
	t.rows = append(t.rows, rowsOf(toned(strong, "all"), st.Load.Total)...)

	head, lines := t.render(s, w-2)
	lines = indent(lines)
	shown := t.choose(w - 2)
	var rows []string
	for n, i := range kept {
		rows = append(rows, lines[2*n:2*n+2]...)
		if r := st.Load.Requests[i].Streams; r != nil {
			rows = append(rows, streamLines(*r, shown, s, w)...)
		}
	}
	p := page{
		head: []string{a.line(len(kept), len(st.Load.Requests), s, w), " " + head}, rows: rows, sum: lines[2*len(kept):], titles: titles,
		foot: append([]string{""}, trustLines(st.Load.Health, s, w)...),
	}
	p.foot = append(p.foot, thresholdLines(st.Load, s, w, max(2, h/6))...)
	if legend := requestsLegend(st, s, w); len(p.head)+len(p.rows)+len(p.sum)+len(p.foot)+len(legend) <= h { // it gives way to rows
		p.foot = append(p.foot, legend...)
	}
	return p
}

// streamLines are a line with what of streams has none of the columns that are
// shown, if there is any.
func streamLines(r load.Streams, shown []int, s *styles, w int) []string {
	var parts []part
	for i, c := range streamColumns {
		if !slices.Contains(shown, 1+len(statsColumns)+i) {
			parts = append(parts, part{c.title + " " + c.of(r).text, c.rank})
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{" " + s.paint(dim, "  streams: "+join(parts, ", ", w-12))}
}

// requestsLegend explains the times of the table.
func requestsLegend(st advisor.State, s *styles, w int) []string {
	text := "Times are ms of the answers that succeeded: latency from when a request was meant to leave to its last byte, and below it service time from when it really left. Where that is much shorter, requests waited for a free user."
	if st.Load.Total.Streams != nil {
		text += " ttft ends with the first event of a stream, gap is from one event to the next."
	}
	if slices.ContainsFunc(slices.Concat(st.Load.SLO, st.Load.RecentSLO), func(o load.Objective) bool { return o.Valid && math.IsInf(o.Value, 0) }) {
		text += " " + unbounded
	}
	return prose(s, dim, text, w)
}
