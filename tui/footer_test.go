package tui

import (
	"strings"
	"testing"

	"headroom/advisor"
)

// lastLine is the footer without its margin.
func (h *harness) lastLine() string {
	frame := h.frame()
	return strings.TrimSpace(frame[strings.LastIndex(frame, "\n")+1:])
}

func readOnly(o *Options) { o.Attached, o.ReadOnly = true, "this run is read-only" }

func scalerAlone(o *Options) {
	readOnly(o)
	o.FleetOnly, o.Export, o.Copy, o.Save = true, nil, nil, nil
}

// The keys are those that do something: for what goes on, and for the view.
func TestFooter(t *testing.T) {
	for _, test := range []struct {
		name   string
		state  advisor.State
		view   string
		change func(*Options)
		want   string
	}{
		{"a swarm", steadyState(), "1", nil, "w/s users  e edit  a advise  P pause  esc stop  z zoom  space freeze  ctrl+s save  1-6 views  ? help  q quit"},
		{"a table", steadyState(), "2", nil, "w/s users  e edit  a advise  P pause  esc stop  o sort  / filter  j k move  space freeze  ctrl+s save  1-6 views  ? help  q quit"},
		{"a rate", openState(), "3", nil, "w/s rate  e edit  a advise  P pause  esc stop  o sort  / filter  j k move  space freeze  ctrl+s save  1-6 views  ? help  q quit"},
		{"no failure", steadyState(), "4", nil, "w/s users  e edit  a advise  P pause  esc stop  space freeze  ctrl+s save  1-6 views  ? help  q quit"},
		{"failures", failingState(), "4", nil, "w/s users  e edit  a advise  P pause  esc stop  o sort  / filter  j k move  space freeze  ctrl+s save  1-6 views  ? help  q quit"},
		{"draining", drainingState(), "1", nil, "z zoom  space freeze  ctrl+s save  1-6 views  ? help  q quit"},
		{"a replay", replayingState(), "1", nil, "esc stop  z zoom  space freeze  ctrl+s save  1-6 views  ? help  q quit"},
		{"a log", measuringState(), "6", nil, "esc stop  / filter  j k move  space freeze  ctrl+s save  1-6 views  ? help  q quit"},
		{"an advice", ended(advisedState()), "5", func(o *Options) { o.Explain = func(advisor.Capacity, advisor.Recommendation, int) string { return "" } },
			"enter start  e edit  a advise  A apply  v verify  x export  ctrl+s save  n another run  E explain  y copy  j k move  1-6 views  ? help  q quit"},
		{"a run that has ended", ended(steadyState()), "1", nil, "enter start  e edit  a advise  ctrl+s save  n another run  z zoom  1-6 views  ? help  q quit"},
		{"no other run", ended(steadyState()), "1", func(o *Options) { o.Another, o.Save = false, nil }, "enter start  e edit  a advise  z zoom  1-6 views  ? help  q quit"},
		{"no run yet", idleState(), "2", nil, "enter start  e edit  a advise  1-6 views  ? help  q quit"},
		{"only looking", advisedState(), "5", readOnly, "x export  y copy  j k move  space freeze  ctrl+s save  1-6 views  ? help  q detach"},
		{"a run elsewhere that has ended", endedState(), "1", func(o *Options) { o.Attached, o.Another = true, false }, "ctrl+s save  z zoom  1-6 views  ? help  q detach"},
		{"a scaler alone", managed(idleState(), 2, 3), "3", scalerAlone, "o sort  / filter  j k move  space freeze  3 6 views  ? help  q detach"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := drive(t, test.state, func(o *Options) {
				if test.change != nil {
					test.change(o)
				}
			})
			h.m.w = 200
			h.press(test.view)
			if got := h.lastLine(); got != test.want {
				t.Errorf("footer of view %s:\n got %s\nwant %s", test.view, got, test.want)
			}
		})
	}
}

// On the smallest screen a view still says what it can do.
func TestFooterWithLittleRoom(t *testing.T) {
	h := drive(t, steadyState())
	h.press("2")
	if got, want := h.lastLine(), "w/s users  e edit  a advise  P pause  esc stop  o sort  ? help  q quit"; got != want {
		t.Errorf("footer:\n got %s\nwant %s", got, want)
	}
}

// What leaves the help is what its footer says.
func TestHelpMovesOnlyWhereItHasMore(t *testing.T) {
	h := drive(t, steadyState())
	h.press("?")
	if got, want := h.lastLine(), "j k g G move  esc back"; got != want {
		t.Errorf("footer of a help that is longer than the screen: %q, want %q", got, want)
	}
	h.wantShown("▶ swarm · M measure") // whatever else has no room
	first := h.frame()
	h.press("pgdown")
	if h.frame() == first || h.m.mode != modeHelp {
		t.Error("a page down does not move through the help")
	}
	h.press("pgup")
	if h.frame() != first {
		t.Errorf("a page up does not come back:\n%s", h.frame())
	}
	h.press("esc")
	h.wantShown("throughput/s")

	h.m.w, h.m.h = 200, 60
	h.press("?")
	if got, want := h.lastLine(), "any key back"; got != want {
		t.Errorf("footer of a help that fits: %q, want %q", got, want)
	}
	h.press("j")
	h.wantShown("throughput/s")
}

func TestHelpOfAScalerAlone(t *testing.T) {
	h := drive(t, managed(idleState(), 2, 3), scalerAlone)
	h.press("?")
	h.wantShown("  3 6 a view")
	h.wantHidden("1-6")
	h.press("esc", "1")
	h.wantShown(`✗ nothing is on "1"`)
	h.wantShown("[3 Replicas]")
}

// Every row is seen, however the pages are turned.
func TestPagesLeaveNoRowOut(t *testing.T) {
	st := tasksState(60)
	h := drive(t, st)
	h.press("2")
	seen := h.frame()
	for range st.Load.Requests {
		h.press("pgdown")
		seen += h.frame()
	}
	for _, r := range st.Load.Requests {
		if !strings.Contains(seen, r.Name) {
			t.Errorf("no page has %s", r.Name)
		}
	}
}

// The palette takes no more of the view than it fills, and what is typed stays
// where it is.
func TestPaletteShrinks(t *testing.T) {
	h := drive(t, steadyState())
	h.press(":")
	lines := strings.Split(h.frame(), "\n")
	at := len(lines) - 2
	for _, test := range []struct {
		key   string
		typed string
		lines int // of the palette
	}{{"e", " :e", 4}, {"d", " :ed", 3}, {"z", " :edz", 2}, {"enter", " :edz", 4}} {
		h.press(test.key)
		lines = strings.Split(h.frame(), "\n")
		if got := strings.TrimRight(lines[at], " "); got != test.typed {
			t.Errorf("after %s line %d is %q, want %q", test.key, at, got, test.typed)
		}
		if top := lines[at+1-test.lines]; !strings.HasPrefix(top, "── Command ─") {
			t.Errorf("after %s the palette does not begin %d lines above its end but with %q", test.key, test.lines, top)
		}
	}
}

// Without an SLO nothing can be measured: whoever is inside is told the way.
func TestNoSLO(t *testing.T) {
	st := ended(steadyState())
	st.SLO = nil
	h := drive(t, st)
	h.press("5")
	h.wantShown("n sets up another run,")
	h.wantShown("next  n set up a run with an SLO")
	h.m.o.Another = false
	h.press("1", "5")
	h.wantShown("the run has to be started")
}
