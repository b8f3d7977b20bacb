package tui

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"headroom/advisor"
	"headroom/load"
)

// harness drives a screen as Bubble Tea would, without its goroutines.
type harness struct {
	t         *testing.T
	m         *screen
	c         *fakeController
	quit      bool
	suspended bool
	exports   []string
	exportErr error
	files     map[string]bool // that are there
	sent      bytes.Buffer    // to the terminal, past the screen
}

func drive(t *testing.T, st advisor.State, changes ...func(*Options)) *harness {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // the command that waits for a State returns at once
	h := &harness{t: t, c: &fakeController{}}
	write := func(format, path string, overwrite bool) (string, error) {
		if h.files[path] && !overwrite {
			return "", fs.ErrExist
		}
		h.exports = append(h.exports, format+" to "+path)
		return "wrote " + path, h.exportErr
	}
	o := Options{
		States: make(chan advisor.State), Formats: testFormats, Another: true, Export: write, Output: &h.sent,
		Save: func(path string, overwrite bool) (string, error) { return write("report", path, overwrite) },
		Copy: func() (string, error) { return "the policy", nil },
	}
	for _, change := range changes {
		change(&o)
	}
	h.m = newScreen(ctx, h.c, o, plainStyles())
	h.state(st)
	return h
}

func (h *harness) state(st advisor.State) { h.send(stateMsg{st}) }

func (h *harness) send(msg tea.Msg) {
	_, cmd := h.m.Update(msg)
	h.run(cmd)
}

func (h *harness) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			h.run(c)
		}
	case tea.QuitMsg:
		h.quit = true
	case tea.SuspendMsg:
		h.suspended = true
	default:
		h.send(msg)
	}
}

// namedKeys are the types of keys that have a name, which is theirs in Bubble
// Tea.
var namedKeys = func() map[string]tea.KeyType {
	named := map[string]tea.KeyType{}
	for k := tea.KeyType(math.MinInt8); k <= math.MaxInt8; k++ {
		if name := k.String(); len(name) > 1 {
			named[name] = k
		}
	}
	return named
}()

// press types keys one after the other: names, or characters.
func (h *harness) press(names ...string) {
	for _, name := range names {
		h.send(keyMsg(name))
	}
}

func keyMsg(name string) tea.KeyMsg {
	if k, ok := namedKeys[name]; ok {
		return tea.KeyMsg{Type: k}
	}
	if name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune(" ")}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

func (h *harness) wantAsked(want string) {
	h.t.Helper()
	if got := h.c.String(); got != want {
		h.t.Errorf("the controller was asked for %q, want %q", got, want)
	}
	h.c.asked = nil
}

func (h *harness) wantShown(want string) {
	h.t.Helper()
	if !strings.Contains(h.frame(), want) {
		h.t.Errorf("the screen does not show %q:\n%s", want, h.frame())
	}
}

func (h *harness) wantHidden(text string) {
	h.t.Helper()
	if strings.Contains(h.frame(), text) {
		h.t.Errorf("the screen shows %q:\n%s", text, h.frame())
	}
}

func (h *harness) frame() string { return ansi.Strip(h.m.View()) }

