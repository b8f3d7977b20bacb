package advisor

import (
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// A swarm that a hand makes larger: the scaler grows, a replica that is new
// answers, the SLO is lost and regained, and a pause and a reset on the way
// leave the story whole.
func TestSessionTellsATimeline(t *testing.T) {
	p := testFleetPolicy(1, 2, 10)
	f := newFakeFleet(100*time.Millisecond, p)
	f.named = 1
	inSession(t, f, func(c *Config) { c.Plan.Users = 5 }, func(t *testing.T, s *Session) {
		nameTwo(s)
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, s, "10 s", func(st State) bool { return st.Load.Elapsed > 10*time.Second })
		f.change(func(f *fakeFleet) { f.named = 2 })
		if err := s.SetUsers(15); err != nil {
			t.Fatal(err)
		}
		grown := time.Now()
		await(t, s, "20 s more", func(st State) bool { return st.Load.Elapsed > 30*time.Second })
		s.ResetStats()
		s.TogglePause()
		await(t, s, "a pause", func(st State) bool { return st.Load.Phase == load.Paused })
		time.Sleep(8 * time.Second)
		s.TogglePause()
		await(t, s, "10 s after it", func(st State) bool { return st.Load.Elapsed > 50*time.Second })
		s.Stop()
		st := await(t, s, "the end", idle)
		steps := st.Timeline.Episodes
		if len(steps) != 4 {
			t.Fatalf("got\n%s\nwant the start, the hand, the pause and its end", tale(steps))
		}
		for i, want := range []struct {
			change string
			cause  Cause
		}{{"0 -> 5 users", Began}, {"5 -> 15 users", ByHand}, {"15 -> 0 users", ByHand}, {"0 -> 15 users", ByHand}} {
			if e := steps[i]; e.Change() != want.change || e.Cause != want.cause || e.Until == nil {
				t.Errorf("step %d: %s by %s until %v, want %s by %s and an end", i, e.Change(), e.Cause, e.Until, want.change, want.cause)
			}
		}
		second := steps[1]
		if second.At != grown.Sub(st.Began) {
			t.Errorf("the hand's step is at %v, want %v", second.At, grown.Sub(st.Began))
		}
		if len(second.Moves) != 1 || second.Moves[0].From != 1 || second.Moves[0].To != 2 {
			t.Errorf("moves %v, want one from 1 to 2", second.Moves)
		}
		if len(second.Arrivals) != 1 || second.Arrivals[0].ID != "b" {
			t.Fatalf("arrivals %v, want the first answer of b", second.Arrivals)
		}
		after := *second.Arrivals[0].Answered - second.At
		for _, r := range st.Fleet.Replicas {
			if r.ID == "b" && (r.AfterStep == nil || *r.AfterStep != after) {
				t.Errorf("b has answered %v after the step, want %v", r.AfterStep, after)
			}
		}
	})
}

func testFleetPolicy(low, high int, target profiles.Milli) profiles.Policy {
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: low, Max: profiles.Limit(high)}
	p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: target * 1000, Window: profiles.Duration(time.Second)}}
	return p
}

