package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/x/exp/teatest"
)

func TestStartForm(t *testing.T) {
	m := newStartModel(StartValues{Target: "127.0.0.1:8000", Users: "50", SpawnRate: "5"}, plainStyles())
	tm := teatest.NewTestModel(t, m, teatest.WithInitialTermSize(80, 24))
	wait := func(text string) {
		t.Helper()
		teatest.WaitFor(t, tm.Output(), shows(text), teatest.WithDuration(10*time.Second), teatest.WithCheckInterval(5*time.Millisecond))
	}
	wait(`target: got "127.0.0.1:8000"`)
	tm.Send(tea.KeyMsg{Type: tea.KeyHome})
	tm.Type("http://")
	wait("✓ understood")
	for i, text := range []string{"", "", "", "5m", "p95<300ms"} {
		if i > 0 {
			wait("┃ " + startFields[i].title) // it has the keys
		}
		tm.Type(text)
		tm.Send(tea.KeyMsg{Type: tea.KeyEnter})
	}
	tm.WaitFinished(t, teatest.WithFinalTimeout(10*time.Second))
	if m.form.State != huh.StateCompleted {
		t.Fatal("the form was not completed")
	}
	want := StartValues{Target: "http://127.0.0.1:8000", Users: "50", SpawnRate: "5", RunTime: "5m", SLO: "p95<300ms"}
	if got := m.values.trimmed(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestStartFormIsLeft(t *testing.T) {
	for name, key := range map[string]string{"esc": "\x1b", "ctrl+c": "\x03"} {
		t.Run(name, func(t *testing.T) {
			in, keyboard := io.Pipe()
			go io.WriteString(keyboard, key)
			v := StartValues{Target: "http://127.0.0.1:8000"}
			got, err := askStart(context.Background(), v, in, &bytes.Buffer{})
			if !errors.Is(err, ErrCancelled) || got != v {
				t.Errorf("got %+v, %v, want what it began with and ErrCancelled", got, err)
			}
		})
	}
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		why := errors.New("terminated")
		cancel(why)
		if _, err := askStart(ctx, StartValues{}, &bytes.Buffer{}, &bytes.Buffer{}); !errors.Is(err, why) {
			t.Errorf("got %v, want the cause", err)
		}
	})
}

func TestStartValuesAreChecked(t *testing.T) {
	good := StartValues{Target: "http://h/", Users: "10k", SpawnRate: "5/1s"}
	if err := good.problem(); err != nil {
		t.Errorf("%+v: %v", good, err)
	}
	for name, spoil := range map[string]func(*StartValues){
		"target": func(v *StartValues) { v.Target = "h" }, "users": func(v *StartValues) { v.Users = "-1" },
		"spawn rate": func(v *StartValues) { v.SpawnRate = "0" }, "run time": func(v *StartValues) { v.RunTime = "soon" },
		"slo": func(v *StartValues) { v.SLO = "p95" },
	} {
		v := good
		if spoil(&v); v.problem() == nil {
			t.Errorf("a wrong %s went through: %+v", name, v)
		}
	}
}
