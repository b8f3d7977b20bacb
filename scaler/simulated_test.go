package scaler

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/advisor/sim"
	"headroom/profiles"
)

// recorder decides by a script and keeps what it was given.
type recorder struct {
	start time.Time
	sizes map[time.Duration]int // wanted from then on
	seen  []profiles.Metrics
	at    []time.Duration
}

func (r *recorder) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	m.Active, m.Resized = time.Time{}.Add(m.Active.Sub(r.start)), time.Time{}.Add(m.Resized.Sub(r.start))
	var samples []profiles.Sample
	for _, s := range m.InFlight {
		if s.At.Before(now) { // at the same moment either may be first
			samples = append(samples, profiles.Sample{At: time.Time{}.Add(s.At.Sub(r.start)), InFlight: s.InFlight})
		}
	}
	m.InFlight = samples
	r.seen, r.at = append(r.seen, m), append(r.at, now.Sub(r.start))
	d := profiles.Decision{At: now, Current: m.Replicas, Desired: m.Replicas, Valid: true}
	for from, n := range r.sizes {
		if now.Sub(r.start) == from {
			d.Desired = n
		}
	}
	return d
}

// A simulation gives a decider what this scaler would have given it. Here are
// both, from the same arrivals: two replicas of one request at a time, of which
// there are one more from 20 s and one less from 40 s on. No two things happen
// at the same moment, of which either may be first.
func TestSimulationSensesAsTheScaler(t *testing.T) {
	const service, startUp, length = 1303137 * time.Microsecond, 3500 * time.Millisecond, 61 * time.Second
	second := profiles.Duration(time.Second)
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 1, Max: 5, Initial: 2}
	p.Interval = 10 * second
	p.Down.Stabilization = 0
	for _, k := range []profiles.Kind{profiles.RPS, profiles.InFlight, profiles.Queue, profiles.FreeWorkers, profiles.Latency} {
		p.Metrics = append(p.Metrics, profiles.Metric{Kind: k, Target: 1000, Window: 15 * second})
	}
	var arrivals profiles.Stamps
	for i, at := 0, 51011*time.Microsecond; at < length; i, at = i+1, at+time.Duration(351+i%7*123)*time.Millisecond {
		arrivals = append(arrivals, at)
	}
	sizes := map[time.Duration]int{20 * time.Second: 3, 40 * time.Second: 2}

	setup := sim.Default()
	setup.Load, setup.Length, setup.Service = arrivals, length, sim.Constant(service)
	setup.StartUp = []time.Duration{startUp}
	simulated := &recorder{start: setup.Start, sizes: sizes}
	if _, err := sim.Run(t.Context(), setup, sim.Scaler{Policy: p, Decider: simulated}); err != nil {
		t.Fatal(err)
	}
	real := &recorder{sizes: sizes}
	synctest.Test(t, func(t *testing.T) { real.run(t, p, arrivals, service, startUp, length) })

	for i, want := range real.seen {
		if i >= len(simulated.seen) || simulated.at[i] != real.at[i] {
			t.Fatalf("decision %d: simulated at %v, want %v", i, simulated.at, real.at)
		}
		if diff := cmp.Diff(want, simulated.seen[i]); diff != "" {
			t.Errorf("at %s (-scaler +simulated):\n%s", real.at[i], diff)
		}
	}
	if len(real.seen) != 7 {
		t.Errorf("%d decisions of the scaler, want 7 in %s", len(real.seen), length)
	}
}

// run has the scaler's own balancer, pool, signals and loop work with requests
// and replicas that take their times in a bubble.
func (r *recorder) run(t *testing.T, p profiles.Policy, arrivals profiles.Stamps, service, startUp, length time.Duration) {
	t.Helper()
	r.start = time.Now()
	cfg := Config{Command: []string{"serve"}, Policy: p, Log: func(Event) {}}.withDefaults()
	b := newBalancer(r.start, cfg)
	fleet := newPool(cfg, b, 2)
	fleet.launch = func(string) (*instance, error) {
		life, end := context.WithCancel(context.Background())
		return &instance{address: "127.0.0.1:1", output: &output{}, life: life, stop: func(time.Duration) { end() }}, nil
	}
	fleet.ready = func(ctx context.Context, _ string) error {
		if time.Since(r.start) > 0 { // those of the beginning are ready at once
			wait(ctx, startUp)
		}
		return ctx.Err()
	}
	fleet.live = func(context.Context, string) error { return nil }
	s := newSignals(cfg, b, fleet)
	s.meter.list = func() map[int]int { return nil }
	l, err := newLoop(cfg, 2, fleet, s.sense, b.starved)
	if err != nil {
		t.Fatal(err)
	}
	l.decider = r

	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { fleet.run(ctx) })
	synctest.Wait()
	fleet.mu.Lock()
	fleet.took = []time.Duration{startUp, startUp}
	fleet.mu.Unlock()
	running.Go(func() { s.run(ctx) })
	running.Go(func() { l.run(ctx) })
	for _, at := range arrivals {
		pass(at - time.Since(r.start))
		running.Go(func() {
			lease, err := b.acquire(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			time.Sleep(service)
			b.release(&lease, completed)
		})
	}
	pass(length - time.Since(r.start))
	time.Sleep(time.Minute)
	cancel()
	running.Wait()
	r.seen, r.at = r.seen[:7], r.at[:7]
}
