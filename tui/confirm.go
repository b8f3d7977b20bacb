package tui

import (
	"reflect"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"headroom/advisor"
	"headroom/profiles"
)

// confirmation is a question, what the answer is about, and what a yes does.
// It ends with what it asks about.
type confirmation struct {
	question string
	about    func(s *styles, w int) []string // optional
	yes      func() tea.Cmd
	stands   func(advisor.State) bool // what it asks about is still there
	gone     string                   // said when it is not
}

func (m *screen) ask(c confirmation) {
	m.mode, m.confirm = modeConfirm, c
}

// askJob asks about the job under way.
func (m *screen) askJob(question string, yes func() tea.Cmd) {
	was := m.latest
	m.ask(confirmation{
		question: question, yes: yes, gone: jobName(was) + " has ended meanwhile",
		stands: func(st advisor.State) bool { return st.Phase == was.Phase && sending(st) == sending(was) },
	})
}

// withdraw takes a question back that nobody can answer any more.
func (m *screen) withdraw() {
	if m.mode == modeConfirm && !m.confirm.stands(m.latest) {
		m.mode, m.stale = modeNormal, true
		m.notice = notice{text: m.confirm.gone, bad: true}
	}
}

func (m *screen) confirmKey(msg tea.KeyMsg) tea.Cmd {
	switch {
	case key.Matches(msg, keys.Yes):
		m.mode = modeNormal
		return m.confirm.yes()
	case key.Matches(msg, keys.No):
		m.mode = modeNormal
	}
	return nil
}

func (c confirmation) render(s *styles, w int) []string {
	lines := []string{rule(s, c.question+" "+keys.Yes.Help().Key+"/"+keys.No.Help().Key, w)}
	if c.about != nil {
		lines = append(lines, c.about(s, w)...)
	}
	return lines
}

// rule is a line with a title, the upper edge of a sheet.
func rule(s *styles, title string, w int) string {
	title = cut(title, w-6)
	return s.paint(dim, "── ") + s.paint(strong, title) + s.paint(dim, " "+strings.Repeat("─", max(0, w-4-width(title))))
}

// askApply shows what the advice would change at the scaler.
func (m *screen) askApply() tea.Cmd {
	advice := m.latest.Advice
	switch {
	case !m.advised("apply"):
		return nil
	case !m.latest.Managed:
		return m.call(m.do.Apply) // it says why not
	}
	changes := profiles.Compare(m.latest.Policy, advice.Applied)
	m.ask(confirmation{
		question: "Apply this policy to the scaler?",
		about: func(s *styles, w int) []string {
			lines := diffLines(changes, s, w)
			if advice.Capped != "" {
				lines = append(lines, prose(s, warn, "! "+advice.Capped+".", w)...)
			}
			return lines
		},
		yes: func() tea.Cmd { return m.call(m.do.Apply) },
		// Of a session elsewhere each State has an advice of its own.
		stands: func(st advisor.State) bool { return reflect.DeepEqual(st.Advice, advice) },
		gone:   "the advice has changed meanwhile: look at it again",
	})
	return nil
}
