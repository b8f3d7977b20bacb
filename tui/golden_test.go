package tui

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"

	"headroom/advisor"
)

// plainStyles are those of a terminal without colours.
func plainStyles() *styles { return newStyles(&bytes.Buffer{}, false) }

func colourStyles(p termenv.Profile, dark, ascii bool) *styles {
	r := lipgloss.NewRenderer(&bytes.Buffer{})
	r.SetColorProfile(p)
	r.SetHasDarkBackground(dark)
	return stylesFor(r, true, ascii)
}

// showing is a screen of w x h that shows st.
func showing(st advisor.State, s *styles, view, w, h int) *screen {
	m := newScreen(context.Background(), &fakeController{}, Options{
		States: make(chan advisor.State), Formats: []string{"policy", "jcloud"}, Export: func(string, string, bool) (string, error) { return "", nil },
	}, s)
	m.w, m.h, m.view = w, h, view
	m.take(st)
	return m
}

var sizes = []struct{ w, h int }{{80, 24}, {100, 30}, {120, 40}, {200, 60}}

var sceneries = []struct {
	name  string
	state func() advisor.State
	views []int
}{
	{"empty", emptyState, []int{viewDashboard, viewRequests, viewReplicas, viewFailures, viewAdvisor, viewLog}},
	{"idle", idleState, []int{viewDashboard, viewAdvisor}},
	{"ramping", rampingState, []int{viewDashboard, viewReplicas}},
	{"steady", steadyState, []int{viewDashboard, viewRequests, viewReplicas, viewFailures, viewLog}},
	{"disagreeing", disagreeingState, []int{viewDashboard, viewReplicas}},
	{"scaled", scaledState, []int{viewDashboard}},
	{"tracked", trackedState, []int{viewDashboard, viewReplicas}},
	{"failing", failingState, []int{viewDashboard, viewRequests, viewFailures}},
	{"measuring", measuringState, []int{viewDashboard, viewAdvisor}},
	{"advised", advisedState, []int{viewDashboard, viewAdvisor}},
	{"refused", refusedState, []int{viewAdvisor}},
	{"verified", verifiedState, []int{viewAdvisor}},
	{"measured", measuredState, []int{viewAdvisor}},
	{"stopped", stoppedState, []int{viewDashboard, viewAdvisor}},
	{"replaying", replayingState, []int{viewDashboard, viewAdvisor}},
}

func TestGoldenViews(t *testing.T) {
	for _, scene := range sceneries {
		for _, view := range scene.views {
			for _, size := range sizes {
				name := fmt.Sprintf("%s-%d-%s-%dx%d", scene.name, view+1, strings.ToLower(views[view]), size.w, size.h)
				t.Run(name, func(t *testing.T) {
					frame := showing(scene.state(), plainStyles(), view, size.w, size.h).View()
					checkFrame(t, frame, size.w, size.h)
					golden.RequireEqual(t, []byte(frame+"\n"))
				})
			}
		}
	}
}

// checkFrame is what holds for every frame.
func checkFrame(t interface {
	Helper()
	Errorf(string, ...any)
}, frame string, w, h int) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) > h {
		t.Errorf("%d lines on a screen of %d", len(lines), h)
	}
	for i, line := range lines {
		if got := ansi.StringWidth(line); got > w {
			t.Errorf("line %d is %d cells wide on a screen of %d: %q", i, got, w, line)
		}
	}
}
