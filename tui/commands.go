package tui

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"headroom/profiles"
)

// command is something that the dashboard does when it is told to, by a key or
// in the palette. The help, the palette and what a key does are made from the
// table of them, so that each says the same.
type command struct {
	group string
	name  string // in the palette
	args  string // that the palette wants, or may have where it is in brackets
	what  string // in the help and the palette
	keys  []shortcut

	changes bool // it changes the session; a dashboard that may not has no such command
	always  bool // its keys work in every mode

	run      func(m *screen, args []string) (tea.Cmd, error)
	complete func(m *screen) []string // what the first argument may be; optional
}

// shortcut is a key that gives a command with arguments.
type shortcut struct {
	key.Binding
	args string
}

// usage is how the palette wants the command.
func (c command) usage() string { return strings.TrimSpace(c.name + " " + c.args) }

// plainly is a command that takes no arguments.
func plainly(do func(*screen) tea.Cmd) func(*screen, []string) (tea.Cmd, error) {
	return func(m *screen, args []string) (tea.Cmd, error) {
		if len(args) > 0 {
			return nil, fmt.Errorf("got %q, want nothing behind the command", strings.Join(args, " "))
		}
		return do(m), nil
	}
}

// taking is a command with one argument that parse reads.
func taking[T any](parse func(string) (T, error), do func(*screen, T) tea.Cmd) func(*screen, []string) (tea.Cmd, error) {
	return func(m *screen, args []string) (tea.Cmd, error) {
		v, err := parse(strings.Join(args, " "))
		if err != nil {
			return nil, err
		}
		return do(m, v), nil
	}
}

// single is a command with one key, whose name it bears.
func single(group string, b key.Binding, what string, do func(*screen) tea.Cmd) command {
	return command{group: group, name: b.Help().Desc, what: what, keys: []shortcut{{b, ""}}, run: plainly(do)}
}

// changing marks commands that change the session.
func changing(commands ...command) []command {
	for i := range commands {
		commands[i].changes = true
	}
	return commands
}

// always marks commands whose keys work in every mode.
func always(commands ...command) []command {
	for i := range commands {
		commands[i].always = true
	}
	return commands
}

// newCommands are those of a dashboard, in the order of the help. What cannot
// be done with the options is not among them.
func newCommands(o Options) []command {
	const load, look, advice, program = "Load", "Look", "Advice", "Program"
	out := changing(
		single(load, keys.Start, "start the load", (*screen).start),
		single(load, keys.Stop, "stop what is under way", (*screen).askStop),
		single(load, keys.Edit, "edit load and traffic", (*screen).askEdit),
		command{group: load, name: "more", args: "N or N%", what: "1, 10, 5 % more load", run: steering(1),
			keys: []shortcut{{keys.UsersUp, "1"}, {keys.UsersUp10, "10"}, {keys.UsersMore, "5%"}}},
		command{group: load, name: "less", args: "N or N%", what: "1, 10, 5 % less load", run: steering(-1),
			keys: []shortcut{{keys.UsersDown, "1"}, {keys.UsersDown10, "10"}, {keys.UsersLess, "5%"}}},
		command{group: load, name: "users", args: "N", what: "so many users", run: editing(fieldUsers)},
		command{group: load, name: "spawn-rate", args: "N", what: "users started per second", run: editing(fieldSpawnRate)},
		command{group: load, name: "rate", args: "N", what: "arrivals per second", run: editing(fieldRate)},
		command{group: load, name: "traffic", args: "LOW..HIGH", what: "requests/s to advise for", run: editing(fieldTraffic)},
		single(load, keys.Pause, "pause or resume the load", (*screen).pause),
		single(load, keys.Recycle, "recycle the connections", (*screen).recycle),
		single(load, keys.Reset, "reset the statistics", (*screen).askReset),
	)
	if o.Another {
		out = append(out, single(load, keys.Another, "set up another run", (*screen).askAnother))
	}
	out = append(out,
		command{group: look, name: "view", args: "NAME", what: "a view", run: (*screen).look, complete: (*screen).viewNames, keys: viewKeys(o.views())},
		command{group: look, name: "turn", args: "next or previous", what: "next, previous view", run: taking(turns.parse, (*screen).turn), complete: turns.complete,
			keys: []shortcut{{keys.Next, "next"}, {keys.Previous, "previous"}}},
		command{group: look, name: "move", args: "WHERE", what: "down, up, top, end", run: taking(moves.parse, (*screen).move), complete: moves.complete,
			keys: []shortcut{{keys.Down, "down"}, {keys.Up, "up"}, {keys.Top, "top"}, {keys.Bottom, "end"}}},
		command{group: look, name: "page", args: "down or up", what: "a page down, up", run: taking(pages.parse, (*screen).movePage), complete: pages.complete,
			keys: []shortcut{{keys.PageDown, "down"}, {keys.PageUp, "up"}}},
		command{group: look, name: "zoom", args: "[5m, all or 1m]", what: "zoom: 5m, all, 1m", run: (*screen).zoomTo, complete: zoomNames,
			keys: []shortcut{{keys.Zoom, ""}}},
		command{group: look, name: "sort", args: "[COLUMN]", what: "sort by the next column", run: (*screen).sortBy, complete: (*screen).sortable,
			keys: []shortcut{{keys.Sort, ""}}},
		single(look, keys.Reverse, "turn the sort round", (*screen).reverseSort),
		command{group: look, name: "filter", args: "[TEXT]", what: "filter the rows", run: (*screen).filterBy, keys: []shortcut{{keys.Filter, ""}}},
		single(look, keys.Freeze, "freeze the view", (*screen).freeze),
	)
	out = append(out, always(single(look, keys.Redraw, "draw the screen again", (*screen).redraw))...)
	out = append(out, changing(
		single(advice, keys.Advise, "measure, advise a policy", (*screen).advise),
		single(advice, keys.Apply, "apply the advice", (*screen).askApply),
		single(advice, keys.Verify, "verify: replay the load", (*screen).verify),
	)...)
	if o.Explain != nil {
		out = append(out, single(advice, keys.Explain, "explain the advice", (*screen).askExplain))
	}
	if o.exports() {
		out = append(out, command{group: advice, name: keys.Export.Help().Desc, args: "[FORMAT [FILE]]", what: "export the policy", keys: []shortcut{{keys.Export, ""}},
			run: (*screen).exportTo, complete: (*screen).formatNames})
	}
	if o.Copy != nil {
		out = append(out, single(advice, keys.Copy, "copy the policy", (*screen).copyPolicy))
	}
	if o.Save != nil {
		out = append(out, command{group: program, name: keys.Save.Help().Desc, args: "[FILE]", what: "save a report", keys: []shortcut{{keys.Save, ""}}, run: (*screen).saveTo})
	}
	out = append(out,
		single(program, keys.Palette, "type a command", (*screen).openPalette),
		single(program, keys.Help, "help", (*screen).help),
		single(program, keys.Quit, "quit", (*screen).askQuit),
	)
	return append(out, always(
		single(program, keys.Suspend, "suspend", (*screen).suspend),
		single(program, keys.Leave, "stop and leave", (*screen).interrupt),
	)...)
}

