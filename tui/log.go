package tui

import (
	"fmt"
	"slices"

	"headroom/advisor"
)

// eventKindWidth is that of the longest kind.
const eventKindWidth = 7

func eventTone(kind string) tone {
	switch kind {
	case "error":
		return bad
	case advisor.NoticeEvent:
		return warn
	case "scale", "apply":
		return accent
	case "advice", "verify":
		return strong
	default:
		return plain
	}
}

// eventLines writes an event on one line, or on as many as it takes.
func eventLines(e advisor.Event, numbered bool, s *styles, w, most int) []string {
	head := e.At.Format("15:04:05")
	if numbered {
		head = fmt.Sprintf("%4d %s", e.N, head)
	}
	head = " " + head + " "
	kind := fit(clean(e.Kind), eventKindWidth)
	indent := width(head) + eventKindWidth + 1
	room := max(1, w-indent-1)
	lines := []string{clean(e.Text)}
	if most > 1 {
		lines = wrap(e.Text, room)
	}
	if len(lines) > most {
		lines[most-1] += " …"
		lines = lines[:most]
	}
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = fit("", indent) + cut(line, room)
	}
	out[0] = s.paint(dim, head) + s.paint(eventTone(e.Kind), kind) + " " + cut(lines[0], room)
	return out
}

// maxEventLines bounds what one event takes of the log.
const maxEventLines = 6

// renderLog is everything that happened, the newest last.
func renderLog(st advisor.State, s *styles, a arrangement, w, h int) page {
	if len(st.Events) == 0 {
		return page{rows: centred(s, "nothing has happened yet", w, h)}
	}
	p, kept := page{tail: true}, 0
	for _, e := range st.Events {
		if !a.keeps(e.Kind, e.Text) {
			continue
		}
		kept++
		p.rows = append(p.rows, eventLines(e, true, s, w, maxEventLines)...)
	}
	p.head = []string{a.line(kept, len(st.Events), s, w)}
	return p
}

// latestEvents are the last events in at most h lines, each on as many as it
// takes up to most; none where there is no line left.
func latestEvents(st advisor.State, s *styles, w, h, most int) []string {
	var out []string
	for _, e := range slices.Backward(st.Events) {
		room := h - len(out)
		if room <= 0 {
			break
		}
		out = append(eventLines(e, false, s, w, min(most, room)), out...)
	}
	return out
}
