package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"headroom/advisor"
	"headroom/profiles"
)

// call is something to ask of the Controller, or a file to write. It may
// block, so it runs as a command; what it says is shown.
type call struct {
	run   func() (notice string, err error)
	after func(error) error // takes note of what came of it, and returns what is left to show; optional
}

// call asks for something that shows by itself.
func (m *screen) call(run func() error) tea.Cmd { return m.say("", run) }

// say asks for something that leaves no trace on the screen, and says so.
func (m *screen) say(text string, run func() error) tea.Cmd {
	return m.queue(call{run: func() (string, error) { return text, run() }})
}

// noError is for what cannot fail.
func noError(run func()) func() error {
	return func() error { run(); return nil }
}

// queue runs calls one after the other in the order of the keys: commands of
// their own could overtake each other.
func (m *screen) queue(c call) tea.Cmd {
	m.calls = append(m.calls, c)
	if m.calling {
		return nil
	}
	return m.nextCall()
}

func (m *screen) nextCall() tea.Cmd {
	if len(m.calls) == 0 {
		m.calling = false
		return nil
	}
	c := m.calls[0]
	m.calls, m.calling = m.calls[1:], true
	return func() tea.Msg {
		text, err := c.run()
		return calledMsg{call: c, notice: text, err: err}
	}
}

func (m *screen) called(msg calledMsg) tea.Cmd {
	m.stale = true
	left := msg.err
	if msg.call.after != nil {
		left = msg.call.after(msg.err)
	}
	switch {
	case left != nil:
		m.notice = notice{text: left.Error(), bad: true}
	case msg.err == nil && msg.notice != "":
		m.notice = notice{text: msg.notice}
	}
	return m.nextCall()
}

// askedUsers remembers how many users were asked for, until a State shows
// them: a key pressed three times in a row must count three times, however
// late the State comes.
type askedUsers struct {
	n       int // 0: nothing is outstanding
	calls   int // not yet answered
	overdue int // States since the last answer
}

func (a *askedUsers) ask(n int) { a.n, a.calls, a.overdue = n, a.calls+1, 0 }

func (a *askedUsers) answered(err error) error {
	a.calls--
	if err != nil && a.calls == 0 {
		a.n = 0
	}
	return err
}

// settle forgets what a State shows. The first State after an answer may be
// older than it; the second is not.
func (a *askedUsers) settle(st advisor.State) {
	if a.n == 0 || a.calls > 0 {
		return
	}
	a.overdue++
	if st.Plan.Users == a.n || a.overdue > 1 {
		a.n = 0
	}
}

// wanted is how many users there are to be, as far as is known here.
func (m *screen) wanted() int {
	if m.users.n > 0 {
		return m.users.n
	}
	return m.latest.Plan.Users
}

// setUsers asks for n users, but never for none nor for more than there may
// be.
func (m *screen) setUsers(n int) tea.Cmd {
	if n < 1 {
		m.notice = notice{text: "1 user is the least", bad: m.wanted() <= 1}
	}
	if n > profiles.MostUsers {
		m.notice = notice{text: count(profiles.MostUsers) + " users are the most", bad: true}
	}
	n = min(max(n, 1), profiles.MostUsers)
	m.users.ask(n)
	text := ""
	if !sending(m.latest) {
		text = "the next swarm will have " + plural(n, "user")
	}
	return m.queue(call{after: m.users.answered, run: func() (string, error) { return text, m.do.SetUsers(n) }})
}
