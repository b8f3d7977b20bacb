package tui

import (
	"context"
	"fmt"
	"strings"

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
