package tui

import (
	"context"
	"fmt"

	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"headroom/advisor"
)

// mode decides who gets the keys.
type mode uint8

const (
	modeNormal  mode = iota
	modeEdit         // the fields for the load and the traffic
	modeConfirm      // a question that wants y or n
	modeFile         // what is to be written, and where to
	modePalette      // a command is typed
	modeExplain      // the derivation of the advice
	modeFilter       // the text that rows must have
	modeHelp
	modeLeaving // the job under way is being stopped; then the program ends
)

// screen is the dashboard, the only tea.Model of the program.
type screen struct {
	ctx    context.Context
	do     Controller
	o      Options
	styles *styles

	w, h      int
	latest    advisor.State // what keys act on
	shown     advisor.State // what is on the screen; older than latest while frozen
	trends    trends        // up to latest
	lately    trends        // those on the screen
	frozen    bool
	view      int
	zoom      zoom
	scrolls   [len(views)]scroll
	arranged  [len(views)]arrangement
	filter    textinput.Model
	explained scroll

	left     error // what Run returns where the user left in a way that means something
	commands []command
	mode     mode
	confirm  confirmation
	edit     loadForm
	export   fileForm
	save     fileForm
	file     *fileForm // of the two the one that is open
	palette  commandLine
	helpAt   scroll
	notice   notice

	calls   []call // waiting for the one under way
	calling bool
	asked   askedLoad

	stale bool // frame does not show the present
	frame string
}

// notice is a line above the footer, until the next key.
type notice struct {
	text string
	bad  bool
}

// The messages of the program's own.
type (
	stateMsg  struct{ state advisor.State }
	calledMsg struct {
		call   call
		notice string
		err    error
	}
	stoppedMsg struct{ err error }
)

func newScreen(ctx context.Context, c Controller, o Options, s *styles) *screen {
	m := &screen{
		ctx: ctx, do: c, o: o, styles: s, w: leastWidth, h: leastHeight, stale: true,
		edit: newLoadForm(s), export: newExportForm(s, o), save: newSaveForm(s, o), palette: newCommandLine(s), commands: newCommands(o), filter: newInput(s, 40),
	}
	m.view = o.views()[0]
	return m
}

// Init waits for the first State, and starts where nobody has to ask for it.
func (m *screen) Init() tea.Cmd {
	cmds := []tea.Cmd{askBackground(m.o.Output), m.nextState()}
	if m.o.Autostart {
		cmds = append(cmds, m.call(m.do.Start))
	}
	return tea.Batch(cmds...)
}

// nextState is a command that takes one State. It is given again with every
// State, so that at most one waits for the screen.
func (m *screen) nextState() tea.Cmd {
	return func() tea.Msg {
		select {
		case st := <-m.o.States:
			return stateMsg{st}
		case <-m.ctx.Done():
			return nil
		}
	}
}

// Update takes one message.
func (m *screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case stateMsg:
		return m, m.take(msg.state)
	case calledMsg:
		return m, m.called(msg)
	case stoppedMsg:
		if msg.err != nil {
			m.notice, m.stale = notice{text: msg.err.Error(), bad: true}, true
		}
	case backgroundMsg:
		m.styles, m.stale = stylesOn(m.o.Output, msg.dark, m.styles.ascii), true
	case tea.WindowSizeMsg:
		m.w, m.h, m.stale = msg.Width, msg.Height, true
	case tea.KeyMsg:
		m.stale = true
		return m, m.typed(msg)
	}
	return m, nil
}

func (m *screen) take(st advisor.State) tea.Cmd {
	st = settled(st)
	if m.o.FleetOnly {
		st.Phase = ""
	}
	next := m.trends.with(st)
	// Also where the view is frozen: what stands around it is of the latest.
	m.stale = m.stale || !alike(st, m.latest) || !next.at.Equal(m.trends.at)
	if m.latest.Busy() && st.Phase != m.latest.Phase && !m.notice.bad {
		m.notice = notice{} // it was about a job that has ended
	}
	m.latest, m.trends = st, next
	m.asked.settle(st)
	m.withdraw()
	if !m.frozen {
		m.show(st)
	}
	if m.mode == modeLeaving && !running(st) {
		return tea.Quit
	}
	return m.nextState()
}

// show makes the views those of a State. Where the Advisor's comes to speak of
// something else it begins at its top.
func (m *screen) show(st advisor.State) {
	if topicOf(st) != topicOf(m.shown) {
		m.scrolls[viewAdvisor] = scroll{}
	}
	m.shown, m.lately = st, m.trends
}

// typed hands a key to whom the mode says. Letters that came in one read are
// one message, as over a slow line; they were separate keys.
func (m *screen) typed(msg tea.KeyMsg) tea.Cmd {
	if msg.Type != tea.KeyRunes || msg.Paste || len(msg.Runes) < 2 {
		return m.key(msg)
	}
	var cmds []tea.Cmd
	for _, r := range msg.Runes {
		cmds = append(cmds, m.key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: msg.Alt}))
	}
	return tea.Batch(cmds...)
}

func (m *screen) key(msg tea.KeyMsg) tea.Cmd {
	m.notice = notice{}
	if m.mode == modeNormal && m.unfilter(msg) {
		return nil
	}
	if cmd, ok := m.given(msg, m.mode == modeNormal); ok {
		return cmd
	}
	switch m.mode {
	case modeEdit:
		return m.editKey(msg)
	case modeConfirm:
		return m.confirmKey(msg)
	case modeFile:
		return m.fileKey(msg)
	case modePalette:
		return m.paletteKey(msg)
	case modeFilter:
		return m.filterKey(msg)
	case modeExplain:
		m.explainKey(msg)
	case modeHelp:
		m.helpKey(msg)
	case modeNormal:
		m.notice = notice{text: fmt.Sprintf("nothing is on %q: %s shows the keys", msg.String(), keys.Help.Help().Key), bad: true}
	}
	return nil
}
