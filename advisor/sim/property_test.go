package sim

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"headroom/profiles"
)

// anySetup is up to two minutes of some service, mostly in trouble.
func anySetup(t *rapid.T) Setup {
	second := func(name string, low, high int) time.Duration {
		return time.Duration(rapid.IntRange(low, high).Draw(t, name)) * 100 * time.Millisecond
	}
	s := Default()
	from, to := rapid.Float64Range(0, 20).Draw(t, "from"), rapid.Float64Range(0, 20).Draw(t, "to")
	s.Length = second("length", 1, 1200)
	s.Load = profiles.Ramp{From: from, Stages: []profiles.Stage{{For: s.Length, To: to}}}
	s.Arrivals = rapid.SampledFrom([]profiles.Arrivals{profiles.Poisson, profiles.Even}).Draw(t, "arrivals")
	s.Seed = rapid.Uint64().Draw(t, "seed")
	mean := second("service", 1, 50)
	s.Service = rapid.SampledFrom([]Service{
		Constant(mean), Exponential(mean), Percentiles(Percentile{0.5, mean}, Percentile{0.95, 3 * mean}, 0),
	}).Draw(t, "distribution")
	s.Concurrency = rapid.IntRange(1, 3).Draw(t, "concurrency")
	s.StartUp = []time.Duration{second("startUp", 0, 300), second("startUp", 0, 300)}
	s.Stop = second("stop", 0, 50)
	s.CPU = mean / 2
	s.Dispatch = rapid.SampledFrom(profiles.Dispatches).Draw(t, "dispatch")
	s.MaxQueue = rapid.IntRange(1, 50).Draw(t, "maxQueue")
	s.MaxWait = second("maxWait", 1, 600)
	s.Timeout = second("timeout", 0, 600)
	s.Pinned = rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(t, "pinned")
	s.Clients = rapid.IntRange(1, 10).Draw(t, "clients")
	return s
}

func anyPolicy(t *rapid.T) profiles.Policy {
	p := profiles.DefaultPolicy()
	p.Replicas.Min = rapid.IntRange(0, 3).Draw(t, "min")
	p.Replicas.Max = profiles.Limit(rapid.IntRange(3, 12).Draw(t, "max"))
	p.Interval = profiles.Duration(rapid.IntRange(1, 30).Draw(t, "interval")) * profiles.Duration(time.Second)
	p.Down.Stabilization, p.Down.Idle = 0, profiles.Duration(rapid.IntRange(0, 30).Draw(t, "idle"))*profiles.Duration(time.Second)
	p.Down.Order = rapid.SampledFrom([]string{profiles.Newest, profiles.Oldest}).Draw(t, "order")
	p.Up.Step = rapid.IntRange(0, 3).Draw(t, "step")
	kind := rapid.SampledFrom([]profiles.Kind{
		profiles.RPS, profiles.InFlight, profiles.Queue, profiles.FreeWorkers, profiles.CPU, profiles.Latency,
	}).Draw(t, "kind")
	p.Metrics = []profiles.Metric{{Kind: kind, Target: profiles.Milli(rapid.IntRange(500, 5000).Draw(t, "target")), Window: p.Interval}}
	switch kind {
	case profiles.RPS, profiles.InFlight, profiles.Queue:
		p.ToZero = &profiles.ToZero{After: profiles.Duration(20 * time.Second)}
	default:
		p.Replicas.Min = max(1, p.Replicas.Min)
	}
	if p.Replicas.Min > 0 {
		p.ToZero = nil
	}
	return p
}

func TestEveryArrivalEndsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		setup, p := anySetup(t), anyPolicy(t)
		before := profiles.Balancer{Apart: rapid.Bool().Draw(t, "apart")}
		scaler, err := Built(p)
		if err != nil {
			t.Fatal(err)
		}
		scaler.Balancer = before
		r, err := Run(context.Background(), setup, scaler)
		if err != nil {
			t.Fatal(err)
		}
		if sum := r.Answered + r.Refused + r.Waited + r.TimedOut; sum != r.Offered {
			t.Fatalf("%d requests ended, want the %d that arrived", sum, r.Offered)
		}
		offered, good := 0, 0
		for _, m := range r.Series { // of at most two minutes, so one a second
			offered += int(m.Load + 0.5)
			if m.Good != nil {
				good += int(*m.Good*m.Load + 0.5)
			}
		}
		if offered != r.Offered || good != r.Good {
			t.Fatalf("the series has %d requests, %d of them good; want %d and %d", offered, good, r.Offered, r.Good)
		}
		if l := r.Latency; l != nil && setup.Timeout > 0 && l.Max > setup.Timeout {
			t.Fatalf("an answer after %s, want none after the timeout of %s", l.Max, setup.Timeout)
		}
		if most := float64(r.Most) * setup.Length.Seconds(); r.ReplicaSeconds > most*1.000001 {
			t.Fatalf("%g replica seconds, want at most %g of %d replicas", r.ReplicaSeconds, most, r.Most)
		}

		scaler, _ = Built(p)
		scaler.Balancer = before
		again, _ := Run(context.Background(), setup, scaler)
		if diff := cmp.Diff(r, again); diff != "" {
			t.Fatalf("with the same seed (-first +second):\n%s", diff)
		}
		scaler, _ = Built(profiles.FixedPolicy(2))
		if other, _ := Run(context.Background(), setup, scaler); other.Offered != r.Offered {
			t.Fatalf("under another policy: %d arrivals, want the same %d", other.Offered, r.Offered)
		}
	})
}

// The agenda gives back what it got by its time, and at the same time in the
// order in which it was planned.
func TestAgenda(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.IntRange(0, 20), 1, 100).Draw(t, "times")
		var a agenda
		for _, at := range times {
			a.push(event{at: time.Duration(at)})
			if len(a.events) > 30 {
				a.pop()
			}
		}
		last := event{at: -1}
		for len(a.events) > 0 {
			e := a.pop()
			if e.before(&last) {
				t.Fatalf("got %v after %v", e, last)
			}
			last = e
		}
	})
}

func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var want []time.Duration
		next := time.Duration(0)
		for _, push := range rapid.SliceOfN(rapid.Bool(), 1, 200).Draw(t, "push") {
			switch {
			case push || len(want) == 0:
				next++
				q.push(request{arrived: next})
				want = append(want, next)
			default:
				if first, got := q.first(), q.pop(); got != first || got.arrived != want[0] {
					t.Fatalf("pop() = %v behind first() = %v, want %d", got, first, want[0])
				}
				want = want[1:]
			}
			if q.n != len(want) {
				t.Fatalf("%d wait, want %d", q.n, len(want))
			}
		}
	})
}
