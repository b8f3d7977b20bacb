package tui

import (
	"fmt"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

func latencyCell(q load.Quantiles, v func(load.Quantiles) string) cell {
	if q.Count == 0 {
		return toned(dim, none)
	}
	return text(v(q))
}

// statsColumns are the figures of one kind of request.
var statsColumns = []struct {
	column
	of func(load.Stats) cell
}{
	{column{title: "count", width: 7}, func(r load.Stats) cell { return text(count(r.Count)) }},
	{column{title: "failed", width: 7}, func(r load.Stats) cell { return toned(toneIf(r.Failed > 0, bad), count(r.Failed)) }},
	{column{title: "fail %", width: 7, rank: 5}, func(r load.Stats) cell {
		return toned(toneIf(r.Failed > 0, bad), percent(r.FailShare()))
	}},
	{column{title: "req/s", width: 6}, func(r load.Stats) cell { return text(figure(r.Rate())) }},
	{column{title: "avg", width: 6, rank: 1}, func(r load.Stats) cell {
		return latencyCell(r.Latency, func(q load.Quantiles) string { return millis(q.Mean) })
	}},
	{column{title: "min", width: 6, rank: 6}, func(r load.Stats) cell {
		return latencyCell(r.Latency, func(q load.Quantiles) string { return millis(q.Min) })
	}},
	{column{title: "p50", width: 6}, func(r load.Stats) cell {
		return latencyCell(r.Latency, func(q load.Quantiles) string { return millis(q.P50) })
	}},
	{column{title: "p95", width: 6}, func(r load.Stats) cell {
		return latencyCell(r.Latency, func(q load.Quantiles) string { return millis(q.P95) })
	}},
	{column{title: "p99", width: 6}, func(r load.Stats) cell {
		return latencyCell(r.Latency, func(q load.Quantiles) string { return millis(q.P99) })
	}},
	{column{title: "max", width: 6, rank: 2}, func(r load.Stats) cell {
		return latencyCell(r.Latency, func(q load.Quantiles) string { return millis(q.Max) })
	}},
	{column{title: serviceColumn, width: 7, rank: 3}, func(r load.Stats) cell {
		return latencyCell(r.Service, func(q load.Quantiles) string { return millis(q.P95) })
	}},
	{column{title: "received", width: 8, rank: 4}, func(r load.Stats) cell { return text(profiles.FormatSize(r.Bytes)) }},
}

const serviceColumn = "svc p95"

// renderRequests is the table of what was asked for.
func renderRequests(st advisor.State, s *styles, w, h int) page {
	if !st.Loaded {
		return page{rows: centred(s, "no request yet", w, h)}
	}
	t := table{columns: []column{{title: "request", width: 18, left: true, grows: true}}}
	for _, c := range statsColumns {
		t.columns = append(t.columns, c.column)
	}
	add := func(name cell, r load.Stats) {
		row := []cell{name}
		for _, c := range statsColumns {
			row = append(row, c.of(r))
		}
		t.rows = append(t.rows, row)
	}
	for _, r := range st.Load.Requests {
		add(text(r.Name), r)
	}
	add(toned(strong, "all"), st.Load.Total)

	head, rows := t.render(s, w-2)
	legend := "Times are ms of the answers that succeeded, from when a request was meant to leave to its last byte"
	if t.shows(serviceColumn, w-2) {
		legend += "; svc is from when it really left. Where svc is much shorter, requests waited for a free user"
	}
	foot := append([]string{""}, prose(s, dim, legend+".", w)...)
	for _, r := range st.Load.Requests {
		if r.Streams != nil {
			foot = append(foot, prose(s, dim, r.Name+": "+streamed(*r.Streams), w)...)
		}
	}
	if resources := st.Load.Health.Resources(); resources != "" {
		foot = append(foot, prose(s, dim, "The generator and its machine: "+resources+".", w)...)
	}
	return page{head: []string{"", " " + head}, rows: indent(rows, 1), foot: foot}
}

// streamed is what came back as streams of events, in one sentence.
func streamed(r load.Streams) string {
	text := fmt.Sprintf("%s, %d complete, with %s", plural(r.Count, "stream"), r.Complete, plural(r.Events, "event"))
	if q := r.TTFT; q.Count > 0 {
		text += fmt.Sprintf(": first event after p50 %s, p95 %s ms", millis(q.P50), millis(q.P95))
	}
	if q := r.Gap; q.Count > 0 {
		text += fmt.Sprintf(", the next after p50 %s, p95 %s ms", millis(q.P50), millis(q.P95))
	}
	return text + "."
}
