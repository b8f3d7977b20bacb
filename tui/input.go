package tui

import (
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"headroom/advisor"
)

// always handles the keys that mean the same in every mode.
func (m *screen) always(msg tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case key.Matches(msg, keys.Leave):
		m.interrupted = true
		if m.mode == modeLeaving {
			return tea.Quit, true
		}
		return m.leave(), true
	case key.Matches(msg, keys.Suspend):
		return tea.Suspend, true
	case key.Matches(msg, keys.Redraw):
		return tea.ClearScreen, true
	}
	return nil, false
}

// leave ends the program; a job under way is stopped first and waited for,
// unless it is one elsewhere.
func (m *screen) leave() tea.Cmd {
	if !running(m.latest) || m.o.Attached {
		return tea.Quit
	}
	m.mode = modeLeaving
	return m.stop()
}

// stop does not queue: it is what ends a call that takes long.
func (m *screen) stop() tea.Cmd {
	return func() tea.Msg {
		return stoppedMsg{m.do.Stop()}
	}
}

func (m *screen) normalKey(msg tea.KeyMsg) tea.Cmd {
	for _, handle := range []func(tea.KeyMsg) (tea.Cmd, bool){m.lookKey, m.arrangeKey, m.refusedKey, m.loadKey, m.adviceKey, m.programKey} {
		if cmd, ok := handle(msg); ok {
			return cmd
		}
	}
	return nil
}

const far = 1 << 30 // rows

// lookKey changes what is looked at.
func (m *screen) lookKey(msg tea.KeyMsg) (tea.Cmd, bool) {
	page := max(1, m.bodyHeight()-4)
	switch {
	case key.Matches(msg, keys.Views):
		if view := int(msg.Runes[0] - '1'); slices.Contains(m.views(), view) {
			m.view = view
		}
	case key.Matches(msg, keys.Next):
		m.turn(1)
	case key.Matches(msg, keys.Previous):
		m.turn(-1)
	case key.Matches(msg, keys.Down):
		m.move(1)
	case key.Matches(msg, keys.Up):
		m.move(-1)
	case key.Matches(msg, keys.PageDown):
		m.move(page)
	case key.Matches(msg, keys.PageUp):
		m.move(-page)
	case key.Matches(msg, keys.Bottom):
		m.move(far)
	case key.Matches(msg, keys.Top):
		m.move(-far)
	case key.Matches(msg, keys.Zoom):
		return m.zoomOn(), true
	case key.Matches(msg, keys.Freeze):
		if m.frozen = !m.frozen; !m.frozen {
			m.show(m.latest)
		}
	default:
		return nil, false
	}
	return nil, true
}

// turn goes so many views on.
func (m *screen) turn(by int) {
	all := m.views()
	m.view = all[(slices.Index(all, m.view)+by+len(all))%len(all)]
}

func (m *screen) move(by int) {
	if m.view != viewDashboard {
		m.scrolls[m.view] = m.page().move(m.scrolls[m.view], by, m.bodyHeight())
	}
}

// refusedKey says why nothing can be changed, where that is so.
func (m *screen) refusedKey(msg tea.KeyMsg) (tea.Cmd, bool) {
	if m.o.ReadOnly == "" || !key.Matches(msg, keys.changing()...) {
		return nil, false
	}
	m.notice = notice{text: m.o.ReadOnly, bad: true}
	return nil, true
}

// loadKey changes the load.
func (m *screen) loadKey(msg tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case key.Matches(msg, keys.Start):
		if running(m.latest) {
			return nil, true
		}
		return m.call(m.do.Start), true
	case key.Matches(msg, keys.Stop):
		switch {
		case draining(m.latest): // a measurement or a replay may wait for its end
			m.notice = notice{text: "the swarm is ending, and nothing comes after it"}
			return m.stop(), true
		case running(m.latest):
			m.askJob("Stop "+jobName(m.latest)+"?", m.stop)
		}
		return nil, true
	case key.Matches(msg, keys.Edit):
		return m.ownLoad(func() tea.Cmd {
			m.mode = modeEdit
			m.edit.open(m.latest, m.demand())
			return nil
		}), true
	case key.Matches(msg, keys.UsersUp):
		return m.changeLoad(1), true
	case key.Matches(msg, keys.UsersUp10):
		return m.changeLoad(10), true
	case key.Matches(msg, keys.UsersDown):
		return m.changeLoad(-1), true
	case key.Matches(msg, keys.UsersDown10):
		return m.changeLoad(-10), true
	case key.Matches(msg, keys.UsersMore):
		return m.scaleLoad(0.05), true
	case key.Matches(msg, keys.UsersLess):
		return m.scaleLoad(-0.05), true
	case key.Matches(msg, keys.Pause):
		return m.swarmOnly("pause", func() tea.Cmd { return m.call(m.do.TogglePause) }), true
	case key.Matches(msg, keys.Recycle):
		return m.swarmOnly("recycle", func() tea.Cmd {
			return m.say("every connection is replaced before its next request", m.do.Recycle)
		}), true
	case key.Matches(msg, keys.Reset):
		return m.swarmOnly("reset", func() tea.Cmd {
			m.askJob("Reset the statistics of the run?", func() tea.Cmd {
				return m.say("the statistics begin anew", m.do.ResetStats)
			})
			return nil
		}), true
	}
	return nil, false
}

// swarmEnds is why nothing can be done with a swarm that is draining.
const swarmEnds = "the swarm is ending: it waits for its last answers"

// swarmOnly says what a key needs before it asks for anything.
func (m *screen) swarmOnly(what string, then func() tea.Cmd) tea.Cmd {
	if !sending(m.latest) {
		m.notice = notice{text: "there is no swarm to " + what, bad: true}
		return nil
	}
	return then()
}

// ownLoad keeps the keys of the load off a measurement and a replay, which
// have one of their own.
func (m *screen) ownLoad(then func() tea.Cmd) tea.Cmd {
	if p := m.latest.Phase; p == advisor.Measuring || p == advisor.Replaying {
		m.notice = notice{text: jobName(m.latest) + " has a load of its own: change yours when it has ended", bad: true}
		return nil
	}
	return then()
}

// adviceKey measures, applies, verifies and exports. What comes of it is on
// the Advisor's view.
func (m *screen) adviceKey(msg tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case key.Matches(msg, keys.Advise):
		return m.takeOver("the measurement", m.do.Advise), true
	case key.Matches(msg, keys.Verify):
		return m.takeOver("the replay", m.do.Verify), true
	case key.Matches(msg, keys.Apply):
		return m.askApply(), true
	case key.Matches(msg, keys.Export) && m.o.exports():
		return m.askExport(), true
	}
	return nil, false
}

// takeOver starts a job that a swarm makes room for.
func (m *screen) takeOver(what string, start func() error) tea.Cmd {
	m.view = viewAdvisor
	text := ""
	switch {
	case draining(m.latest):
		m.notice = notice{text: swarmEnds, bad: true}
		return nil
	case sending(m.latest):
		text = "the swarm makes room for " + what + " and comes back afterwards"
	}
	return m.say(text, start)
}

func (m *screen) programKey(msg tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case key.Matches(msg, keys.Help):
		m.mode = modeHelp
	case key.Matches(msg, keys.Quit):
		if !running(m.latest) || draining(m.latest) || m.o.Attached {
			return m.leave(), true
		}
		m.askJob("Stop "+jobName(m.latest)+" and quit?", m.leave)
	default:
		return nil, false
	}
	return nil, true
}
