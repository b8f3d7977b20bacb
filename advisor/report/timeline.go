package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"headroom/advisor"
	"headroom/profiles"
)

// fewSteps are as many load steps as are worth reading; JSON has all.
const fewSteps = 20

// WriteTimeline writes how the replicas followed the load, an episode a block,
// in lines of so many columns as WriteSummary does. Where nothing but the load
// changed there is nothing to write. The clock counts from the start of the
// load that an episode belongs to.
func WriteTimeline(w io.Writer, title string, episodes []advisor.Episode, width int) error {
	p := &paper{w: w, width: width}
	p.timeline(title, episodes)
	return p.err
}

func (p *paper) timeline(title string, episodes []advisor.Episode) {
	if !slices.ContainsFunc(episodes, advisor.Episode.Tells) {
		return
	}
	p.printf("\n")
	p.say("%s, with times from each step", title)
	var rows [][]string
	if p.kept != nil { // a page names its columns
		rows = append(rows, []string{"at", "load", "what followed"})
	}
	for _, e := range episodes[:min(len(episodes), fewSteps)] {
		at, change := clock((e.At - e.Load).Round(time.Second)), e.Change()
		if ramp := e.Settled - e.At; ramp > 2500*time.Millisecond {
			change += " in " + ramp.Round(time.Second).String()
		}
		for _, line := range story(e) {
			rows = append(rows, []string{at, change, line})
			at, change = "", ""
		}
	}
	p.table("llt", rows)
	if more := len(episodes) - fewSteps; more > 0 {
		p.say("%s in the JSON", profiles.Plural(more, "later step is", "later steps are"))
	}
}

// story says what came of a load step, a line a subject.
func story(e advisor.Episode) []string {
	after := func(at time.Duration) string { return delay(at - e.At) }
	var out []string
	if n := len(e.Moves); n > 0 {
		text := fmt.Sprintf("decided after %s: %s", after(e.Moves[0].At), e.Moves[0])
		if last := e.Moves[n-1]; n > 1 {
			text += fmt.Sprintf("; %s, to %d after %s", profiles.Plural(n-1, "more change", "more changes"), last.To, after(last.At))
		}
		out = append(out, text)
	}
	if text := arrivals(e, after); text != "" {
		out = append(out, text)
	}
	if text := departures(e, after); text != "" {
		out = append(out, text)
	}
	if text := objective(e, after); text != "" {
		out = append(out, text)
	}
	if len(out) == 0 {
		return []string{"nothing else changed"}
	}
	return out
}

// departures says when replicas went, what came in the place of those that went
// by themselves, and what failed meanwhile.
func departures(e advisor.Episode, after func(time.Duration) string) string {
	var told, stopped, replaced []time.Duration
	for _, d := range e.Leaving {
		if d.ByItself {
			stopped = append(stopped, d.Leaving)
		} else {
			told = append(told, d.Leaving)
		}
	}
	for _, a := range e.Arrivals {
		if a.InPlace {
			replaced = append(replaced, a.Came())
		}
	}
	var parts []string
	if n := len(told); n > 0 {
		parts = append(parts, fmt.Sprintf("%s to go after %s", profiles.Plural(n, "replica had", "replicas had"), after(told[0])))
	}
	if n := len(stopped); n > 0 {
		text := fmt.Sprintf("%s answering after %s", profiles.Plural(n, "replica stopped", "replicas stopped"), between(stopped, after))
		if len(replaced) > 0 {
			text += fmt.Sprintf(", %d came in place after %s", len(replaced), between(replaced, after))
		}
		parts = append(parts, text)
	}
	if len(parts) > 0 && e.Failures != nil {
		parts = append(parts, profiles.Plural(*e.Failures, "request failed", "requests failed")+" meanwhile")
	}
	return strings.Join(parts, "; ")
}

// arrivals says how long replicas took to start and to answer.
func arrivals(e advisor.Episode, after func(time.Duration) string) string {
	var started int64
	var ready, answered []time.Duration
	for _, a := range e.Arrivals {
		if a.InPlace {
			continue
		}
		if a.Created != nil {
			started++
		}
		if a.Ready != nil {
			ready = append(ready, *a.Ready)
		}
		if a.Answered != nil {
			answered = append(answered, *a.Answered)
		}
	}
	text := ""
	if started > 0 {
		text = fmt.Sprintf("%d started", started)
		if len(ready) == 0 {
			text += ", none ready yet"
		} else {
			text += fmt.Sprintf(", %d ready after %s", len(ready), between(ready, after))
		}
	}
	if len(answered) > 0 {
		if text != "" {
			text += "; "
		}
		what := "first answers"
		if len(answered) == 1 {
			what = "first answer"
		}
		text += fmt.Sprintf("%s of %d after %s", what, len(answered), between(answered, after))
	}
	return text
}

// between writes the earliest and the latest of some moments.
func between(moments []time.Duration, after func(time.Duration) string) string {
	first, last := after(slices.Min(moments)), after(slices.Max(moments))
	if first == last {
		return first
	}
	return first + " to " + last
}

// objective says how long the SLO was lost.
func objective(e advisor.Episode, after func(time.Duration) string) string {
	text := ""
	if e.Missed {
		text = "SLO still lost from before"
	}
	if e.Lost == nil {
		if e.Missed && e.Regained != nil {
			text += ", regained after " + after(*e.Regained)
		}
		return text
	}
	if text != "" {
		text += "; "
	}
	text += "SLO lost after " + after(*e.Lost)
	if e.Regained == nil {
		return text + ", not regained"
	}
	text += ", regained after " + after(*e.Regained)
	if e.Outside < *e.Regained-*e.Lost {
		text += fmt.Sprintf(", between them lost for %s in all", delay(e.Outside))
	}
	return text
}

// delay writes a time in tenths of seconds, as exact as a timeline is.
func delay(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }
