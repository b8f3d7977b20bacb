package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

var replicaSigns = map[probe.State]struct {
	sign string
	tone tone
}{
	probe.Starting: {"◆", accent},
	probe.Ready:    {"✓", plain},
	probe.Suspect:  {"!", warn},
	probe.Serving:  {"✓", good},
	probe.Quiet:    {"·", dim},
	probe.Draining: {"▼", dim},
	probe.Failing:  {"✗", bad},
	probe.Gone:     {"·", dim},
}

// replicaTable has a row a replica. bars show the shares beside each other.
func replicaTable(st advisor.State, bars bool) table {
	t := table{columns: []column{
		{title: "replica", width: 12, left: true, grows: true, name: true},
		{title: "state", width: 10, left: true},
		{title: "share", width: 7},
		{title: "req/s", width: 6},
		{title: "p50", width: 6},
		{title: "p95", width: 6},
		{title: "p99", width: 6, rank: 4},
		{title: "errors", width: 6, rank: 1},
		{title: "in fl", width: 5, rank: 5},
		{title: "first", width: 5, rank: 3},
		{title: "started in", width: 10, rank: 2},
		{title: "cpu time", width: 8, rank: 6},
		{title: "memory", width: 8, rank: 7},
	}}
	parts := slices.ContainsFunc(st.Fleet.Replicas, func(r probe.Replica) bool { return r.Parts != nil })
	if parts {
		t.columns = append(t.columns, column{title: "network", width: 7, rank: 9}, column{title: "queue", width: 6, rank: 9}, column{title: "compute", width: 7, rank: 9})
	}
	if bars {
		t.columns = append(t.columns, column{title: "of the largest share", width: barWidth, left: true, rank: 8})
	}
	largest := 0.0
	for _, r := range st.Fleet.Replicas {
		largest = max(largest, r.Share)
	}
	for _, r := range st.Fleet.Replicas {
		row := replicaRow(r, st)
		if parts {
			row = append(row, partCells(r.Parts)...)
		}
		if largest > 0 {
			row = append(row, toned(accent, bar(r.Share/largest, barWidth)))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

const barWidth = 20

// partCells are the means of what a service time is made of, in ms.
func partCells(m *probe.Means) []cell {
	if m == nil {
		m = &probe.Means{}
	}
	var out []cell
	for _, d := range []*time.Duration{m.Network, m.Queue, m.Compute} {
		if d == nil {
			out = append(out, toned(dim, none))
		} else {
			out = append(out, toned(plain, millis(*d)))
		}
	}
	return out
}

func replicaRow(r probe.Replica, st advisor.State) []cell {
	look := replicaSigns[r.State]
	const nothing = none
	share, rate, p50, p95, p99, errors, first := nothing, nothing, nothing, nothing, nothing, nothing, nothing
	if r.Answered {
		share, rate, errors = percent(r.Share), figure(r.Rate), count(r.Failed)
		if r.P99 > 0 {
			p50, p95, p99 = millis(r.P50), millis(r.P95), millis(r.P99)
		}
		if !st.Load.Started.IsZero() && !r.FirstSeen.IsZero() {
			first = clock(r.FirstSeen.Sub(st.Load.Started))
		}
	}
	inFlight, started, cpu, memory := nothing, nothing, nothing, nothing
	if r.Managed {
		inFlight = count(r.InFlight)
		if r.StartedIn > 0 {
			started = span(r.StartedIn)
		}
		if r.CPU > 0 {
			cpu = span(r.CPU)
		}
		if r.Memory > 0 {
			memory = profiles.FormatSize(r.Memory)
		}
	}
	base := plain
	if r.State == probe.Gone {
		base = dim
	}
	c := func(s string) cell {
		if s == nothing {
			return toned(dim, s)
		}
		return toned(base, s)
	}
	row := []cell{c(r.ID), toned(look.tone, look.sign+" "+string(r.State)), c(share), c(rate), c(p50), c(p95), c(p99),
		c(errors), c(inFlight), c(first), c(started), c(cpu), c(memory)}
	if r.Failed > 0 && r.State != probe.Gone {
		row[7].tone = bad
	}
	return row
}

// bar is a share of 0..1 as a bar of at most w cells.
func bar(share float64, w int) string {
	n := int(min(max(share, 0), 1)*float64(w) + 0.5)
	return strings.Repeat("█", n)
}

// renderReplicas says who answers, and what the scaler does about it.
func renderReplicas(st advisor.State, s *styles, w, h int) page {
	foot := replicaNotes(st, s, w)
	if len(st.Fleet.Replicas) == 0 {
		word := "no replica has answered yet"
		if st.Loaded && st.Load.Unnamed > 0 {
			word = "no answer names the replica that gave it"
		}
		return page{rows: centred(s, word, w, max(3, h-len(foot))), foot: foot}
	}
	head, rows := replicaTable(st, true).render(s, w-2)
	above := []string{" " + replicaSummary(st, s, w-2)}
	if line := st.Fleet.SourceLine(); line != "" {
		above = append(above, said(s, dim, line, w, 2)...)
	}
	return page{head: append(above, "", " "+head), rows: indent(rows, 1), foot: append([]string{""}, foot...)}
}

// banner is what keeps the load from replicas, in a few lines.
func banner(st advisor.State, s *styles, w int) []string {
	if len(st.Notices) == 0 {
		return nil
	}
	const most = 2
	return said(s, warn, "! "+st.Notices[0].Text, w, most)
}

// replicaSummary counts the replicas by what they do.
func replicaSummary(st advisor.State, s *styles, w int) string {
	f := st.Fleet
	parts := []part{}
	add := func(n int, word string, t tone, rank int) {
		if n > 0 {
			parts = append(parts, part{s.paint(t, fmt.Sprintf("%d %s", n, word)), rank})
		}
	}
	if st.Managed {
		add(f.Wanted, "wanted", strong, 0)
		add(f.Up(), "up", plain, 0)
	}
	parts = append(parts, part{s.paint(strong, count(f.Answering())) + " answering", 0})
	add(f.Count(probe.Starting), "starting", accent, 1)
	add(f.Count(probe.Failing), "failing", bad, 0)
	add(f.Count(probe.Suspect), "suspect", warn, 0)
	add(f.Count(probe.Draining), "draining", dim, 2)
	add(f.Count(probe.Quiet), "quiet", dim, 2)
	if st.Managed {
		parts = append(parts, part{fmt.Sprintf("in flight %d, of them %d in the queue", f.InFlight, f.Queue), 3})
	}
	return join(parts, s.paint(dim, " · "), w)
}

// replicaNotes are the lines under the table.
func replicaNotes(st advisor.State, s *styles, w int) []string {
	var out []string
	say := func(t tone, text string) {
		for _, line := range wrap(text, w-2) {
			out = append(out, " "+s.paint(t, line))
		}
	}
	for _, r := range st.Fleet.Replicas {
		if r.State == probe.Failing && r.LastError != "" {
			say(bad, fmt.Sprintf("✗ %s ended by itself: %s", r.ID, r.LastError))
		}
		if r.State == probe.Suspect {
			say(warn, fmt.Sprintf("! %s gets no requests until it answers again: %s", r.ID, r.LastError))
		}
	}
	for _, n := range st.Notices {
		say(warn, "! "+n.Text)
	}
	for _, source := range st.Fleet.Sources {
		if source.Error != "" && (source.Origin == probe.FromWorkers || source.Origin == probe.FromDNS) {
			say(bad, "✗ "+source.Error)
		}
	}
	if st.Loaded {
		sayIdentity(st.Load, say)
	}
	if !st.Managed {
		return out
	}
	if st.ScalerError != "" {
		say(bad, "✗ the scaler does not answer: "+st.ScalerError)
	}
	if d := st.Decision; d.Current > 0 || d.Desired > 0 {
		say(plain, "last decision "+d.At.Format("15:04:05")+"  "+d.String())
	}
	say(dim, "policy in force: "+policyLine(st.Policy))
	return out
}

func sayIdentity(l load.Snapshot, say func(tone, string)) {
	named := l.Total.Count - l.Total.Failed - l.Unnamed
	switch {
	case l.Identity != "" && l.Found:
		say(dim, fmt.Sprintf("identity: %s, found by itself; %s: %s", l.Identity, l.Sure, l.Why))
	case l.Identity != "":
		say(dim, "identity: "+l.Identity+", as given")
	case l.Unnamed > 0:
		say(warn, "! No identity: "+cmp.Or(l.Why, "no good answer yet")+". Let answers carry a header X-Served-By: docs/replicas.md has the three lines for FastAPI, Flask, Express, Go and nginx. Or say with --replica-from where to look.")
	}
	for _, sentence := range l.Spread() {
		say(dim, sentence)
	}
	if l.Identity != "" && l.Unnamed > 0 && named >= 0 {
		say(warn, fmt.Sprintf("! %s carried no name", plural(l.Unnamed, "answer")))
	}
}

// policyLine is a policy in one line.
func policyLine(p profiles.Policy) string {
	if p.Version == "" {
		return "not known"
	}
	if p.Fixed() {
		return fmt.Sprintf("always %s", plural(p.Replicas.Min, "replica"))
	}
	text := fmt.Sprintf("min %d, max %s", p.Replicas.Min, p.Replicas.Max)
	for _, m := range p.Metrics {
		text += fmt.Sprintf(", %s %s per replica over %s", m.Kind, m.Target, m.Window)
	}
	text += fmt.Sprintf(", every %s, down after %s", p.Interval, p.Down.Stabilization)
	if n := len(p.Schedules); n > 0 {
		text += ", " + plural(n, "schedule")
	}
	return text
}

// seconds writes a duration of a policy.
func seconds(d time.Duration) string { return profiles.Duration(d).String() }