func TestKeysThatCallTheController(t *testing.T) {
	for _, test := range []struct {
		name  string
		state advisor.State
		keys  []string
		want  string
	}{
		{"start", idleState(), []string{"enter"}, "start"},
		{"no second start", steadyState(), []string{"enter"}, ""},
		{"one more", steadyState(), []string{"w"}, "users 51"},
		{"ten more", steadyState(), []string{"W"}, "users 60"},
		{"one less", steadyState(), []string{"s"}, "users 49"},
		{"ten less", steadyState(), []string{"S"}, "users 40"},
		{"five percent more", steadyState(), []string{"right"}, "users 53"},
		{"five percent fewer", steadyState(), []string{"left"}, "users 47"},
		{"each press counts", steadyState(), []string{"w", "w", "W"}, "users 51, users 52, users 62"},
		{"pause", steadyState(), []string{"P"}, "pause"},
		{"nothing to pause", idleState(), []string{"P"}, ""},
		{"recycle", steadyState(), []string{"R"}, "recycle"},
		{"reset, yes", steadyState(), []string{"r", "y"}, "reset"},
		{"reset, no", steadyState(), []string{"r", "n"}, ""},
		{"stop, yes", measuringState(), []string{"esc", "y"}, "stop"},
		{"stop, no", measuringState(), []string{"esc", "esc"}, ""},
		{"nothing to stop", idleState(), []string{"esc", "y"}, ""},
		{"advise", steadyState(), []string{"a"}, "advise"},
		{"verify", advisedState(), []string{"v"}, "verify"},
		{"apply, yes", advisedState(), []string{"A", "y"}, "apply"},
		{"apply, no", advisedState(), []string{"A", "n"}, ""},
		{"apply, another key", advisedState(), []string{"A", "enter", "x", "n"}, ""},
		{"nothing to apply", steadyState(), []string{"A", "y"}, ""},
		{"edit both", steadyState(), []string{"e", "ctrl+u", "2", "0", "0", "tab", "ctrl+u", "2", "5", "enter"}, "spawn rate 25, users 200"},
		{"edit one", steadyState(), []string{"e", "0", "enter"}, "users 500"},
		{"edit nothing", steadyState(), []string{"e", "enter"}, ""},
		{"leave the edit", steadyState(), []string{"e", "9", "esc"}, ""},
		{"a wrong number stays", steadyState(), []string{"e", "x", "enter"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := drive(t, test.state)
			h.press(test.keys...)
			h.wantAsked(test.want)
			if h.quit {
				t.Error("the program ended")
			}
		})
	}
}

func TestUsersStayAboveNone(t *testing.T) {
	st := steadyState()
	st.Plan.Users = 5
	h := drive(t, st)
	h.press("S")
	h.wantAsked("users 1")
	h.wantShown("1 user is the least")
}

func TestUsersAskedForCountUntilAStateShowsThem(t *testing.T) {
	h := drive(t, steadyState())
	h.press("w")
	h.state(steadyState()) // published before the call
	h.press("w")
	h.wantAsked("users 51, users 52")
	shown := steadyState()
	shown.Plan.Users = 52
	h.state(shown)
	shown.Plan.Users = 10 // somebody else
	h.state(shown)
	h.press("w")
	h.wantAsked("users 11")
}

func TestRefusedUsersAreForgotten(t *testing.T) {
	h := drive(t, steadyState())
	h.c.err = errors.New("users: the load is a rate of arrivals, not a number of users")
	h.press("W")
	h.wantShown("✗ users: the load is a rate of arrivals, not a number of users")
	h.press("w")
	h.wantAsked("users 60, users 51")
}

func TestCallsKeepTheirOrder(t *testing.T) {
	h := drive(t, steadyState())
	_, first := h.m.Update(keyMsg("w"))
	if _, second := h.m.Update(keyMsg("w")); second != nil {
		t.Fatal("a second call was given out while the first was under way")
	}
	h.run(first)
	h.wantAsked("users 51, users 52")
}

func TestKeysThatCameInOneRead(t *testing.T) {
	h := drive(t, steadyState())
	h.press("ww2")
	h.wantAsked("users 51, users 52")
	h.wantShown("[2 Requests]")
}

func TestPastedTextIsNoKey(t *testing.T) {
	h := drive(t, steadyState())
	h.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("wq"), Paste: true})
	h.wantAsked("")
	h.press("e", "ctrl+u")
	h.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("77"), Paste: true})
	h.press("enter")
	h.wantAsked("users 77")
}

func TestErrorsShowUntilTheNextKey(t *testing.T) {
	h := drive(t, idleState())
	h.c.err = errors.New("another job is under way: stop it first")
	h.press("enter")
	h.wantShown("✗ another job is under way: stop it first")
	h.state(idleState())
	h.wantShown("✗ another job is under way: stop it first")
	h.press("2")
	h.wantHidden("another job")
}

func TestProblemOfTheLastJobStays(t *testing.T) {
	st := idleState()
	st.Problem = "dial tcp 127.0.0.1:1: connection refused"
	h := drive(t, st)
	h.press("2")
	h.wantShown("✗ the last job failed: dial tcp")
}

func TestEditNamesWhatIsWrong(t *testing.T) {
	h := drive(t, steadyState())
	h.press("e", "x")
	h.wantShown(`✗ users: got "50x", want a whole number of 1 or more`)
	h.press("enter")
	h.wantShown("Change the load")
	h.press("backspace", "tab", "ctrl+u", "0")
	h.wantShown("✗ spawn rate: got")
	h.press("esc")
	h.wantHidden("Change the load")
}

