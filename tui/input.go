package tui

import (
	"slices"
	"strconv"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"headroom/advisor"
	"headroom/profiles"
)

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

// choices are words that an argument may be, and what they stand for.
type choices []struct {
	word string
	n    int
}

func (c choices) parse(text string) (int, error) {
	for _, choice := range c {
		if choice.word == text {
			return choice.n, nil
		}
	}
	return 0, profiles.OneOf(text, c.complete(nil))
}

func (c choices) complete(*screen) (words []string) {
	for _, choice := range c {
		words = append(words, choice.word)
	}
	return words
}

const far = 1 << 30 // rows

var (
	moves = choices{{"down", 1}, {"up", -1}, {"top", -far}, {"end", far}}
	pages = choices{{"down", 1}, {"up", -1}}
	turns = choices{{"next", 1}, {"previous", -1}}
)

// views are those that there is something to show in.
func (o Options) views() []int {
	if o.FleetOnly {
		return []int{viewReplicas, viewLog}
	}
	return []int{viewDashboard, viewRequests, viewReplicas, viewFailures, viewAdvisor, viewLog}
}

// viewNumbers are the keys of those that there are, as they are shown.
func viewNumbers(shown []int) string {
	if len(shown) == len(views) {
		return keys.Views.Help().Key
	}
	var numbers []string
	for _, view := range shown {
		numbers = append(numbers, strconv.Itoa(view+1))
	}
	return strings.Join(numbers, " ")
}

// viewKeys are the numbers of the views that there are, shown as one.
func viewKeys(shown []int) []shortcut {
	out := make([]shortcut, len(shown))
	for i, view := range shown {
		n := strconv.Itoa(view + 1)
		out[i] = shortcut{bind("", "view", n), n}
	}
	out[0].SetHelp(viewNumbers(shown), "view")
	return out
}

// viewNames are those that there are, in the palette's spelling.
func (m *screen) viewNames() []string {
	names := make([]string, 0, len(views))
	for _, view := range m.o.views() {
		names = append(names, strings.ToLower(views[view]))
	}
	return names
}

// look goes to a view by its name or number.
func (m *screen) look(args []string) (tea.Cmd, error) {
	name := strings.ToLower(strings.Join(args, " "))
	n, err := strconv.Atoi(name)
	switch at := slices.Index(m.viewNames(), name); {
	case at >= 0:
		m.view = m.o.views()[at]
	case err == nil && slices.Contains(m.o.views(), n-1):
		m.view = n - 1
	default:
		return nil, profiles.OneOf(name, m.viewNames())
	}
	return nil, nil
}

// turn goes so many views on.
func (m *screen) turn(by int) tea.Cmd {
	all := m.o.views()
	m.view = all[(slices.Index(all, m.view)+by+len(all))%len(all)]
	return nil
}

func (m *screen) move(by int) tea.Cmd {
	if m.view != viewDashboard {
		m.scrolls[m.view] = m.page().move(m.scrolls[m.view], by, m.bodyHeight())
	}
	return nil
}

func (m *screen) movePage(by int) tea.Cmd { return m.move(by * m.page().leap(m.bodyHeight())) }

func (m *screen) freeze() tea.Cmd {
	if m.frozen = !m.frozen; !m.frozen {
		m.show(m.latest)
	}
	return nil
}

func (m *screen) start() tea.Cmd {
	if running(m.latest) {
		return nil
	}
	return m.call(m.do.Start)
}

func (m *screen) askStop() tea.Cmd {
	switch {
	case draining(m.latest): // a measurement or a replay may wait for its end
		m.notice = notice{text: "the swarm is ending, and nothing comes after it"}
		return m.stop()
	case running(m.latest):
		m.askJob("Stop "+jobName(m.latest)+"?", m.stop)
	}
	return nil
}

func (m *screen) askEdit() tea.Cmd {
	return m.ownLoad(func() tea.Cmd {
		m.mode = modeEdit
		m.edit.open(m.latest, m.demand())
		return nil
	})
}

func (m *screen) pause() tea.Cmd {
	return m.swarmOnly("pause", func() tea.Cmd { return m.call(m.do.TogglePause) })
}

func (m *screen) recycle() tea.Cmd {
	return m.swarmOnly("recycle", func() tea.Cmd {
		return m.say("every connection is replaced before its next request", m.do.Recycle)
	})
}

func (m *screen) askReset() tea.Cmd {
	return m.swarmOnly("reset", func() tea.Cmd {
		m.askJob("Reset the statistics of the run?", func() tea.Cmd {
			return m.say("the statistics begin anew", m.do.ResetStats)
		})
		return nil
	})
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

// What comes of a measurement and of a replay is on the Advisor's view.
func (m *screen) advise() tea.Cmd { return m.takeOver("the measurement", m.do.Advise) }
func (m *screen) verify() tea.Cmd { return m.takeOver("the replay", m.do.Verify) }

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

func (m *screen) help() tea.Cmd {
	m.mode, m.helpAt = modeHelp, scroll{}
	return nil
}

func (m *screen) suspend() tea.Cmd { return tea.Suspend }
func (m *screen) redraw() tea.Cmd  { return tea.ClearScreen }

// interrupt leaves; a second one does not wait.
func (m *screen) interrupt() tea.Cmd {
	m.left = ErrInterrupted
	if m.mode == modeLeaving {
		return tea.Quit
	}
	return m.leave()
}

func (m *screen) askQuit() tea.Cmd { return m.askLeave("quit", nil) }

// askAnother leaves to where another run is asked for.
func (m *screen) askAnother() tea.Cmd { return m.askLeave("set up another run", ErrAnother) }

// askLeave leaves with an error of Run, after a question where that ends a job.
func (m *screen) askLeave(what string, with error) tea.Cmd {
	leave := func() tea.Cmd {
		m.left = with
		return m.leave()
	}
	if !running(m.latest) || draining(m.latest) || m.o.Attached {
		return leave()
	}
	m.askJob("Stop "+jobName(m.latest)+" and "+what+"?", leave)
	return nil
}

// zoomTo shows so much of the past in the charts; without a name it goes to the
// next zoom.
func (m *screen) zoomTo(args []string) (tea.Cmd, error) {
	if len(args) == 0 {
		m.zoom = (m.zoom + 1) % zooms
		return nil, nil
	}
	name := strings.Join(args, " ")
	at := slices.Index(zoomNames(m), name)
	if at < 0 {
		return nil, profiles.OneOf(name, zoomNames(m))
	}
	m.zoom = zoom(at)
	return nil, nil
}

func zoomNames(*screen) (names []string) {
	for z := range zooms {
		names = append(names, z.String())
	}
	return names
}
