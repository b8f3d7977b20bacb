package tui

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"headroom/advisor"
)

// command types a line into the palette.
func (h *harness) command(line string) {
	h.press(":")
	for _, r := range line {
		h.press(string(r))
	}
	h.press("enter")
}

func TestCommands(t *testing.T) {
	for _, test := range []struct {
		name  string
		state advisor.State
		line  string
		want  string // of the controller
		shown string
	}{
		{"users", steadyState(), "users 60", "users 60", "users 50/50"},
		{"users, in thousands", steadyState(), " users  2k ", "users 2000", ""},
		{"no users", steadyState(), "users", "", `✗ users: got "", want a whole number`},
		{"wrong users", steadyState(), "users many", "", `✗ users: got "many", want a whole number`},
		{"users of a rate", openState(), "users 60", "", "✗ users: the load is a rate of arrivals, which has no users"},
		{"a rate", openState(), "rate 600/1m", "rate 10", ""},
		{"a rate of users", steadyState(), "rate 10", "", "✗ rate: the load is a number of users, which has no rate"},
		{"spawn rate", steadyState(), "spawn-rate 30/1m", "spawn rate 0.5", ""},
		{"traffic", steadyState(), "traffic 50..300", "traffic 50..300", "the advice will be for 50..300"},
		{"users while measuring", measuringState(), "users 9", "", "the measurement has a load of its own"},
		{"more", steadyState(), "more 7", "users 57", ""},
		{"more of a rate", openState(), "more 2.5", "rate 42.5", ""},
		{"half a user", steadyState(), "more 2.5", "", `✗ more: got "2.5", want a whole number`},
		{"less", steadyState(), "less 10%", "users 45", ""},
		{"a share that is none", steadyState(), "less NaN%", "", `✗ less: got "NaN%", want a share such as 5%`},
		{"pause", steadyState(), "pause", "pause", ""},
		{"the begin of a name", steadyState(), "pau", "pause", ""},
		{"the begin of two names", steadyState(), "re", "", `✗ got "re", want one of recycle, reset, reverse, redraw`},
		{"nothing behind", steadyState(), "pause now", "", `✗ pause: got "now", want nothing behind the command`},
		{"no such command", steadyState(), "dance", "", `✗ got "dance", want one of start`},
		{"advise", steadyState(), "advise", "advise", "[5 Advisor]"},
		{"apply asks", advisedState(), "apply", "", "Apply this policy to the scaler? y/n"},
		{"a view", steadyState(), "view replicas", "", "[3 Replicas]"},
		{"a view by its number", steadyState(), "view 6", "", "[6 Log]"},
		{"no view", steadyState(), "view nine", "", `✗ view: got "nine", want one of dashboard`},
		{"the view before", steadyState(), "turn previous", "", "[6 Log]"},
		{"move", steadyState(), "move away", "", `✗ move: got "away", want one of down, up, top, end`},
		{"nothing to export", steadyState(), "export jcloud", "", "there is nothing to export yet"},
		{"no platform", advisedState(), "export moon", "", `✗ export: got "moon", want one of policy, aws, cloudrun`},
		{"sort", tasksState(3), "sort count", "", "✗ sort: this view has no rows to sort"},
		{"filter", tasksState(3), "filter task-02", "", "✗ filter: this view has no rows to filter"},
		{"zoom", steadyState(), "zoom all", "", "zoom all"},
		{"no zoom", steadyState(), "zoom 9m", "", `✗ zoom: got "9m", want one of 5m, all, 1m`},
		{"quit asks", steadyState(), "quit", "", "Stop the swarm and quit? y/n"},
		{"another asks", steadyState(), "another", "", "Stop the swarm and set up another run? y/n"},
		{"nothing", steadyState(), "", "", "[1 Dashboard]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := drive(t, test.state)
			h.command(test.line)
			h.wantShown(test.shown)
			h.wantAsked(test.want)
		})
	}
}

