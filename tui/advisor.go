package tui

import (
	"fmt"
	"strings"

	"headroom/advisor"
)

// renderAdvisor shows a measurement as it goes, and then what follows from
// it, always with what to press next. Where another run can be set up, that
// is how one gets an SLO.
func renderAdvisor(st advisor.State, s *styles, another bool, w, h int) page {
	foot := nextLines(st, s, another, w)
	switch topicOf(st) {
	case topicMeasuring:
		return measuringPage(st, s, w, h, foot)
	case topicReplaying:
		return replayingPage(st, s, w, foot)
	case topicRefusal:
		return refusalPage(st, s, w, foot)
	case topicAdvice:
		return advicePage(st, s, w, foot)
	case topicCapacity:
		return capacityPage(st, s, w, foot)
	default:
		return introPage(st, s, another, w, foot)
	}
}

// nextLines say which key leads on, and whether something keeps it from
// doing so.
func nextLines(st advisor.State, s *styles, another bool, w int) []string {
	text := ""
	key := func(k, what string) {
		if text != "" {
			text += s.paint(dim, " · ")
		}
		text += s.paint(strong, k) + " " + what
	}
	explain, edit, advise, apply, verify, export, stop := keys.Explain.Help().Key, keys.Edit.Help().Key, keys.Advise.Help().Key, keys.Apply.Help().Key, keys.Verify.Help().Key, keys.Export.Help().Key, keys.Stop.Help().Key
	switch {
	case draining(st):
		text = "waiting for the answers that are under way"
	case st.Phase == advisor.Measuring || st.Phase == advisor.Replaying:
		key(stop, "stop without a result")
	case st.Phase == advisor.Applying:
		text = "waiting until the fleet is as large as the advice wants it"
	case topicOf(st) == topicCapacity:
		key(edit, "say the traffic")
		key(advise, "measure again")
	case st.Advice == nil && another && len(st.SLO.Percentiles()) == 0:
		key(keys.Another.Help().Key, "set up a run with an SLO")
	case st.Advice == nil:
		key(advise, "measure")
	case !st.Managed:
		key(export, "write the policy for your platform")
		key(explain, "explain")
		key(advise, "measure again")
	case !st.Applied:
		key(apply, "see changes, apply")
		if st.Before == nil {
			key(verify, "replay first, to compare")
		}
		key(export, "export")
		key(explain, "explain")
	default:
		if st.After == nil {
			key(verify, "replay the load under the advice")
		} else {
			key(verify, "replay again")
		}
		key(export, "export")
		key(explain, "explain")
		key(advise, "measure again")
	}
	return []string{"", " " + s.paint(accent, "next") + "  " + cut(text, w-8)}
}

// prose writes a text in lines with a margin.
func prose(s *styles, t tone, text string, w int) []string {
	var out []string
	for _, line := range wrap(text, w-2) {
		out = append(out, " "+s.paint(t, line))
	}
	return out
}

func introPage(st advisor.State, s *styles, another bool, w int, foot []string) page {
	rows := []string{"", " " + s.paint(strong, "No measurement yet"), ""}
	slo := "the SLO"
	if len(st.SLO) > 0 {
		slo = st.SLO.String()
	}
	rows = append(rows, prose(s, plain, fmt.Sprintf("A measurement asks how much one replica holds under %s: one user alone, then more and more until the throughput stops growing, then a search for the highest load that still meets it. The policy follows from that and from the traffic, with the working of every number.", slo), w)...)
	rows = append(rows, "")
	rows = append(rows, prose(s, dim, effect(st), w)...)
	if len(st.SLO.Percentiles()) == 0 {
		how := "the run has to be started with --slo"
		if another {
			how = keys.Another.Help().Key + " sets up another run, which can have an SLO"
		}
		rows = append(rows, prose(s, warn, fmt.Sprintf("! It needs a latency percentile to measure against: %s, such as p95<300ms,errors<1%%.", how), w)...)
	}
	if st.Traffic.Known() {
		rows = append(rows, prose(s, dim, fmt.Sprintf("Traffic: %s to %s requests/s.", st.Traffic.Low, st.Traffic.High), w)...)
	} else {
		rows = append(rows, prose(s, warn, fmt.Sprintf("! For a policy it needs to know the traffic as well: %s takes it, LOW..HIGH in requests/s.", keys.Edit.Help().Key), w)...)
	}
	rows = append(rows, comparison(st, s, w)...)
	return page{rows: append(rows, stepLines(st, s, w)...), foot: foot}
}

