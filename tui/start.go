package tui

import (
	"cmp"
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

// StartValues are what the start form asks for, as they are typed. Load is a
// number of users, or with a unit of time a rate of arrivals, which has no use
// for SpawnRate; Scenario is a file.
type StartValues struct {
	Target    string `json:"target"`
	Load      string `json:"load"`
	SpawnRate string `json:"spawnRate"`
	RunTime   string `json:"runTime"`
	SLO       string `json:"slo"`
	Traffic   string `json:"traffic"`
	Scenario  string `json:"scenario"`
}

// Rate reports whether the load is a rate of arrivals.
func (v StartValues) Rate() bool { return strings.Contains(v.Load, "/") }

// ErrCancelled is returned when the start form was left without an answer.
var ErrCancelled = errors.New("cancelled")

// StartForm asks for what a run needs, beginning with v and with what was
// wrong with it, which may be nil, in nothing but ASCII where that is wanted.
// What it returns can be parsed, and scenario, which reads a file, has found
// nothing wrong with Scenario when that was left; all but Target and Load may be
// empty, SpawnRate only beside a rate. Leaving it is ErrCancelled, by ctrl+c
// ErrInterrupted.
func StartForm(ctx context.Context, v StartValues, problem error, scenario func(file string) error, ascii bool) (StartValues, error) {
	defer guard(os.Stdout)()
	return askStart(ctx, v, problem, scenario, ascii, os.Stdin, os.Stdout)
}

func askStart(ctx context.Context, v StartValues, problem error, scenario func(file string) error, ascii bool, in io.Reader, out io.Writer) (StartValues, error) {
	s := newStyles(out, ascii)
	for {
		m := newStartModel(v, problem, s)
		m.out, m.scenario = out, scenario
		_, err := tea.NewProgram(m, tea.WithContext(ctx), tea.WithoutSignalHandler(), tea.WithAltScreen(),
			tea.WithFPS(framesPerSecond), tea.WithInput(in), tea.WithOutput(out), tea.WithFilter(new(backgroundAnswer).filter)).Run()
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
		v = m.values.trimmed()
		if problem = v.Check(); problem == nil {
			return v, nil
		}
	}
}

// Check returns what is wrong with the first value that cannot be read.
func (v StartValues) Check() error {
	for _, f := range startFields {
		if err := f.check(v); err != nil {
			return fmt.Errorf("%s: %w", strings.ToLower(f.title), err)
		}
	}
	return nil
}

func (v StartValues) trimmed() StartValues {
	for _, f := range startFields {
		s := f.value(&v)
		*s = strings.TrimSpace(*s)
	}
	return v
}

// startField is one question of the form.
type startField struct {
	title, hint string
	value       func(*StartValues) *string
	valid       func(string) error
}

func (f startField) check(v StartValues) error {
	text := *f.value(&v)
	if f.title == spawnRate && v.Rate() {
		return orEmpty(f.valid)(text)
	}
	return f.valid(text)
}

const (
	spawnRate    = "Spawn rate"
	scenarioFile = "Scenario"
)

var startFields = []startField{
	{"Target", "a URL such as http://127.0.0.1:8000/path", func(v *StartValues) *string { return &v.Target }, profiles.ValidateTarget},
	{"Load", "users such as 50, or arrivals such as 40/s", func(v *StartValues) *string { return &v.Load }, checkLoad},
	{spawnRate, "users started per second; a rate of arrivals has none", func(v *StartValues) *string { return &v.SpawnRate }, parses(profiles.ParseRate)},
	{"Run time", "such as 5m; empty for no end", func(v *StartValues) *string { return &v.RunTime }, orEmpty(parses(profiles.ParseLength))},
	{"SLO", "such as p95<300ms,errors<1%; empty for none", func(v *StartValues) *string { return &v.SLO }, orEmpty(parses(profiles.ParseSLO))},
	{"Traffic", "requests/s to advise for, such as 50..200; empty for none", func(v *StartValues) *string { return &v.Traffic }, orEmpty(parses(profiles.ParseTraffic))},
	{scenarioFile, "a file with several requests; empty for one", func(v *StartValues) *string { return &v.Scenario }, func(string) error { return nil }},
}

// checkLoad takes a number of users, or a rate of arrivals with its unit.
func checkLoad(s string) error {
	if (StartValues{Load: s}).Rate() {
		_, err := profiles.ParseRate(s)
		return err
	}
	if err := checkUsers(s); err != nil {
		return fmt.Errorf("%w, or a rate such as 40/s", err)
	}
	return nil
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
	problem     error // with what the form began with, until a key is typed
	styles      *styles
	scenario    func(file string) error // looks into a file when its field is left; nil: nothing does
	out         io.Writer               // that is asked for its background; nil: nothing is
	w, h        int
	interrupted bool // left with ctrl+c
}

func newStartModel(v StartValues, problem error, s *styles) *startModel {
	m := &startModel{values: &v, problem: problem, styles: s, w: leastWidth, h: leastHeight}
	fields := make([]huh.Field, len(startFields))
	for i, f := range startFields {
		fields[i] = huh.NewInput().Key(f.title).Title(fit(f.title, 12)).Inline(true).Prompt("").Value(f.value(m.values)).
			Validate(func(string) error { return m.leave(f) })
	}
	keyMap := huh.NewDefaultKeyMap()
	keyMap.Quit = key.NewBinding(key.WithKeys(append(keys.Leave.Keys(), keys.Cancel.Keys()...)...))
	// The arrows move as well; these texts have one line.
	keyMap.Input.Next.SetKeys(append(keyMap.Input.Next.Keys(), "down")...)
	keyMap.Input.Prev.SetKeys(append(keyMap.Input.Prev.Keys(), "up")...)
	m.form = huh.NewForm(huh.NewGroup(fields...)).WithTheme(startTheme(s)).WithKeyMap(keyMap).WithShowErrors(false).WithShowHelp(false)
	m.form.SubmitCmd, m.form.CancelCmd = tea.Quit, tea.Quit
	return m
}

// leave checks a field that is left.
func (m *startModel) leave(f startField) error {
	v := m.values.trimmed()
	if err := f.check(v); err != nil || f.title != scenarioFile || v.Scenario == "" || m.scenario == nil {
		return err
	}
	return m.scenario(v.Scenario)
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

func (m *startModel) Init() tea.Cmd { return tea.Batch(askBackground(m.out), m.form.Init()) }

func (m *startModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch typed := msg.(type) {
	case backgroundMsg:
		m.styles = stylesOn(m.out, typed.dark, m.styles.ascii)
		m.form.WithTheme(startTheme(m.styles))
		return m, nil
	case tea.WindowSizeMsg:
		m.w, m.h = typed.Width, typed.Height
		msg = tea.WindowSizeMsg{Width: max(1, min(m.w, 100)), Height: max(1, m.h-startFrame)}
	case tea.KeyMsg:
		m.problem, m.interrupted = nil, key.Matches(typed, keys.Leave)
		if key.Matches(typed, keys.Suspend) {
			return m, tea.Suspend
		}
	}
	_, cmd := m.form.Update(msg)
	return m, cmd
}

// startFrame is how many lines surround the form: the title, the hint, the
// verdict of two, the keys, and two blank ones.
const startFrame = 7

func (m *startModel) View() string {
	s := m.styles
	lines := []string{" " + s.paint(strong, "headroom") + s.paint(dim, "  how much load can it take?"), ""}
	lines = append(lines, strings.Split(m.form.View(), "\n")...)
	hint, wrong := m.focused()
	if m.problem != nil {
		wrong = m.problem
	}
	verdict := []string{" " + s.paint(good, "✓ understood"), ""}
	if wrong != nil {
		verdict = errorLines(wrong, s, m.w)
	}
	lines = append(append(lines, "", " "+s.paint(dim, hint)), verdict...)
	lines = append(lines, " "+s.paint(dim, "enter next, the last one starts · shift+tab back · esc leave"))
	for i := range lines {
		lines[i] = cut(lines[i], m.w)
	}
	frame := strings.Join(lines[:min(len(lines), max(1, m.h))], "\n")
	if s.ascii {
		frame = toASCII(frame)
	}
	return frame
}

// focused is what the field that is being typed into wants, and what is wrong
// with it.
func (m *startModel) focused() (hint string, wrong error) {
	focused := m.form.GetFocusedField()
	for _, f := range startFields {
		if focused != nil && focused.GetKey() == f.title {
			return f.hint, cmp.Or(f.check(m.values.trimmed()), focused.Error())
		}
	}
	return "", nil
}
