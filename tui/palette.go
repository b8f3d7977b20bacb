package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"headroom/profiles"
)

// commandLine is a line for a command, and what it may become.
type commandLine struct {
	input   textinput.Model
	matches []match
	chosen  int // of the matches
	err     error
}

// match is a command that a line may become.
type match struct {
	line        string // with which it goes on
	usage, what string
}

func newCommandLine(s *styles) commandLine {
	p := commandLine{input: newInput(s, 60)}
	p.input.Focus()
	return p
}

func (m *screen) openPalette() tea.Cmd {
	m.mode = modePalette
	m.complete("")
	return nil
}

// complete puts a line into the palette.
func (m *screen) complete(line string) {
	m.palette.input.SetValue(line)
	m.palette.input.CursorEnd()
	m.findMatches()
}

func (m *screen) findMatches() {
	m.palette.matches, m.palette.chosen, m.palette.err = m.matching(m.palette.input.Value()), 0, nil
}

// matching are the commands that begin as a line does, or, behind the name of
// one, what its first argument may be.
func (m *screen) matching(line string) (out []match) {
	name, rest, behind := strings.Cut(strings.TrimLeft(line, " "), " ")
	for _, c := range m.offered() {
		switch {
		case !behind && strings.HasPrefix(c.name, name):
			out = append(out, match{c.name + " ", c.usage(), c.what})
		case behind && c.name == name && (c.complete == nil || strings.Contains(rest, " ")):
			out = append(out, match{line, c.usage(), c.what})
		case behind && c.name == name:
			for _, word := range c.complete(m) {
				if strings.HasPrefix(word, rest) {
					out = append(out, match{c.name + " " + word, c.name + " " + word, c.what})
				}
			}
		}
	}
	return out
}

func (m *screen) paletteKey(msg tea.KeyMsg) tea.Cmd {
	p := &m.palette
	n := len(p.matches)
	switch {
	case key.Matches(msg, keys.Cancel):
		m.mode = modeNormal
	case key.Matches(msg, keys.Accept):
		return m.obey(p.input.Value())
	case key.Matches(msg, keys.Complete):
		if n > 0 {
			m.complete(p.matches[p.chosen].line)
		}
	case key.Matches(msg, keys.NextMatch):
		p.chosen = min(p.chosen+1, max(0, n-1))
	case key.Matches(msg, keys.PreviousMatch):
		p.chosen = max(p.chosen-1, 0)
	default:
		before := p.input.Value()
		if p.input, _ = p.input.Update(msg); p.input.Value() != before {
			m.findMatches()
		}
	}
	return nil
}

// obey gives the command of a line. One that cannot be understood stays, to be
// mended.
func (m *screen) obey(line string) tea.Cmd {
	words := strings.Fields(line)
	if len(words) == 0 {
		m.mode = modeNormal
		return nil
	}
	c, err := m.find(words[0])
	if err != nil {
		m.palette.err = err
		return nil
	}
	m.mode = modeNormal
	cmd, err := m.perform(c, words[1:])
	if err != nil {
		m.mode, m.palette.err = modePalette, fmt.Errorf("%s: %w", c.name, err)
		return nil
	}
	return cmd
}

// find is the command of a name, or of the begin of one where no other begins
// so.
func (m *screen) find(name string) (command, error) {
	var all, found []string
	var c command
	for _, one := range m.commands {
		if one.name == name {
			return one, nil
		}
		if all = append(all, one.name); strings.HasPrefix(one.name, name) {
			c, found = one, append(found, one.name)
		}
	}
	switch len(found) {
	case 0:
		return c, profiles.OneOf(name, all)
	case 1:
		return c, nil
	}
	return c, profiles.OneOf(name, found)
}

// shownMatches is how many matches have room.
const shownMatches = 6

// render ends with what is typed, so that it stays where it is while the
// matches above it get fewer.
func (p commandLine) render(s *styles, w int) []string {
	lines := []string{rule(s, "Command", w)}
	first := max(0, p.chosen-shownMatches+1)
	for i := first; i < min(first+shownMatches, len(p.matches)); i++ {
		mark := "  "
		if i == p.chosen {
			mark = s.paint(accent, "▸ ")
		}
		lines = append(lines, " "+mark+fit(p.matches[i].usage, 26)+" "+s.paint(dim, p.matches[i].what))
	}
	if p.err != nil {
		lines = append(lines, said(s, bad, "✗ "+p.err.Error(), w, 2)...)
	}
	return append(lines, " "+s.paint(accent, keys.Palette.Help().Key)+p.input.View())
}