// effect is what a measurement does to the fleet.
func effect(st advisor.State) string {
	if st.Managed {
		return "Meanwhile the scaler is held at one replica; afterwards it follows its policy again."
	}
	return "There is no scaler of ours: the replicas must stay as many as they are meanwhile."
}

func refusalPage(st advisor.State, s *styles, w int, foot []string) page {
	r := st.Refusal
	rows := []string{"", " " + s.paint(bad, "✗ No advice") + "  " + s.paint(dim, "("+clean(r.Code)+")"), ""}
	rows = append(rows, prose(s, plain, "Why: "+r.Why+".", w)...)
	rows = append(rows, prose(s, strong, "What to do: "+r.Do+".", w)...)
	return page{rows: append(rows, stepLines(st, s, w)...), foot: foot}
}

// capacityPage is for a measurement without a traffic to turn it into a
// policy.
func capacityPage(st advisor.State, s *styles, w int, foot []string) page {
	title, grade := graded(" "+s.paint(strong, "Measured"), st.Search.Capacity.Assessment, s, w, w)
	rows := append([]string{"", title}, grade...)
	rows = append(append(rows, ""), capacityLines(st, s, w)...)
	rows = append(rows, "")
	rows = append(rows, prose(s, warn, fmt.Sprintf("! Say the traffic with %s, LOW..HIGH in requests/s, to turn that into a policy.", keys.Edit.Help().Key), w)...)
	rows = append(rows, throughputCurve(st, s, w)...)
	return page{rows: append(rows, stepLines(st, s, w)...), foot: foot}
}

// capacityLines say what the advice rests on.
func capacityLines(st advisor.State, s *styles, w int) []string {
	switch {
	case st.Search == nil:
		return nil
	case st.Search.Capacity == nil:
		return prose(s, warn, "! The latest measurement did not end: this rests on the one before it.", w)
	}
	c := *st.Search.Capacity
	who := "one replica"
	if c.Replicas > 1 {
		who = plural(c.Replicas, "replica")
	}
	return prose(s, plain, fmt.Sprintf("%s: %s within the SLO, %s at most; %s for one request alone.",
		who, c.SLO, c.Saturation, span(c.Service)), w)
}

// graded is a title of w cells with the grade behind it; where that does not
// fit, the grade is in lines of its own, of at most inner cells.
func graded(title string, a advisor.Assessment, s *styles, w, inner int) (line string, below []string) {
	if a.Grade == "" {
		return title, nil
	}
	grade, why := "grade "+clean(string(a.Grade)), ": "+clean(a.String())
	if full := title + "  " + s.paint(gradeTone(a.Grade), grade) + s.paint(dim, why); width(full) <= w {
		return full, nil
	}
	return title, prose(s, gradeTone(a.Grade), grade+why+".", inner)
}

func gradeTone(g advisor.Grade) tone {
	if g == advisor.GradeC || g == advisor.GradeD {
		return warn
	}
	return good
}

// advicePage is the recommendation with its working. On a wide screen the
// evidence stands beside it.
func advicePage(st advisor.State, s *styles, w int, foot []string) page {
	a := *st.Advice
	left := w
	if w >= 140 {
		left = w * 11 / 20
	}
	title := " " + s.paint(strong, "Recommendation")
	if st.Applied {
		title += "  " + s.paint(good, "✓ in force at the scaler")
	}
	title, grade := graded(title, a.Assessment, s, w, left)
	rows := append(cards(a, s, left), grade...)
	rows = append(rows, cappedLines(a, s, left)...)
	if left == w {
		if st.After != nil {
			rows = append(rows, comparison(st, s, w)...)
		}
		rows = append(rows, workingLines(st, s, w)...)
		if st.After == nil {
			rows = append(rows, comparison(st, s, w)...)
		}
		rows = append(rows, throughputCurve(st, s, w)...)
		return page{head: []string{title}, rows: append(rows, stepLines(st, s, w)...), foot: foot}
	}
	right := w - left
	rows = append(rows, workingLines(st, s, left)...)
	evidence := append(comparison(st, s, right), throughputCurve(st, s, right)...)
	evidence = append(evidence, stepLines(st, s, right)...)
	height := max(len(rows), len(evidence))
	return page{head: []string{title}, rows: beside(exactly(rows, left, height), exactly(evidence, right, height)), foot: foot}
}

