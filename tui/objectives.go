package tui

import (
	"cmp"
	"slices"

	"headroom/advisor"
	"headroom/load"
)

// criterion is an objective of the SLO or a threshold, with how it does.
type criterion struct {
	kind  kind
	text  string
	worry int
}

// kind says what a criterion is; the kinds are shown in their order.
type kind int

const (
	ofTheSLO kind = iota
	ofThresholds
)

func (k kind) String() string { return [...]string{"SLO", "thresholds"}[k] }

// How much a criterion needs to be seen, most first.
const (
	missed       = iota
	missedBefore // by the whole run, not by the last seconds
	unknown
	met
)

// objectives are the criteria that the run is judged by, each with a sign and
// its value, in w cells: those of the SLO, then the thresholds, of each kind one
// that is missed before those that are met. Of those that do not fit the line
// tells how many there are, and how the worst of them does.
func objectives(st advisor.State, s *styles, w int) string {
	if fleetOnly(st) {
		return cut(s.paint(dim, "policy ")+clean(policyLine(st.Policy)), w)
	}
	all := criteria(st.Load, s)
	switch {
	case len(st.SLO) > 0 && (!st.Loaded || len(st.Load.SLO) == 0):
		return cut(s.paint(dim, ofTheSLO.String()+" ")+clean(st.SLO.String()), w)
	case len(all) == 0:
		return cut(s.paint(dim, "no SLO given: nothing to meet"), w)
	}
	slices.SortStableFunc(all, func(a, b criterion) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.worry, b.worry))
	})
	line := ""
	for n, c := range all {
		text, rest := c.text, ""
		if n == 0 || c.kind != all[n-1].kind {
			text = s.paint(dim, c.kind.String()+" ") + text
		}
		if n > 0 {
			text = "  " + text
		}
		if n+1 < len(all) {
			rest = hidden(all[n+1:], s)
		}
		if width(line)+width(text)+width(rest) > w {
			if n > 0 {
				return line + hidden(all[n:], s)
			}
			return cut(text, w-width(rest)) + rest
		}
		line += text
	}
	return line
}

// hidden stands for criteria that there is no room for.
func hidden(rest []criterion, s *styles) string {
	text := "  +" + count(len(rest))
	switch slices.MinFunc(rest, func(a, b criterion) int { return cmp.Compare(a.worry, b.worry) }).worry {
	case missed, missedBefore:
		return text + s.paint(bad, " ✗")
	case unknown:
		return text + s.paint(dim, " ·")
	}
	return text + s.paint(good, " ✓")
}

// criteria are the objectives of a load, and then its thresholds, which are of
// the whole run.
func criteria(l load.Snapshot, s *styles) []criterion {
	var out []criterion
	for i := range l.SLO {
		out = append(out, criterion{ofTheSLO, objective(l, i, s), worry(l, i)})
	}
	for _, t := range l.Thresholds {
		c := criterion{kind: ofThresholds, text: clean(t.Threshold.Of()+": "+t.Threshold.Expression()) + " "}
		switch {
		case !t.Valid:
			c.text, c.worry = c.text+s.paint(dim, "· "+none), unknown
		case !t.Holds:
			c.text, c.worry = c.text+s.paint(bad, "✗ "+t.Format()), missed
		default:
			c.text, c.worry = c.text+s.paint(good, "✓ "+t.Format()), met
		}
		out = append(out, c)
	}
	return out
}

// thresholdLines are the thresholds with all of their words, in so many lines
// at most: the worst first where there are more.
func thresholdLines(l load.Snapshot, s *styles, w, most int) []string {
	all := slices.DeleteFunc(criteria(l, s), func(c criterion) bool { return c.kind != ofThresholds })
	rest := ""
	if len(all) > most {
		slices.SortStableFunc(all, func(a, b criterion) int { return cmp.Compare(a.worry, b.worry) })
		all, rest = all[:most], hidden(all[most:], s)
	}
	var out []string
	for i, c := range all {
		more := ""
		if i == len(all)-1 {
			more = rest
		}
		out = append(out, cut(" threshold "+c.text, w-width(more))+more)
	}
	return out
}

// worry is how much the i-th objective needs to be seen.
func worry(l load.Snapshot, i int) int {
	now, run := latest(l, i), l.SLO[i]
	switch {
	case now.Valid && !now.Holds:
		return missed
	case run.Valid && !run.Holds:
		return missedBefore
	case !now.Valid:
		return unknown
	}
	return met
}

// latest is how the i-th objective does over the same time as the other
// figures of the header; without data where that is not known.
func latest(l load.Snapshot, i int) load.Objective {
	switch {
	case !lately(l):
		return l.SLO[i]
	case i < len(l.RecentSLO):
		return l.RecentSLO[i]
	}
	return load.Objective{}
}

// objective says how the i-th objective does; of the last seconds also over
// the whole run where that differs, which takes long to follow a change.
func objective(l load.Snapshot, i int, s *styles) string {
	now, run := latest(l, i), l.SLO[i]
	text := clean(run.Name) + " " + judged(now, s)
	if now.Valid && run.Valid && now.Holds != run.Holds {
		text += s.paint(dim, " (run ") + judged(run, s) + s.paint(dim, ")")
	}
	return text
}

// judged is the value of an objective with its sign.
func judged(o load.Objective, s *styles) string {
	switch {
	case !o.Valid:
		return s.paint(dim, "· "+none)
	case !o.Holds:
		return s.paint(bad, "✗ "+objectiveValue(o))
	default:
		return s.paint(good, "✓ "+objectiveValue(o))
	}
}
