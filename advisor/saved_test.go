package advisor

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// Eight hours, second by second, of a load that changes every five minutes and a
// fleet that gets a replica more or less each half minute: the State that a run
// is saved from, to the most of the engine's own history, takes less than 5 MB.
func TestEightHoursAreSavedInAFewMegabytes(t *testing.T) {
	const length = 8 * time.Hour
	plan := profiles.DefaultPlan()
	plan.Target = "http://127.0.0.1:1/"
	s, err := NewSession(Config{Plan: plan, Traffic: traffic(10, 30), Budget: time.Minute, Replay: ReplayPlan(plan, profiles.Traffic{}, Sizing{}, time.Minute), Policy: testFleetPolicy(1, 20, 10)})
	if err != nil {
		t.Fatal(err)
	}
	s.began = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	s.state.Phase, s.state.Began = Swarming, s.began
	l := load.Snapshot{Started: s.began, Phase: load.Running, Open: true}
	var fleet probe.Fleet
	var history []load.Point
	for at := time.Second; at <= length; at += time.Second {
		now, second := s.began.Add(at), int(at/time.Second)
		p := load.Point{At: at, InFlight: second % 17, Planned: float64(100 + second/300%7*10), Rate: 100 + 10*math.Sin(float64(second)), Failed: float64(second % 3)}
		p.Latency.P50, p.Latency.P95, p.Latency.P99 = 20_123_456+at/1000, 50_123_456+at/1000, 90_123_456+at/1000
		history = append(history, p)
		if second%8 == 0 { // as many as the engine keeps
			history = append(history[:len(history)-8], p)
		}
		if second%30 == 0 {
			fleet = flap(fleet, now, second)
			s.chronicle.noteMove(at, fleet.Up(), profiles.Decision{}, at)
			s.log(now, "scale", "%d replicas are wanted now, as the load of %g requests/s asks for them", fleet.Up(), p.Planned)
		}
		l.Points, l.Loaded, l.Elapsed = []load.Point{p}, at, at
		s.chronicle.noteReplicas(s.began, now, fleet)
		s.addPoints(now, l, fleet, true)
	}
	s.tell(s.began.Add(length))
	l.Phase, l.Points = load.Done, history
	last := s.picture(s.began.Add(length), l, fleet, true)
	text, err := json.Marshal(last)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(last.Timeline.Episodes); n < 20 || len(last.Points) < 1800 || len(history) < 3600 || len(last.Events) < 100 {
		t.Errorf("%d episodes, %d and %d points, %d events: want those of eight hours", n, len(last.Points), len(history), len(last.Events))
	}
	if len(text) > 5_000_000 {
		t.Errorf("%d bytes, want at most 5 MB", len(text))
	}
}

// flap ends the oldest of two replicas, or starts another one.
func flap(f probe.Fleet, now time.Time, n int) probe.Fleet {
	replicas := append([]probe.Replica{}, f.Replicas[max(0, len(f.Replicas)-1):]...)
	if n%60 == 0 && len(replicas) > 0 {
		replicas[0].State, replicas[0].Deleted = probe.Gone, now
	}
	return probe.Fleet{Managed: true, Wanted: 1, Replicas: append(replicas, probe.Replica{
		ID: fmt.Sprintf("replica-%08x", n), Managed: true, Answered: true, State: probe.Serving, Created: now, StartedIn: time.Second, FirstSeen: now, LastSeen: now,
	})}
}
