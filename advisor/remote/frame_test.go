package remote

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"headroom/advisor"
	"headroom/load"
)

// Whatever becomes of the history, and whichever States a reader misses, it
// ends up with the State as it is.
func TestFramesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var st, sent, got advisor.State
		for step := range rapid.IntRange(1, 20).Draw(t, "steps") {
			st.Seq = uint64(step)
			st.Points, st.Events = slices.Clone(st.Points), slices.Clone(st.Events)
			st.Timeline.Episodes, st.Timeline.Annotations = slices.Clone(st.Timeline.Episodes), slices.Clone(st.Timeline.Annotations)
			for range rapid.IntRange(0, 3).Draw(t, "new") {
				st.Points = append(st.Points, advisor.Point{At: time.Duration(step), Users: rapid.Int().Draw(t, "users")})
				until := time.Duration(step)
				st.Timeline.Episodes = append(st.Timeline.Episodes, advisor.Episode{At: time.Duration(step), Until: &until})
				st.Timeline.Annotations = append(st.Timeline.Annotations, advisor.Annotation{At: time.Duration(step)})
				st.Events = append(st.Events, advisor.Event{N: len(st.Events) + 1, Text: rapid.StringMatching("[a-z]*").Draw(t, "text")})
			}
			if rapid.IntRange(0, 5).Draw(t, "thinned") == 0 {
				st.Points = slices.DeleteFunc(st.Points, func(p advisor.Point) bool { return p.Users%2 == 0 })
				st.Events = st.Events[len(st.Events)/2:]
				if n := len(st.Timeline.Episodes); n > 0 {
					st.Timeline.Episodes[n-1].Until = nil
				}
			}
			if rapid.Bool().Draw(t, "missed") {
				continue
			}
			text, err := json.Marshal(frameOf(sent, st))
			var f frame
			if err == nil {
				err = json.Unmarshal(text, &f)
			}
			before, held := got, slices.Clone(got.Points)
			if err == nil {
				got, err = f.after(got)
			}
			if diff := cmp.Diff(held, before.Points); diff != "" {
				t.Fatalf("the State before changed:\n%s", diff)
			}
			if err != nil {
				t.Fatal(err)
			}
			sent = st
			if diff := cmp.Diff(sent, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("State %d (-want +got):\n%s", step, diff)
			}
		}
	})
}

// An hour of history costs a reader no more than its last second.
func TestFrameIsSmall(t *testing.T) {
	st := advisor.State{Swarm: &load.Snapshot{}}
	for i := range 3600 {
		st.Points = append(st.Points, advisor.Point{At: time.Duration(i) * time.Second})
		st.Load.Points = append(st.Load.Points, load.Point{Users: i})
		st.Swarm.Points = append(st.Swarm.Points, load.Point{Users: i})
	}
	next := st
	next.Points = append(slices.Clip(st.Points), advisor.Point{At: time.Hour})
	text, err := json.Marshal(frameOf(st, next))
	if err != nil || len(text) > 8<<10 {
		t.Errorf("a frame after an hour: got %d bytes, %v, want 8 KiB at most", len(text), err)
	}
	if len(next.Swarm.Points) != 3600 {
		t.Error("the frame took the seconds out of the State of others")
	}
}
