package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"headroom/advisor"
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

// field is a labelled text field with a check of what is typed.
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

func (f *field) changed() bool { return f.input.Value() != f.was }

func (f *field) focus(on bool) {
	if on {
		f.input.Focus()
	} else {
		f.input.Blur()
	}
}

func (f field) render(s *styles, active bool) string {
	return fieldLabel(f.label, active, s) + f.input.View() + "  " + s.paint(dim, f.hint)
}

// fieldIndent is how far from the left what a label is for begins.
const fieldIndent = 14

// fieldLabel is a label in front of what has the keys, or has not.
func fieldLabel(label string, active bool, s *styles) string {
	mark := "  "
	if active {
		mark = s.paint(accent, "▸ ")
	}
	return fit(" "+mark+label, fieldIndent)
}

// loadForm edits the users and their spawn rate, or the rate of arrivals, and
// the traffic that the advice is for.
type loadForm struct {
	fields [4]field
	shown  []int // those that the load has
	at     int   // which of them
	err    error // of the field that is wrong, as one types
}

const (
	fieldUsers = iota
	fieldSpawnRate
	fieldRate
	fieldTraffic
)

func newLoadForm(s *styles) loadForm {
	return loadForm{fields: [4]field{
		{label: "users", hint: "500, 10k", input: newInput(s, 12), check: checkUsers},
		{label: "spawn rate", hint: "users started per second: 5, 100, 30/1m", input: newInput(s, 12), check: parses(profiles.ParseRate)},
		{label: "rate", hint: "arrivals per second: 50, 600/1m", input: newInput(s, 12), check: parses(profiles.ParseRate)},
		{label: "traffic", hint: "requests/s that the advice is for: 50..200", input: newInput(s, 12), check: parses(profiles.ParseTraffic)},
	}}
}

// checkUsers says whether s is a number of users that a plan may have.
func checkUsers(s string) error {
	n, err := profiles.ParseCount(s)
	if err == nil && n > profiles.MostUsers {
		err = fmt.Errorf("got %q, want %d at most", s, profiles.MostUsers)
	}
	return err
}

func (f *loadForm) open(st advisor.State, demand float64) {
	f.fields[fieldUsers].open(fmt.Sprint(int(demand)))
	f.fields[fieldSpawnRate].open(trimmed(st.Plan.SpawnRate))
	f.fields[fieldRate].open(trimmed(demand))
	f.fields[fieldTraffic].open("")
	if st.Traffic.Known() {
		f.fields[fieldTraffic].open(st.Traffic.String())
	}
	f.shown = []int{fieldUsers, fieldSpawnRate, fieldTraffic}
	if st.Plan.Open() {
		f.shown = []int{fieldRate, fieldTraffic}
	}
	f.err = nil
	f.focus(0)
}

func (f *loadForm) focus(at int) {
	f.at = at
	for i, field := range f.shown {
		f.fields[field].focus(i == at)
	}
}

// move goes to the next field, or the one before.
func (f *loadForm) move(by int) {
	n := len(f.shown)
	f.focus((f.at + by + n) % n)
}

// set fills a field of an opened form in, where the load has it.
func (f *loadForm) set(at int, value string) error {
	if !slices.Contains(f.shown, at) {
		return fmt.Errorf("the load is %s, which has no %s", f.kind(), f.fields[at].label)
	}
	f.fields[at].input.SetValue(value)
	return f.fields[at].check(value)
}

// kind is what the load consists of.
func (f *loadForm) kind() string {
	if slices.Contains(f.shown, fieldUsers) {
		return "a number of users"
	}
	return "a rate of arrivals"
}

// check looks at what was changed.
func (f *loadForm) check() {
	f.err = nil
	for _, field := range f.fields {
		if !field.changed() {
			continue
		}
		if err := field.check(strings.TrimSpace(field.input.Value())); err != nil {
			f.err = fmt.Errorf("%s: %w", field.label, err)
			return
		}
	}
}

func (f loadForm) render(s *styles, w int) []string {
	lines := []string{rule(s, "Change the load, and the traffic to advise for", w)}
	for i, field := range f.shown {
		lines = append(lines, f.fields[field].render(s, i == f.at))
	}
	return append(lines, errorLines(f.err, s, w)...)
}

// errorLines are there whether or not there is an error, so that nothing
// moves.
func errorLines(err error, s *styles, w int) []string {
	out := make([]string, 2)
	if err != nil {
		copy(out, said(s, bad, "✗ "+err.Error(), w, len(out)))
	}
	return out
}

func (m *screen) editKey(msg tea.KeyMsg) tea.Cmd {
	f := &m.edit
	switch {
	case key.Matches(msg, keys.Cancel):
		m.mode = modeNormal
		return nil
	case key.Matches(msg, keys.NextField):
		f.move(1)
		return nil
	case key.Matches(msg, keys.PreviousField):
		f.move(-1)
		return nil
	case key.Matches(msg, keys.Accept):
		if f.check(); f.err != nil {
			return nil
		}
		m.mode = modeNormal
		return m.applyEdit()
	}
	field := &f.fields[f.shown[f.at]]
	field.input, _ = field.input.Update(msg)
	f.check()
	return nil
}

// applyEdit asks for what was changed, and for nothing else: in one call, so
// that one notice says all of it. Everything has been checked.
func (m *screen) applyEdit() tea.Cmd {
	var steps []func() error
	var next, news []string
	var after func(error) error
	edited := func(field int) (string, bool) {
		f := m.edit.fields[field]
		return strings.TrimSpace(f.input.Value()), f.changed()
	}
	if v, ok := edited(fieldSpawnRate); ok {
		rate, _ := profiles.ParseRate(v)
		steps = append(steps, func() error { return m.do.SetSpawnRate(rate) })
		next = append(next, "start "+trimmed(rate)+" users per second")
	}
	if v, ok := edited(fieldUsers); ok {
		n, _ := profiles.ParseCount(v)
		m.asked.ask(float64(n))
		after = m.asked.answered
		steps = append(steps, func() error { return m.do.SetUsers(n) })
		next = append(next, "have "+plural(n, "user"))
	}
	if v, ok := edited(fieldRate); ok {
		rate, _ := profiles.ParseRate(v)
		m.asked.ask(rate)
		after = m.asked.answered
		steps = append(steps, func() error { return m.do.SetRate(rate) })
		next = append(next, "bring "+trimmed(rate)+" arrivals per second")
	}
	if len(next) > 0 && !sending(m.latest) {
		news = append(news, "the next swarm will "+strings.Join(next, " and "))
	}
	if v, ok := edited(fieldTraffic); ok {
		traffic, _ := profiles.ParseTraffic(v)
		steps = append(steps, func() error { return m.do.SetTraffic(traffic) })
		news = append(news, trafficNews(m.latest, v))
	}
	if len(steps) == 0 {
		return nil
	}
	return m.queue(call{after: after, run: func() (string, error) {
		for _, step := range steps {
			if err := step(); err != nil {
				return "", err
			}
		}
		return strings.Join(news, "; "), nil
	}})
}

// trafficNews says what comes of another traffic.
func trafficNews(st advisor.State, traffic string) string {
	if st.Advice != nil || topicOf(st) == topicCapacity {
		return fmt.Sprintf("the advice for %s requests/s is in view %d", traffic, viewAdvisor+1)
	}
	return fmt.Sprintf("the advice will be for %s requests/s: press %s to measure", traffic, keys.Advise.Help().Key)
}
