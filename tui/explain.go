package tui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"headroom/advisor"
)

// explainable reports whether there is an advice with the measurement that it
// was derived from.
func explainable(st advisor.State) bool {
	return st.Advice != nil && st.Search != nil && st.Search.Capacity != nil
}

// askExplain opens the derivation of the advice.
func (m *screen) askExplain() tea.Cmd {
	switch {
	case m.shown.Advice == nil:
		m.notice = notice{text: "there is no advice to explain yet", bad: true}
	case !explainable(m.shown):
		m.notice = notice{text: "the measurement behind the advice gave way to one that did not end: measure again", bad: true}
	default:
		m.mode, m.explained = modeExplain, scroll{}
	}
	return nil
}

// explainKey moves through the derivation, or leaves it.
func (m *screen) explainKey(msg tea.KeyMsg) {
	p, h := m.explanation(), m.bodyHeight()
	if by, ok := p.by(msg, h); ok {
		m.explained = p.move(m.explained, by, h)
	} else if key.Matches(msg, keys.Cancel, keys.Quit, keys.Explain) {
		m.mode = modeNormal
	}
}

// explanation is the derivation as a page. The State may have moved on to one
// without.
func (m *screen) explanation() page {
	s, w := m.styles, m.w
	if !explainable(m.shown) {
		return page{rows: centred(s, "there is no advice any more", w, m.bodyHeight())}
	}
	p := page{head: []string{" " + s.paint(strong, "How the advice came about"), ""}}
	text := m.o.Explain(*m.shown.Search.Capacity, *m.shown.Advice, w-2)
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		p.rows = append(p.rows, indent(wrap(line, w-2))...)
	}
	return p
}
