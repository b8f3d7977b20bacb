package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
)

// A banner is short by leaving out what comes last, and leaves no sentence
// without its middle.
func TestBannerLosesItsLastClauses(t *testing.T) {
	const pinned = "1 of 3 replicas has had nothing for 12s (replica-3): connections are pinned, the oldest for 41s; R opens fresh connections, --conn-max-age 30s keeps doing so"
	for _, test := range []struct {
		text string
		w    int
		want []string
	}{
		{"the sources disagree", 80, []string{" ! the sources disagree (view 3)"}},
		{pinned, 100, []string{
			" ! 1 of 3 replicas has had nothing for 12s (replica-3): connections are pinned, the oldest for 41s;",
			" R opens fresh connections, --conn-max-age 30s keeps doing so (view 3)",
		}},
		{pinned, 80, []string{
			" ! 1 of 3 replicas has had nothing for 12s (replica-3): connections are pinned,",
			" the oldest for 41s; R opens fresh connections (view 3)",
		}},
		{pinned, 50, []string{" ! 1 of 3 replicas has had nothing for 12s", " (replica-3): connections are pinned (view 3)"}},
		{strings.Repeat("a", 100), 30, []string{" ! aaaaaaaaaaaaaaaaaaaaaaaaaa", " …aaaaaaaaaaaaaaaaaa (view 3)"}},
	} {
		st := advisor.State{Notices: []probe.Notice{{Text: test.text}}}
		if got := banner(st, plainStyles(), test.w); len(got) > bannerLines || test.w >= 50 && !slices.Equal(got, test.want) {
			t.Errorf("banner of %q in %d cells = %q, want %q", test.text, test.w, got, test.want)
		}
	}
}

func TestDead(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(st *advisor.State)
		want   string
	}{
		{"down", func(*advisor.State) {}, "nothing has succeeded since 00:21: connection refused"},
		{"never up", func(st *advisor.State) {
			for i := range st.Points {
				st.Points[i].Failed = st.Points[i].Rate
			}
		}, "nothing has succeeded: connection refused"},
		{"the run before succeeded", func(st *advisor.State) { st.Load.Elapsed = 15 * time.Second }, "nothing has succeeded: connection refused"},
		{"without an example", func(st *advisor.State) { st.Load.Failures[0].Example = "" }, "nothing has succeeded since 00:21: dial"},
		{"some succeed", func(st *advisor.State) { st.Load.Recent.Failed-- }, ""},
		{"nothing came to an end", func(st *advisor.State) { st.Load.Recent = load.Stats{} }, ""},
		{"paused", func(st *advisor.State) { st.Load.Phase = load.Paused }, ""},
		{"ended", func(st *advisor.State) { *st = ended(*st) }, ""},
	} {
		st := downState()
		test.change(&st)
		if got := dead(st); got != test.want {
			t.Errorf("%s: dead = %q, want %q", test.name, got, test.want)
		}
	}
}

// All views say the same of replicas that are not there.
func TestNoReplica(t *testing.T) {
	for _, test := range []struct {
		name   string
		state  advisor.State
		header bool // it says so too
		want   string
	}{
		{"before a load", idleState(), false, "no replica has answered yet"},
		{"no names", rampingState(), true, "answers name no replica"},
		{"scaled to zero", wakingState(), false, "the scaler runs no replica"},
		{"a scaler that never answered", func() advisor.State {
			st := wakingState()
			st.Fleet, st.ScalerError = probe.Fleet{}, "connection refused"
			return st
		}(), false, "no replica has answered yet"},
	} {
		if got := noReplica(test.state); got != test.want {
			t.Errorf("%s: noReplica = %q, want %q", test.name, got, test.want)
		}
		if got := header(test.state); strings.Contains(got, test.want) != test.header {
			t.Errorf("%s: the header says %q: %v, want %v", test.name, test.want, !test.header, test.header)
		}
		for _, view := range []int{viewDashboard, viewReplicas} {
			if frame := showing(test.state, plainStyles(), view, 120, 40).View(); !strings.Contains(frame, test.want) {
				t.Errorf("%s: %s does not say %q:\n%s", test.name, views[view], test.want, frame)
			}
		}
	}
}

// Nothing is said of a session before its first State.
func TestNothingIsKnownBeforeTheFirstState(t *testing.T) {
	for _, size := range []struct{ w, h int }{{80, 24}, {200, 60}, {40, 10}} {
		for _, view := range allViews {
			frame := showing(advisor.State{}, plainStyles(), view, size.w, size.h).View()
			if got := strings.Fields(frame); strings.Join(got, " ") != "waiting for the session ? help q quit" {
				t.Errorf("view %d at %dx%d says more than that it waits:\n%s", view+1, size.w, size.h, frame)
			}
		}
	}
}

func TestGradeHasRoom(t *testing.T) {
	a := advisor.Assessment{Grade: advisor.GradeC, GradeWhy: "the capacity is known within 14 %", Raise: []string{"a longer --budget"}}
	for _, test := range []struct {
		w    int
		line string
		want []string
	}{
		{81, "Title  grade C: the capacity is known within 14 %; to raise it: a longer --budget", nil},
		{80, "Title", []string{" grade C: the capacity is known within 14 %; to raise it: a longer", " --budget."}},
	} {
		if line, below := graded("Title", a, plainStyles(), test.w, 70); line != test.line || !slices.Equal(below, test.want) {
			t.Errorf("graded in %d cells = %q and %q, want %q and %q", test.w, line, below, test.line, test.want)
		}
	}
	if line, below := graded("Title", advisor.Assessment{}, plainStyles(), 80, 80); line != "Title" || below != nil {
		t.Errorf("without a grade: %q and %q, want the title alone", line, below)
	}
}

// A sign is explained where it stands, and only there.
func TestStepSigns(t *testing.T) {
	steps := testSteps()
	for _, test := range []struct {
		name  string
		steps []advisor.Observation
		want  string
	}{
		{"sure", steps[1:4], ""},
		{"unsure", steps[:2], "? met, ? missed: by too few independent requests to be sure."},
		{"too many failed", steps[4:5], unbounded},
		{"spoilt", []advisor.Observation{{Spoiled: true, Requests: 7}}, "? spoilt: by something else than the service; nothing rests on it."},
		{"all", append(steps[:5:5], advisor.Observation{Spoiled: true}), "? met, ? missed: by too few independent requests to be sure. " +
			"? spoilt: by something else than the service; nothing rests on it. " + unbounded},
	} {
		if got := strings.TrimSpace(strings.Join(stepSigns(test.steps, plainStyles(), 1000), "")); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
