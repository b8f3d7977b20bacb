package tui

import (
	"errors"
	"strings"
	"testing"
)

func TestExport(t *testing.T) {
	for _, test := range []struct {
		name string
		keys []string
		want string
	}{
		{"first format", []string{"x", "enter"}, "policy to policy.yaml"},
		{"next format", []string{"x", "right", "enter"}, "aws to template.yaml"},
		{"format before", []string{"x", "left", "enter"}, "truefoundry to truefoundry.yaml"},
		{"own name", []string{"x", "tab", "ctrl+u", "a.b", "enter"}, "policy to a.b"},
		{"own name outlives the format", []string{"x", "tab", "ctrl+u", "q", "shift+tab", "right", "enter"}, "aws to q"},
		{"left", []string{"x", "esc"}, ""},
		{"no name", []string{"x", "tab", "ctrl+u", "enter", "esc"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := drive(t, advisedState())
			h.press(test.keys...)
			if got := strings.Join(h.exports, ", "); got != test.want {
				t.Errorf("exported %q, want %q", got, test.want)
			}
			if test.want != "" {
				_, path, _ := strings.Cut(test.want, " to ")
				h.wantShown("✓ wrote " + path)
			}
		})
	}
	t.Run("fails", func(t *testing.T) {
		h := drive(t, advisedState())
		h.exportErr = errors.New("open policy.yaml: permission denied")
		h.press("x", "tab", "1", "enter")
		h.wantShown("✗ open policy.yaml: permission denied")
		h.wantShown("Export the advised policy")
		h.exportErr = nil
		h.press("2")
		h.wantHidden("permission denied")
		h.press("enter")
		h.wantShown("✓ wrote policy.yaml12")
		h.wantHidden("Export the advised policy")
	})
	t.Run("over a file that is there", func(t *testing.T) {
		h := drive(t, advisedState())
		h.files = map[string]bool{"policy.yaml": true, "template.yaml": true}
		h.press("x", "enter")
		h.wantShown("✗ policy.yaml exists: enter again overwrites it")
		h.press("right", "enter") // another one
		h.wantShown("✗ template.yaml exists: enter again overwrites it")
		if len(h.exports) > 0 {
			t.Errorf("exported %q without a second enter", h.exports)
		}
		h.press("enter")
		h.wantShown("✓ wrote template.yaml")
		h.press("x", "enter") // asks anew
		h.wantShown("✗ template.yaml exists: enter again overwrites it")
	})
	t.Run("fails after the form was left", func(t *testing.T) {
		h := drive(t, advisedState())
		h.exportErr = errors.New("disk full")
		h.press("x")
		_, write := h.m.Update(keyMsg("enter"))
		h.press("enter") // not twice
		h.press("esc")
		h.run(write)
		h.wantShown("✗ disk full")
		if len(h.exports) != 1 {
			t.Errorf("exported %q, want once", h.exports)
		}
	})
	t.Run("loses something", func(t *testing.T) {
		h := drive(t, advisedState(), func(o *Options) {
			o.Export = func(string, string, bool) (string, error) {
				return "wrote jcloud.yml; lost: interval: the platform looks when it likes; lost: down.stabilization: there is no such thing", nil
			}
		})
		h.press("x", "enter")
		h.wantShown("✓ wrote jcloud.yml; lost: interval")
		h.wantShown("there is no such thing")
	})
	t.Run("nothing yet", func(t *testing.T) {
		h := drive(t, steadyState())
		h.press("x")
		h.wantShown("there is nothing to export yet")
	})
	t.Run("not offered", func(t *testing.T) {
		h := drive(t, advisedState(), func(o *Options) { o.Export = nil })
		h.press("x", "enter")
		h.wantHidden("export")
	})
}

// All formats are named on the smallest screen, with what the chosen one is and
// how its file is called.
func TestEveryFormatIsSeen(t *testing.T) {
	h := drive(t, advisedState())
	h.press("x")
	for _, f := range testFormats {
		h.wantShown("[" + f.Name + "]")
		h.wantShown(" " + f.Title)
		h.wantShown("file       " + f.File + " ")
		for _, other := range testFormats {
			if other.Name != f.Name {
				h.wantShown(" " + other.Name + " ")
			}
		}
		h.press("right")
	}
	h.wantShown("[policy]")
}

func TestQuit(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		h := drive(t, idleState())
		h.press("q")
		if !h.quit {
			t.Error("q did not end the program")
		}
	})
	t.Run("draining", func(t *testing.T) {
		h := drive(t, drainingState())
		h.press("q")
		h.wantShown("stopping, and waiting for the answers")
		if h.quit {
			t.Error("it did not wait for the last answers")
		}
	})
	t.Run("no", func(t *testing.T) {
		h := drive(t, steadyState())
		h.press("q")
		h.wantShown("Stop the swarm and quit?")
		h.press("n")
		h.wantAsked("")
		h.wantHidden("Stop the swarm and quit?")
	})
	t.Run("yes", func(t *testing.T) {
		h := drive(t, measuringState())
		h.press("q")
		h.wantShown("Stop the measurement and quit?")
		h.press("y")
		h.wantAsked("stop")
		if h.quit {
			t.Fatal("it did not wait for the measurement")
		}
		h.wantShown("stopping, and waiting for the answers that are under way (1 in flight)")
		h.state(idleState())
		if !h.quit {
			t.Error("it stayed when the measurement had ended")
		}
	})
}

func TestControlC(t *testing.T) {
	for _, before := range [][]string{nil, {"e"}, {"A"}, {"x"}, {"?"}} {
		t.Run("once after "+strings.Join(before, ""), func(t *testing.T) {
			h := drive(t, advisedState())
			h.press(before...)
			h.press("ctrl+c")
			h.wantAsked("stop")
			h.press("w", "y", "q")
			h.wantAsked("")
			if h.quit {
				t.Fatal("it did not wait")
			}
			h.state(idleState())
			if !h.quit {
				t.Error("it stayed when the job had ended")
			}
		})
	}
	t.Run("twice", func(t *testing.T) {
		h := drive(t, steadyState())
		h.press("ctrl+c", "ctrl+c")
		h.wantAsked("stop")
		if !h.quit {
			t.Error("the second did not leave at once")
		}
	})
	t.Run("idle", func(t *testing.T) {
		h := drive(t, idleState())
		h.press("ctrl+c")
		h.wantAsked("")
		if !h.quit {
			t.Error("it waited for nothing")
		}
	})
}
