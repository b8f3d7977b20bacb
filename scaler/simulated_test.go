package scaler

import (
	"context"
	"math/rand/v2"
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
	synctest.Test(t, func(t *testing.T) {
		real.start = time.Now()
		perform(t, Config{Policy: p}, real, arrivals, service, startUp, length)
	})

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

// perform has the scaler's own balancer, pool, signals and loop work for a time,
// with requests and replicas that take their times in a bubble. It returns the
// latencies, in the order of their ends. A decider of nil is that of the policy.
func perform(t *testing.T, cfg Config, d profiles.Decider, arrivals profiles.Stamps, service, startUp, length time.Duration) (latencies []time.Duration) {
	t.Helper()
	start := time.Now()
	cfg.Command = []string{"serve"}
	if cfg.Log == nil {
		cfg.Log = func(Event) {}
	}
	cfg = cfg.withDefaults()
	b := newBalancer(start, cfg)
	fleet := newPool(cfg, b, cfg.Policy.Initial())
	fleet.launch = func(context.Context, string) (*instance, error) {
		life, end := context.WithCancel(context.Background())
		return &instance{address: "127.0.0.1:1", output: &output{}, life: life, stop: func(time.Duration) { end() }}, nil
	}
	fleet.ready = func(ctx context.Context, _ string) error {
		if time.Since(start) > 0 { // those of the beginning are ready at once
			wait(ctx, startUp)
		}
		return ctx.Err()
	}
	fleet.live = func(context.Context, string) error { return nil }
	s := newSignals(cfg, b, fleet)
	s.meter.list = func() map[int]int { return nil }
	l, err := newLoop(cfg, cfg.Policy.Initial(), fleet, s.sense, b.starved)
	if err != nil {
		t.Fatal(err)
	}
	if d != nil {
		l.decider = d
	}

	ctx, cancel := context.WithCancel(context.Background())
	var running, requests sync.WaitGroup
	running.Go(func() { fleet.run(ctx) })
	synctest.Wait()
	fleet.mu.Lock()
	for i := range fleet.took {
		fleet.took[i] = startUp
	}
	fleet.mu.Unlock()
	running.Go(func() { s.run(ctx) })
	running.Go(func() { l.run(ctx) })
	var mu sync.Mutex // guards latencies
	for _, at := range arrivals {
		pass(at - time.Since(start))
		requests.Go(func() {
			arrived := time.Now()
			lease, err := b.acquire(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			wait(context.Background(), service)
			b.release(&lease, completed)
			mu.Lock()
			latencies = append(latencies, time.Since(arrived))
			mu.Unlock()
		})
	}
	pass(length - time.Since(start))
	cancel() // what is in flight is finished all the same
	requests.Wait()
	running.Wait()
	return latencies
}

// The scaler and the simulation of it take the same decisions at the same times,
// and every request takes as long, where the load rises faster than replicas
// start, and falls again.
func TestSimulationScalesAsTheScaler(t *testing.T) {
	const service, startUp, length = 303137 * time.Microsecond, 7500 * time.Millisecond, 5 * time.Minute
	second := profiles.Duration(time.Second)
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 2, Max: 12}
	p.Interval = 5 * second
	p.Down.Stabilization, p.Down.Idle = 20*second, 10*second
	p.Up.Step = 3
	load := profiles.Ramp{From: 2, Stages: []profiles.Stage{{For: time.Minute, To: 25}, {For: 2 * time.Minute, To: 25}, {For: 2 * time.Minute, To: 1}}}
	var arrivals profiles.Stamps
	random := rand.New(profiles.PoissonSource(1))
	for area := random.ExpFloat64(); ; area += random.ExpFloat64() {
		at, ok := load.OffsetOf(area)
		if !ok {
			break
		}
		arrivals = append(arrivals, at)
	}
	for _, metric := range []profiles.Metric{
		{Kind: profiles.InFlight, Target: 700, Window: 10 * second},
		{Kind: profiles.RPS, Target: 2500, Window: 10 * second},
		{Kind: profiles.FreeWorkers, Target: 2000, Window: 2 * second},
		{Kind: profiles.Queue, Target: 3000, Window: 2 * second},
	} {
		p.Metrics = []profiles.Metric{metric}
		t.Run(string(metric.Kind), func(t *testing.T) {
			setup := sim.Default()
			setup.Load, setup.Length, setup.Service = arrivals, length, sim.Constant(service)
			setup.StartUp = []time.Duration{startUp}
			decider, err := sim.Built(p)
			if err != nil {
				t.Fatal(err)
			}
			simulated, err := sim.Run(t.Context(), setup, decider)
			if err != nil {
				t.Fatal(err)
			}
			var changes []sim.Change
			var latencies []time.Duration
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				log := func(e Event) {
					if e.Kind == EventDecision {
						changes = append(changes, sim.Change{At: e.At.Sub(start), From: e.Decision.Current, To: e.Decision.Desired, Why: e.Decision.String()})
					}
				}
				latencies = perform(t, Config{Policy: p, Log: log}, nil, arrivals, service, startUp, length)
			})
			if diff := cmp.Diff(changes, simulated.Changes); diff != "" || len(changes) < 5 {
				t.Errorf("%d changes (-scaler +simulated):\n%s", len(changes), diff)
			}
			sum := time.Duration(0)
			for _, l := range latencies {
				sum += l
			}
			if mean := sum / time.Duration(len(latencies)); simulated.Answered != len(latencies) || simulated.Latency.Mean != mean {
				t.Errorf("simulated: %d answers with a mean latency of %s, want %d with %s", simulated.Answered, simulated.Latency.Mean, len(latencies), mean)
			}
		})
	}
}
