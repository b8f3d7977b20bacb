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
	above, notes := append(replicaAlarms(st, s, w), fleetLines(st, s, w)...), replicaNotes(st, s, w)
	if len(st.Fleet.Replicas) == 0 {
		return page{head: above, rows: centred(s, noReplica(st), w, max(3, h-len(above)-len(notes))), foot: notes}
	}
	seconds := 10
	if w >= 140 {
		seconds = trendSeconds
	}
	t := replicaTable(st, trendColumn(lately, seconds), shareBars(st.Fleet))
	titles := t.titles(w - 2)
	t, kept := t.arranged(a)
	head, rows := t.render(s, w-2)
	above = append(above, a.line(len(kept), len(st.Fleet.Replicas), s, w), " "+head)
	return page{head: above, rows: append(append(indent(rows), ""), notes...), titles: titles}
}

// noReplica is why no replica is to be seen, in a few words.
func noReplica(st advisor.State) string {
	switch {
	case st.Managed && st.Fleet.Managed && len(st.Fleet.Replicas) == 0:
		return "the scaler runs no replica"
	case st.Loaded && st.Load.Unnamed > 0:
		return "answers name no replica"
	}
	return "no replica has answered yet"
}

// fleetLines are the fleet in numbers, what the scaler last decided, and what
// each source says. Of a scaler they are there without a replica too: then its
// queue and its reason matter most.
func fleetLines(st advisor.State, s *styles, w int) []string {
	var out []string
	if st.Fleet.Managed || len(st.Fleet.Replicas) > 0 {
		out = append(out, " "+replicaSummary(st, s, w-2))
	}
	if d := st.Decision; st.Managed && !d.At.IsZero() {
		out = append(out, said(s, plain, "last decision "+d.At.Format(time.TimeOnly)+"  "+d.String(), w, 2)...)
	}
	if line := st.Fleet.SourceLine(); line != "" {
		out = append(out, said(s, dim, line, w, 2)...)
	}
	return out
}

// replicaAlarms are what keeps the load from replicas, and a scaler that does
// not answer.
func replicaAlarms(st advisor.State, s *styles, w int) []string {
	var out []string
	if len(st.Notices) > 0 {
		out = said(s, warn, "! "+st.Notices[0].Text, w, 4) // here it is what one looks for
	}
	if st.Managed && st.ScalerError != "" {
		out = append(out, said(s, bad, "✗ the scaler does not answer: "+st.ScalerError, w, 2)...)
	}
	return out
}

// replicaSummary counts the replicas by what they do, each once; of a scaler
// also what it wants and has, and how many requests wait for a replica. Those
// are in flight as well.
func replicaSummary(st advisor.State, s *styles, w int) string {
	f := st.Fleet
	parts := []part{}
	add := func(n int, word string, t tone, rank int) {
		if n > 0 {
			parts = append(parts, part{s.paint(t, fmt.Sprintf("%d %s", n, word)), rank})
		}
	}
	if f.Managed {
		parts = append(parts, part{s.paint(strong, count(f.Wanted)+" wanted"), 0}, part{count(f.Up()) + " up", 0}, part{"queue " + count(f.Queue), 0})
	}
	answering := s.paint(strong, count(f.Answering())) + " answering"
	if n := f.Count(probe.New); n > 0 {
		answering += s.paint(good, fmt.Sprintf(", %d of them new", n))
	}
	if st.Load.Unnamed > 0 && len(st.Load.Replicas) == 0 { // how many answer is not known then
		answering = s.paint(dim, noReplica(st))
	}
	if !fleetOnly(st) { // there it is not known
		parts = append(parts, part{answering, 0})
	}
	add(f.Count(probe.Ready), "ready", plain, 1)
	add(f.Count(probe.Starting), "starting", accent, 1)
	add(f.Count(probe.Failing), "failing", bad, 0)
	add(f.Count(probe.Suspect), "suspect", warn, 0)
	add(f.Count(probe.Draining), "draining", dim, 2)
	add(f.Count(probe.Quiet), "quiet", dim, 2)
	add(f.Count(probe.Gone), "gone", dim, 3)
	if f.Managed {
		parts = append(parts, part{"in flight " + count(f.InFlight), 3})
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
	for _, n := range st.Notices[min(1, len(st.Notices)):] { // the first stands above
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
