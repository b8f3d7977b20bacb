package tui

import (
	"fmt"
	"testing"

	"github.com/muesli/termenv"
)

// At 4 States a second a frame of 5 ms is 2 % of a core.
func BenchmarkViewOfANewState(b *testing.B) {
	for _, size := range sizes {
		for _, view := range []int{viewDashboard, viewReplicas, viewAdvisor} {
			b.Run(fmt.Sprintf("%s-%dx%d", views[view], size.w, size.h), func(b *testing.B) {
				st := advisedState()
				m := showing(st, colourStyles(termenv.ANSI256, true, false), view, size.w, size.h)
				b.ReportAllocs()
				for b.Loop() {
					m.take(st)
					m.View()
				}
			})
		}
	}
}

func BenchmarkViewOfTheSameState(b *testing.B) {
	m := showing(steadyState(), colourStyles(termenv.ANSI256, true, false), viewDashboard, 120, 40)
	b.ReportAllocs()
	for b.Loop() {
		m.View()
	}
}

func TestUnchangedStateRendersNothing(t *testing.T) {
	m := showing(steadyState(), plainStyles(), viewDashboard, 120, 40)
	m.View()
	if n := testing.AllocsPerRun(100, func() { m.View() }); n != 0 {
		t.Errorf("%v allocations to show the same frame again, want none", n)
	}
}
