package advisor

import (
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

// replayed are the seconds of a load of two minutes that rises from 10 to 40
// requests/s within the first, of a fleet that loses the SLO at a time.
func replayed(lost time.Duration, fleet func(at time.Duration) (up, wanted int)) []Point {
	ok, missed := true, false
	var points []Point
	for at := time.Second; at <= 2*time.Minute; at += time.Second {
		p := Point{At: at, Planned: min(40, 10+at.Seconds()/2), SLO: &ok}
		p.Up, p.Wanted = fleet(at)
		if at >= lost {
			p.SLO = &missed
		}
		points = append(points, p)
	}
	return points
}

func TestHindsight(t *testing.T) {
	load := ReplayPlan(profiles.DefaultPlan(), traffic(10, 40), Sizing{}, 150*time.Second)
	slo, err := profiles.ParseSLO("p95<250ms")
	if err != nil {
		t.Fatal(err)
	}
	m := Measurement{SLO: slo.String(), StartUp: []time.Duration{2 * time.Second}, Capacity: Capacity{
		Replicas: 1, SLO: Interval{Value: 10, Low: 9, High: 11, Unit: "/s"}, Saturation: Interval{Value: 14, Low: 14, High: 14}, Service: 70 * time.Millisecond,
	}}
	sizing := Sizing{Headroom: 200, Interval: time.Second}
	of := func(up, wanted int) func(time.Duration) (int, int) {
		return func(time.Duration) (int, int) { return up, wanted }
	}
	sec := func(s int) *time.Duration { d := time.Duration(s) * time.Second; return &d }
	started := func(decided, created, ready int) []Episode {
		return []Episode{{
			Moves:    []Move{{At: *sec(decided), From: 2, To: 3}, {At: *sec(100), From: 3, To: 2}},
			Arrivals: []Arrival{{ID: "c", Created: sec(created), Ready: sec(ready)}, {ID: "d", Created: sec(1), Ready: sec(90), InPlace: true}},
		}}
	}
	const later = time.Hour
	for _, c := range []struct {
		name     string
		episodes []Episode
		points   []Point
		max      int // that is applied; 0: as advised, which is 5
		capped   bool
		sizing   func(*Sizing)
		wrong    []string // beginnings, in order
		less     bool     // the target that is advised then is less; else nothing else is advised
	}{
		{name: "nothing was otherwise", episodes: started(5, 5, 7), points: replayed(later, of(5, 5)), wrong: []string{"nothing that the advice rests on was otherwise"}},
		{name: "each was given less than it is said to hold", points: replayed(60*time.Second, of(5, 5)),
			wrong: []string{"the SLO was missed at 8.00 requests/s for each of 5 replicas, while the measurement says that one holds 10.0"}, less: true},
		{name: "each had almost nothing to do", points: replayed(60*time.Second, of(20, 20)),
			wrong: []string{"the SLO was missed at 2.00 requests/s for each of 20 replicas, which is far less than the 10.0 that one holds"}},
		{name: "replicas took longer to start", episodes: started(5, 6, 25), points: replayed(later, of(5, 5)),
			wrong: []string{"a replica was ready 20 s after the decision for it, 2.0 s were counted on"}},
		{name: "and the rise came before them", episodes: started(20, 21, 40), points: replayed(30*time.Second, of(2, 4)),
			wrong: []string{"a replica was ready 20 s after the decision for it, 2.0 s were counted on", "2 replicas were up and 4 wanted when 25.0 requests/s came: one holds 10.0",
				"the load rose by 0.50 requests/s each second, and no rise was planned for"}, less: true},
		{name: "a rise as it was said", points: replayed(30*time.Second, of(2, 4)), sizing: func(s *Sizing) { s.Rise = 500 },
			wrong: []string{"2 replicas were up and 4 wanted when 25.0 requests/s came"}},
		{name: "max was not enough", points: replayed(60*time.Second, of(3, 3)), max: 3, wrong: []string{"40.0 requests/s are more than the 3 replicas of max hold"}},
		{name: "nor was the machine", points: replayed(60*time.Second, of(3, 3)), max: 3, capped: true,
			wrong: []string{"40.0 requests/s are more than the 3 replicas hold that this machine carries: the advice, of up to 5, was not tried in full"}},
		{name: "max was wanted, and not there yet", points: replayed(60*time.Second, of(3, 5)),
			wrong: []string{"3 replicas were up and 5 wanted when 40.0 requests/s came: one holds 10.0", "the load rose by 0.50 requests/s each second, and no rise was planned for"}},
	} {
		wishes := sizing
		if c.sizing != nil {
			c.sizing(&wishes)
		}
		advice, err := m.Advise(traffic(10, 40), wishes)
		if err != nil {
			t.Fatal(err)
		}
		if c.max > 0 {
			advice.Applied.Replicas.Max = profiles.Limit(c.max)
		}
		if c.capped {
			advice.Capped = "this machine has 2 cores"
		}
		wrong, corrected := lookBack(load, c.episodes, c.points).correct(m, traffic(10, 40), wishes, advice)
		agree := len(wrong) == len(c.wrong)
		for i := range c.wrong {
			agree = agree && strings.HasPrefix(wrong[i], c.wrong[i])
		}
		if !agree {
			t.Errorf("%s: wrong was\n  %s\nwant\n  %s", c.name, strings.Join(wrong, "\n  "), strings.Join(c.wrong, "\n  "))
		}
		if corrected == nil && c.less || corrected != nil && (!c.less || corrected.Policy.Metrics[0].Target >= advice.Policy.Metrics[0].Target) {
			t.Errorf("%s: corrected is %+v, want one with a target of less than %s: %v", c.name, corrected, advice.Policy.Metrics[0].Target, c.less)
		}
	}
}

func TestHindsightThatNothingHolds(t *testing.T) {
	m := Measurement{SLO: "p95<250ms", StartUp: []time.Duration{2 * time.Second}, Capacity: Capacity{Replicas: 1, SLO: Interval{Value: 10, Low: 9, High: 11}}}
	sizing := Sizing{Doubles: 2 * time.Minute, Interval: time.Second}
	advice, err := m.Advise(traffic(10, 40), sizing)
	if err != nil {
		t.Fatal(err)
	}
	wrong, corrected := hindsight{startUp: 5 * time.Minute}.correct(m, traffic(10, 40), sizing, advice)
	if len(wrong) != 2 || !strings.HasPrefix(wrong[1], "with that nothing can be advised: ") || !strings.Contains(wrong[1], "(R9)") || corrected != nil {
		t.Errorf("wrong was %q, corrected %v; want the start-up, and that R9 is the answer", wrong, corrected)
	}
}
