package profiles

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// fewer are the metrics of a fleet of which fewer are wanted than there are.
func fewer(replicas int, m Metrics) Metrics {
	m.Replicas = replicas
	return m
}

// everaiFleet are the metrics of workers by their status; free ones are idle
// for as long as is given.
func everaiFleet(level float64, starting, busy int, idle ...time.Duration) Metrics {
	return Metrics{Replicas: starting + busy + len(idle), Ready: busy + len(idle), Idle: idle, Readings: readings(level)}
}

// The vectors of scaling.md 4 on the built-in scaler, under the names of
// EverAI's parameters.
func TestDecideEverAIVectors(t *testing.T) {
	const short, long = 10 * time.Second, 180 * time.Second
	for _, c := range []struct {
		name     string
		settings string
		m        Metrics
		want     int
		reason   Reason
		limited  Reason
	}{
		{"E1", "min_free_workers=1", everaiFleet(0, 0, 0), 1, UnderMin, ""},
		{"E2", "min_free_workers=1", everaiFleet(0, 0, 1), 3, AboveTarget, ""},
		{"E4", "min_free_workers=1", everaiFleet(0, 0, 3), 3, AboveTarget, MaxLimit},
		{"E5", "min_free_workers=1", everaiFleet(3, 0, 0, short, long, short), 2, BelowTarget, NotIdle},
		{"E6", "max_queue_size=1", everaiFleet(3, 0, 1), 3, AboveTarget, ""},
		{"E7", "max_queue_size=1", everaiFleet(3, 0, 2), 3, AboveTarget, MaxLimit},
		{"E8", "max_queue_size=1", everaiFleet(3, 0, 3), 3, AboveTarget, MaxLimit},
		{"E9", "max_queue_size=2 scale_up_step=1", everaiFleet(2, 0, 1), 1, AtTarget, ""},
		{"E10", "max_queue_size=2 scale_up_step=1", everaiFleet(3, 0, 1), 2, AboveTarget, ""},
		{"E11", "max_queue_size=1 max_workers=9", everaiFleet(50, 1, 3), 4, Starting, ""},
		// In these two EverAI stops workers below min. Here one of the two that are
		// idle may go, as the other is to be free, or none.
		{"E13", "min_free_workers=1 min_workers=3 max_workers=9", everaiFleet(2, 0, 3, long, long), 4, BelowTarget, ""},
		{"E13 of a queue", "max_queue_size=1 min_workers=3 max_workers=9", everaiFleet(0, 0, 3, long, long), 3, BelowTarget, ""},
		{"E15", "min_free_workers=1 min_workers=3", everaiFleet(2, 1, 0, long, long), 3, BelowTarget, MinLimit},
		{"E15 of a queue", "max_queue_size=1 min_workers=3", everaiFleet(0, 1, 0, long, long), 3, BelowTarget, MinLimit},

		// Of our own.
		{"just idle enough", "min_free_workers=1", everaiFleet(2, 0, 0, 120*time.Second, short), 1, BelowTarget, ""},
		{"not quite idle enough", "min_free_workers=1", everaiFleet(2, 0, 0, 120*time.Second-1, short), 2, BelowTarget, NotIdle},
		{"as many stay free as are to be", "min_free_workers=2 max_workers=9", everaiFleet(3, 0, 4, long, long, long), 6, BelowTarget, ""},
		{"busy ones do not go", "max_queue_size=1 max_workers=9", everaiFleet(0, 0, 5), 5, AtTarget, ""},
		{"busy ones do not go with those beyond", "max_queue_size=1 max_workers=9", fewer(5, everaiFleet(0, 0, 4, long, long, long, long, long, long)), 4, BelowTarget, ""},
		{"nor the one that is to be free", "min_free_workers=1 max_workers=9", fewer(5, everaiFleet(6, 0, 4, long, long, long, long, long, long)), 5, AtTarget, ""},
		{"those beyond are the idle ones", "max_queue_size=1 max_workers=9", fewer(5, everaiFleet(0, 0, 4, long, long, long)), 4, BelowTarget, ""},
		{"and all of them", "max_queue_size=1 max_workers=9", fewer(5, everaiFleet(0, 0, 4, long, long, short)), 5, BelowTarget, NotIdle},
		{"bounds at once, idle or not", "min_free_workers=1", everaiFleet(0, 0, 9), 3, OverMax, ""},
		{"no data", "min_free_workers=1", Metrics{Replicas: 3, Ready: 3, Idle: []time.Duration{long, long}, Readings: readings(lost)}, 3, NoData, ""},
	} {
		settings := "min_workers=1 max_workers=3 scale_up_step=2 max_idle_time=120 " + c.settings
		p, err := FixedPolicy(1).With(parseAll(t, settings)...)
		if err != nil {
			t.Fatal(err)
		}
		got := newDecider(t, p).Decide(monday, c.m)
		if got.Desired != c.want || got.Reason != c.reason || got.LimitedBy != c.limited {
			t.Errorf("%s: Decide(%+v) = %d %s %q, want %d %s %q", c.name, c.m, got.Desired, got.Reason, got.LimitedBy, c.want, c.reason, c.limited)
		}
	}
}

// Whatever the fleet, no more go than are idle for long enough, and there are
// never fewer than min or more than max.
func TestDecideEverAIProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 6)
		kind := rapid.SampledFrom([]Kind{FreeWorkers, Queue}).Draw(t, "kind")
		p := kindPolicy(Metric{Kind: kind, Target: Milli(rapid.IntRange(1, 4000).Draw(t, "target"))}, nil)
		p.Replicas.Min = 1 + n.Draw(t, "min")
		p.Replicas.Max = Limit(p.Replicas.Min + n.Draw(t, "room"))
		p.Up.Step = n.Draw(t, "step")
		if rapid.Bool().Draw(t, "rps too") { // which may want fewer than are idle
			p.Metrics = append(p.Metrics, Metric{Kind: RPS, Target: 1000, Window: Duration(second)})
		}
		idle := make([]time.Duration, n.Draw(t, "idle"))
		rested := 0
		for i := range idle {
			idle[i] = time.Duration(rapid.IntRange(0, 120).Draw(t, "for")) * time.Second
			if idle[i] >= p.Down.Idle.Std() {
				rested++
			}
		}
		busy := n.Draw(t, "busy")
		m := everaiFleet(float64(n.Draw(t, "level")), n.Draw(t, "starting"), busy, idle...)
		if rapid.Bool().Draw(t, "changed by hand") { // there are others than are wanted, for a while
			m.Replicas = n.Draw(t, "replicas")
		}
		if kind == FreeWorkers {
			m.Readings = readings(float64(len(idle)))
		}
		m.Readings = append(m.Readings, readings(float64(n.Draw(t, "rps")))...)
		d, err := p.Decider()
		if err != nil {
			t.Fatal(err)
		}
		got := d.Decide(monday, m)
		switch {
		case got.Desired < p.Replicas.Min || got.Desired > int(p.Replicas.Max):
			t.Fatalf("Decide(%+v) = %v, want %d to %s", m, got, p.Replicas.Min, p.Replicas.Max)
		case m.Replicas <= int(p.Replicas.Max) && m.Replicas-got.Desired > rested:
			t.Fatalf("Decide(%+v) = %v, want at most %d to go", m, got, rested)
		case m.Replicas <= int(p.Replicas.Max) && got.Desired < min(m.Replicas, busy):
			t.Fatalf("Decide(%+v) = %v, want the %d busy ones to stay", m, got, busy)
		}
	})
}
