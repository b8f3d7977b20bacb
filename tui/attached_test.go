package tui

import (
	"errors"
	"testing"

	"headroom/advisor"
)

// A session elsewhere goes on when its dashboard is left.
func TestAttachedLeavesWithoutStopping(t *testing.T) {
	for _, key := range []string{"q", "ctrl+c"} {
		h := drive(t, steadyState())
		h.m.o.Attached = true
		h.wantShown("q detach")
		h.press(key)
		h.wantAsked("")
		if !h.quit {
			t.Errorf("%s: the dashboard stays", key)
		}
	}
}

// A question about the advice stands while that is the same, also where each
// State comes with an advice of its own; and ends with it.
func TestApplyIsAskedElsewhere(t *testing.T) {
	st := advisedState()
	h := drive(t, overJSON(t, st))
	h.press("A")
	h.state(overJSON(t, st))
	h.wantShown("Apply this policy to the scaler?")
	advice := *st.Advice
	advice.Applied.Replicas.Min++
	st.Advice = &advice
	h.state(overJSON(t, st))
	h.wantShown("✗ the advice has changed meanwhile")
	h.press("y")
	h.wantAsked("")
}

func TestReadOnlyRefusesWhatChanges(t *testing.T) {
	h := drive(t, advisedState())
	h.m.o.ReadOnly = "this run is read-only"
	for _, key := range []string{"enter", "esc", "e", "w", "W", "s", "S", "left", "right", "P", "R", "r", "a", "A", "v"} {
		h.press(key)
		h.wantAsked("")
		h.wantShown("✗ this run is read-only")
		h.wantHidden("y/n")
		h.press("tab")
		h.wantHidden("this run is read-only")
	}
	h.wantHidden("advise")
	h.press("?")
	for _, c := range h.m.commands {
		if c.changes {
			h.wantHidden(c.what)
		}
	}
	h.press("esc", ":")
	h.wantHidden("advise")
	h.press("u", "s", "e", "r", "s", " ", "9", "enter")
	h.wantShown("✗ users: this run is read-only")
	h.wantAsked("")
	h.press("esc", "x")
	h.wantShown("Export the advised policy")
}

func TestNothingStartsInARunThatHasEnded(t *testing.T) {
	h := drive(t, endedState(), elsewhere(""))
	for _, key := range []string{"enter", "e", "a"} {
		h.press(key)
		h.wantAsked("")
		h.wantShown("✗ the run has ended: nothing can be started or changed here any more")
		h.press("tab")
	}
}

func TestScalerAlone(t *testing.T) {
	st := managed(idleState(), 2, 3)
	ctx := drive(t, st)
	ctx.m.o.FleetOnly, ctx.m.o.ReadOnly = true, "a scaler alone has no load"
	h := &harness{t: t, c: ctx.c, m: newScreen(ctx.m.ctx, ctx.c, ctx.m.o, plainStyles())}
	h.state(st)
	h.wantShown("▶ scaler")
	h.wantShown("[3 Replicas]")
	h.wantShown("replica-2")
	h.wantHidden("Dashboard")
	h.wantHidden("SLO")
	h.press("1")
	h.wantShown("[3 Replicas]")
	for _, want := range []string{"[6 Log]", "[3 Replicas]"} {
		h.press("tab")
		h.wantShown(want)
	}
	h.press("shift+tab")
	h.wantShown("[6 Log]")
}

// What was last known stays on the screen, with a word that it is that.
func TestLostConnection(t *testing.T) {
	h := drive(t, steadyState())
	h.press(" ") // also where the view is frozen
	h.wantHidden("connection")
	lost := steadyState()
	lost.Lost = "connection refused: tried again in 4s"
	h.state(lost)
	h.wantShown("✗ connection refused: tried again in 4s")
	h.press(" ")
	h.wantShown("✗ connection lost")
	h.wantShown("412.6 req/s")
	h.state(steadyState())
	h.wantHidden("connection")
	over := ended(steadyState())
	over.Ended = true
	h.state(over)
	h.wantShown("■ the run has ended after 01:42")
}

func TestStopThatFails(t *testing.T) {
	h := drive(t, steadyState())
	h.c.err = errors.New("run: connection refused")
	h.press("esc", "y")
	h.wantAsked("stop")
	h.wantShown("✗ run: connection refused")
	if h.m.latest.Phase != advisor.Swarming || h.quit {
		t.Error("the screen takes a failed stop for the end")
	}
}
