package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"

	"headroom/advisor"
)

// keyMap is every key of the dashboard. The footer and the help are made from
// it, so that no key is shown that does not exist.
type keyMap struct {
	Start, Stop, Edit, UsersUp, UsersUp10, UsersDown, UsersDown10, UsersMore, UsersLess key.Binding
	Pause, Recycle, Reset                                                               key.Binding
	Views, Next, Previous, Up, Down, PageUp, PageDown, Top, Bottom, Freeze, Redraw      key.Binding
	Zoom, Sort, Filter, Explain                                                         key.Binding
	Advise, Apply, Verify, Export                                                       key.Binding
	Help, Suspend, Quit, Leave                                                          key.Binding

	Yes, No, Accept, Cancel, NextField, PreviousField, NextFormat, PreviousFormat, LeaveNow key.Binding
}

func bind(label, what string, names ...string) key.Binding {
	return key.NewBinding(key.WithKeys(names...), key.WithHelp(label, what))
}

var keys = keyMap{
	Start:       bind("enter", "start", "enter"),
	Stop:        bind("esc", "stop", "esc"),
	Edit:        bind("e", "edit load and traffic", "e"),
	UsersUp:     bind("w", "one user, or 1/s, more", "w"),
	UsersUp10:   bind("W", "10 users, or 10/s, more", "W"),
	UsersDown:   bind("s", "one user, or 1/s, less", "s"),
	UsersDown10: bind("S", "10 users, or 10/s, less", "S"),
	UsersMore:   bind("→", "5 % more load", "right"),
	UsersLess:   bind("←", "5 % less load", "left"),
	Pause:       bind("P", "pause or resume the load", "P"),
	Recycle:     bind("R", "recycle the connections", "R"),
	Reset:       bind("r", "reset the statistics", "r"),

	Views:    bind("1-6", "views", "1", "2", "3", "4", "5", "6"),
	Next:     bind("tab", "next view", "tab"),
	Previous: bind("shift+tab", "previous view", "shift+tab"),
	Up:       bind("k", "up", "k", "up"),
	Down:     bind("j", "down", "j", "down"),
	PageUp:   bind("pgup", "a page up", "pgup", "ctrl+u"),
	PageDown: bind("pgdn", "a page down", "pgdown", "ctrl+d"),
	Top:      bind("g", "to the top", "g", "home"),
	Bottom:   bind("G", "to the end", "G", "end"),
	Zoom:     bind("z", "zoom: 5m, all, 1m", "z"),
	Sort:     bind("o", "sort by the next column", "o"),
	Filter:   bind("/", "filter the rows", "/"),
	Explain:  bind("E", "explain the advice", "E"),
	Freeze:   bind("space", "freeze the view", " "),
	Redraw:   bind("ctrl+l", "draw the screen again", "ctrl+l"),

	Advise: bind("a", "advise: measure", "a"),
	Apply:  bind("A", "apply the advice", "A"),
	Verify: bind("v", "verify: replay the load", "v"),
	Export: bind("x", "export the policy", "x"),

	Help:    bind("?", "help", "?"),
	Suspend: bind("ctrl+z", "suspend", "ctrl+z"),
	Quit:    bind("q", "quit", "q"),
	Leave:   bind("ctrl+c", "stop and leave", "ctrl+c"),

	Yes:            bind("y", "yes", "y"),
	No:             bind("n", "no", "n", "esc", "q"),
	Accept:         bind("enter", "apply", "enter"),
	Cancel:         bind("esc", "leave", "esc"),
	NextField:      bind("tab", "next field", "tab", "down"),
	PreviousField:  bind("shift+tab", "field before", "shift+tab", "up"),
	NextFormat:     bind("→", "next format", "right"),
	PreviousFormat: bind("←", "format before", "left"),
	LeaveNow:       bind("ctrl+c", "leave now", "ctrl+c"),
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

// keyGroup is a part of the help.
type keyGroup struct {
	title string
	keys  []key.Binding
}

// groups are all keys of the normal mode; keys that belong together share a
// line.
func (k keyMap) groups() []keyGroup {
	return []keyGroup{
		{"Load", []key.Binding{k.Start, k.Stop, k.Edit, as(k.UsersUp, "w W", "1, 10 users or /s more"),
			as(k.UsersDown, "s S", "1, 10 users or /s less"), as(k.UsersMore, "← →", "5 % less, 5 % more"), k.Pause, k.Recycle, k.Reset}},
		{"Look", []key.Binding{k.Views, as(k.Next, "tab", "next view (shift: before)"), as(k.Down, "j k g G", "down, up, top, end"),
			as(k.PageDown, "pgdn pgup", "a page down, up"), k.Zoom, as(k.Sort, "o /", "sort, filter the rows"), k.Freeze, k.Redraw}},
		{"Advice", []key.Binding{k.Advise, k.Apply, k.Verify, k.Explain, k.Export}},
		{"Program", []key.Binding{k.Help, k.Suspend, k.Quit, k.Leave}},
	}
}

// changing are the keys that change something.
func (k keyMap) changing() []key.Binding {
	return []key.Binding{
		k.Start, k.Stop, k.Edit, k.UsersUp, k.UsersUp10, k.UsersDown, k.UsersDown10, k.UsersMore, k.UsersLess,
		k.Pause, k.Recycle, k.Reset, k.Advise, k.Apply, k.Verify,
	}
}

// footer are the keys of the moment, the likeliest first.
func (k keyMap) footer(m mode, st advisor.State, o Options) []key.Binding {
	switch m {
	case modeEdit:
		return []key.Binding{k.Accept, k.Cancel, k.NextField}
	case modeExport:
		return []key.Binding{as(k.Accept, "enter", "write the file"), k.Cancel, k.NextField, as(k.NextFormat, "← →", "format")}
	case modeExplain:
		return []key.Binding{as(k.Down, k.move(), "move"), as(k.Cancel, "esc", "back")}
	case modeFilter:
		return []key.Binding{as(k.Accept, "enter", "keep"), as(k.Cancel, "esc", "show all")}
	case modeConfirm:
		return []key.Binding{k.Yes, k.No}
	case modeHelp:
		return []key.Binding{as(k.Cancel, "any key", "back")}
	case modeLeaving:
		return []key.Binding{k.LeaveNow}
	}
	look, quit := k.Views, k.Quit
	if o.FleetOnly {
		look = as(k.Views, fmt.Sprintf("%d %d", viewReplicas+1, viewLog+1), "views")
	}
	if o.Attached {
		quit = as(k.Quit, k.Quit.Help().Key, "detach")
	}
	if o.ReadOnly != "" {
		return []key.Binding{as(k.Freeze, "space", "freeze"), look, k.Help, quit}
	}
	return append(k.forPhase(st, o.exports()), look, k.Help, quit)
}

func (k keyMap) forPhase(st advisor.State, export bool) []key.Binding {
	advise, apply := as(k.Advise, "a", "advise"), as(k.Apply, "A", "apply")
	verify, stop := as(k.Verify, "v", "verify"), as(k.Stop, "esc", "stop")
	var advice []key.Binding
	if st.Advice != nil {
		if st.Managed && !st.Applied {
			advice = append(advice, apply)
		}
		if st.Managed {
			advice = append(advice, verify)
		}
		if export {
			advice = append(advice, as(k.Export, "x", "export"))
		}
	}
	edit, freeze := as(k.Edit, "e", "edit"), as(k.Freeze, "space", "freeze")
	switch {
	case draining(st):
		return []key.Binding{freeze}
	case st.Busy():
		return []key.Binding{stop, freeze}
	case sending(st):
		load := "users"
		if st.Plan.Open() {
			load = "rate"
		}
		out := append([]key.Binding{as(k.UsersUp, "w/s", load), edit, advise}, advice...)
		return append(out, as(k.Pause, "P", "pause"), stop, freeze)
	default:
		return append([]key.Binding{k.Start, edit, advise}, advice...)
	}
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
