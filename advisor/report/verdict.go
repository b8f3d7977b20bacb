package report

import (
	"fmt"
	"strings"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// Verdict is what a run comes to under what was asked of it.
type Verdict string

// The verdicts.
const (
	Unasked      Verdict = "unasked"      // there is no objective, no threshold and no baseline
	Met          Verdict = "met"          // all of it
	Missed       Verdict = "missed"       // some of it, whatever is not known of the rest
	Inconclusive Verdict = "inconclusive" // the generator was the limit, or something is not known
)

// criterion is one of the things that were asked of a run.
type criterion struct {
	name, missed string // missed says how
	known, holds bool
}

// criteria are all of them.
func (r Run) criteria() (out []criterion) {
	for _, o := range r.Result.SLO {
		out = append(out, criterion{o.Name, o.Name + " is " + o.Format(), o.Valid, o.Holds})
	}
	for _, t := range r.Result.Thresholds {
		name := t.Threshold.String()
		out = append(out, criterion{name, name + " is " + t.Format(), t.Valid, t.Holds})
	}
	if c := r.Baseline; c != nil {
		name := c.Figure + " against " + c.Baseline
		out = append(out, criterion{name, name + " is worse", c.Known(), c.Good()})
	}
	return out
}

// Verdict is what the run comes to.
func (r Run) Verdict() Verdict {
	out := Unasked
	if r.Result.Health.Verdict == load.Limited {
		return Inconclusive
	}
	for _, c := range r.criteria() {
		switch {
		case c.known && !c.holds:
			return Missed
		case !c.known:
			out = Inconclusive
		case out == Unasked:
			out = Met
		}
	}
	if r.nothingSent() {
		return Inconclusive
	}
	return out
}

func (r Run) nothingSent() bool { return r.Result.Total.Count+r.Result.Total.Aborted == 0 }

// conclusion is the verdict in one sentence.
func conclusion(r Run) (mood, string) {
	s := r.Result
	var missed, unknown, met []string
	for _, c := range r.criteria() {
		switch {
		case !c.known:
			unknown = append(unknown, c.name)
		case !c.holds:
			missed = append(missed, c.missed)
		default:
			met = append(met, c.name)
		}
	}
	switch verdict := r.Verdict(); {
	case s.Health.Verdict == load.Limited:
		return unsure, "Inconclusive: the generator, not the target, was the limit (" + s.Health.Reason + ")"
	case verdict == Inconclusive && r.nothingSent():
		return unsure, "Inconclusive: no request was sent"
	case verdict == Unasked && s.Total.Failed > 0:
		return bad, fmt.Sprintf("%s of %d failed; no objective was given", profiles.Plural(s.Total.Failed, "request", "requests"), s.Total.Count)
	case verdict == Unasked:
		return plain, "No objective was given, and nothing failed"
	case verdict == Inconclusive:
		return unsure, "Inconclusive: it cannot be told of " + strings.Join(unknown, ", ")
	case verdict == Missed:
		return bad, "Objectives missed: " + strings.Join(missed, ", ")
	}
	return good, "Objectives met: " + strings.Join(met, ", ")
}

// sign is a verdict in a word.
func sign(valid, holds bool) string {
	switch {
	case !valid:
		return "no data"
	case holds:
		return "met ✓"
	}
	return "missed ✗"
}

// mark is what stands behind a value that met what was asked, or missed it.
func mark(valid, holds bool) string {
	switch {
	case !valid:
		return ""
	case holds:
		return " ✓"
	}
	return " ✗"
}

// thresholds writes what the summary says of each.
func (p *paper) thresholds(s load.Snapshot) {
	if len(s.Thresholds) > 0 {
		p.printf("\n")
	}
	for _, t := range s.Thresholds {
		text := fmt.Sprintf("threshold %s: %s%s", t.Threshold, t.Format(), mark(t.Valid, t.Holds))
		if t.Unanswered > 0 {
			text += " (" + thresholdUnanswered(t) + ")"
		}
		p.say("%s", text)
	}
	p.endedBy(s)
}

// thresholdUnanswered says what counts as over a threshold without a time.
func thresholdUnanswered(t load.Threshold) string {
	return fmt.Sprintf("%s over it without a whole answer", profiles.Plural(t.Unanswered, "request was", "requests were"))
}

// endedBy says that a threshold made the run shorter than it was meant to be.
func (p *paper) endedBy(s load.Snapshot) {
	if s.EndedBy != "" {
		p.say("the load ended early, after %s: %s was missed", profiles.Duration(s.Loaded.Round(100*time.Millisecond)), s.EndedBy)
	}
}

// thresholdTable is the table of the thresholds.
func (p *paper) thresholdTable(thresholds []load.Threshold) {
	if len(thresholds) == 0 {
		return
	}
	rows := [][]string{{"threshold", "value", "verdict"}}
	for _, t := range thresholds {
		rows = append(rows, []string{t.Threshold.String(), t.Format(), sign(t.Valid, t.Holds)})
	}
	p.table("ttl", rows)
	for _, t := range thresholds {
		if t.Unanswered > 0 {
			p.say("%s: %s", t.Threshold, thresholdUnanswered(t))
		}
	}
}
