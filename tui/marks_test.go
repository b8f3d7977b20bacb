package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
)

// scaledState is a load whose steps a fleet followed.
func scaledState() advisor.State {
	st := steadyState()
	at := func(seconds float64, kind advisor.AnnotationKind) {
		st.Timeline.Annotations = append(st.Timeline.Annotations, advisor.Annotation{At: time.Duration(seconds * float64(time.Second)), Kind: kind, Text: string(kind)})
	}
	at(10, advisor.LoadBegins)
	at(10.2, advisor.FirstAnswer)
	at(40, advisor.LoadRises)
	at(42, advisor.SLOLost)
	at(43, advisor.Decided)
	at(44, advisor.Created)
	at(46, advisor.FirstAnswer)
	at(46.1, advisor.FirstAnswer)
	at(50, advisor.Stops)
	at(56, advisor.SLORegained)
	at(78, advisor.LoadFalls)
	at(80, advisor.Leaves)
	return st
}

func TestMarksOfATimeline(t *testing.T) {
	all := points(1, 60, func(i int) advisor.Point {
		p := advisor.Point{Phase: advisor.Swarming, Wanted: 1}
		if i >= 43 {
			p.Wanted = 3
		}
		return p
	})
	for _, test := range []struct {
		columns int
		want    []string
	}{
		{61, []string{"●", "↗ in front", "✗ in front", "▲3 in front", "●", "○", "✓ in front"}},
		{31, []string{"✗ in front", "▲3", "✓ in front"}},
	} {
		var got []string
		for _, m := range marksOf(newAxis(all, test.columns), scaledState().Timeline, ofSLO) {
			text := m.text
			if m.rank == 0 {
				text += " in front"
			}
			got = append(got, text)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("in %d columns: marks %q, want %q", test.columns, got, test.want)
		}
	}
}

// Charts with room for all agree, whatever their curves are of.
func TestMarksOfWideChartsAgree(t *testing.T) {
	a := newAxis(steadyState().Points, roomy)
	want := marksOf(a, scaledState().Timeline, ofSLO)
	if got := marksOf(a, scaledState().Timeline, ofWanted, ofAnswer); !slices.Equal(got, want) {
		t.Errorf("marks of one chart %v, of another %v; want the same", want, got)
	}
}

// Where not all have room those in front stay, in the order of time.
func TestMarksInFrontStay(t *testing.T) {
	at := func(column int, text string, rank int) mark { return mark{column, text, plain, ofPhase, rank} }
	for _, test := range []struct {
		name  string
		marks []mark
		want  string
	}{
		{"room for all", []mark{at(2, "↗", 0), at(6, "▲2", 1), at(10, "✗", 0)}, "↗ ▲2 ✗"},
		{"the later in front", []mark{at(2, "↗", 1), at(2, "▲2", 1), at(2, "●", 1), at(2, "✗", 0)}, "↗ ● ✗"},
		{"all in one column", []mark{at(2, "↗", 1), at(2, "▲2", 1), at(2, "✗", 0), at(2, "✓", 0)}, "↗ ✗ ✓"},
	} {
		var got []string
		for _, p := range choose(test.marks, 0, 20) {
			got = append(got, p.text)
		}
		if text := strings.Join(got, " "); text != test.want {
			t.Errorf("%s: marks %q, want %q", test.name, text, test.want)
		}
	}
}

func TestLegendNamesWhatIsInView(t *testing.T) {
	for _, test := range []struct {
		name  string
		state advisor.State
		w     int
		want  string
	}{
		{"nothing", steadyState(), 78, ""},
		{"all", scaledState(), 78, "↗↘ load  ▲▼n wants n  ● first answer  ○ goes  ✗ SLO lost ✓ regained"},
		{"narrow", scaledState(), 40, "↗↘ load  ▲▼n wants n  ● first answer"},
	} {
		if got := markLegend(test.state, plainStyles(), test.w); sgr.ReplaceAllString(got, "") != test.want {
			t.Errorf("%s: legend %q, want %q", test.name, got, test.want)
		}
	}
}
