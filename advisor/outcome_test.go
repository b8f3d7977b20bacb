package advisor

import (
	"testing"
	"time"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

func TestOutcomeHeld(t *testing.T) {
	valid, missed, unknown := load.Objective{Valid: true, Holds: true}, load.Objective{Valid: true}, load.Objective{}
	for _, c := range []struct {
		name     string
		o        Outcome
		held, ok bool
	}{
		{"no objectives", Outcome{}, false, false},
		{"all met", Outcome{SLO: []load.Objective{valid, valid}}, true, true},
		{"one missed", Outcome{SLO: []load.Objective{valid, missed}}, false, true},
		{"one not known", Outcome{SLO: []load.Objective{valid, unknown}}, false, false},
		{"one missed, whatever another is", Outcome{SLO: []load.Objective{unknown, missed}}, false, true},
		{"the generator was the limit", Outcome{SLO: []load.Objective{missed}, Health: load.Health{Verdict: load.Limited}}, false, false},
	} {
		if held, ok := c.o.Held(); held != c.held || ok != c.ok {
			t.Errorf("%s: Held() = %v, %v; want %v, %v", c.name, held, ok, c.held, c.ok)
		}
	}
}

func TestAttainment(t *testing.T) {
	bins := load.Histogram{{Time: 100 * time.Millisecond, Count: 70}, {Time: 300 * time.Millisecond, Count: 20}}
	for _, c := range []struct {
		name, slo string
		stats     load.Stats
		want      float64 // below 0: not known
	}{
		{"failures and what was cut off are not within it", "p95<250ms", load.Stats{Count: 95, Failed: 5, Aborted: 5, Histogram: bins}, 0.7},
		{"the tightest", "p95<250ms,p99<1s", load.Stats{Count: 90, Histogram: bins}, 70. / 90},
		{"at the limit", "p95<=300ms", load.Stats{Count: 90, Histogram: bins}, 1},
		{"none was answered", "p95<250ms", load.Stats{Count: 5, Failed: 5}, 0},
		{"no requests", "p95<250ms", load.Stats{}, -1},
		{"no limit on a latency", "errors<1%", load.Stats{Count: 90, Histogram: bins}, -1},
	} {
		slo, err := profiles.ParseSLO(c.slo)
		if err != nil {
			t.Fatal(err)
		}
		got := attainment(c.stats, slo)
		if (got == nil) != (c.want < 0) || got != nil && *got != c.want {
			t.Errorf("%s: attainment() = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestReplicaSeconds(t *testing.T) {
	sec := time.Second
	up := func(states ...probe.State) (f probe.Fleet) {
		for _, s := range states {
			f.Replicas = append(f.Replicas, probe.Replica{State: s})
		}
		return f
	}
	levels := []FleetLevel{
		levelOf(0, up(probe.Ready)), levelOf(4*sec, up(probe.Ready, probe.Starting, probe.Failing)),
		levelOf(6*sec, up(probe.Ready, probe.Ready)), levelOf(12*sec, up(probe.Ready, probe.Draining, probe.Gone)),
	}
	if levels[1] != (FleetLevel{4 * sec, 1, 2}) || levels[3] != (FleetLevel{12 * sec, 1, 2}) {
		t.Errorf("levels %+v, want starting and draining replicas to exist, and neither failing nor gone ones", levels)
	}
	for end, want := range map[time.Duration]float64{10 * sec: 4 + 2*2 + 2*4, 20 * sec: 4 + 2*2 + 2*6 + 2*8, 2 * sec: 2} {
		if got := replicaSeconds(levels, end); got != want {
			t.Errorf("replicaSeconds until %s = %v, want %v", end, got, want)
		}
	}
}