func cappedLines(a advisor.Recommendation, s *styles, w int) []string {
	if a.Capped == "" {
		return nil
	}
	return prose(s, warn, "! "+a.Capped+".", w)
}

// workingLines give each value with its formula and its reason.
func workingLines(st advisor.State, s *styles, w int) []string {
	const nameWidth, valueWidth = 10, 8
	out := []string{""}
	for _, v := range st.Advice.Values {
		line := " " + fit(clean(v.Name), nameWidth) + " " + s.paint(strong, padLeft(trimmed(v.Value), valueWidth)) + " " + clean(v.Unit)
		formula := s.paint(dim, clean(v.Formula))
		if width(line)+2+width(formula) <= w {
			line += "  " + formula
			formula = ""
		}
		out = append(out, cut(line, w))
		for _, why := range wrap(v.Why, w-nameWidth-3) {
			out = append(out, strings.Repeat(" ", nameWidth+2)+s.paint(dim, why))
		}
		if formula != "" {
			out = append(out, cut(strings.Repeat(" ", nameWidth+2)+formula, w))
		}
	}
	out = append(out, "")
	out = append(out, capacityLines(st, s, w)...)
	if a := st.Advice; a.Chosen != "" && len(a.Policy.Metrics) > 0 {
		out = append(out, prose(s, plain, fmt.Sprintf("It scales on %s: %s.", a.Policy.Metrics[0].Kind, a.Chosen), w)...)
	}
	for _, note := range st.Advice.Notes {
		out = append(out, prose(s, warn, "! "+note+".", w)...)
	}
	return out
}

// adviceSummary is the advice in a few lines, for the dashboard. While it
// measures they are as many from the first step on, so that nothing below moves.
func adviceSummary(st advisor.State, s *styles, w int) []string {
	var out []string
	switch {
	case st.Phase == advisor.Measuring && st.Search != nil:
		out = append(out, progress(st, s, w), "")
		head, rows := stepTable(st.Search.Steps).render(s, w)
		out = append(out, head)
		const steps = 8
		out = exactHeight(append(out, rows[max(0, len(rows)-steps):]...), len(out)+steps)
	case st.Refusal != nil:
		out = append(out, s.paint(bad, "✗ no advice ("+clean(st.Refusal.Code)+")"))
		out = append(out, wrap(st.Refusal.Why, w)...)
	case st.Advice != nil:
		out = cards(*st.Advice, s, w)
		for _, line := range wrap("grade "+string(st.Advice.Grade)+": "+st.Advice.Assessment.String(), w) {
			out = append(out, s.paint(gradeTone(st.Advice.Grade), line))
		}
		if st.Applied {
			out = append(out, s.paint(good, "✓ in force at the scaler"))
		}
	default:
		out = append(out, wrap("a measures what one replica holds, and derives min, max and target from it.", w)...)
	}
	return indent(out)
}

// cards show min, max and target large, side by side.
func cards(a advisor.Recommendation, s *styles, w int) []string {
	const cardHeight = 6
	var blocks [][]string
	for i, v := range a.Values[:min(3, len(a.Values))] {
		note := ""
		here := a.Applied.Replicas
		switch {
		case a.Capped == "":
		case v.Name == "min" && here.Min != a.Policy.Replicas.Min:
			note = s.paint(warn, fmt.Sprintf("here %d", here.Min))
		case v.Name == "max" && here.Max != a.Policy.Replicas.Max:
			note = s.paint(warn, "here "+here.Max.String())
		}
		cw := min(w/3, 34)
		if i == 2 {
			cw = min(w-2*cw, 34)
		}
		lines := indent(s.large(trimmed(v.Value), cw-4))
		lines = append(lines, " "+s.paint(dim, cut(clean(v.Unit), cw-4)))
		blocks = append(blocks, box(s, clean(v.Name), note, lines, cw, cardHeight))
	}
	return beside(blocks...)
}
