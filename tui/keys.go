package tui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"

	"headroom/advisor"
)

// keyMap is every key of the dashboard. Those of the normal mode bear the name
// of the command that they give; what it does is in the table of commands.
type keyMap struct {
	Start, Stop, Edit, UsersUp, UsersUp10, UsersDown, UsersDown10, UsersMore, UsersLess key.Binding
	Pause, Recycle, Reset, Another                                                      key.Binding
	Views, Next, Previous, Up, Down, PageUp, PageDown, Top, Bottom, Freeze, Redraw      key.Binding
	Zoom, Sort, Reverse, Filter, Explain                                                key.Binding
	Advise, Apply, Verify, Export, Copy                                                 key.Binding
	Help, Palette, Save, Suspend, Quit, Leave                                           key.Binding

	Yes, No, Accept, Cancel, NextField, PreviousField, NextFormat, PreviousFormat, LeaveNow key.Binding
	Complete, NextMatch, PreviousMatch                                                      key.Binding
}

func bind(label, what string, names ...string) key.Binding {
	return key.NewBinding(key.WithKeys(names...), key.WithHelp(label, what))
}

var keys = keyMap{
	Start:       bind("enter", "start", "enter"),
	Stop:        bind("esc", "stop", "esc"),
	Edit:        bind("e", "edit", "e"),
	UsersUp:     bind("w", "more", "w"),
	UsersUp10:   bind("W", "more", "W"),
	UsersDown:   bind("s", "less", "s"),
	UsersDown10: bind("S", "less", "S"),
	UsersMore:   bind("→", "more", "right"),
	UsersLess:   bind("←", "less", "left"),
	Pause:       bind("P", "pause", "P"),
	Recycle:     bind("R", "recycle", "R"),
	Reset:       bind("r", "reset", "r"),
	Another:     bind("n", "another", "n"),

	Views:    bind("1-6", "views", "1", "2", "3", "4", "5", "6"),
	Next:     bind("tab", "view", "tab"),
	Previous: bind("shift+tab", "view", "shift+tab"),
	Up:       bind("k", "move", "k", "up"),
	Down:     bind("j", "move", "j", "down"),
	PageUp:   bind("pgup", "move", "pgup", "ctrl+u"),
	PageDown: bind("pgdn", "move", "pgdown", "ctrl+d"),
	Top:      bind("g", "move", "g", "home"),
	Bottom:   bind("G", "move", "G", "end"),
	Zoom:     bind("z", "zoom", "z"),
	Sort:     bind("o", "sort", "o"),
	Reverse:  bind("O", "reverse", "O"),
	Filter:   bind("/", "filter", "/"),
	Freeze:   bind("space", "freeze", " "),
	Redraw:   bind("ctrl+l", "redraw", "ctrl+l"),

	Advise:  bind("a", "advise", "a"),
	Apply:   bind("A", "apply", "A"),
	Verify:  bind("v", "verify", "v"),
	Explain: bind("E", "explain", "E"),
	Export:  bind("x", "export", "x"),
	Copy:    bind("y", "copy", "y"),

	Help:    bind("?", "help", "?"),
	Palette: bind(":", "commands", ":"),
	Save:    bind("ctrl+s", "save", "ctrl+s"),
	Suspend: bind("ctrl+z", "suspend", "ctrl+z"),
	Quit:    bind("q", "quit", "q"),
	Leave:   bind("ctrl+c", "leave", "ctrl+c"),

	Yes:            bind("y", "yes", "y"),
	No:             bind("n", "no", "n", "esc", "q"),
	Accept:         bind("enter", "set", "enter"),
	Cancel:         bind("esc", "back", "esc"),
	NextField:      bind("tab", "next field", "tab", "down"),
	PreviousField:  bind("shift+tab", "field before", "shift+tab", "up"),
	NextFormat:     bind("→", "next format", "right"),
	PreviousFormat: bind("←", "format before", "left"),
	LeaveNow:       bind("ctrl+c", "leave now", "ctrl+c"),
	Complete:       bind("tab", "complete", "tab"),
	NextMatch:      bind("↓", "next", "down"),
	PreviousMatch:  bind("↑", "before", "up"),
}

// as is a binding under another description.
func as(b key.Binding, label, what string) key.Binding {
	b.SetHelp(label, what)
	return b
}

// move names the keys that move through a page.
func (k keyMap) move() string {
	names := make([]string, 0, 4)
	for _, b := range []key.Binding{k.Down, k.Up, k.Top, k.Bottom} {
		names = append(names, b.Help().Key)
	}
	return strings.Join(names, " ")
}

