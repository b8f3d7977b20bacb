package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/charmbracelet/x/exp/teatest"
	"github.com/muesli/termenv"

	"headroom/advisor"
)

func TestGoldenLooks(t *testing.T) {
	ascii, dark := newStyles(&bytes.Buffer{}, true), colourStyles(termenv.ANSI256, true, false)
	for _, scene := range scenes {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("ascii-%s-%dx%d", scene.name, size.w, size.h), func(t *testing.T) {
				requireViews(t, scene, ascii, size.w, size.h)
			})
		}
		t.Run("256-dark-"+scene.name, func(t *testing.T) { requireViews(t, scene, dark, 80, 24) })
	}
	some := scene{state: advisedState, views: []int{viewDashboard, viewReplicas, viewAdvisor}}
	t.Run("256-light", func(t *testing.T) { requireViews(t, some, colourStyles(termenv.ANSI256, false, false), 80, 24) })
	t.Run("16-dark", func(t *testing.T) { requireViews(t, some, colourStyles(termenv.ANSI, true, false), 80, 24) })
}

// everyFrame calls check with each frame of all scenes, in whatever look.
func everyFrame(check func(name string, frame func(*styles) string)) {
	for _, scene := range scenes {
		for _, size := range sizes {
			for _, view := range scene.views {
				check(fmt.Sprintf("%s, %s at %dx%d", scene.name, views[view], size.w, size.h),
					func(s *styles) string { return scene.frame(s, view, size.w, size.h) })
			}
		}
	}
}

// Colours carry nothing alone: every frame is the plain one, which is golden,
// painted.
func TestColoursChangeNoText(t *testing.T) {
	looks := map[string]*styles{
		"256 dark": colourStyles(termenv.ANSI256, true, false), "256 light": colourStyles(termenv.ANSI256, false, false),
		"16 dark": colourStyles(termenv.ANSI, true, false), "16 light": colourStyles(termenv.ANSI, false, false),
	}
	everyFrame(func(name string, frame func(*styles) string) {
		plain := frame(plainStyles())
		for look, s := range looks {
			if painted := frame(s); painted == plain || ansi.Strip(painted) != plain {
				t.Errorf("%s, %s: the text without colours is not that of a screen without", name, look)
			}
		}
	})
}

// Nothing is lost without Unicode: each sign has another one in its place.
func TestASCIIHasASignForEach(t *testing.T) {
	ascii := newStyles(&bytes.Buffer{}, true)
	everyFrame(func(name string, frame func(*styles) string) {
		drawn := frame(ascii)
		if got, want := strings.Count(drawn, "?"), strings.Count(frame(plainStyles()), "?"); got != want {
			t.Errorf("%s: %d question marks, want %d as with Unicode:\n%s", name, got, want, drawn)
		}
	})
}

// All that the program may show has a sign, not only what scenes have of it.
func TestSourcesHaveNoSignWithoutAnASCIIOne(t *testing.T) {
	const neverDrawn = "\u2011\ufeff"
	for _, folder := range []string{".", "../advisor", "../advisor/report", "../load", "../probe", "../profiles", "../scaler"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no source in %s: %v", folder, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "markdown.go" { // that goes to a file
				continue
			}
			source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(source, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING && literal.Kind != token.CHAR {
					return true
				}
				for _, r := range literal.Value {
					if r > unicode.MaxASCII && plainSigns[r] == 0 && !strings.ContainsRune(neverDrawn, r) {
						t.Errorf("%s: %s has a %q, which would be a question mark", file, literal.Value, r)
					}
				}
				return true
			})
		}
	}
}

func TestGoldenSheets(t *testing.T) {
	for name, keys := range map[string][]string{
		"edit": {"e"}, "apply": {"A"}, "export": {"x"}, "help": {"?"}, "palette": {":", "e"}, "save": {"ctrl+s"}, "quit": {"q"}, "leaving": {"ctrl+c"},
	} {
		t.Run(name, func(t *testing.T) {
			h := drive(t, advisedState())
			h.press(keys...)
			golden.RequireEqual(t, []byte(h.m.View()+"\n"))
		})
	}
}

func TestGoldenStartForm(t *testing.T) {
	filled := StartValues{Target: "http://127.0.0.1:8000/load/100000", Load: "50", SpawnRate: "5", RunTime: "5m", SLO: "p95<100ms,errors<1%", Traffic: "50..200"}
	unnamed := filled
	unnamed.Target = "127.0.0.1:8000"
	for name, test := range map[string]struct {
		values  StartValues
		problem error
		look    *styles
	}{
		"empty": {StartValues{}, nil, plainStyles()}, "filled": {filled, nil, plainStyles()}, "wrong": {unnamed, nil, plainStyles()},
		"cannot-start": {filled, errors.New("dial tcp 127.0.0.1:8000: connect: connection refused"), plainStyles()},
		"ascii":        {filled, nil, newStyles(&bytes.Buffer{}, true)}, "256-dark": {unnamed, nil, colourStyles(termenv.ANSI256, true, false)},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size.w, size.h), func(t *testing.T) {
				m := newStartModel(test.values, test.problem, test.look)
				m.Init()
				m.Update(tea.WindowSizeMsg{Width: size.w, Height: size.h})
				frame := m.View()
				checkFrame(t, frame, size.w, size.h)
				golden.RequireEqual(t, []byte(strings.ReplaceAll(frame, "\x1b", "ESC")+"\n"))
			})
		}
	}
}

func TestGoldenSmallTerminals(t *testing.T) {
	for name, size := range map[string][2]int{"60x20": {60, 20}, "79x24": {79, 24}, "20x5": {20, 5}} {
		t.Run(name, func(t *testing.T) {
			frame := showing(steadyState(), plainStyles(), viewDashboard, size[0], size[1]).View()
			checkFrame(t, frame, size[0], size[1])
			golden.RequireEqual(t, []byte(frame+"\n"))
		})
	}
}

