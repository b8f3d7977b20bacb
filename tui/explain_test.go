package tui

import (
	"fmt"
	"strings"
	"testing"

	"headroom/advisor"
)

// explaining is a harness with a derivation of many lines, each of which says
// how wide it may be.
func explaining(t *testing.T, st advisor.State) *harness {
	h := drive(t, st)
	h.m.o.Explain = func(c advisor.Capacity, r advisor.Recommendation, width int) string {
		var b strings.Builder
		for i := range 100 {
			fmt.Fprintf(&b, "line %d of %d columns: %s from %s\n", i+1, width, r.Values[0].Formula, c.SLO)
		}
		return b.String() + strings.Repeat("wide ", 50)
	}
	h.m.commands = newCommands(h.m.o)
	return h
}

func TestExplainThePagesOfAnAdvice(t *testing.T) {
	h := explaining(t, advisedState())
	h.press("E")
	h.wantShown("line 1 of 78 columns: ceil(50 / 8.08) = 7 from 10.1/s")
	h.press("w", "a", "G")
	h.wantAsked("") // nothing but looking
	h.wantHidden("line 1 of")
	h.wantShown("line 100 of")
	h.wantShown("wide wide")
	h.state(advisedState())
	h.wantShown("line 100 of") // and stays there
	h.press("g")
	h.wantShown("line 1 of")
	h.press("esc")
	h.wantHidden("line 1 of")
	if h.m.mode != modeNormal {
		t.Errorf("mode %d, want the normal one", h.m.mode)
	}
}

func TestNothingToExplain(t *testing.T) {
	for _, test := range []struct {
		name  string
		state advisor.State
		want  string
	}{
		{"no advice", steadyState(), "✗ there is no advice to explain yet"},
		{"a later measurement", stoppedState(), "✗ the measurement behind the advice gave way to one that did not end"},
	} {
		h := explaining(t, test.state)
		h.press("E")
		h.wantShown(test.want)
		if h.m.mode != modeNormal {
			t.Errorf("%s: mode %d, want the normal one", test.name, h.m.mode)
		}
	}
	h := explaining(t, advisedState())
	h.press("E")
	h.state(steadyState())
	h.wantShown("there is no advice any more")
}
