package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/x/exp/teatest"
)

func TestStartForm(t *testing.T) {
	m := newStartModel(StartValues{Target: "127.0.0.1:8000", Load: "50", SpawnRate: "5"}, errors.New("no such host"), plainStyles())
	tm := teatest.NewTestModel(t, m, teatest.WithInitialTermSize(80, 24))
	wait := func(text string) {
		t.Helper()
		teatest.WaitFor(t, tm.Output(), shows(text), teatest.WithDuration(10*time.Second), teatest.WithCheckInterval(5*time.Millisecond))
	}
	wait("✗ no such host")
	tm.Send(tea.KeyMsg{Type: tea.KeyHome})
	tm.Type("http://")
	wait("✓ understood")
	for i, text := range []string{"", "", "", "5m", "p95<300ms", "50..200", "s.yaml"} {
		if i > 0 {
			wait(startFields[i].hint) // it has the keys
		}
		tm.Type(text)
		tm.Send(tea.KeyMsg{Type: tea.KeyEnter})
	}
	tm.WaitFinished(t, teatest.WithFinalTimeout(10*time.Second))
	if m.form.State != huh.StateCompleted {
		t.Fatal("the form was not completed")
	}
	want := StartValues{Target: "http://127.0.0.1:8000", Load: "50", SpawnRate: "5", RunTime: "5m", SLO: "p95<300ms", Traffic: "50..200", Scenario: "s.yaml"}
	if got := m.values.trimmed(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// A file is looked into when its field is left, not while it is typed.
func TestStartFormLooksIntoAScenario(t *testing.T) {
	m := newStartModel(StartValues{Target: "http://127.0.0.1:8000", Load: "50", SpawnRate: "5"}, nil, plainStyles())
	var looked []string
	m.scenario = func(file string) error {
		if looked = append(looked, file); file == "s.yaml" {
			return nil
		}
		return errors.New("got " + file + ", which there is not")
	}
	tm := teatest.NewTestModel(t, m, teatest.WithInitialTermSize(80, 24))
	wait := func(text string) {
		t.Helper()
		teatest.WaitFor(t, tm.Output(), shows(text), teatest.WithDuration(10*time.Second), teatest.WithCheckInterval(5*time.Millisecond))
	}
	for _, f := range startFields[:len(startFields)-1] {
		wait(f.hint)
		tm.Send(tea.KeyMsg{Type: tea.KeyEnter})
	}
	wait(startFields[len(startFields)-1].hint)
	tm.Type("s.yam")
	tm.Send(tea.KeyMsg{Type: tea.KeyEnter})
	wait("✗ got s.yam, which there is not")
	tm.Type("l")
	wait("✓ understood")
	tm.Send(tea.KeyMsg{Type: tea.KeyEnter})
	tm.WaitFinished(t, teatest.WithFinalTimeout(10*time.Second))
	if m.form.State != huh.StateCompleted || m.values.Scenario != "s.yaml" || !slices.Contains(looked, "s.yam") || slices.Contains(looked, "s.ya") {
		t.Errorf("the form is %v with scenario %q after a look into %q; want it completed with s.yaml, of what was left alone", m.form.State, m.values.Scenario, looked)
	}
}

func TestStartFormIsLeft(t *testing.T) {
	for name, test := range map[string]struct {
		key  string
		want error
	}{"esc": {"\x1b", ErrCancelled}, "ctrl+c": {"\x03", ErrInterrupted}} {
		t.Run(name, func(t *testing.T) {
			in, keyboard := io.Pipe()
			go io.WriteString(keyboard, test.key)
			v := StartValues{Target: "http://127.0.0.1:8000"}
			got, err := askStart(context.Background(), v, nil, nil, false, in, &bytes.Buffer{})
			if !errors.Is(err, test.want) || got != v {
				t.Errorf("got %+v, %v, want what it began with and %v", got, err, test.want)
			}
		})
	}
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		why := errors.New("terminated")
		cancel(why)
		if _, err := askStart(ctx, StartValues{}, nil, nil, false, &bytes.Buffer{}, &bytes.Buffer{}); !errors.Is(err, why) {
			t.Errorf("got %v, want the cause", err)
		}
	})
}

func TestStartValuesAreChecked(t *testing.T) {
	good := StartValues{Target: "http://h/", Load: "10k", SpawnRate: "5/1s"}
	if err := good.Check(); err != nil {
		t.Errorf("%+v: %v", good, err)
	}
	rate := StartValues{Target: "http://h/", Load: "40/s"}
	if err := rate.Check(); err != nil || !rate.Rate() {
		t.Errorf("%+v: %v, a rate %v", rate, err, rate.Rate())
	}
	for name, spoil := range map[string]func(*StartValues){
		"target": func(v *StartValues) { v.Target = "h" }, "load": func(v *StartValues) { v.Load = "-1" },
		"too many users": func(v *StartValues) { v.Load = "5000000000" }, "no rate": func(v *StartValues) { v.Load = "0/s" }, "no load": func(v *StartValues) { v.Load = "" },
		"run time of none": func(v *StartValues) { v.RunTime = "0" }, "traffic": func(v *StartValues) { v.Traffic = "50" },
		"no spawn rate": func(v *StartValues) { v.SpawnRate = "" }, "spawn rate beside a rate": func(v *StartValues) { v.Load, v.SpawnRate = "5/s", "x" },
		"spawn rate": func(v *StartValues) { v.SpawnRate = "0" }, "run time": func(v *StartValues) { v.RunTime = "soon" },
		"slo": func(v *StartValues) { v.SLO = "p95" },
	} {
		v := good
		if spoil(&v); v.Check() == nil {
			t.Errorf("a wrong %s went through: %+v", name, v)
		}
	}
}

// What would be right stands at the end of an error, and must be seen on the
// smallest screen, whatever was typed.
func TestStartFormShowsWhatIsWanted(t *testing.T) {
	for _, typed := range []string{"h", "ftp://" + strings.Repeat("a-long-name.", 30)} {
		m := newStartModel(StartValues{Target: typed}, nil, plainStyles())
		m.Init()
		frame := m.View()
		checkFrame(t, frame, leastWidth, leastHeight)
		if !strings.Contains(frame, "http://127.0.0.1:8000/path\n") {
			t.Errorf("the form does not end the error with what it wants:\n%s", frame)
		}
	}
}

func TestStartFormInASCII(t *testing.T) {
	m := newStartModel(StartValues{Target: "h"}, nil, newStyles(&bytes.Buffer{}, true))
	m.Init()
	frame := m.View()
	if strings.ContainsFunc(frame, func(r rune) bool { return r > unicode.MaxASCII }) || strings.Count(frame, "?") != 1 {
		t.Errorf("the form has more than ASCII, or signs without a likeness in it:\n%s", frame)
	}
}
