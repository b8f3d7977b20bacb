package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"headroom/advisor"
)

func TestArrange(t *testing.T) {
	table := table{
		columns: []column{{title: "name", left: true}, {title: "n"}, {title: "note", left: true}},
		rows: [][]cell{
			{text("b"), number(2, "2"), text("red")},
			{text("a"), number(10, "10"), text("Green")},
			{text("d"), toned(dim, none), text("red")},
			{text("c"), number(2, "2"), {}},
		},
	}
	for _, test := range []struct {
		a    arrangement
		want []int
	}{
		{arrangement{}, []int{0, 1, 2, 3}},
		{arrangement{by: "name"}, []int{1, 0, 3, 2}},
		{arrangement{by: "n"}, []int{1, 0, 3, 2}},
		{arrangement{by: "name", reverse: true}, []int{2, 3, 0, 1}},
		{arrangement{by: "n", reverse: true}, []int{0, 3, 1, 2}}, // no figure is still last
		{arrangement{by: "note"}, []int{1, 0, 2, 3}},
		{arrangement{by: "gone"}, []int{0, 1, 2, 3}},
		{arrangement{filter: "GREEN"}, []int{1}},
		{arrangement{filter: "red", by: "n"}, []int{0, 2}},
		{arrangement{filter: "10"}, nil}, // texts only
	} {
		if got := table.arrange(test.a); !slices.Equal(got, test.want) {
			t.Errorf("arrange(%+v) = %v, want %v", test.a, got, test.want)
		}
	}
	if marked := table.marked(arrangement{by: "n"}); marked.columns[1].title != "n▼" || table.columns[1].title != "n" {
		t.Errorf("marked %q, and %q in the table that it came from; want n▼ and n", marked.columns[1].title, table.columns[1].title)
	}
	if marked := table.marked(arrangement{by: "name", reverse: true}); marked.columns[0].title != "name▼" {
		t.Errorf("marked %q, want name▼", marked.columns[0].title)
	}
}

// tasksState has so many tasks; the later ones are rarer.
func tasksState(n int) advisor.State {
	st := steadyState()
	st.Load.Requests = nil
	for i := range n {
		st.Load.Requests = append(st.Load.Requests, stats(fmt.Sprintf("task-%02d", i+1), st.Load.Elapsed, float64(100-i), 0, 11*ms))
	}
	return st
}

// inOrder fails unless the texts stand on the screen, one below the other.
func (h *harness) wantInOrder(texts ...string) {
	h.t.Helper()
	frame := h.m.View()
	at := 0
	for _, text := range texts {
		i := strings.Index(frame[at:], text)
		if i < 0 {
			h.t.Fatalf("the screen does not show %q in the order %q:\n%s", text, texts, frame)
		}
		at += i
	}
}

func TestSortWithKeys(t *testing.T) {
	h := drive(t, tasksState(3))
	h.press("2", "o")
	h.wantShown("request▲")
	h.press("o")
	h.wantShown("count▼")
	h.wantInOrder("task-01", "task-02", "task-03", " all ")
	h.press("O")
	h.wantShown("count▲")
	h.wantInOrder("task-03", "task-02", "task-01", " all ")
	h.press("O")
	st := tasksState(3)
	st.Load.Requests[2].Count = 1e6
	h.state(st)
	h.wantInOrder("task-03", "task-01", "task-02", " all ")
	h.press("3")
	h.wantHidden("▼ ") // each view has its own
	h.press("2")
	for range 40 { // all columns, and back to their own order
		if h.press("o"); h.m.arranged[viewRequests].by == "" {
			break
		}
	}
	h.wantInOrder("task-01", "task-02", "task-03", " all ")
	h.wantHidden("▼ ")
}

func TestFilterWithKeys(t *testing.T) {
	h := drive(t, tasksState(30))
	h.press("2", "/", "t", "a", "s", "k", "-", "0", "7")
	h.wantShown(`filter "task-07": 1 of 30`)
	h.wantShown("task-07")
	h.wantHidden("task-02")
	h.wantShown(" all ")
	h.press("enter")
	h.wantHidden("▸ filter")
	h.wantHidden("task-02")
	h.wantAsked("") // q, e and others were letters
	h.press("esc")
	h.wantShown("task-02")
	h.wantHidden("Stop") // it did not ask to stop the swarm
	h.press("/", "x", "q")
	h.wantShown(`filter "xq": 0 of 30`)
	h.press("esc")
	h.wantShown("task-02")
	if h.quit || h.m.mode != modeNormal {
		t.Errorf("quit %v in mode %d, want the normal mode", h.quit, h.m.mode)
	}
	h.press("1", "/")
	h.wantShown("this view has no rows to filter")
}

func TestFilterOfOtherViews(t *testing.T) {
	for _, test := range []struct {
		view, filter string
		state        advisor.State
		kept, gone   string
	}{
		{"3", "replica-2", steadyState(), "replica-2", "replica-1  "},
		{"4", "TIMEOUT", failingState(), "no complete answer", "503"},
		{"6", "replica-3 answers", steadyState(), "12:01:22", "12:00:46"},
	} {
		h := drive(t, test.state)
		h.press(test.view, "/")
		for _, r := range test.filter {
			h.press(string(r))
		}
		h.press("enter")
		h.wantShown(test.kept)
		h.wantHidden(test.gone)
	}
}

func TestZoomWithKeys(t *testing.T) {
	h := drive(t, steadyState())
	for _, want := range []struct{ note, axis string }{{"zoom 5m", "└-2m"}, {"zoom all", "└-2m"}, {"zoom 1m", "└-1m"}, {"zoom 5m", "└-2m"}} {
		h.wantShown(want.note)
		h.wantShown(want.axis)
		h.press("z")
	}
	h.press("2")
	h.wantHidden("zoom")
}

func TestSortAndFilterWithCommands(t *testing.T) {
	h := drive(t, tasksState(3))
	h.press("2")
	h.command("sort count")
	h.wantShown("count▼")
	h.command("sort nothing")
	h.wantShown(`✗ sort: got "nothing", want one of request, count`)
	h.press("esc")
	h.command("filter task-02")
	h.wantShown(`filter "task-02": 1 of 3, esc shows all`)
	h.wantHidden("task-01")
}
