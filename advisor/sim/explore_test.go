package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

// course is five minutes from 1/s to 6/s and back, of requests that take half a
// second, and a policy for it that keeps more than it needs.
func course(t *testing.T) (Setup, profiles.Policy) {
	s := steady(1, 5*time.Minute, Exponential(500*time.Millisecond))
	s.MaxQueue, s.MaxWait = 1000, 2*time.Minute
	s.Load = profiles.Ramp{From: 1, Stages: []profiles.Stage{
		{For: 2 * time.Minute, To: 6}, {For: 2 * time.Minute, To: 6}, {For: time.Minute, To: 1},
	}}
	s.StartUp = []time.Duration{20 * time.Second}
	s.SLO = slo(t, "p95<2s")
	p := proportional(profiles.RPS, 1000, 8)
	p.Replicas.Min, p.Tolerance = 2, 100
	p.Down.Stabilization = profiles.Duration(time.Minute)
	return s, p
}

// What a search chooses costs at most 3 % more than what it would choose if it
// simulated every policy.
func TestSearchFindsTheCheapest(t *testing.T) {
	s, p := course(t)
	got, err := Explore(t.Context(), s, p, Built)
	if err != nil || got.Chosen == nil || !got.Chosen.Met {
		t.Fatalf("Explore() = %+v, %v; want a policy that meets the SLO", got, err)
	}
	all, err := around(p, Built)
	if err != nil {
		t.Fatal(err)
	}
	x := explorer{setup: s, space: all, seen: map[place]Option{}}
	few := slices.DeleteFunc(all.places(), func(at place) bool { return at[2] != all.knobs[2].start }) // with the interval as it is
	if err := x.simulate(t.Context(), few); err != nil {
		t.Fatal(err)
	}
	_, best, err := x.prove(t.Context())
	if err != nil || best == nil {
		t.Fatalf("of all policies none is proven, %v", err)
	}
	if got.Foreseen < 400 || got.Simulated > 60 {
		t.Errorf("%d foreseen and %d simulated, want at least 400 and at most 60", got.Foreseen, got.Simulated)
	}
	if cost := got.Chosen.Option.ReplicaSeconds; cost > 1.03*best.Option.ReplicaSeconds {
		t.Errorf("%s costs %.0f replica seconds, want at most 3 %% more than the %.0f of %s", got.Chosen.Policy.Summary(), cost, best.Option.ReplicaSeconds, best.Policy.Summary())
	}
	if got.Chosen.Option.ReplicaSeconds >= got.Start.ReplicaSeconds || !got.Start.Start {
		t.Errorf("chosen %+v, want less than the start costs, %+v", got.Chosen.Option, got.Start)
	}
}

func TestSearchIsDeterministic(t *testing.T) {
	s, p := course(t)
	once, err := Explore(t.Context(), s, p, Built)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Explore(t.Context(), s, p, Built)
	if diff := cmp.Diff(once, again); err != nil || diff != "" {
		t.Errorf("the same search: %v, -once +again\n%s", err, diff)
	}
	e := once.Chosen.ReplicaSeconds
	if once.Chosen.Runs != proofRuns || e.Low > e.Value || e.High < e.Value || e.High-e.Low > e.Value/4 {
		t.Errorf("%d runs, replica seconds %+v; want %d, and a mean within an interval", once.Chosen.Runs, e, proofRuns)
	}
	for i, o := range once.Front[1:] {
		if before := once.Front[i]; o.ReplicaSeconds <= before.ReplicaSeconds || o.Attainment <= before.Attainment {
			t.Errorf("the front has %+v after %+v, want more for more", o, before)
		}
	}
}

// Where no policy meets the SLO nothing is chosen, and the front is still there.
func TestSearchFindsNone(t *testing.T) {
	s, p := course(t)
	s.Load = profiles.Spike(1, 50, time.Minute, time.Minute)
	s.Length = 2 * time.Minute
	s.MaxQueue = 50
	got, err := Explore(t.Context(), s, p, Built)
	if err != nil || got.Chosen != nil || len(got.Front) == 0 || len(got.Neighbours) > 0 {
		t.Errorf("Explore() = %+v, %v; want a front and no choice", got, err)
	}
}

