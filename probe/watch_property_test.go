package probe

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever answers come in whatever order, each replica is told in an order
// that makes sense, and the table agrees with what was told.
func TestWatchTellsAStory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w Watch
		now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		l := Look{Source: "json:id"}
		told := map[string]State{}
		down, proven := false, false
		var downAt time.Time
		for range rapid.IntRange(1, 60).Draw(t, "looks") {
			now = now.Add(time.Second / 4)
			if len(l.Replicas) < 5 && rapid.IntRange(0, 9).Draw(t, "more") == 0 {
				l.Replicas = append(l.Replicas, Replica{ID: string(rune('a' + len(l.Replicas)))})
			}
			next := append([]Replica(nil), l.Replicas...)
			for i := range next {
				answers := rapid.Int64Range(0, 12).Draw(t, "answers")
				if next[i].Requests == 0 {
					answers++ // a look knows those that have answered
				}
				failed := rapid.Int64Range(0, answers).Draw(t, "failed")
				next[i].Requests += answers
				next[i].Failed += failed
				l.Requests += answers
				l.Failed += failed
				if answers > 0 {
					next[i].LastSeen = now
				}
			}
			elsewhere := rapid.Int64Range(0, 3).Draw(t, "elsewhere")
			l.Requests += elsewhere
			l.Failed += elsewhere
			l.First, l.Last = now, now
			l.Replicas = next
			for _, c := range w.Observe(now, l) {
				was, known := told[c.Replica]
				switch c.Kind {
				case ChangeMet, ChangeAppears:
					if known {
						t.Fatalf("%s %s, and was there before", c.Replica, c.Kind)
					}
					told[c.Replica] = Serving
					if c.At.Before(downAt) { // it was held back
						told[c.Replica] = Quiet
					}
				case ChangeQuiet:
					if was != Serving {
						t.Fatalf("%s is quiet, and was %q", c.Replica, was)
					}
					told[c.Replica] = Quiet
				case ChangeGone:
					if was != Serving && was != Quiet {
						t.Fatalf("%s is gone, and was %q", c.Replica, was)
					}
					told[c.Replica] = Gone
				case ChangeAgain:
					if was != Quiet && was != Gone {
						t.Fatalf("%s answers again, and was %q", c.Replica, was)
					}
					told[c.Replica] = Serving
				case ChangeDown, ChangeUp:
					if down == (c.Kind == ChangeDown) {
						t.Fatalf("%s is told twice", c.Kind)
					}
					down, downAt = !down, c.At
					for id, state := range told {
						if down && state == Serving {
							told[id] = Quiet
						}
					}
				}
			}
			var named int64
			for _, r := range l.Replicas {
				named += r.Requests
			}
			proven = proven || named >= 2*int64(len(l.Replicas))
			if !proven && len(told) > 0 {
				t.Fatalf("%v are told, of which none came back in %d answers", told, named)
			}
			shares := 0.0
			replicas := w.Replicas()
			for _, r := range replicas {
				shares += r.Share
				if proven && told[r.ID] != r.State {
					t.Fatalf("%s is %s, and was told to be %q", r.ID, r.State, told[r.ID])
				}
			}
			if len(replicas) != len(l.Replicas) || down == w.Down().IsZero() {
				t.Fatalf("%d replicas, want %d; down %v is told as %v", len(replicas), len(l.Replicas), w.Down(), down)
			}
			if shares != 0 && math.Abs(shares-1) > 1e-9 {
				t.Fatalf("the shares are %v together, want 1", shares)
			}
		}
	})
}
