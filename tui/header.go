package tui

import (
	"fmt"
	"strings"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

// headerHeight is how many lines renderHeader returns.
const headerHeight = 3

// renderHeader says in three lines what runs, how it goes and whether it is
// good enough.
func renderHeader(st advisor.State, s *styles, w int) []string {
	return []string{
		titleLine(st, s, w),
		" " + join(figures(st, s, w), separator(s, w), w-2),
		sides(" "+objectives(st, s, w-4-width(replicaLine(st, s))), replicaLine(st, s)+" ", w),
	}
}

func separator(s *styles, w int) string {
	if w < 100 {
		return "  "
	}
	return s.paint(dim, " │ ")
}

func titleLine(st advisor.State, s *styles, w int) string {
	left := " " + s.paint(strong, "headroom") + " " + phaseText(st, s)
	right := trust(st, s) + " "
	room := w - width(left) - width(right) - 4
	if room < 12 {
		return sides(left, right, w)
	}
	target := s.paint(accent, cutMiddle(clean(st.Plan.ShownTarget()), room))
	return sides(left+"  "+target, right, w)
}

// phaseText is what the session does, with how far it is.
func phaseText(st advisor.State, s *styles) string {
	elapsed := clock(st.Load.Elapsed)
	switch {
	case st.Lost != "":
		return s.paint(bad, "✗ connection lost")
	case st.Ended && st.Loaded:
		return s.paint(strong, "■ the run has ended") + " after " + elapsed
	case st.Ended:
		return s.paint(strong, "■ the run has ended")
	case fleetOnly(st):
		return s.paint(good, "▶ scaler")
	}
	switch st.Phase {
	case advisor.Swarming:
		if st.Load.Ends > 0 {
			elapsed += " of " + clock(st.Load.Ends)
		}
		switch st.Load.Phase {
		case load.Paused:
			return s.paint(warn, "❚❚ paused") + " " + elapsed
		case load.Draining:
			return s.paint(accent, "▶ draining") + " " + elapsed
		}
		return s.paint(good, "▶ swarming") + " " + elapsed
	case advisor.Measuring:
		if st.Search == nil || st.Search.Budget <= 0 {
			return s.paint(accent, "◆ measuring")
		}
		return s.paint(accent, "◆ measuring") + fmt.Sprintf(" %s of %s", clock(st.Spent()), clock(st.Search.Budget))
	case advisor.Applying:
		return s.paint(accent, "◆ applying")
	case advisor.Replaying:
		return s.paint(accent, "◆ replaying") + fmt.Sprintf(" %s of %s", clock(replayed(st)), clock(st.Replay))
	case advisor.Idle:
		if st.Loaded {
			return s.paint(strong, "■ idle") + ", last run " + elapsed
		}
		return s.paint(strong, "■ idle") + ": press enter to start"
	default:
		return s.paint(dim, "■ no state yet")
	}
}

// trust is what the generator says of itself, in one word.
func trust(st advisor.State, s *styles) string {
	if fleetOnly(st) {
		return ""
	}
	if !st.Loaded {
		return s.paint(dim, "· no load yet")
	}
	switch st.Load.Health.Verdict {
	case load.Sound:
		return s.paint(good, "✓ sound")
	case load.Strained:
		return s.paint(warn, "! strained")
	case load.Limited:
		return s.paint(bad, "✗ limited")
	default:
		return s.paint(dim, "· not judged")
	}
}

// doubt is why the figures may not be believed, or "".
func doubt(st advisor.State) string {
	h := st.Load.Health
	reason := clean(h.Reason)
	switch {
	case !st.Loaded:
		return ""
	case h.Verdict == load.Limited:
		return "✗ the generator, not the target, shapes these figures: " + reason
	case h.Verdict == load.Strained:
		return "! take latencies with care: " + reason
	default:
		return ""
	}
}

// trustLines say in full what the word for the generator rests on.
func trustLines(h load.Health, s *styles, w int) []string {
	t, text := dim, "The generator is sound"
	switch h.Verdict {
	case load.Sound:
	case load.Strained:
		t, text = warn, "! The generator is strained: "+h.Reason
	case load.Limited:
		t, text = bad, "✗ The generator is the limit: "+h.Reason
	default:
		text = "The generator is not judged yet"
	}
	figures := fmt.Sprintf("%s. 99 %% of the requests left within %s of when they were due; it used %s cores", text, span(h.LagP99), trimmed(h.CPU))
	if resources := h.Resources(); resources != "" {
		figures += "; " + resources
	}
	return prose(s, t, figures+".", w)
}

// lately reports whether the header speaks of the last seconds: those of a
// load that goes on, else of the whole run.
func lately(l load.Snapshot) bool { return l.Phase == load.Running || l.Phase == load.Paused }

// current is what the figures of the header speak of. In a pause there are
// none: those of the seconds before it would look as if it went on.
func current(l load.Snapshot) load.Stats {
	switch {
	case l.Phase == load.Paused:
		return load.Stats{}
	case lately(l):
		return l.Recent
	}
	return l.Total
}

func figures(st advisor.State, s *styles, w int) []part {
	if fleetOnly(st) {
		return []part{{s.paint(dim, "in flight ") + count(st.Fleet.InFlight), 0}, {s.paint(dim, "of them queued ") + count(st.Fleet.Queue), 0}}
	}
	if !st.Loaded {
		switch p := st.Plan; {
		case p.Shape != nil:
			return []part{{"arrivals over time planned", 0}}
		case p.Open():
			return []part{{"arrivals " + trimmed(p.Rate) + "/s planned", 0}}
		case p.UserShape != nil:
			return []part{{"users over time planned", 0}}
		}
		return []part{{fmt.Sprintf("%s planned, %s started per second", plural(st.Plan.Users, "user"), trimmed(st.Plan.SpawnRate)), 0}}
	}
	l := st.Load
	c := current(l)
	demand := fmt.Sprintf("users %s/%s", padLeft(count(l.Users), len(count(l.Wanted))), count(l.Wanted))
	more := "+" + trimmed(l.SpawnRate) + "/s"
	if l.Shaped {
		more = "as planned"
	}
	flight := part{s.paint(dim, "in flight ") + padLeft(count(l.InFlight), 4), 6}
	if l.Open { // users are made as they are needed, and one with a request is busy
		demand = "arrivals " + trimmed(l.Planned) + "/s"
		flight = part{s.paint(dim, "busy ") + count(l.InFlight), 2}
	}
	if w >= 90 && !l.Open && st.Phase != advisor.Measuring { // a measurement starts all its users at once
		demand += " " + s.paint(dim, more)
	}
	rate, fail := padLeft(figure(c.Rate()), 6), padLeft(percent(c.FailShare()), 6)
	if c.Count == 0 {
		fail = padLeft(none, 6)
	}
	if c.Over <= 0 {
		rate = padLeft(none, 6)
	}
	latency := func(name string, v string) string { return s.paint(dim, name) + " " + padLeft(v, 5) }
	p50, p95, p99 := none, none, none
	if q := c.Latency; q.Count > 0 {
		p50, p95, p99 = millis(q.P50), millis(q.P95), millis(q.P99)
	}
	stalled, firm := []part(nil), 0
	if waiting, oldest, ok := l.Stalled(); ok {
		stalled, firm = []part{{s.paint(bad, "waiting "+count(waiting)+", oldest "+span(oldest)), 0}}, 2 // the latencies are those from before
	}
	return append(append([]part{{demand, 0}}, stalled...), append(append(unserved(l.Health, s), streaming(l.Total, s)...), []part{
		{rate + s.paint(dim, " req/s"), 0},
		{s.paint(dim, "fail ") + s.paint(toneIf(c.Failed > 0, bad), fail), 0},
		{latency("p50", p50), 4}, {latency("p95", p95), firm}, {latency("p99", p99) + s.paint(dim, " ms"), 3},
		flight,
		{s.paint(dim, "received ") + padLeft(profiles.FormatSize(l.Total.Bytes), 7), 7},
		{s.paint(dim, "requests ") + padLeft(count(l.Total.Count), 7), 5},
	}...)...)
}

// streaming says how many streams go on, of which no request is counted yet.
func streaming(r load.Stats, s *styles) []part {
	if r.Streams == nil {
		return nil
	}
	return []part{{s.paint(dim, "streams ") + count(r.Streams.Open) + s.paint(dim, " events ") + count(r.Streams.Events), 1}}
}

// unservedWords explain what unserved says.
const unservedWords = "waited, dropped: arrivals that found no free user · missed: beats of users with a pace, which passed because an answer was slow"

// unserved says how many arrivals found no free user, or how many beats of the
// users' pace passed without a request.
func unserved(h load.Health, s *styles) []part {
	switch {
	case h.Dropped > 0:
		return []part{{s.paint(warn, "dropped "+count(h.Dropped)), 1}}
	case h.Late+h.Unsent > 0:
		return []part{{s.paint(warn, "waited "+count(h.Late+h.Unsent)), 1}}
	case h.Missed > 0:
		return []part{{s.paint(warn, "missed "+count(h.Missed)), 1}}
	}
	return nil
}

// replicaLine says how many there are and how many there should be.
func replicaLine(st advisor.State, s *styles) string {
	f := st.Fleet
	switch {
	case st.Managed && st.ScalerError != "":
		return s.paint(bad, "✗ the scaler does not answer")
	case st.Managed:
		text := fmt.Sprintf("%s of %s up", count(f.Up()), plural(f.Wanted, "replica"))
		if f.Pinned {
			text += ", pinned"
		}
		if len(st.Notices) > 0 {
			text += fmt.Sprintf(", %d answering", f.Answering())
		}
		return s.paint(toneIf(f.Up() < f.Wanted || len(st.Notices) > 0, warn), text)
	case len(st.Load.Replicas) > 0:
		return plural(f.Answering(), "replica") + " answering"
	case st.Loaded:
		return s.paint(dim, noReplica(st))
	default:
		return ""
	}
}

// views are the tabs, in the order of their keys.
var views = [...]string{"Dashboard", "Requests", "Replicas", "Failures", "Advisor", "Log"}

// The views by number.
const (
	viewDashboard = iota
	viewRequests
	viewReplicas
	viewFailures
	viewAdvisor
	viewLog
)

// renderTabs names the views; notes at the right say how the active one is
// looked at.
func renderTabs(shown []int, active int, notes []part, s *styles, w int) string {
	var b strings.Builder
	for _, i := range shown {
		label := fmt.Sprintf("%d %s", i+1, views[i])
		if i == active {
			b.WriteString(s.paint(chosen, "["+label+"]"))
		} else {
			b.WriteString(s.paint(dim, " "+label+" "))
		}
	}
	tabs := b.String()
	return sides(tabs, join(notes, "  ", w-width(tabs)-3)+" ", w)
}
