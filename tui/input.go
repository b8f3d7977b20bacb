package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"headroom/advisor"
)

// always handles the keys that mean the same in every mode.
func (m *screen) always(msg tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case key.Matches(msg, keys.Leave):
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

// leave ends the program; a job under way is stopped first and waited for.
func (m *screen) leave() tea.Cmd {
	if !running(m.latest) {
		return tea.Quit
	}
	m.mode = modeLeaving
	return m.stop()
}

// stop does not queue: it is what ends a call that takes long.
func (m *screen) stop() tea.Cmd {
	return func() tea.Msg {
		m.do.Stop()
		return nil
	}
}

func (m *screen) normalKey(msg tea.KeyMsg) tea.Cmd {
	for _, handle := range []func(tea.KeyMsg) (tea.Cmd, bool){m.lookKey, m.loadKey, m.adviceKey, m.programKey} {
		if cmd, ok := handle(msg); ok {
			return cmd
		}
	}
	return nil
}

// lookKey changes what is looked at.
func (m *screen) lookKey(msg tea.KeyMsg) (tea.Cmd, bool) {
	page := max(1, m.bodyHeight()-4)
	const far = 1 << 30
	switch {
	case key.Matches(msg, keys.Views):
		m.view = int(msg.Runes[0] - '1')
	case key.Matches(msg, keys.Next):
		m.view = (m.view + 1) % len(views)
	case key.Matches(msg, keys.Previous):
		m.view = (m.view + len(views) - 1) % len(views)
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
	case key.Matches(msg, keys.Freeze):
		if m.frozen = !m.frozen; !m.frozen {
			m.shown = m.latest
		}
	default:
		return nil, false
	}
	return nil, true
}

func (m *screen) move(by int) {
	if m.view != viewDashboard {
		m.scrolls[m.view] = m.page().move(m.scrolls[m.view], by, m.bodyHeight())
	}
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
		if running(m.latest) {
			m.ask(confirmation{question: "Stop " + jobName(m.latest) + "?", yes: m.stop})
		}
		return nil, true
	case key.Matches(msg, keys.Edit):
		m.mode = modeEdit
		m.edit.open(m.wanted(), m.latest.Plan.SpawnRate)
		return nil, true
	case key.Matches(msg, keys.UsersUp):
		return m.setUsers(m.wanted() + 1), true
	case key.Matches(msg, keys.UsersUp10):
		return m.setUsers(m.wanted() + 10), true
	case key.Matches(msg, keys.UsersDown):
		return m.setUsers(m.wanted() - 1), true
	case key.Matches(msg, keys.UsersDown10):
		return m.setUsers(m.wanted() - 10), true
	case key.Matches(msg, keys.UsersMore):
		return m.addShare(0.05), true
	case key.Matches(msg, keys.UsersLess):
		return m.addShare(-0.05), true
	case key.Matches(msg, keys.Pause):
		return m.swarmOnly("pause", func() tea.Cmd { return m.call(func() error { m.do.TogglePause(); return nil }) }), true
	case key.Matches(msg, keys.Recycle):
		return m.swarmOnly("recycle", func() tea.Cmd {
			return m.say("every connection is replaced before its next request", m.do.Recycle)
		}), true
	case key.Matches(msg, keys.Reset):
		return m.swarmOnly("reset", func() tea.Cmd {
			m.ask(confirmation{question: "Reset the statistics of the run?", yes: func() tea.Cmd {
				return m.say("the statistics begin anew", m.do.ResetStats)
			}})
			return nil
		}), true
	}
	return nil, false
}

// swarmOnly says what a key would need where the Controller could not say it.
func (m *screen) swarmOnly(what string, then func() tea.Cmd) tea.Cmd {
	if m.latest.Phase != advisor.Swarming {
		m.notice = notice{text: "there is no swarm to " + what, bad: true}
		return nil
	}
	return then()
}

// adviceKey measures, applies, verifies and exports. What comes of it is on
// the Advisor's view.
func (m *screen) adviceKey(msg tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case key.Matches(msg, keys.Advise):
		m.view = viewAdvisor
		return m.call(m.do.Advise), true
	case key.Matches(msg, keys.Verify):
		m.view = viewAdvisor
		return m.call(m.do.Verify), true
	case key.Matches(msg, keys.Apply):
		return m.askApply(), true
	case key.Matches(msg, keys.Export) && m.exports():
		return m.askExport(), true
	}
	return nil, false
}

func (m *screen) programKey(msg tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case key.Matches(msg, keys.Help):
		m.mode = modeHelp
	case key.Matches(msg, keys.Quit):
		if !running(m.latest) {
			return tea.Quit, true
		}
		m.ask(confirmation{question: "Stop " + jobName(m.latest) + " and quit?", yes: m.leave})
	default:
		return nil, false
	}
	return nil, true
}

// jobName is the job under way, with its article.
func jobName(st advisor.State) string {
	switch st.Phase {
	case advisor.Measuring:
		return "the measurement"
	case advisor.Applying:
		return "waiting for the fleet"
	case advisor.Replaying:
		return "the replay"
	default:
		return "the swarm"
	}
}
