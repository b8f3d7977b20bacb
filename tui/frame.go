package tui

import "strings"

// View is the screen. It is asked for after every message and draws only what
// is not drawn yet.
func (m *screen) View() string {
	if m.stale {
		m.frame, m.stale = m.draw(), false
	}
	return m.frame
}

// bodyHeight is what header, tabs, the problem and the footer leave.
func (m *screen) bodyHeight() int { return m.h - headerHeight - 2 - len(m.problem()) }

// problem is why nothing new comes, or why the last job failed, in lines
// between the view and the footer.
func (m *screen) problem() []string {
	switch {
	case m.latest.Lost != "":
		return said(m.styles, bad, "✗ "+m.latest.Lost, m.w, 2)
	case m.shown.Problem == "":
		return nil
	}
	return said(m.styles, bad, "✗ the last job failed: "+m.shown.Problem, m.w, 2)
}

// said is a text from elsewhere in a few lines with a margin.
func said(s *styles, t tone, text string, w, most int) []string {
	lines := wrapShort(text, w-2, most)
	for i, line := range lines {
		lines[i] = " " + s.paint(t, line)
	}
	return lines
}

func (m *screen) draw() string {
	problem := m.problem()
	lines := exactHeight(m.body(), max(0, m.h-1-len(problem)))
	// What wants an answer lies over the end of the view, so that nothing
	// above moves.
	sheet := m.sheet()
	if room := max(0, len(lines)-1); len(sheet) > room {
		sheet = sheet[:room]
	}
	copy(lines[len(lines)-len(sheet):], sheet)
	lines = append(lines, problem...)
	lines = append(lines, " "+renderKeys(m.footer(), m.styles, m.w-2))
	for i := range lines {
		lines[i] = cut(lines[i], m.w)
	}
	frame := strings.Join(lines[:min(len(lines), max(0, m.h))], "\n")
	if m.styles.ascii {
		frame = toASCII(frame)
	}
	return frame
}

func exactHeight(lines []string, h int) []string {
	for len(lines) < h {
		lines = append(lines, "")
	}
	return lines[:h]
}

// waits reports whether no State has come yet, before which nothing is known.
func (m *screen) waits() bool { return m.shown.Seq == 0 }

func (m *screen) small() bool { return m.w < leastWidth || m.h < leastHeight }

func (m *screen) body() []string {
	s, w := m.styles, m.w
	switch {
	case m.waits() && (m.small() || m.mode != modeHelp):
		return centred(s, "waiting for the session", w, m.h-1)
	case m.small():
		return renderSmall(m.shown, s, w, m.h)
	}
	lines := append(renderHeader(m.shown, s, w), renderTabs(m.o.views(), m.view, m.lookNotes(), s, w))
	switch {
	case m.mode == modeHelp:
		return append(lines, m.helpPage().render(s, m.helpAt, m.bodyHeight())...)
	case m.mode == modeExplain:
		return append(lines, m.explanation().render(s, m.explained, m.bodyHeight())...)
	case m.view == viewDashboard:
		above := banner(m.shown, s, w)
		return append(append(lines, above...), renderDashboard(m.shown, s, m.zoom, m.lately, w, m.bodyHeight()-len(above))...)
	default:
		return append(lines, m.page().render(s, m.scrolls[m.view], m.bodyHeight())...)
	}
}

// lookNotes say how the user looks at the active view.
func (m *screen) lookNotes() []part {
	var out []part
	if m.view == viewDashboard {
		out = append(out, part{m.styles.paint(dim, "zoom ") + m.zoom.String(), 1})
		if age := ageOf(m.shown.Points); m.shown.Loaded && m.zoom.short(age) {
			out = append(out, part{m.styles.paint(dim, "("+seconds(m.zoom.window(age))+" so far)"), 2})
		}
	}
	if m.frozen {
		out = append(out, part{m.styles.paint(warn, "❚❚ frozen"), 0})
	}
	return out
}

// page is the active view, where it is one that can be moved through.
func (m *screen) page() page {
	st, s, a, w, h := m.shown, m.styles, m.arranged[m.view], m.w, m.bodyHeight()
	switch m.view {
	case viewRequests:
		return renderRequests(st, s, a, w, h)
	case viewReplicas:
		return renderReplicas(st, s, a, m.lately, w, h)
	case viewFailures:
		return renderFailures(st, s, a, w, h)
	case viewAdvisor:
		return renderAdvisor(st, s, m.o.Another, w, h)
	case viewLog:
		return renderLog(st, s, a, w, h)
	default:
		return page{}
	}
}

// noticeLines bounds what a notice takes of the view.
const noticeLines = 6

// sheet is what lies over the end of the view: a question, a form, or news.
func (m *screen) sheet() []string {
	s, w := m.styles, m.w
	switch m.mode {
	case modeEdit:
		return m.edit.render(s, w)
	case modeConfirm:
		return m.confirm.render(s, w)
	case modeFile:
		return m.file.render(s, w)
	case modePalette:
		return m.palette.render(s, w)
	case modeFilter:
		return filterLine(m.filter, s)
	case modeLeaving:
		text := "stopping, and waiting for the answers that are under way"
		if m.latest.Loaded {
			text += " (" + count(m.latest.Load.InFlight) + " in flight)"
		}
		return []string{" " + s.paint(warn, cut(text, w-2))}
	}
	switch {
	case m.notice.text == "":
		return nil
	case m.notice.bad:
		return said(s, bad, "✗ "+m.notice.text, w, noticeLines)
	default:
		return said(s, good, "✓ "+m.notice.text, w, noticeLines)
	}
}
