package tui

import (
	"math"

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

// askedLoad remembers which load was asked for, users or arrivals per second,
// until a State shows it: a key pressed three times in a row must count three
// times, however late the State comes.
type askedLoad struct {
	n       float64 // 0: nothing is outstanding
	calls   int     // not yet answered
	overdue int     // States since the last answer
}

func (a *askedLoad) ask(n float64) { a.n, a.calls, a.overdue = n, a.calls+1, 0 }

func (a *askedLoad) answered(err error) error {
	a.calls--
	if err != nil && a.calls == 0 {
		a.n = 0
	}
	return err
}

// settle forgets what a State shows. The first State after an answer may be
// older than it; the second is not.
func (a *askedLoad) settle(st advisor.State) {
	if a.n == 0 || a.calls > 0 {
		return
	}
	a.overdue++
	if demandOf(st) == a.n || a.overdue > 1 {
		a.n = 0
	}
}

// demandOf is the load that a hand changes: what is planned, of a shape what
// it asks for at the moment.
func demandOf(st advisor.State) float64 {
	p := st.Plan
	switch {
	case p.Open() && p.Shape == nil:
		return p.Rate
	case !p.Open() && p.UserShape == nil:
		return float64(p.Users)
	case !sending(st):
		return p.Load().At(0)
	case p.Open():
		return st.Load.Planned
	default:
		return float64(st.Load.Wanted)
	}
}

// demand is the load there is to be, as far as is known here.
func (m *screen) demand() float64 {
	if m.asked.n > 0 {
		return m.asked.n
	}
	return demandOf(m.latest)
}

// changeLoad asks for so much more of the load: users, or arrivals per second.
func (m *screen) changeLoad(by float64) tea.Cmd {
	return m.ownLoad(func() tea.Cmd {
		if m.latest.Plan.Open() {
			return m.setRate(m.demand() + by)
		}
		return m.setUsers(int(m.demand() + by))
	})
}

// scaleLoad asks for a share more or less of the load, at least for a user.
func (m *screen) scaleLoad(share float64) tea.Cmd {
	by := m.demand() * share
	if !m.latest.Plan.Open() {
		by = math.Copysign(max(1, math.Round(math.Abs(by))), share)
	}
	return m.changeLoad(by)
}

// setUsers asks for n users, but never for none nor for more than there may
// be.
func (m *screen) setUsers(n int) tea.Cmd {
	if n < 1 {
		m.notice = notice{text: "1 user is the least", bad: m.demand() <= 1}
	}
	if n > profiles.MostUsers {
		m.notice = notice{text: count(profiles.MostUsers) + " users are the most", bad: true}
	}
	n = min(max(n, 1), profiles.MostUsers)
	m.asked.ask(float64(n))
	text := ""
	if !sending(m.latest) {
		text = "the next swarm will have " + plural(n, "user")
	} else if m.latest.Load.Shaped {
		text = shapeOver + plural(n, "user")
	}
	return m.queue(call{after: m.asked.answered, run: func() (string, error) { return text, m.do.SetUsers(n) }})
}

// setRate asks for so many arrivals per second, as exactly as they are shown,
// but never for none.
func (m *screen) setRate(perSecond float64) tea.Cmd {
	if perSecond < leastRate {
		m.notice = notice{text: "arrivals must go on: " + keys.UsersLess.Help().Key + " takes 5 % off the rate", bad: true}
		return nil
	}
	digits := math.Pow(10, max(0, 2-math.Floor(math.Log10(perSecond))))
	perSecond = math.Round(perSecond*digits) / digits
	m.asked.ask(perSecond)
	text := ""
	if !sending(m.latest) {
		text = "the next swarm will bring " + trimmed(perSecond) + " arrivals per second"
	} else if m.latest.Load.Shaped {
		text = shapeOver + trimmed(perSecond) + " arrivals per second"
	}
	return m.queue(call{after: m.asked.answered, run: func() (string, error) { return text, m.do.SetRate(perSecond) }})
}

// shapeOver is what a hand does to a load that follows a shape.
const shapeOver = "the shape of the load is over: from here on "

// leastRate is where keys end; less can be typed.
const leastRate = 0.01
