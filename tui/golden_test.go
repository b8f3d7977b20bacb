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
		States: make(chan advisor.State), Formats: testFormats, Export: func(string, string, bool) (string, error) { return "", nil },
		Explain: func(c advisor.Capacity, _ advisor.Recommendation, width int) string {
			return fmt.Sprintf("%+v\n%d", c, width)
		},
	}, s)
	m.w, m.h, m.view = w, h, view
	m.take(st)
	return m
}

var sizes = []struct{ w, h int }{{80, 24}, {100, 30}, {120, 40}, {200, 60}}

// allViews are those of a session.
var allViews = []int{viewDashboard, viewRequests, viewReplicas, viewFailures, viewAdvisor, viewLog}

// sceneries are the states that views are looked at in: all views, or those
// that have something of their own for it.
var sceneries = []struct {
	name  string
	state func() advisor.State
	views []int
}{
	{"empty", emptyState, allViews},
	{"ramping", rampingState, allViews},
	{"steady", steadyState, allViews},
	{"failing", failingState, allViews},
	{"down", downState, allViews},
	{"measuring", measuringState, allViews},
	{"refused", refusedState, allViews},
	{"applied", appliedState, allViews},
	{"finished", finishedState, allViews},
	{"idle", idleState, []int{viewDashboard, viewAdvisor}},
	{"disagreeing", disagreeingState, []int{viewDashboard, viewReplicas}},
	{"scaled", scaledState, []int{viewDashboard}},
	{"tracked", trackedState, []int{viewDashboard, viewReplicas}},
	{"advised", advisedState, []int{viewDashboard, viewAdvisor}},
	{"verified", verifiedState, []int{viewAdvisor}},
	{"measured", measuredState, []int{viewAdvisor}},
	{"stopped", stoppedState, []int{viewDashboard, viewAdvisor}},
	{"replaying", replayingState, []int{viewDashboard, viewAdvisor}},
	{"waking", wakingState, []int{viewDashboard, viewReplicas}},
	{"streaming", streamingState, []int{viewDashboard, viewRequests}},
	{"wordy", wordyState, []int{viewRequests, viewFailures}},
}

func TestGoldenViews(t *testing.T) {
	for _, scene := range sceneries {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", scene.name, size.w, size.h), func(t *testing.T) {
				requireViews(t, scene.state(), plainStyles(), scene.views, size.w, size.h)
			})
		}
	}
}

// requireViews compares views of a State with those in a file.
func requireViews(t *testing.T, st advisor.State, s *styles, shown []int, w, h int) {
	t.Helper()
	var all strings.Builder
	for _, view := range shown {
		frame := showing(st, s, view, w, h).View()
		checkFrame(t, frame, w, h)
		fmt.Fprintf(&all, "%s\n%s\n", strings.Repeat("=", w), strings.ReplaceAll(frame, "\x1b", "ESC"))
	}
	golden.RequireEqual(t, []byte(all.String()))
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
