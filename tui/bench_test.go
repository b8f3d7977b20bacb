package tui

import (
	"fmt"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"headroom/advisor"
)

// benchmarkViews takes a State and draws it, in each view at each size, after
// change has made the next of it. The session is an hour old.
func benchmarkViews(b *testing.B, change func(*advisor.State)) {
	for _, size := range sizes {
		for _, view := range allViews {
			b.Run(fmt.Sprintf("%s-%dx%d", views[view], size.w, size.h), func(b *testing.B) {
				st := advisedState()
				lately := st.Points[20:]
				st.Points = points(0, 3600, func(i int) advisor.Point { return lately[i%len(lately)] })
				m := showing(st, colourStyles(termenv.ANSI256, true, false), view, size.w, size.h)
				b.ReportAllocs()
				for b.Loop() {
					st.Seq++
					st.At = st.At.Add(250 * time.Millisecond)
					change(&st)
					m.take(st)
					m.View()
				}
			})
		}
	}
}

// At 4 States a second a frame of 5 ms is 2 % of a core, and one of 10 ms 4 %.
func BenchmarkViewOfANewState(b *testing.B) {
	benchmarkViews(b, func(st *advisor.State) { st.Load.Elapsed += 250 * time.Millisecond })
}

// What an idle session costs; with a fleet the latest seconds of its replicas
// make one in four worth drawing.
func BenchmarkViewOfTheSameState(b *testing.B) {
	benchmarkViews(b, func(*advisor.State) {})
}

func TestUnchangedStateRendersNothing(t *testing.T) {
	m := showing(steadyState(), plainStyles(), viewDashboard, 120, 40)
	m.View()
	if n := testing.AllocsPerRun(100, func() { m.View() }); n != 0 {
		t.Errorf("%v allocations to show the same frame again, want none", n)
	}
	st := steadyState()
	st.Seq++
	if m.take(st); m.stale {
		t.Error("a State that differs in its number alone is drawn again")
	}
}