// NO_COLOR takes the colours and leaves bold and reverse, which are none.
func TestStylesWithoutColoursKeepAttributes(t *testing.T) {
	s := colourStyles(termenv.ANSI, true, false)
	coloured := s.paint(chosen, "x")
	if !strings.Contains(coloured, "7;") && !strings.Contains(coloured, ";7") || !strings.Contains(coloured, "94") {
		t.Errorf("16 colours: %q is not reverse and blue", coloured)
	}
	if got := plainStyles().paint(bad, "x"); got != "x" {
		t.Errorf("without a terminal: %q", got)
	}
}

// answeringController shows the State that follows from what it is asked for.
type answeringController struct {
	fakeController
	states chan advisor.State
	asked  chan string
}

func newAnsweringController() *answeringController {
	return &answeringController{states: make(chan advisor.State, 1), asked: make(chan string, 10)}
}

func (c *answeringController) answer(name string, st advisor.State) error {
	c.asked <- name
	c.show(st)
	return nil
}

func (c *answeringController) Start() error  { return c.answer("start", steadyState()) }
func (c *answeringController) Advise() error { return c.answer("advise", advisedState()) }
func (c *answeringController) Stop() error   { return c.answer("stop", idleState()) }

func (c *answeringController) SetUsers(n int) error {
	st := steadyState()
	st.Plan.Users, st.Load.Wanted = n, n
	return c.answer("users", st)
}

func (c *answeringController) Apply() error {
	st := advisedState()
	st.Policy, st.Applied = st.Advice.Applied, true
	return c.answer("apply", st)
}

func (c *answeringController) show(st advisor.State) {
	select {
	case <-c.states:
	default:
	}
	c.states <- st
}

func shows(text string) func([]byte) bool {
	return func(out []byte) bool { return strings.Contains(ansi.Strip(string(out)), text) }
}

// The whole way of somebody who wants a policy, by keys and by commands.
func TestStartEditAdviseApplyExportQuit(t *testing.T) {
	c := newAnsweringController()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.show(idleState())
	exported := make(chan string, 1)
	o := Options{States: c.states, Formats: testFormats, Export: func(format, path string, _ bool) (string, error) {
		exported <- format + " to " + path
		return "wrote " + path, nil
	}}
	tm := teatest.NewTestModel(t, newScreen(ctx, c, o, plainStyles()), teatest.WithInitialTermSize(100, 30))
	wait := func(text string) {
		t.Helper()
		teatest.WaitFor(t, tm.Output(), shows(text), teatest.WithDuration(10*time.Second), teatest.WithCheckInterval(5*time.Millisecond))
	}
	enter := func() { tm.Send(tea.KeyMsg{Type: tea.KeyEnter}) }
	wait("press enter to start")
	enter()
	wait("▶ swarming 01:42 of 05:00")
	tm.Type("e")
	wait("Change the load")
	tm.Send(tea.KeyMsg{Type: tea.KeyCtrlU})
	tm.Type("75")
	enter()
	wait("users 50/75")
	tm.Send(tea.WindowSizeMsg{Width: 120, Height: 40})
	tm.Type("a")
	wait("Recommendation")
	tm.Type("A")
	wait("Apply this policy to the scaler? y/n")
	tm.Type("y")
	wait("v replay the load under the advice")
	tm.Type(":export keda keda.yaml")
	wait("export [FORMAT [FILE]]")
	enter()
	wait("✓ wrote keda.yaml")
	tm.Type("q")
	wait("Stop the swarm and quit?")
	tm.Type("y")
	tm.WaitFinished(t, teatest.WithFinalTimeout(10*time.Second))
	close(c.asked)
	var got []string
	for name := range c.asked {
		got = append(got, name)
	}
	if s := strings.Join(got, " "); s != "start users advise apply stop" {
		t.Errorf("the controller was asked for %q", s)
	}
	if got := <-exported; got != "keda to keda.yaml" {
		t.Errorf("exported %s, want keda to keda.yaml", got)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := newAnsweringController()
	in, typed := io.Pipe()
	defer typed.Close()
	out := &bytes.Buffer{}
	done := make(chan error)
	go func() {
		done <- Run(ctx, c, Options{States: c.states, Autostart: true, Input: in, Output: out})
	}()
	if got := <-c.asked; got != "start" {
		t.Fatalf("asked for %q, want start", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if screen := out.String(); strings.LastIndex(screen, "\x1b[?1049l") < strings.LastIndex(screen, "\x1b[?1049h") {
		t.Errorf("the screen was not restored: %q", screen)
	}
}

func TestRunEndsWhenTheUserLeaves(t *testing.T) {
	for key, want := range map[string]error{"q": nil, "\x03": ErrInterrupted} {
		c := newAnsweringController()
		c.show(idleState())
		if err := Run(context.Background(), c, Options{States: c.states, Input: strings.NewReader(key), Output: &bytes.Buffer{}}); err != want {
			t.Errorf("Run with %q: %v, want %v", key, err, want)
		}
	}
}

type panicController struct{ fakeController }

func (*panicController) Start() error { panic("in the controller") }

func TestPanicRestoresTheTerminal(t *testing.T) {
	out := &bytes.Buffer{}
	err := Run(context.Background(), &panicController{}, Options{States: make(chan advisor.State), Autostart: true, Input: strings.NewReader(""), Output: out})
	if !errors.Is(err, tea.ErrProgramPanic) {
		t.Errorf("Run: %v, want the panic", err)
	}
	if !strings.Contains(out.String(), "\x1b[?1049l") {
		t.Error("the screen was not restored")
	}
}
