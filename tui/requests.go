package tui

import (
	"fmt"
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
	{column{title: "fail %", width: 7, rank: 4}, func(r load.Stats) cell {
		return number(r.FailShare(), percent(r.FailShare())).in(toneIf(r.Failed > 0, bad))
	}},
	{column{title: "req/s", width: 6}, func(r load.Stats) cell { return number(r.Rate(), figure(r.Rate())) }},
	{column{title: "received", width: 8, rank: 5}, func(r load.Stats) cell { return number(r.Bytes, profiles.FormatSize(r.Bytes)) }},
}

// streamColumns are those of streams of events, where there are any.
var streamColumns = []struct {
	column
	of func(load.Streams) cell
}{
	{column{title: "events", width: 6, rank: 7}, func(r load.Streams) cell { return number(r.Events, count(r.Events)) }},
	{column{title: "open", width: 5, rank: 7}, func(r load.Streams) cell { return number(r.Open, count(r.Open)) }},
	{column{title: "ttft p50", width: 8, rank: 8}, func(r load.Streams) cell { return timeCell(r.TTFT, r.TTFT.P50) }},
	{column{title: firstEventColumn, width: 8, rank: 7}, func(r load.Streams) cell { return timeCell(r.TTFT, r.TTFT.P95) }},
	{column{title: "gap p50", width: 7, rank: 8}, func(r load.Streams) cell { return timeCell(r.Gap, r.Gap.P50) }},
	{column{title: "gap p95", width: 7, rank: 7}, func(r load.Streams) cell { return timeCell(r.Gap, r.Gap.P95) }},
}

const firstEventColumn = "ttft p95"

// timesColumns are the figures of a distribution of times.
var timesColumns = []struct {
	column
	of func(load.Quantiles) time.Duration
}{
	{column{title: "avg", width: 6, rank: 1}, func(q load.Quantiles) time.Duration { return q.Mean }},
	{column{title: "min", width: 6, rank: 3}, func(q load.Quantiles) time.Duration { return q.Min }},
	{column{title: "p50", width: 6}, func(q load.Quantiles) time.Duration { return q.P50 }},
	{column{title: "p90", width: 6}, func(q load.Quantiles) time.Duration { return q.P90 }},
	{column{title: "p95", width: 6}, func(q load.Quantiles) time.Duration { return q.P95 }},
	{column{title: "p99", width: 6}, func(q load.Quantiles) time.Duration { return q.P99 }},
	{column{title: "max", width: 6, rank: 2}, func(q load.Quantiles) time.Duration { return q.Max }},
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

	head, rows := t.render(s, w-2)
	rows = indent(rows, 1)
	all := len(rows) - 2
	legend := "Times are ms of the answers that succeeded: latency from when a request was meant to leave to its last byte, and below it service time from when it really left. Where that is much shorter, requests waited for a free user"
	wide := t.shows(firstEventColumn, w-2)
	if wide {
		legend += ". ttft ends with the first event of a stream, gap is from one event to the next"
	}
	foot := append([]string{""}, prose(s, dim, legend+".", w)...)
	for _, r := range st.Load.Requests {
		if r.Streams != nil && !wide {
			foot = append(foot, prose(s, dim, r.Name+": "+streamed(*r.Streams), w)...)
		}
	}
	foot = append(foot, thresholdLines(st.Load, s, w)...)
	foot = append(foot, trustLines(st.Load.Health, s, w)...)
	return page{
		head: []string{a.line(len(kept), len(st.Load.Requests), s, w), " " + head}, rows: rows[:all], sum: rows[all:], foot: foot, titles: titles,
	}
}

// streamed is what came back as streams of events, in one sentence.
func streamed(r load.Streams) string {
	text := fmt.Sprintf("%s, %d complete, %d open, with %s", plural(r.Count, "stream"), r.Complete, r.Open, plural(r.Events, "event"))
	if q := r.TTFT; q.Count > 0 {
		text += fmt.Sprintf(": first event after p50 %s, p95 %s ms", millis(q.P50), millis(q.P95))
	}
	if q := r.Gap; q.Count > 0 {
		text += fmt.Sprintf(", the next after p50 %s, p95 %s ms", millis(q.P50), millis(q.P95))
	}
	return text + "."
}
