package tui

import (
	"cmp"
	"slices"
	"strconv"

	"headroom/advisor"
)

// mark is a sign on the time axis.
type mark struct {
	column int
	text   string
	tone   tone
	of     subject
	rank   int // where there is not room for all: the highest gives way
}

// subject is what a mark tells of.
type subject int

const (
	ofPhase  subject = iota // what the session does
	ofLoad                  // load steps
	ofWanted                // decisions
	ofAnswer                // first answers of replicas
	ofLeave                 // replicas that have to go, or go by themselves
	ofSLO
)

// A mark may stand so many columns beside its own: to the right where it
// shares it with another, to the left where the end of the axis is, with other
// marks before it.
const (
	shiftRight = 4
	shiftLeft  = 9
)

// placed is a mark with the column where it has room.
type placed struct {
	mark
	at int
}

// spread moves marks, which are in the order of time, apart and into the
// columns from first to end. They keep their order; those that would have to
// move too far are left out.
func spread(marks []mark, first, end int) []placed {
	var apart, out []placed
	next := first
	for _, m := range marks {
		if at := max(m.column, next); m.column >= 0 && at-m.column <= shiftRight {
			apart = append(apart, placed{m, at})
			next = at + width(m.text) + 1
		}
	}
	for _, m := range slices.Backward(apart) {
		m.at = min(m.at, end-width(m.text))
		if m.at >= first && m.column-m.at <= shiftLeft {
			out = append(out, m)
			end = m.at - 1
		}
	}
	slices.Reverse(out)
	return out
}

// choose is the marks that have room, those of the lowest rank before others,
// of one rank the earlier.
func choose(marks []mark, first, end int) []placed {
	var out []placed
	in := make([]bool, len(marks))
	order := make([]int, len(marks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(marks[a].rank, marks[b].rank) })
	var tried []mark
	for _, one := range order {
		tried = tried[:0]
		in[one] = true
		for i, m := range marks {
			if in[i] {
				tried = append(tried, m)
			}
		}
		if apart := spread(tried, first, end); len(apart) == len(tried) {
			out = apart
		} else {
			in[one] = false
		}
	}
	return out
}

// marksOf are the changes of what the session does, of the load and of the
// fleet, which often follow from each other, in the order of time: columns,
// and the order of subjects within one. Those in front give way last, besides
// the phases: each narrow chart has there what explains its curves, and leaves
// out most of what else a timeline tells, as half of it would mislead. Charts
// with room have the same marks. The only number in a mark is how many replicas
// are wanted.
func marksOf(a axis, t advisor.Timeline, front ...subject) []mark {
	if a.columns >= roomy {
		front = []subject{ofLoad, ofWanted, ofSLO}
	}
	var out []mark
	add := func(of subject, column int, text string, tone tone) {
		if column < 0 || column >= a.columns {
			return
		}
		rank := 1
		if of == ofPhase || slices.Contains(front, of) {
			rank = 0
		}
		if rank > 0 && of != ofWanted && a.columns < roomy {
			return
		}
		out = append(out, mark{column, text, tone, of, rank})
	}
	for i := 1; i < len(a.points); i++ {
		was, is := a.points[i-1], a.points[i]
		at := a.column(is.At)
		if was.Phase != is.Phase {
			add(ofPhase, at, phaseSigns[is.Phase], strong)
		}
		if was.Wanted != is.Wanted && was.Wanted > 0 && is.Wanted > 0 {
			sign := "▲"
			if is.Wanted < was.Wanted {
				sign = "▼"
			}
			add(ofWanted, at, sign+strconv.Itoa(is.Wanted), accent)
		}
	}
	answered, left := map[int]bool{}, map[int]bool{} // by column
	for _, e := range t.Annotations {
		switch at := a.column(e.At); e.Kind {
		case advisor.LoadRises:
			add(ofLoad, at, "↗", strong)
		case advisor.LoadFalls:
			add(ofLoad, at, "↘", strong)
		case advisor.SLOLost:
			add(ofSLO, at, "✗", bad)
		case advisor.SLORegained:
			add(ofSLO, at, "✓", good)
		case advisor.FirstAnswer:
			answered[at] = true
		case advisor.Leaves, advisor.Stops:
			left[at] = true
		}
	}
	for at := range answered {
		add(ofAnswer, at, "●", good)
	}
	for at := range left {
		add(ofLeave, at, "○", warn)
	}
	slices.SortStableFunc(out, func(a, b mark) int { return cmp.Or(cmp.Compare(a.column, b.column), cmp.Compare(a.of, b.of)) })
	return out
}

// roomy is how many columns have room for every subject.
const roomy = 50

// markLegend explains the marks of a timeline that are in view, as many as
// fit; nothing where there are none. The help explains the others.
func markLegend(st advisor.State, s *styles, w int) string {
	in := map[subject]bool{}
	for _, m := range marksOf(newAxis(st.Points, plotColumns(w/2)+1), st.Timeline, ofLoad, ofAnswer, ofLeave, ofSLO) {
		in[m.of] = true
	}
	if !in[ofLoad] && !in[ofAnswer] && !in[ofLeave] && !in[ofSLO] {
		return ""
	}
	var parts []part
	add := func(of subject, text string) {
		if in[of] {
			parts = append(parts, part{text, len(parts)})
		}
	}
	add(ofLoad, s.paint(strong, "↗↘")+s.paint(dim, " load"))
	add(ofWanted, s.paint(accent, "▲▼n")+s.paint(dim, " wants n"))
	add(ofAnswer, s.paint(good, "●")+s.paint(dim, " first answer"))
	add(ofLeave, s.paint(warn, "○")+s.paint(dim, " goes"))
	add(ofSLO, s.paint(bad, "✗")+s.paint(dim, " SLO lost ")+s.paint(good, "✓")+s.paint(dim, " regained"))
	return join(parts, "  ", w)
}

// phaseSigns mark where a phase begins; the help explains them.
var phaseSigns = map[advisor.Phase]string{
	advisor.Idle: "■", advisor.Swarming: "▶", advisor.Measuring: "M", advisor.Applying: "A", advisor.Replaying: "V",
}