func TestSearchRefuses(t *testing.T) {
	s, p := course(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Explore(cancelled, s, p, Built); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	if _, err := Explore(t.Context(), s, profiles.FixedPolicy(4), Built); err == nil || !strings.Contains(err.Error(), "keeps 4 replicas, want one that scales") {
		t.Errorf("a fixed policy: got %v", err)
	}
	p.Metrics[0].Kind = profiles.Custom
	if _, err := Explore(t.Context(), s, p, Built); err == nil || !strings.Contains(err.Error(), "metrics[0].kind: got custom") {
		t.Errorf("a custom metric: got %v", err)
	}
	s.SLO = slo(t, "errors<1%")
	if _, err := Explore(t.Context(), s, p, Built); !errors.Is(err, errNoLatency) {
		t.Errorf("no latency in the SLO: got %v", err)
	}
}

// Every policy of a space is valid, the first is the one that it is around, and
// all differ.
func TestSpace(t *testing.T) {
	_, perReplica := course(t)
	perFleet := everai(profiles.FreeWorkers, 4000, 4)
	one := perReplica
	one.Replicas.Min = 1
	for _, p := range []profiles.Policy{perReplica, perFleet, one} {
		s, err := around(p, Built)
		if err != nil {
			t.Fatal(err)
		}
		places := s.places()
		if first, _ := s.at(places[0]); len(places) < 100 || cmp.Diff(p, first.Policy) != "" {
			t.Errorf("%s: %d policies, the first %s; want some hundred, and itself first", p.Summary(), len(places), first.Policy.Summary())
		}
		all := map[string]bool{}
		for _, at := range places[:min(len(places), 150)] {
			other, err := s.at(at)
			if err != nil || other.Policy.Validate() != nil {
				t.Errorf("%v: %v, %v", at, err, other.Policy.Validate())
			}
			if written := fmt.Sprintf("%+v", other.Policy); all[written] {
				t.Errorf("%v: %s is there twice", at, other.Policy.Summary())
			} else {
				all[written] = true
			}
		}
		for _, at := range s.beside(places[0]) {
			if turned, err := s.at(at); err != nil || cmp.Diff(p, turned.Policy) == "" {
				t.Errorf("beside %s: %s, %v", p.Summary(), turned.Policy.Summary(), err)
			}
		}
	}
}

// A search around the last value that was tried would try others, unless the
// scaler follows none beyond it.
func TestEnds(t *testing.T) {
	_, p := course(t)
	for _, tt := range []struct {
		name   string
		follow Follow
		want   []string
	}{
		{"followed everywhere", Built, []string{"target", "min"}},
		{"no target above 1.2", func(p profiles.Policy) (Scaler, error) {
			if p.Metrics[0].Target > 1200 {
				return Scaler{}, errors.New("the target is too high")
			}
			return Built(p)
		}, []string{"min"}},
	} {
		s, err := around(p, tt.follow)
		if err != nil {
			t.Fatal(err)
		}
		last := s.start()
		last[0], last[1] = len(s.knobs[0].turns)-1, len(s.knobs[1].turns)-1
		if got := s.ends(last); !slices.Equal(got, tt.want) {
			t.Errorf("%s: ends(%v) = %v, want %v", tt.name, last, got, tt.want)
		}
		if got := s.ends(s.start()); len(got) > 0 {
			t.Errorf("%s: ends(%v) = %v, want none of the start", tt.name, s.start(), got)
		}
	}
}

// A scaler that decides every 15 s and refuses less than 2 replicas has no
// policies of another interval, or of fewer: what it makes of them is one of
// those that are there.
func TestSpaceOfAPlatform(t *testing.T) {
	_, p := course(t)
	refused := errors.New("fewer than 2 replicas")
	coarse := func(p profiles.Policy) (Scaler, error) {
		p.Interval, p.Metrics = profiles.Duration(15*time.Second), clone(p).Metrics
		p.Metrics[0].Window = p.Interval
		if p.Replicas.Min < 2 {
			return Scaler{}, refused
		}
		return Built(p)
	}
	s, err := around(p, coarse)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range s.knobs {
		if few := len(k.turns) == 1; few != (k.name == "interval") {
			t.Errorf("%s has %d values, want one of the interval and more of the others", k.name, len(k.turns))
		}
		if k.name == "min" && s.start()[i] != 0 {
			t.Errorf("the min begins at value %d, want 0: one less is refused", s.start()[i])
		}
	}
	p.Replicas.Min = 1
	if _, err := around(p, coarse); !errors.Is(err, refused) {
		t.Errorf("around a policy that is refused: %v, want %v", err, refused)
	}
}

func TestUndominated(t *testing.T) {
	type pair struct{ cost, attained float64 }
	of := func(p pair) (float64, float64) { return p.cost, p.attained }
	got := undominated([]pair{{3, 0.9}, {1, 0.5}, {2, 0.5}, {2, 0.8}, {4, 0.9}, {1, 0.4}}, of)
	if want := []pair{{1, 0.5}, {2, 0.8}, {3, 0.9}}; cmp.Diff(want, got, cmp.AllowUnexported(pair{})) != "" {
		t.Errorf("undominated() = %v, want %v", got, want)
	}
}
