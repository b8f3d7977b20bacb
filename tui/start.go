package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/lipgloss"

	"headroom/profiles"
)

// StartValues are what the start form asks for, as they are typed.
type StartValues struct{ Target, Users, SpawnRate, RunTime, SLO, Traffic string }

// ErrCancelled is returned when the start form was left without an answer.
var ErrCancelled = errors.New("cancelled")

// StartForm asks for what a run needs, beginning with v. What it returns can
// be parsed; RunTime, SLO and Traffic may be empty. Leaving it is
// ErrCancelled, by ctrl+c ErrInterrupted.
func StartForm(ctx context.Context, v StartValues) (StartValues, error) {
	return askStart(ctx, v, os.Stdin, os.Stdout)
}

func askStart(ctx context.Context, v StartValues, in io.Reader, out io.Writer) (StartValues, error) {
	s := newStyles(out, false)
	for {
		m := newStartModel(v, s)
		_, err := tea.NewProgram(m, tea.WithContext(ctx), tea.WithoutSignalHandler(), tea.WithAltScreen(),
			tea.WithFPS(framesPerSecond), tea.WithInput(in), tea.WithOutput(out)).Run()
		switch {
		case ctx.Err() != nil:
			return v, context.Cause(ctx)
		case err != nil:
			return v, err
		case m.interrupted:
			return v, ErrInterrupted
		case m.form.State != huh.StateCompleted:
			return v, ErrCancelled
		}
		// Keys that come faster than the form moves can carry it past a field
		// unseen, so everything is looked at once more.
		if v = m.values.trimmed(); v.problem() == nil {
			return v, nil
		}
	}
}

// problem is what is wrong with the first value that cannot be read.
func (v StartValues) problem() error {
	for _, f := range startFields {
		if err := f.check(*f.value(&v)); err != nil {
			return err
		}
	}
	return nil
}

func (v StartValues) trimmed() StartValues {
	for _, s := range []*string{&v.Target, &v.Users, &v.SpawnRate, &v.RunTime, &v.SLO, &v.Traffic} {
		*s = strings.TrimSpace(*s)
	}
	return v
}

// startField is one question of the form.
type startField struct {
	key, title string
	value      func(*StartValues) *string
	check      func(string) error
}

var startFields = []startField{
	{"target", "Target, such as http://127.0.0.1:8000/path", func(v *StartValues) *string { return &v.Target }, profiles.ValidateTarget},
	{"users", "Users", func(v *StartValues) *string { return &v.Users }, checkUsers},
	{"spawn", "Spawn rate: users started per second", func(v *StartValues) *string { return &v.SpawnRate }, parses(profiles.ParseRate)},
	{"time", "Run time, such as 5m; empty for no end", func(v *StartValues) *string { return &v.RunTime }, orEmpty(checkRunTime)},
	{"slo", "SLO, such as p95<300ms,errors<1%; empty for none", func(v *StartValues) *string { return &v.SLO }, orEmpty(parses(profiles.ParseSLO))},
	{"traffic", "Traffic, such as 50..200 requests/s; empty for none", func(v *StartValues) *string { return &v.Traffic }, orEmpty(parses(profiles.ParseTraffic))},
}

func checkRunTime(s string) error {
	d, err := profiles.ParseDuration(s)
	if err == nil && d == 0 {
		err = fmt.Errorf("got %q, want more than 0, or nothing for no end", s)
	}
	return err
}

func parses[T any](parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		_, err := parse(s)
		return err
	}
}

func orEmpty(check func(string) error) func(string) error {
	return func(s string) error {
		if s == "" {
			return nil
		}
		return check(s)
	}
}

// startModel is the form in a program of its own. huh validates when a field
// is left; here each key is judged, in a line below the form.
type startModel struct {
	form        *huh.Form
	values      *StartValues
	styles      *styles
	w, h        int
	interrupted bool // left with ctrl+c
}

func newStartModel(v StartValues, s *styles) *startModel {
	m := &startModel{values: &v, styles: s, w: leastWidth, h: leastHeight}
	fields := make([]huh.Field, len(startFields))
	for i, f := range startFields {
		fields[i] = huh.NewInput().Key(f.key).Title(f.title).Value(f.value(m.values)).
			Validate(func(s string) error { return f.check(strings.TrimSpace(s)) })
	}
	keyMap := huh.NewDefaultKeyMap()
	keyMap.Quit = key.NewBinding(key.WithKeys(append(keys.Leave.Keys(), keys.Cancel.Keys()...)...))
	m.form = huh.NewForm(huh.NewGroup(fields...)).WithTheme(startTheme(s)).WithKeyMap(keyMap).WithShowErrors(false).WithShowHelp(false)
	m.form.SubmitCmd, m.form.CancelCmd = tea.Quit, tea.Quit
	return m
}

func startTheme(s *styles) *huh.Theme {
	t := huh.ThemeBase()
	t.FieldSeparator = lipgloss.NewStyle().SetString("\n")
	for _, f := range []*huh.FieldStyles{&t.Focused, &t.Blurred} {
		f.ErrorIndicator, f.ErrorMessage = s.looks[bad], s.looks[bad]
		f.TextInput = huh.TextInputStyles{
			Cursor: s.looks[plain], CursorText: s.looks[plain], Placeholder: s.looks[dim],
			Prompt: s.looks[accent], Text: s.looks[plain],
		}
	}
	t.Focused.Title, t.Blurred.Title = s.looks[strong], s.looks[dim]
	return t
}

func (m *startModel) Init() tea.Cmd { return m.form.Init() }

func (m *startModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch typed := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = typed.Width, typed.Height
		msg = tea.WindowSizeMsg{Width: max(1, min(m.w, 100)), Height: max(1, m.h-startFrame)}
	case tea.KeyMsg:
		m.interrupted = key.Matches(typed, keys.Leave)
	}
	_, cmd := m.form.Update(msg)
	return m, cmd
}

// startFrame is how many lines surround the form, two of them for the verdict.
const startFrame = 6

func (m *startModel) View() string {
	s := m.styles
	lines := []string{" " + s.paint(strong, "headroom") + s.paint(dim, "  how much load can it take?"), ""}
	lines = append(lines, strings.Split(m.form.View(), "\n")...)
	verdict := []string{" " + s.paint(good, "✓ understood"), ""}
	if problem := m.problem(); problem != nil {
		verdict = errorLines(problem, s, m.w)
	}
	lines = append(append(lines, ""), verdict...)
	lines = append(lines, " "+s.paint(dim, "enter next, the last one starts · shift+tab back · esc leave"))
	for i := range lines {
		lines[i] = cut(lines[i], m.w)
	}
	return strings.Join(lines[:min(len(lines), max(1, m.h))], "\n")
}

// problem is what is wrong with the field that is being typed into.
func (m *startModel) problem() error {
	focused := m.form.GetFocusedField()
	for _, f := range startFields {
		if focused != nil && focused.GetKey() == f.key {
			return f.check(strings.TrimSpace(*f.value(m.values)))
		}
	}
	return nil
}
