package tui

import (
	"fmt"

	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"headroom/profiles"
)

// newInput is a text field that does not blink and reads no clipboard by
// itself; pasting is up to the terminal.
func newInput(s *styles, width int) textinput.Model {
	in := textinput.New()
	in.Prompt = ""
	in.Width, in.CharLimit = width, 256
	in.KeyMap.Paste.SetEnabled(false)
	in.Cursor.SetMode(cursor.CursorStatic)
	in.Cursor.Style, in.Cursor.TextStyle = s.looks[plain], s.looks[plain]
	in.TextStyle, in.PromptStyle = s.looks[plain], s.looks[plain]
	in.PlaceholderStyle, in.CompletionStyle = s.looks[dim], s.looks[dim]
	return in
}

// field is a labelled text field with a parser.
type field struct {
	label, hint string
	input       textinput.Model
	was         string // when the form was opened
	check       func(string) error
}

func (f *field) open(value string) {
	f.was = value
	f.input.SetValue(value)
	f.input.CursorEnd()
}

func (f *field) focus(on bool) {
	if on {
		f.input.Focus()
	} else {
		f.input.Blur()
	}
}

func (f field) render(s *styles, active bool) string {
	mark := "  "
	if active {
		mark = s.paint(accent, "▸ ")
	}
	return " " + mark + fit(f.label, 11) + f.input.View() + "  " + s.paint(dim, f.hint)
}

// loadForm edits the users and their spawn rate.
type loadForm struct {
	fields [2]field
	at     int
	err    error // of the field that is wrong, as one types
}

const (
	fieldUsers = iota
	fieldSpawnRate
)

func newLoadForm(s *styles) loadForm {
	return loadForm{fields: [2]field{
		{label: "users", hint: "500, 10k", input: newInput(s, 12), check: func(v string) error {
			_, err := profiles.ParseCount(v)
			return err
		}},
		{label: "spawn rate", hint: "users started per second: 5, 100, 30/1m", input: newInput(s, 12), check: func(v string) error {
			_, err := profiles.ParseRate(v)
			return err
		}},
	}}
}

func (f *loadForm) open(users int, spawnRate float64) {
	f.fields[fieldUsers].open(fmt.Sprint(users))
	f.fields[fieldSpawnRate].open(fmt.Sprint(spawnRate))
	f.err = nil
	f.focus(fieldUsers)
}

func (f *loadForm) focus(at int) {
	f.at = at
	for i := range f.fields {
		f.fields[i].focus(i == at)
	}
}

func (f *loadForm) check() {
	f.err = nil
	for _, field := range f.fields {
		if err := field.check(field.input.Value()); err != nil {
			f.err = fmt.Errorf("%s: %w", field.label, err)
			return
		}
	}
}

func (f loadForm) render(s *styles, w int) []string {
	lines := []string{rule(s, "Change the load", w)}
	for i, field := range f.fields {
		lines = append(lines, field.render(s, i == f.at))
	}
	return append(lines, errorLine(f.err, s, w))
}

// errorLine is there whether or not there is an error, so that nothing moves.
func errorLine(err error, s *styles, w int) string {
	if err == nil {
		return ""
	}
	return "   " + s.paint(bad, cut("✗ "+clean(err.Error()), w-4))
}

func (m *screen) editKey(msg tea.KeyMsg) tea.Cmd {
	f := &m.edit
	switch {
	case key.Matches(msg, keys.Cancel):
		m.mode = modeNormal
		return nil
	case key.Matches(msg, keys.NextField, keys.PreviousField):
		f.focus(1 - f.at)
		return nil
	case key.Matches(msg, keys.Accept):
		if f.check(); f.err != nil {
			return nil
		}
		m.mode = modeNormal
		return m.applyEdit()
	}
	f.fields[f.at].input, _ = f.fields[f.at].input.Update(msg)
	f.check()
	return nil
}

// applyEdit asks for what was changed, and for nothing else.
func (m *screen) applyEdit() tea.Cmd {
	var cmds []tea.Cmd
	if f := m.edit.fields[fieldSpawnRate]; f.input.Value() != f.was {
		if rate, err := profiles.ParseRate(f.input.Value()); err == nil {
			cmds = append(cmds, m.call(func() error { return m.do.SetSpawnRate(rate) }))
		}
	}
	if f := m.edit.fields[fieldUsers]; f.input.Value() != f.was {
		if n, err := profiles.ParseCount(f.input.Value()); err == nil {
			cmds = append(cmds, m.setUsers(n))
		}
	}
	return tea.Batch(cmds...)
}