func TestCompletion(t *testing.T) {
	h := drive(t, advisedState())
	for _, step := range []struct{ key, want string }{
		{":", "▸ start"}, {"e", "▸ edit"}, {"x", "▸ export [FORMAT [FILE]]"}, {"tab", ":export "}, {"j", "▸ export jcloud"}, {"tab", ":export jcloud"},
	} {
		h.press(step.key)
		h.wantShown(step.want)
	}
	h.wantHidden("export policy")
	h.press("enter")
	h.wantShown("[jcloud]")
	h.wantShown("jcloud.yml")
	h.press("esc", ":", "v", "down", "down", "down", "up", "tab")
	h.wantShown(":view ")
	h.press("down", "down", "tab")
	h.wantShown(":view replicas")
	h.press("enter")
	h.wantShown("[3 Replicas]")
	h.press(":", "z")
	h.press("tab") // there is nothing that begins so
	h.wantShown(":z")
	h.press("esc")
	h.wantHidden(":z")
}

func TestFilesByCommand(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"export jcloud deploy/jcloud.yml", "jcloud to deploy/jcloud.yml"},
		{"save out.json", "report to out.json"},
		{"save my run.html", "report to my run.html"},
	} {
		h := drive(t, advisedState())
		h.command(test.line)
		if got := strings.Join(h.exports, ", "); got != test.want {
			t.Errorf("%q wrote %q, want %q", test.line, got, test.want)
		}
		h.wantHidden("Command")
	}
	h := drive(t, advisedState())
	h.files = map[string]bool{"k.yml": true}
	h.command("export jcloud k.yml")
	h.wantShown("✗ k.yml exists: enter again overwrites it")
	h.press("enter")
	h.wantShown("✓ wrote k.yml")
}

func TestSave(t *testing.T) {
	h := drive(t, steadyState())
	h.press("ctrl+s")
	h.wantShown("Save a report: NAME.html")
	h.wantShown("run-120152.html")
	h.press("ctrl+u", "a", "enter")
	h.wantShown("✓ wrote a")
	h.exportErr = errors.New("--save: got a.txt, want a name that ends with .html or .json")
	h.press("ctrl+s", "enter")
	h.wantShown("✗ --save: got a.txt")
	h.press("esc")

	h = drive(t, emptyState())
	h.press("ctrl+s")
	h.wantShown("there is no run to save yet: enter starts one")
}

func TestCopy(t *testing.T) {
	h := drive(t, steadyState())
	h.press("y")
	h.wantShown("there is nothing to copy yet")
	h = drive(t, advisedState())
	h.press("y")
	h.wantShown("sent the policy, 10 bytes, to the terminal")
	if want := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte("the policy")) + "\x07"; h.sent.String() != want {
		t.Errorf("the terminal got %q, want %q", h.sent.String(), want)
	}
	h = drive(t, advisedState(), func(o *Options) { o.Copy = func() (string, error) { return "", errors.New("no policy") } })
	h.press("y")
	h.wantShown("✗ no policy")
	if h.sent.Len() > 0 {
		t.Errorf("the terminal got %q with an error", h.sent.String())
	}
}

func TestAnother(t *testing.T) {
	h := drive(t, ended(steadyState()))
	h.wantShown("n another run")
	h.press("n")
	if !h.quit || !errors.Is(h.m.left, ErrAnother) {
		t.Errorf("n while idle: quit %v with %v, want another run", h.quit, h.m.left)
	}
	h = drive(t, steadyState())
	h.press("n", "y")
	h.wantAsked("stop")
	if h.quit {
		t.Error("it did not wait for the swarm")
	}
	h.state(ended(steadyState()))
	if !h.quit || !errors.Is(h.m.left, ErrAnother) {
		t.Errorf("n while swarming: quit %v with %v, want another run", h.quit, h.m.left)
	}
	h = drive(t, steadyState(), func(o *Options) { o.Another = false })
	h.press("n", "y")
	h.wantAsked("")
}

// What leaves the keys alone in a text leaves them alone there.
func TestLettersInThePalette(t *testing.T) {
	h := drive(t, steadyState())
	h.press(":", "q", "w", "?", " ", "1")
	h.wantShown(":qw? 1")
	h.wantAsked("")
	h.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("users 9"), Paste: true})
	h.wantShown(":qw? 1users 9")
	h.press("ctrl+c")
	h.wantAsked("stop")
}