// given finds the command of a key and runs it, where the mode lets it.
func (m *screen) given(msg tea.KeyMsg, normal bool) (tea.Cmd, bool) {
	for _, c := range m.commands {
		if !normal && !c.always {
			continue
		}
		for _, k := range c.keys {
			if !key.Matches(msg, k.Binding) {
				continue
			}
			cmd, err := m.perform(c, strings.Fields(k.args))
			if err != nil {
				m.notice = notice{text: err.Error(), bad: true}
			}
			return cmd, true
		}
	}
	return nil, false
}

// perform runs a command, unless nothing may be changed.
func (m *screen) perform(c command, args []string) (tea.Cmd, error) {
	if why := m.fixed(); c.changes && why != "" {
		return nil, errors.New(why)
	}
	return c.run(m, args)
}

// fixed is why nothing can be changed; empty where it can.
func (m *screen) fixed() string {
	if m.o.ReadOnly == "" && m.latest.Ended {
		return "the run has ended: nothing can be started or changed here any more"
	}
	return m.o.ReadOnly
}

// offered are the commands that may be given here.
func (m *screen) offered() []command {
	if m.fixed() == "" {
		return m.commands
	}
	var out []command
	for _, c := range m.commands {
		if !c.changes {
			out = append(out, c)
		}
	}
	return out
}

// steering changes the load by a number, or by a share of it.
func steering(sign float64) func(*screen, []string) (tea.Cmd, error) {
	return func(m *screen, args []string) (tea.Cmd, error) {
		text := strings.Join(args, " ")
		if percent, ok := strings.CutSuffix(text, "%"); ok {
			n, err := strconv.ParseFloat(percent, 64)
			if err != nil || !(n > 0 && n <= 1000) {
				return nil, fmt.Errorf("got %q, want a share such as 5%%, 1000%% at most", text)
			}
			return m.scaleLoad(sign * n / 100), nil
		}
		if m.latest.Plan.Open() {
			n, err := profiles.ParseRate(text)
			return m.steered(sign*n, err)
		}
		n, err := profiles.ParseCount(text)
		return m.steered(sign*float64(n), err)
	}
}

func (m *screen) steered(by float64, err error) (tea.Cmd, error) {
	if err != nil {
		return nil, err
	}
	return m.changeLoad(by), nil
}

// editing is what the form for the load does to one of its fields.
func editing(at int) func(*screen, []string) (tea.Cmd, error) {
	return func(m *screen, args []string) (tea.Cmd, error) {
		var err error
		cmd := m.ownLoad(func() tea.Cmd {
			m.edit.open(m.latest, m.demand())
			if err = m.edit.set(at, strings.Join(args, " ")); err != nil {
				return nil
			}
			return m.applyEdit()
		})
		return cmd, err
	}
}