// The chronicle notes each fact once, from who knows it best.
func TestChronicleOfReplicas(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return began.Add(time.Duration(seconds * float64(time.Second))) }
	look := func(c *chronicle, now float64, r probe.Replica, others ...probe.Replica) {
		c.noteReplicas(began, at(now), probe.Fleet{Replicas: append([]probe.Replica{r}, others...)})
	}
	for _, test := range []struct {
		name string
		see  func(*chronicle)
		want life
	}{
		{"from start to end", func(c *chronicle) {
			r := probe.Replica{ID: "r", Managed: true, State: probe.Starting, Created: at(1)}
			look(c, 1.5, r)
			r.State, r.StartedIn = probe.Serving, 2*time.Second
			r.FirstSeen = at(4)
			look(c, 4.5, r)
			r.FirstSeen = at(9) // after a reset
			look(c, 9.5, r)
			r.State = probe.Draining
			look(c, 20, r)
			look(c, 20.5, r)
			r.State, r.Deleted = probe.Gone, at(22)
			look(c, 22.5, r)
		}, life{"r", ago(s), ago(3 * s), ago(4 * s), ago(20 * s), ago(22 * s), false}},
		{"gone between two looks", func(c *chronicle) {
			look(c, 22.5, probe.Replica{ID: "r", Managed: true, State: probe.Gone, Created: at(1), Deleted: at(22)})
		}, life{ID: "r", Created: ago(s), Leaving: ago(22 * s), Gone: ago(22 * s)}},
		{"one that ended by itself", func(c *chronicle) {
			look(c, 22.5, probe.Replica{ID: "r", Managed: true, State: probe.Gone, Created: at(1), Deleted: at(22), LastError: "exit code 1"})
		}, life{ID: "r", Created: ago(s), Leaving: ago(22 * s), Gone: ago(22 * s), ByItself: true}},
		{"a list has it end", func(c *chronicle) {
			r := probe.Replica{ID: "r", Listed: true, Answered: true, State: probe.Serving, Created: at(-60), FirstSeen: at(1), LastSeen: at(30)}
			look(c, 30, r)
			r.State = probe.Draining
			look(c, 33, r)
			r.State, r.Deleted = probe.Gone, at(40)
			look(c, 41, r)
		}, life{ID: "r", Created: ago(-60 * s), Answered: ago(s), Leaving: ago(33 * s), Gone: ago(40 * s)}},
		{"a list says only that it has ended", func(c *chronicle) {
			look(c, 41, probe.Replica{ID: "r", Listed: true, Answered: true, State: probe.Gone, FirstSeen: at(1), LastSeen: at(30)})
		}, life{ID: "r", Answered: ago(s), Leaving: ago(30 * s), Gone: ago(30 * s)}},
		{"a list had it drain, and forgot it", func(c *chronicle) {
			q := probe.Replica{ID: "q", Answered: true, State: probe.Serving, FirstSeen: at(1)}
			look(c, 33, probe.Replica{ID: "r", Listed: true, Answered: true, State: probe.Draining, Created: at(-60), FirstSeen: at(1), LastSeen: at(30)}, q)
			look(c, 43, probe.Replica{ID: "r", Answered: true, State: probe.Gone, FirstSeen: at(1), LastSeen: at(30)}, q)
		}, life{ID: "r", Created: ago(-60 * s), Answered: ago(s), Leaving: ago(33 * s), Gone: ago(33 * s)}},
		{"silent while another answers", func(c *chronicle) {
			look(c, 60, probe.Replica{ID: "r", Answered: true, State: probe.Gone, FirstSeen: at(1), LastSeen: at(30)},
				probe.Replica{ID: "q", Answered: true, State: probe.Serving, FirstSeen: at(1)})
		}, life{ID: "r", Answered: ago(s), Leaving: ago(30 * s), Gone: ago(30 * s), ByItself: true}},
		{"silent while another answers, and still listed", func(c *chronicle) {
			look(c, 60, probe.Replica{ID: "r", Listed: true, Answered: true, State: probe.Quiet, FirstSeen: at(1), LastSeen: at(30)},
				probe.Replica{ID: "q", Answered: true, State: probe.Serving, FirstSeen: at(1)})
		}, life{ID: "r", Answered: ago(s), Leaving: ago(30 * s), Gone: ago(30 * s), ByItself: true}},
		{"silent, and told to go after that", func(c *chronicle) {
			q := probe.Replica{ID: "q", Answered: true, State: probe.Serving, FirstSeen: at(1)}
			r := probe.Replica{ID: "r", Listed: true, Answered: true, State: probe.Quiet, FirstSeen: at(1), LastSeen: at(30)}
			look(c, 60, r, q)
			r.State = probe.Draining
			look(c, 61, r, q)
		}, life{ID: "r", Answered: ago(s), Leaving: ago(61 * s)}},
		{"idle as its scaler wants", func(c *chronicle) {
			look(c, 60, probe.Replica{ID: "r", Managed: true, Answered: true, State: probe.Quiet, FirstSeen: at(1), LastSeen: at(30)},
				probe.Replica{ID: "q", Answered: true, State: probe.Serving, FirstSeen: at(1)})
		}, life{ID: "r", Answered: ago(s)}},
		{"silent as all are", func(c *chronicle) {
			look(c, 60, probe.Replica{ID: "r", Answered: true, State: probe.Gone, FirstSeen: at(1), LastSeen: at(30)})
		}, life{ID: "r", Answered: ago(s)}},
		{"silent, and back", func(c *chronicle) {
			q := probe.Replica{ID: "q", Answered: true, State: probe.Serving, FirstSeen: at(1)}
			r := probe.Replica{ID: "r", Answered: true, State: probe.Gone, FirstSeen: at(1), LastSeen: at(30)}
			look(c, 60, r, q)
			r.State = probe.Serving
			look(c, 61, r, q)
		}, life{ID: "r", Answered: ago(s)}},
	} {
		var c chronicle
		test.see(&c)
		if diff := gocmp.Diff(test.want, c.facts.Replicas[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// A move carries the reason of the decision that made it, if that was seen.
func TestChronicleOfMoves(t *testing.T) {
	var c chronicle
	look := func(at, wanted, from, to int, decided int) {
		d := profiles.Decision{Current: from, Desired: to, Reason: profiles.FixedSize}
		c.noteMove(time.Duration(at)*s, wanted, d, time.Duration(decided)*s)
	}
	look(1, 2, 2, 2, 0)
	look(2, 4, 2, 4, 1) // decided a second before it was seen
	look(3, 4, 4, 4, 3)
	look(5, 0, 1, 0, 5) // there was one to 1 before
	look(7, 3, 0, 3, 6)
	want := []Move{{s, 2, 4, "the size is fixed"}, {5 * s, 4, 0, ""}, {6 * s, 0, 3, "the size is fixed"}}
	if diff := gocmp.Diff(want, c.facts.Moves); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
}

// A list of thousands is remembered as far as there is something to tell, and
// looked at again without anything to do.
func TestChronicleOfManyReplicas(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var before, after []probe.Replica
	for i := range 3 * maxFacts {
		before = append(before, probe.Replica{ID: fmt.Sprint("before-", i), Listed: true, State: probe.Ready, Created: began.Add(-time.Hour)})
		after = append(after, probe.Replica{ID: fmt.Sprint("after-", i), Listed: true, State: probe.Ready, Created: began.Add(time.Minute)})
	}
	var c chronicle
	c.noteReplicas(began, began, probe.Fleet{Replicas: before})
	if got := len(c.facts.Replicas); got != 0 || c.stale {
		t.Errorf("of replicas that never changed: %d kept, stale %v; want nothing to tell", got, c.stale)
	}
	c.noteReplicas(began, began, probe.Fleet{Replicas: after})
	if got := len(c.facts.Replicas); got != maxFacts {
		t.Errorf("%d kept, want %d", got, maxFacts)
	}
	c.stale = false
	if c.noteReplicas(began, began, probe.Fleet{Replicas: after}); c.stale || c.facts.Replicas[0].ID != "after-0" {
		t.Errorf("looked at again: stale %v, first %s; want nothing new", c.stale, c.facts.Replicas[0].ID)
	}
}

// Names that turn out to name no replica leave nothing behind.
func TestChronicleForgetsNamesThatFell(t *testing.T) {
	var c chronicle
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	one := func(id string, created time.Time) probe.Replica {
		return probe.Replica{ID: id, State: probe.Serving, Answered: true, Created: created, FirstSeen: began.Add(s)}
	}
	c.noteSource("header:X-Request-Id")
	c.noteReplicas(began, began, probe.Fleet{Replicas: []probe.Replica{one("4bf92f", time.Time{}), one("listed", began)}})
	if !c.noteSource("") || len(c.facts.Replicas) != 1 || c.facts.Replicas[0].ID != "listed" {
		t.Errorf("kept %v, want the one that the answers are not alone to know", c.facts.Replicas)
	}
	if c.noteSource("header:X-Pod-Name") {
		t.Error("names fell where there were none")
	}
	c.noteReplicas(began, began, probe.Fleet{Replicas: []probe.Replica{one("listed", began), one("web-1", time.Time{})}})
	if n := len(c.facts.Replicas); n != 2 {
		t.Errorf("%d replicas, want the listed one and web-1", n)
	}
}

// However long a load rests, its steps of seconds stay in the story.
func TestChronicleKeepsEveryStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []Point
		yes, no := true, false
		for range rapid.IntRange(1, 12).Draw(t, "levels") {
			level := float64(rapid.IntRange(0, 5).Draw(t, "level") * 10)
			failed := rapid.SampledFrom([]float64{0, 0, 2}).Draw(t, "failed")
			met := rapid.SampledFrom([]*bool{nil, &yes, &yes, &no}).Draw(t, "met")
			for range rapid.SampledFrom([]int{6, 7, 11, 12, 13, 40, 200}).Draw(t, "seconds") {
				all = append(all, Point{At: time.Duration(len(all)+1) * s, Planned: level, Failed: failed, SLO: met})
			}
		}
		var c chronicle
		for _, p := range all {
			c.notePoint(p)
		}
		end := all[len(all)-1].At
		gone := time.Duration(rapid.Int64Range(0, int64(end)).Draw(t, "gone"))
		facts := facts{Now: end, Loads: []stretch{{Open: rapid.Bool().Draw(t, "open")}}, Replicas: []life{{ID: "r", Leaving: &gone, Gone: &gone}}}
		facts.Points = all
		want := newTimeline(facts)
		facts.Points = c.facts.Points
		if diff := gocmp.Diff(want, newTimeline(facts)); diff != "" {
			t.Errorf("of %d points %d were kept (-all +kept):\n%s", len(all), len(facts.Points), diff)
		}
	})
}

func TestChronicleOfADay(t *testing.T) {
	var c chronicle
	for i := range 86_400 {
		p := Point{At: time.Duration(i+1) * s, Planned: 10}
		if i >= 60 && i < 75 {
			p.Planned = 50
		}
		c.notePoint(p)
	}
	want := "0-1 start 0>10 until 60\n60-61 plan 10>50 until 75\n75-76 plan 50>10 until -"
	if got := tale(newTimeline(facts{Now: 24 * time.Hour, Loads: []stretch{{}}, Points: c.facts.Points}).Episodes); got != want || len(c.facts.Points) > 100 {
		t.Errorf("from %d points\n%s\nwant from at most 100\n%s", len(c.facts.Points), got, want)
	}
}