// footer are the keys of the moment, the likeliest first.
func (m *screen) footer() []key.Binding {
	k := keys
	switch m.mode {
	case modeEdit:
		return []key.Binding{k.Accept, k.Cancel, k.NextField}
	case modeFile:
		write := []key.Binding{as(k.Accept, k.Accept.Help().Key, "write the file"), k.Cancel}
		if !m.file.choice() {
			return write
		}
		return append(write, k.NextField, as(k.NextFormat, "← →", "format"))
	case modePalette:
		return []key.Binding{as(k.Accept, k.Accept.Help().Key, "do it"), k.Cancel, k.Complete, as(k.NextMatch, "↑ ↓", "choose")}
	case modeExplain:
		return []key.Binding{as(k.Down, k.move(), "move"), k.Cancel}
	case modeFilter:
		return []key.Binding{as(k.Accept, "enter", "keep"), as(k.Cancel, "esc", "show all")}
	case modeConfirm:
		return []key.Binding{k.Yes, k.No}
	case modeHelp:
		if m.helpPage().last(m.bodyHeight()) > 0 {
			return []key.Binding{as(k.Down, k.move(), "move"), k.Cancel}
		}
		return []key.Binding{as(k.Cancel, "any key", "back")}
	case modeLeaving:
		return []key.Binding{k.LeaveNow}
	}
	quit := k.Quit
	if m.o.Attached {
		quit = as(k.Quit, k.Quit.Help().Key, "detach")
	}
	switch {
	case m.waits():
		return []key.Binding{k.Help, quit}
	case m.small():
		return []key.Binding{quit}
	}
	out := append(m.forPhase(), m.forView()...)
	if m.latest.Phase != advisor.Idle { // what is shown changes by itself
		out = append(out, k.Freeze)
		if m.latest.Loaded {
			out = append(out, k.Save)
		}
	}
	return m.possible(append(out, as(k.Views, viewNumbers(m.o.views()), k.Views.Help().Desc), k.Help, quit))
}

// possible leaves out keys of commands that cannot be given here.
func (m *screen) possible(bindings []key.Binding) []key.Binding {
	names := map[string]bool{}
	for _, c := range m.offered() {
		for _, k := range c.keys {
			for _, name := range k.Keys() {
				names[name] = true
			}
		}
	}
	return slices.DeleteFunc(bindings, func(b key.Binding) bool {
		return !slices.ContainsFunc(b.Keys(), func(name string) bool { return names[name] })
	})
}

// forPhase are the keys for what the session does at the moment.
func (m *screen) forPhase() []key.Binding {
	st, k := m.latest, keys
	var advice []key.Binding
	if st.Advice != nil {
		if st.Managed && !st.Applied {
			advice = append(advice, k.Apply)
		}
		if st.Managed {
			advice = append(advice, k.Verify)
		}
		advice = append(advice, k.Export)
	}
	switch {
	case draining(st):
		return nil
	case st.Busy():
		return []key.Binding{k.Stop}
	case sending(st):
		load := "users"
		if st.Plan.Open() {
			load = "rate"
		}
		out := append([]key.Binding{as(k.UsersUp, "w/s", load), k.Edit, k.Advise}, advice...)
		return append(out, k.Pause, k.Stop)
	}
	out := append([]key.Binding{k.Start, k.Edit, k.Advise}, advice...)
	if st.Loaded {
		out = append(out, k.Save, as(k.Another, k.Another.Help().Key, "another run"))
	}
	return out
}

// forView are the keys for what the active view shows.
func (m *screen) forView() []key.Binding {
	st, k := m.shown, keys
	move := as(k.Down, k.Down.Help().Key+" "+k.Up.Help().Key, "move")
	table := []key.Binding{k.Sort, k.Filter, move}
	switch {
	case m.view == viewDashboard && len(st.Points) > 0:
		return []key.Binding{k.Zoom}
	case m.view == viewRequests && st.Loaded, m.view == viewReplicas && len(st.Fleet.Replicas) > 0, m.view == viewFailures && len(st.Load.Failures) > 0:
		return table
	case m.view == viewLog && len(st.Events) > 0:
		return []key.Binding{k.Filter, move}
	case m.view == viewAdvisor && st.Advice != nil:
		return []key.Binding{k.Explain, k.Copy, move}
	case m.view == viewAdvisor && st.Search != nil:
		return []key.Binding{move}
	}
	return nil
}

// renderKeys writes bindings on one line of at most w cells; those that have
// no room are left out whole.
func renderKeys(bindings []key.Binding, s *styles, w int) string {
	parts := make([]part, len(bindings))
	for i, b := range bindings {
		help := b.Help()
		parts[i] = part{s.paint(strong, help.Key) + " " + s.paint(dim, help.Desc), i}
	}
	// Help and quit are found at the end, whatever else has to go.
	for i := max(0, len(parts)-2); i < len(parts); i++ {
		parts[i].rank = 0
	}
	return join(parts, "  ", w)
}
