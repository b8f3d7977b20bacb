package tui

import (
	"strings"
	"testing"

	"headroom/advisor"
	"headroom/advisor/model"
	"headroom/load"
)

func TestThroughputCurve(t *testing.T) {
	curves := func(curves ...model.Curve) advisor.State {
		st := advisedState()
		c := *st.Search.Capacity
		c.Curves = curves
		st.Search.Capacity = &c
		return st
	}
	together := func(m advisor.Scaling) advisor.State {
		st := curves()
		m.Replicas, m.Saturation, m.Efficiency.Value = 2, 37.2, 0.93
		st.Search.Capacity.Scaling, st.Search.Capacity.SLO.Low = &m, 0
		return st
	}
	alone := advisedState()
	alone.Search.Steps = testSteps()[:1]
	for _, test := range []struct {
		name  string
		state advisor.State
		want  []string // none: no diagram
	}{
		{"no measurement", steadyState(), nil},
		{"one under way", measuringState(), []string{" ● ", "5 users", "Measured ● so far."}},
		{"one that was stopped", stoppedState(), nil},
		{"one user", alone, nil},
		{"a model", advisedState(), []string{"─ fitted: hinge", "──●──", "5 users", "Measured ●, fitted hinge.", "4 replicas held 74.2/s together, 92 % of so many times one; under the SLO 45.9/s, 114 %."}},
		{"several that were not measured under the SLO", together(advisor.Scaling{Skipped: "it takes a --budget of 3m or more"}), []string{
			"2 replicas held 37.2/s together, 93 % of so many times one. Under the SLO they were not measured, as it takes a --budget of 3m or more."}},
		{"one of which little is proven", together(advisor.Scaling{SLO: &advisor.Interval{Value: 25}}), []string{"so many times one; under the SLO 25.0/s."}},
		{"several of before that was measured", together(advisor.Scaling{}), []string{"93 % of so many times one."}},
		{"too few for one", curves(), []string{" ● ", "Measured ●. The steps are too few to fit a model to them."}},
		{"the first of several", curves(model.Curve{Model: "usl", Lambda: 20, Sigma: 0.9}, model.Curve{Model: "linear", Lambda: 9}), []string{"fitted usl"}},
	} {
		got := strings.Join(throughputCurve(test.state, plainStyles(), 120), "\n")
		flowing := strings.Join(strings.Fields(got), " ")
		if (got != "") != (test.want != nil) {
			t.Errorf("%s: a diagram %v, want %v:\n%s", test.name, got != "", test.want != nil, got)
		}
		for _, want := range test.want {
			if !strings.Contains(flowing, want) {
				t.Errorf("%s: want %q in\n%s", test.name, want, got)
			}
		}
	}
}

// A dot lies where its value is, and one that is beyond the edges nowhere.
func TestDotsOfAChart(t *testing.T) {
	c := chart{title: "t", ends: [2]string{"0", "9"}, dots: []dot{{0, 0}, {1, 4}, {0.5, 2}, {2, 1}}}
	got := strings.Join(c.render(plainStyles(), 19, 8), "\n")
	want := strings.Join([]string{
		"╭─ t ─────────────╮",
		"│    4┤          ●│",
		"│     │           │",
		"│    2┤     ●     │",
		"│     │           │",
		"│    0┤●          │",
		"│     └0─────────9│",
		"╰─────────────────╯"}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTrustInFull(t *testing.T) {
	for _, test := range []struct {
		health load.Health
		want   string
	}{
		{load.Health{}, "The generator is not judged yet. 99 % of the requests left within"},
		{load.Health{Verdict: load.Sound, LagP99: 3 * ms, CPU: 0.254}, "The generator is sound. 99 % of the requests left within 3ms of when they were due; it used 0.25 cores."},
		{load.Health{Verdict: load.Strained, Reason: "late", GC: new(0.02)}, "! The generator is strained: late. 99 %"},
		{load.Health{Verdict: load.Limited, Reason: "late"}, "✗ The generator is the limit: late. 99 %"},
	} {
		if got := strings.Join(trustLines(test.health, plainStyles(), 400), ""); !strings.Contains(got, test.want) {
			t.Errorf("trustLines(%+v) = %q, want %q", test.health, got, test.want)
		}
	}
}
