package tui

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"headroom/advisor"
)

// What a terminal answers is no key, wherever it comes, and what is typed is.
func TestBackgroundAnswer(t *testing.T) {
	for _, c := range []struct {
		name, typed string
		want        []string // that reaches the screen
	}{
		{"light", "\x1b]11;rgb:ffff/ffff/ffff\x07", []string{"light"}},
		{"dark, ended otherwise", "\x1b]11;rgb:1111/1111/2222\x1b\\", []string{"dark"}},
		{"between keys", "w\x1b]11;rgb:ffff/ffff/ffff\x07s", []string{"w", "light", "s"}},
		{"no colour", "\x1b]11;?\x07w", []string{"w"}},
		{"none", "\x1b]x", []string{"x"}},
		{"another answer", "\x1b]10;rgb:ffff/ffff/ffff\x07", []string{"10;rgb:ffff/ffff/ffff", "ctrl+g"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, keyboard := io.Pipe()
			go io.WriteString(keyboard, c.typed+"\x03")
			answer, got := new(backgroundAnswer), []string(nil)
			filter := func(m tea.Model, msg tea.Msg) tea.Msg {
				msg = answer.filter(m, msg)
				switch msg := msg.(type) {
				case backgroundMsg:
					got = append(got, map[bool]string{true: "dark", false: "light"}[msg.dark])
				case tea.KeyMsg:
					if got = append(got, msg.String()); msg.Type == tea.KeyCtrlC {
						return tea.Quit()
					}
				}
				return msg
			}
			p := tea.NewProgram(newStartModel(StartValues{}, nil, plainStyles()), tea.WithInput(in), tea.WithOutput(&bytes.Buffer{}), tea.WithFilter(filter))
			if _, err := p.Run(); err != nil {
				t.Fatal(err)
			}
			if want := append(c.want, "ctrl+c"); !slices.Equal(got, want) {
				t.Errorf("%q arrives as %q, want %q", c.typed, got, want)
			}
		})
	}
}

func TestBackgroundChangesTheColours(t *testing.T) {
	t.Setenv("CLICOLOR_FORCE", "1")
	t.Setenv("TERM", "xterm-256color")
	m := newScreen(context.Background(), &fakeController{}, Options{States: make(chan advisor.State), Output: &bytes.Buffer{}}, plainStyles())
	m.take(idleState())
	frames := map[bool]string{}
	for _, dark := range []bool{true, false} {
		m.Update(backgroundMsg{dark: dark})
		frames[dark] = m.View()
	}
	if frames[true] == frames[false] {
		t.Errorf("dark and light look the same:\n%q", frames[true])
	}
}

// Package hush is first because it imports nothing but os.
func TestHushImportsOnlyOS(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.Imports}}", "headroom/tui/hush").Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "[os]" {
		t.Errorf("headroom/tui/hush imports %s, %v, want [os]", got, err)
	}
}
