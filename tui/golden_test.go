package tui

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

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

// showing is a screen of w x h that shows st, and has shown the seconds before.
func showing(st advisor.State, s *styles, view, w, h int, changes ...func(*Options)) *screen {
	o := Options{
		States: make(chan advisor.State), Formats: testFormats, Export: func(string, string, bool) (string, error) { return "", nil },
		Explain: func(c advisor.Capacity, _ advisor.Recommendation, width int) string {
			return fmt.Sprintf("%+v\n%d", c, width)
		},
	}
	for _, change := range changes {
		change(&o)
	}
	m := newScreen(context.Background(), &fakeController{}, o, s)
	m.w, m.h, m.view = w, h, view
	for i := range trendSeconds {
		m.take(earlier(st, time.Duration(trendSeconds-1-i)*time.Second))
	}
	return m
}

var sizes = []struct{ w, h int }{{80, 24}, {100, 30}, {120, 40}, {200, 60}}

func TestGoldenViews(t *testing.T) {
	for _, scene := range scenes {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", scene.name, size.w, size.h), func(t *testing.T) {
				requireViews(t, scene, plainStyles(), size.w, size.h)
			})
		}
	}
}

// requireViews compares the views of a scene with those in a file.
func requireViews(t *testing.T, of scene, s *styles, w, h int) {
	t.Helper()
	var all strings.Builder
	for _, view := range of.views {
		frame := of.frame(s, view, w, h)
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
