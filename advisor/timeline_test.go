package advisor

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const s = time.Second

// ago is an offset that happened.
func ago(d time.Duration) *time.Duration { return &d }

// course of a load: a value a second from the second after its start on.
func planned(values ...float64) []Point {
	var out []Point
	for i, v := range values {
		out = append(out, Point{At: time.Duration(i+1) * s, Planned: v})
	}
	return out
}

// holding is the same value for so many seconds.
func holding(seconds int, value float64) []float64 {
	out := make([]float64, seconds)
	for i := range out {
		out[i] = value
	}
	return out
}

func joined(parts ...[]float64) []float64 {
	var out []float64
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// judged puts a judgement a second on points: + met, - missed, . not known.
func judged(points []Point, marks string) []Point {
	for i, mark := range marks {
		met := mark == '+'
		if mark != '.' {
			points[i].SLO = &met
		}
	}
	return points
}

// tale writes episodes as short as a test reads them.
func tale(episodes []Episode) string {
	at := func(d *time.Duration) string {
		if d == nil {
			return "-"
		}
		return fmt.Sprint(d.Seconds())
	}
	var lines []string
	for _, e := range episodes {
		line := fmt.Sprintf("%v-%v %s %v>%v until %s", e.At.Seconds(), e.Settled.Seconds(), e.Cause, e.From, e.To, at(e.Until))
		for _, m := range e.Moves {
			line += fmt.Sprintf(" | %v: %s", m.At.Seconds(), m)
		}
		for _, a := range e.Arrivals {
			line += fmt.Sprintf(" | %s %s %s %s", a.ID, at(a.Created), at(a.Ready), at(a.Answered))
			if a.InPlace {
				line += " in place"
			}
		}
		for _, d := range e.Leaving {
			verb := "leaves"
			if d.ByItself {
				verb = "stops"
			}
			line += fmt.Sprintf(" | %s %s %v gone %s", d.ID, verb, d.Leaving.Seconds(), at(d.Gone))
		}
		if e.Failures != nil {
			line += fmt.Sprintf(" | %d failed", *e.Failures)
		}
		if e.Missed {
			line += " | missed"
			if e.Lost == nil && e.Regained != nil {
				line += " until " + at(e.Regained)
			}
		}
		if e.Lost != nil {
			line += fmt.Sprintf(" | lost %s regained %s outside %v", at(e.Lost), at(e.Regained), e.Outside.Seconds())
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestLoadSteps(t *testing.T) {
	hand := func(at time.Duration) edit { return edit{At: at, Text: "by hand", Steer: true} }
	for _, test := range []struct {
		name  string
		load  []float64
		edits []edit
		end   *time.Duration
		want  string
	}{
		{"nothing yet", nil, nil, nil, ""},
		{"a load of nothing", holding(9, 0), nil, nil, ""},
		{"the start", holding(5, 10), nil, nil, "0-1 start 0>10 until -"},
		{"spawned users are one step", joined([]float64{2, 4, 6, 8, 10}, holding(5, 10)), nil, nil, "0-5 start 0>10 until -"},
		{"it begins late", joined(holding(5, 0), holding(5, 8)), nil, nil, "5-6 plan 0>8 until -"},
		{"a jump", joined(holding(10, 10), holding(10, 50)), nil, nil, "0-1 start 0>10 until 10\n10-11 plan 10>50 until -"},
		{"a jump within a second", joined(holding(10, 10), []float64{30}, holding(10, 50)), nil, nil, "0-1 start 0>10 until 10\n10-12 plan 10>50 until -"},
		{"up and down", joined(holding(5, 10), holding(5, 50), holding(5, 10)), nil, ago(15 * s),
			"0-1 start 0>10 until 5\n5-6 plan 10>50 until 10\n10-11 plan 50>10 until 15"},
		{"a ramp from its begin to its end", joined(holding(5, 10), []float64{12, 14, 16, 18, 20}, holding(5, 20)), nil, nil,
			"0-1 start 0>10 until 5\n5-10 plan 10>20 until -"},
		{"a staircase of seconds is a ramp", joined(holding(5, 10), holding(3, 20), holding(3, 30), holding(5, 40)), nil, nil,
			"0-1 start 0>10 until 5\n5-12 plan 10>40 until -"},
		{"a staircase with rests", joined(holding(5, 10), holding(4, 20), holding(4, 40)), nil, nil,
			"0-1 start 0>10 until 5\n5-6 plan 10>20 until 9\n9-10 plan 20>40 until -"},
		{"small changes are none", joined(holding(5, 100), holding(5, 115), holding(5, 100)), nil, nil, "0-1 start 0>100 until -"},
		{"small changes add up", joined(holding(5, 100), holding(5, 115), holding(5, 130)), nil, nil, "0-1 start 0>100 until 10\n10-11 plan 100>130 until -"},
		{"two seconds are none", joined(holding(5, 10), holding(2, 90), holding(5, 10)), nil, nil, "0-1 start 0>10 until -"},
		{"a recorded load that jumps about", []float64{10, 13, 7, 12, 9, 14, 8, 10, 12, 7, 13, 10, 9, 12, 8, 11, 14, 9}, nil, nil, "0-4 start 0>12 until -"},
		{"a hand, however small", joined(holding(10, 50), holding(5, 51)), []edit{hand(10500 * time.Millisecond)}, nil,
			"0-1 start 0>50 until 10.5\n10.5-11 hand 50>51 until -"},
		{"keys one after the other", joined(holding(10, 50), []float64{51, 52, 52, 53}, holding(5, 53)), []edit{hand(10500 * time.Millisecond), hand(11200 * time.Millisecond), hand(13900 * time.Millisecond)}, nil,
			"0-1 start 0>50 until 10.5\n10.5-14 hand 50>53 until -"},
		{"a hand that does not touch the load", joined(holding(10, 50), holding(5, 51)), []edit{{At: 10500 * time.Millisecond}}, nil, "0-1 start 0>50 until -"},
		{"a pause", joined(holding(10, 50), holding(6, 0), holding(5, 50)), []edit{hand(10100 * time.Millisecond), hand(16300 * time.Millisecond)}, nil,
			"0-1 start 0>50 until 10.1\n10.1-11 hand 50>0 until 16.3\n16.3-17 hand 0>50 until -"},
	} {
		points := planned(test.load...)
		got := tale(newTimeline(facts{Now: time.Duration(len(points)) * s, Loads: []stretch{{End: test.end}}, Points: points, Edits: test.edits}).Episodes)
		if got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}

// A jump of arrivals is found within the second that it lies in.
func TestJumpsOfArrivals(t *testing.T) {
	for _, test := range []struct {
		first float64 // mean of the second of the jump
		want  time.Duration
	}{{50, 10 * s}, {40, 10250 * time.Millisecond}, {20, 10750 * time.Millisecond}, {10, 11 * s}} {
		points := planned(joined(holding(10, 10), []float64{test.first}, holding(9, 50))...)
		got := newTimeline(facts{Now: 20 * s, Loads: []stretch{{Open: true}}, Points: points}).Episodes
		if len(got) != 2 || got[1].At != test.want {
			t.Errorf("with %v/s in its second: got %s, want a step at %v", test.first, tale(got), test.want)
		}
	}
}

// ramped is a load of 10 users, 50 from 10 s and 10 again from 40 s on.
func ramped() []Point { return planned(joined(holding(10, 10), holding(30, 50), holding(20, 10))...) }

const (
	first  = "0-1 start 0>10 until 10"
	second = "10-11 plan 10>50 until 40"
	third  = "40-41 plan 50>10 until -"
)

func TestWhatBelongsToWhichStep(t *testing.T) {
	failing := func(points []Point, from, to int, rate float64) []Point {
		for i := from; i < to; i++ {
			points[i].Failed = rate
		}
		return points
	}
	for _, test := range []struct {
		name  string
		facts facts
		want  []string
	}{
		{"a decision, and what it brings", facts{Points: ramped(),
			Moves:    []Move{{12 * s, 1, 3, "rps 45"}, {30 * s, 3, 4, ""}},
			Replicas: []life{{ID: "a", Answered: ago(s)}, {ID: "b", Created: ago(12 * s), Ready: ago(19 * s), Answered: ago(20 * s)}, {ID: "c", Created: ago(13 * s)}}},
			[]string{first + " | a - - 1", second + " | 12: 1 -> 3: rps 45 | 30: 3 -> 4 | b 12 19 20 | c 13 - -", third}},
		{"scaling in after the step down, with failures", facts{Points: failing(failing(ramped(), 50, 53, 4), 56, 60, 100),
			Moves:    []Move{{50 * s, 3, 2, ""}},
			Replicas: []life{{ID: "b", Created: ago(12 * s), Leaving: ago(50500 * time.Millisecond), Gone: ago(52 * s)}}},
			[]string{first, second + " | b 12 - -", third + " | 50: 3 -> 2 | b leaves 50.5 gone 52 | 12 failed"}},
		{"scaling in without failures has none, which is known", facts{Points: ramped(), Replicas: []life{{ID: "b", Leaving: ago(50 * s)}}},
			[]string{first, second, third + " | b leaves 50 gone - | 0 failed"}},
		{"a late decision down still answers the step down", facts{Points: planned(joined(holding(10, 50), holding(10, 10), holding(10, 50))...),
			Moves: []Move{{21 * s, 3, 2, ""}, {24 * s, 2, 3, ""}}},
			[]string{"0-1 start 0>50 until 10", "10-11 plan 50>10 until 20 | 21: 3 -> 2", "20-21 plan 10>50 until - | 24: 2 -> 3"}},
		{"without a step its way it goes to the latest", facts{Points: ramped(), Moves: []Move{{20 * s, 3, 2, ""}}},
			[]string{first, second + " | 20: 3 -> 2", third}},
		{"answers alone", facts{Points: ramped(), Replicas: []life{{ID: "a", Answered: ago(s / 2)}, {ID: "b", Answered: ago(21 * s)}}},
			[]string{first + " | a - - 0.5", second + " | b - - 21", third}},
		{"what was there before the load comes with its answer", facts{Points: ramped(), Replicas: []life{{ID: "a", Created: ago(-30 * s), Ready: ago(-29 * s), Answered: ago(11 * s)}}},
			[]string{first, second + " | a - - 11", third}},
		{"clocks that contradict each other", facts{Points: ramped(), Replicas: []life{{ID: "b", Created: ago(12 * s), Ready: ago(11 * s), Answered: ago(2 * s), Leaving: ago(45 * s), Gone: ago(44 * s)}}},
			[]string{first, second + " | b 12 - -", third + " | b leaves 45 gone - | 0 failed"}},
		{"one that went by itself, and what came in its place", facts{Points: ramped(), Replicas: []life{
			{ID: "a", Answered: ago(s), Leaving: ago(45 * s), Gone: ago(45 * s), ByItself: true}, {ID: "b", Answered: ago(44 * s)}, {ID: "c", Answered: ago(50 * s)}, {ID: "d", Answered: ago(52 * s)}}},
			[]string{first + " | a - - 1", second + " | b - - 44 | d - - 52", third + " | c - - 50 in place | a stops 45 gone 45 | 0 failed"}},
		{"gone in another step than one that comes", facts{Points: ramped(), Replicas: []life{{ID: "a", Leaving: ago(5 * s), Gone: ago(5 * s), ByItself: true}, {ID: "b", Answered: ago(20 * s)}}},
			[]string{first + " | a stops 5 gone 5 | 0 failed", second + " | b - - 20", third}},
		{"the SLO lost and regained", facts{Points: judged(ramped(), "++++++++++++-------++++++++++")},
			[]string{first, second + " | lost 13 regained 20 outside 7", third}},
		{"one noisy second does not flap", facts{Points: judged(ramped(), "++++++++++++-+-+--+-------+--++-++++++++++")},
			[]string{first, second + " | lost 20 regained 33 outside 13", third}},
		{"seconds without data change nothing", facts{Points: judged(ramped(), "............-..-..-....+.+.......+")},
			[]string{first, second + " | lost 13 regained 24 outside 11", third}},
		{"regained after the next step", facts{Points: judged(ramped(), strings.Repeat("+", 30)+strings.Repeat("-", 15)+strings.Repeat("+", 10))},
			[]string{first, second + " | lost 31 regained 46 outside 15", third + " | missed until 46"}},
		{"lost twice", facts{Points: judged(ramped(), strings.Repeat("+", 12)+"-----++++-----++++")},
			[]string{first, second + " | lost 13 regained 27 outside 10", third}},
		{"not regained", facts{Points: judged(ramped(), strings.Repeat("+", 50)+strings.Repeat("-", 10))},
			[]string{first, second, third + " | lost 51 regained - outside 9"}},
		{"a reset in the middle: no data, and first answers stay", facts{Points: judged(ramped(), "++++++++++++---.....---+++++"), Edits: []edit{{At: 15 * s, Text: "the statistics begin anew"}},
			Replicas: []life{{ID: "a", Answered: ago(s)}}},
			[]string{first + " | a - - 1", second + " | lost 13 regained 24 outside 11", third}},
		{"no scaler, no SLO, no names", facts{Points: ramped()}, []string{first, second, third}},
	} {
		test.facts.Now, test.facts.Loads = 60*s, []stretch{{}}
		got := tale(newTimeline(test.facts).Episodes)
		if want := strings.Join(test.want, "\n"); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, want)
		}
	}
}

// Points of several loads are those of each, and what happens between them is
// noted without belonging to one.
func TestLoadsAreApart(t *testing.T) {
	tl := newTimeline(facts{
		Now: 60 * s, Points: ramped(), Loads: []stretch{{At: 0, End: ago(8 * s)}, {At: 20 * s, Open: true}},
		Moves: []Move{{9 * s, 1, 2, "pinned"}, {21 * s, 2, 3, ""}}, Replicas: []life{{ID: "a", Created: ago(9 * s), Answered: ago(12 * s)}},
	})
	want := "0-1 start 0>10 until 8\n20-21 start 0>50 until 40 | 21: 2 -> 3\n40-41 plan 50>10 until -"
	if got := tale(tl.Episodes); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := tl.Episodes[1].Change(); got != "0 -> 50/s" {
		t.Errorf("the change is %q, want 0 -> 50/s", got)
	}
	if got := tl.AfterStep("a"); got != nil {
		t.Errorf("a answered %v after its step, want nothing: there was no load", *got)
	}
}

func TestAnnotations(t *testing.T) {
	tl := newTimeline(facts{
		Now: 60 * s, Loads: []stretch{{}}, Points: judged(ramped(), "++++++++++++-------++++++++++"),
		Edits: []edit{{15 * s, "every connection is replaced before its next request", false}}, Moves: []Move{{12 * s, 1, 2, "rps 45"}},
		Replicas: []life{{ID: "b", Created: ago(12 * s), Ready: ago(18 * s), Answered: ago(18500 * time.Millisecond), Leaving: ago(50 * s)}},
	})
	want := []Annotation{
		{0, LoadBegins, "0 -> 10 users"}, {10 * s, LoadRises, "10 -> 50 users"}, {12 * s, Decided, "1 -> 2: rps 45"}, {12 * s, Created, "b starts"},
		{13 * s, SLOLost, "the SLO is lost"}, {15 * s, EditedByHand, "every connection is replaced before its next request"},
		{18 * s, Ready, "b is ready"}, {18500 * time.Millisecond, FirstAnswer, "b answers for the first time"},
		{20 * s, SLORegained, "the SLO is regained"}, {40 * s, LoadFalls, "50 -> 10 users"}, {50 * s, Leaves, "b must go"},
	}
	if diff := gocmp.Diff(want, tl.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	if got := tl.AfterStep("b"); got == nil || *got != 8500*time.Millisecond {
		t.Errorf("AfterStep(b) = %v, want 8.5s", got)
	}
}

// Whatever the facts, times within an episode are in order, and the load's
// steps are.
func TestTimelineIsInOrder(t *testing.T) {
	at := rapid.Map(rapid.Int64Range(-20e9, 120e9), func(n int64) time.Duration { return time.Duration(n) })
	maybe := rapid.Ptr(at, true)
	met := rapid.Ptr(rapid.Bool(), true)
	level := rapid.OneOf(rapid.SampledFrom([]float64{0, 1, 10, 11, 50, math.NaN(), math.Inf(1), -1, math.MaxFloat64}), rapid.Float64Range(0, 100))
	rapid.Check(t, func(t *rapid.T) {
		f := facts{Now: at.Draw(t, "now")}
		for range rapid.IntRange(0, 3).Draw(t, "loads") {
			f.Loads = append(f.Loads, stretch{at.Draw(t, "load"), maybe.Draw(t, "end"), rapid.Bool().Draw(t, "open")})
		}
		for i := range rapid.IntRange(0, 100).Draw(t, "points") {
			p := Point{At: time.Duration(i) * s, Planned: level.Draw(t, "planned"), Failed: rapid.Float64Range(0, 50).Draw(t, "failed"), SLO: met.Draw(t, "met")}
			if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
				p.At = at.Draw(t, "point")
			}
			f.Points = append(f.Points, p)
		}
		for range rapid.IntRange(0, 5).Draw(t, "moves") {
			f.Moves = append(f.Moves, Move{At: at.Draw(t, "move"), From: rapid.IntRange(0, 9).Draw(t, "from"), To: rapid.IntRange(0, 9).Draw(t, "to")})
			f.Edits = append(f.Edits, edit{At: at.Draw(t, "edit"), Steer: rapid.Bool().Draw(t, "steers")})
			f.Replicas = append(f.Replicas, life{"r", maybe.Draw(t, "created"), maybe.Draw(t, "ready"), maybe.Draw(t, "answered"), maybe.Draw(t, "leaving"), maybe.Draw(t, "gone"), rapid.Bool().Draw(t, "by itself")})
		}
		tl := newTimeline(f)
		for i, e := range tl.Episodes {
			ordered := func(what string, times ...*time.Duration) {
				last := e.At
				for _, at := range times {
					if at != nil {
						if *at < last {
							t.Errorf("%s: %v comes after %v in %s", what, *at, last, tale(tl.Episodes[i:i+1]))
						}
						last = *at
					}
				}
			}
			ordered("settled", &e.Settled)
			ordered("until", e.Until)
			ordered("SLO", e.Lost, e.Regained)
			if i > 0 {
				if before := tl.Episodes[i-1]; before.Until == nil || *before.Until > e.At {
					t.Errorf("an episode until %v before one at %v", before.Until, e.At)
				}
			}
			for j := range e.Moves {
				ordered("moves", &e.Moves[max(0, j-1)].At, &e.Moves[j].At)
			}
			for _, a := range e.Arrivals {
				ordered("ready", a.Created, a.Ready)
				ordered("answered", a.Created, a.Answered)
			}
			for _, d := range e.Leaving {
				ordered("leaving", &d.Leaving, d.Gone)
			}
			if e.Outside < 0 || e.Lost != nil && e.Outside > 120*s || e.Lost == nil && e.Outside != 0 {
				t.Errorf("outside for %v in %s", e.Outside, tale(tl.Episodes[i:i+1]))
			}
		}
		if !slices.IsSortedFunc(tl.Annotations, func(a, b Annotation) int { return cmp.Compare(a.At, b.At) }) {
			t.Errorf("annotations are not in the order of time: %v", tl.Annotations)
		}
	})
}
