package tui

import (
	"cmp"
	"fmt"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// renderReplicas says who answers, and what the scaler does about it. What is
// wrong stands above the table; what explains it below, where it can be moved
// to when there are many replicas.
func renderReplicas(st advisor.State, s *styles, a arrangement, lately trends, w, h int) page {
	above, notes := replicaAlarms(st, s, w), replicaNotes(st, s, w)
	if len(st.Fleet.Replicas) == 0 {
		word := "no replica has answered yet"
		if st.Loaded && st.Load.Unnamed > 0 {
			word = "no answer names the replica that gave it"
		}
		return page{head: above, rows: centred(s, word, w, max(3, h-len(above)-len(notes))), foot: notes}
	}
	seconds := 10
	if w >= 140 {
		seconds = trendSeconds
	}
	t := replicaTable(st, trendColumn(lately, seconds), shareBars(st.Fleet))
	titles := t.titles(w - 2)
	t, kept := t.arranged(a)
	head, rows := t.render(s, w-2)
	above = append(above, " "+replicaSummary(st, s, w-2))
	if d := st.Decision; st.Managed && (d.Current > 0 || d.Desired > 0) {
		above = append(above, said(s, plain, "last decision "+d.At.Format("15:04:05")+"  "+d.String(), w, 2)...)
	}
	if line := st.Fleet.SourceLine(); line != "" {
		above = append(above, said(s, dim, line, w, 2)...)
	}
	above = append(above, a.line(len(kept), len(st.Fleet.Replicas), s, w), " "+head)
	return page{head: above, rows: append(append(indent(rows, 1), ""), notes...), titles: titles}
}

// replicaAlarms are what keeps the load from replicas, and a scaler that does
// not answer.
func replicaAlarms(st advisor.State, s *styles, w int) []string {
	out := banner(st, s, w, 4) // here it is what one looks for
	if st.Managed && st.ScalerError != "" {
		out = append(out, said(s, bad, "✗ the scaler does not answer: "+st.ScalerError, w, 2)...)
	}
	return out
}

// banner is what keeps the load from replicas, in so many lines at most.
func banner(st advisor.State, s *styles, w, most int) []string {
	if len(st.Notices) == 0 {
		return nil
	}
	return said(s, warn, "! "+st.Notices[0].Text, w, most)
}

// replicaSummary counts the replicas by what they do, each once; of a scaler
// also what it wants and has.
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
	answering := s.paint(strong, count(f.Answering())) + " answering"
	if n := f.Count(probe.New); n > 0 {
		answering += s.paint(good, fmt.Sprintf(", %d of them new", n))
	}
	parts = append(parts, part{answering, 0})
	add(f.Count(probe.Ready), "ready", plain, 1)
	add(f.Count(probe.Starting), "starting", accent, 1)
	add(f.Count(probe.Failing), "failing", bad, 0)
	add(f.Count(probe.Suspect), "suspect", warn, 0)
	add(f.Count(probe.Draining), "draining", dim, 2)
	add(f.Count(probe.Quiet), "quiet", dim, 2)
	add(f.Count(probe.Gone), "gone", dim, 3)
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
	for _, n := range st.Notices[min(1, len(st.Notices)):] { // the first is the banner
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
