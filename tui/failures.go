package tui

import (
	"fmt"
	"strconv"

	"headroom/advisor"
	"headroom/load"
)

// renderFailures is the table of what went wrong, and how long it took.
func renderFailures(st advisor.State, s *styles, a arrangement, w, h int) page {
	l := st.Load
	if !st.Loaded {
		return page{rows: centred(s, "no request yet", w, h)}
	}
	var foot []string
	if l.Total.Aborted > 0 {
		foot = append(foot, prose(s, dim, "Requests that the end aborted are counted apart; the SLO counts them as errors, as slow those over its limit.", w)...)
	}
	if l.Retried > 0 {
		foot = append(foot, prose(s, dim, fmt.Sprintf("%s sent again, because the connection had been closed while it was idle.", plural(l.Retried, "request")), w)...)
	}
	if len(l.Failures) == 0 && l.Total.Aborted == 0 {
		word := s.paint(good, "✓ no failure") + fmt.Sprintf(" among %s", plural(l.Total.Count, "request"))
		return page{rows: []string{"", " " + word}, foot: foot}
	}
	t := table{columns: []column{
		{title: "class", width: 10, left: true},
		{title: "count", width: 7},
		{title: "of all", width: 7, rank: 2},
		{title: "first", width: 7, rank: 1},
		{title: "last", width: 7},
		{title: "example", width: 38, left: true, grows: true, wraps: true},
	}}
	took := table{columns: []column{{title: "ms until it failed", width: 18, left: true}}}
	for _, c := range timesColumns {
		took.columns = append(took.columns, c.column)
	}
	var times [][][]cell // of each row, its latency and its service time
	for _, f := range l.Failures {
		name := f.Failure.String()
		if f.Status != 0 {
			name += " " + strconv.Itoa(int(f.Status))
		}
		times = append(times, timed([]cell{text(name)}, f.Latency, f.Service))
		share := 0.0
		if l.Total.Count > 0 {
			share = float64(f.Count) / float64(l.Total.Count)
		}
		t.rows = append(t.rows, []cell{
			toned(bad, name), number(f.Count, count(f.Count)), number(share, percent(share)),
			number(f.First, clock(f.First)), number(f.Last, clock(f.Last)), text(f.Example),
		})
	}
	if n := l.Total.Aborted - l.Total.OpenStreams(); n > 0 {
		t.rows = append(t.rows, []cell{
			toned(dim, load.Aborted.String()), number(n, count(n)), toned(dim, none), toned(dim, none), toned(dim, none),
			text("in flight at the end, the oldest for " + span(l.Total.AbortedAge)),
		})
	}
	if n := l.Total.OpenStreams(); n > 0 && l.Total.Aborted > 0 {
		t.rows = append(t.rows, []cell{
			toned(dim, none), number(n, count(n)), toned(dim, none), toned(dim, none), toned(dim, none),
			text("streams still open at the end"),
		})
	}
	titles, all := t.titles(w-2), len(t.rows)
	t, kept := t.arranged(a)
	for _, i := range kept {
		if i < len(times) {
			took.rows = append(took.rows, times[i]...)
		}
	}
	head, rows := t.render(s, w-2)
	if len(took.rows) > 0 {
		title, times := took.render(s, w-2)
		rows = append(append(rows, "", title), times...)
	}
	return page{head: []string{a.line(len(kept), all, s, w), " " + head}, rows: indent(rows), foot: foot, titles: titles}
}