func TestApplyShowsTheDifference(t *testing.T) {
	h := drive(t, advisedState())
	h.press("A")
	for _, want := range []string{"Apply this policy to the scaler?", "replicas.min       1 ", "→ 7", "replicas.max       4 ", "150/s per replica → 8.08/s per replica",
		"unchanged: metrics[0].kind rps", "here max is 7", "y yes  n no"} {
		h.wantShown(want)
	}
}

func TestApplyWithoutAScalerIsTheControllersToRefuse(t *testing.T) {
	st := advisedState()
	st.Managed = false
	h := drive(t, st)
	h.c.err = errors.New("there is no scaler to apply it to: export the policy instead")
	h.press("A")
	h.wantAsked("apply")
	h.wantShown("export the policy instead")
}

func TestSuspendAndRedraw(t *testing.T) {
	h := drive(t, steadyState())
	h.press("ctrl+z")
	if !h.suspended {
		t.Error("ctrl+z did not suspend")
	}
	h.press("ctrl+l")
}

func TestViews(t *testing.T) {
	h := drive(t, steadyState())
	for i, name := range views {
		h.press(string(rune('1' + i)))
		h.wantShown("[" + string(rune('1'+i)) + " " + name + "]")
	}
	h.press("tab")
	h.wantShown("[1 Dashboard]")
	h.press("shift+tab")
	h.wantShown("[6 Log]")
	h.press("a")
	h.wantShown("[5 Advisor]")
}

func TestFreeze(t *testing.T) {
	h := drive(t, steadyState())
	h.press(" ")
	h.wantShown("frozen")
	frozen := h.frame()
	later := steadyState()
	later.Load.Elapsed += 10_000_000_000
	h.state(later)
	if h.frame() != frozen {
		t.Error("the frozen view moved")
	}
	h.press(" ")
	h.wantShown("swarming 01:52")
	h.wantHidden("frozen")
}

func TestHelpShowsEveryCommand(t *testing.T) {
	h := drive(t, steadyState())
	h.press("?")
	for _, c := range h.m.commands {
		h.press("g")
		for seen := h.frame(); !strings.Contains(seen, c.label()+" "+c.what); seen = h.frame() {
			if h.press("j"); h.frame() == seen {
				t.Errorf("the help has no %q", c.label()+" "+c.what)
				break
			}
		}
	}
	h.press("G")
	h.wantShown("p95, p99 and counts its peak")
	h.press("w")
	h.wantAsked("")
	h.wantHidden("1, 10, 5 % more load")
}

func TestMoveThroughALog(t *testing.T) {
	st := steadyState()
	st.Events = nil
	for n := 1; n <= 100; n++ {
		st.Events = append(st.Events, advisor.Event{N: n, At: began, Kind: "run", Text: "event " + strings.Repeat("#", n%5) + "."})
	}
	h := drive(t, st)
	h.press("6")
	h.wantShown(" 100 12:00:00")
	h.press("k")
	h.wantHidden(" 100 12:00:00")
	h.wantShown("  99 12:00:00")
	h.press("g")
	h.wantShown("   1 12:00:00")
	h.press("j", "pgdown", "pgup", "k", "k")
	h.wantShown("   1 12:00:00")
	h.press("G")
	h.wantShown(" 100 12:00:00")

	// At the end the view follows, elsewhere it stays.
	more := st
	more.Events = append(st.Events, advisor.Event{N: 101, At: began, Kind: "run", Text: "one more"})
	h.state(more)
	h.wantShown(" 101 12:00:00")
	h.press("g")
	h.state(st)
	h.wantShown("   1 12:00:00")
}

func TestAutostart(t *testing.T) {
	c := &fakeController{}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h := &harness{t: t, c: c, m: newScreen(ctx, c, Options{Autostart: true, States: make(chan advisor.State)}, plainStyles())}
	h.run(h.m.Init())
	h.wantAsked("start")
}

func TestOpenModelAndPause(t *testing.T) {
	st := steadyState()
	st.Plan.Rate, st.Load.Open, st.Load.Planned, st.Load.Phase = 40, true, 40, load.Paused
	h := drive(t, st)
	h.wantShown("arrivals 40/s")
	h.wantShown("❚❚ paused")
}
