package sim

import (
	"testing"
	"time"

	"headroom/profiles"
)

// fixed runs a setup with n replicas.
func fixed(t testing.TB, s Setup, n int) Result {
	t.Helper()
	return scaled(t, s, profiles.FixedPolicy(n))
}

// scaled runs a setup under a policy.
func scaled(t testing.TB, s Setup, p profiles.Policy) Result {
	t.Helper()
	return behind(t, profiles.Balancer{}, s, p)
}

// behind runs a setup under a policy, with a balancer before the replicas.
func behind(t testing.TB, b profiles.Balancer, s Setup, p profiles.Policy) Result {
	t.Helper()
	scaler, err := Built(p)
	if err != nil {
		t.Fatal(err)
	}
	scaler.Balancer = b
	r, err := Run(t.Context(), s, scaler)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// steady is a rate of arrivals at a service for a time.
func steady(rate float64, length time.Duration, s Service) Setup {
	out := Default()
	out.Load, out.Length, out.Service = profiles.Constant(rate), length, s
	out.MaxQueue, out.MaxWait = 1e6, 1000*time.Hour
	return out
}

func slo(t testing.TB, text string) profiles.SLO {
	t.Helper()
	out, err := profiles.ParseSLO(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A day at 50/s of 250 ms on a fleet that is scaled, per request.
func BenchmarkRun(b *testing.B) {
	s := steady(50, 24*time.Hour, Exponential(250*time.Millisecond))
	s.SLO = slo(b, "p95<1s")
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 1, Max: 40, Initial: 20}
	p.Metrics = []profiles.Metric{{Kind: profiles.InFlight, Target: 700, Window: profiles.Duration(30 * time.Second)}}
	b.ReportAllocs()
	requests := 0
	for b.Loop() {
		requests += scaled(b, s, p).Offered
	}
	b.ReportMetric(float64(requests)/b.Elapsed().Seconds(), "requests/s")
}

// BenchmarkShortlist foresees all policies around one for a day of 10 to 90
// requests/s, and simulates the best of them.
func BenchmarkShortlist(b *testing.B) {
	s := steady(50, 24*time.Hour, Exponential(250*time.Millisecond))
	s.SLO, s.StartUp = slo(b, "p95<1s"), []time.Duration{30 * time.Second}
	s.Load = profiles.Sine{Low: 10, High: 90, Period: 24 * time.Hour}
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 5, Max: 40}
	p.Metrics = []profiles.Metric{{Kind: profiles.InFlight, Target: 700, Window: profiles.Duration(30 * time.Second)}}
	var err error
	if s.Demand, err = InTheory(s.Service, s.Concurrency, s.SLO); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		around, err := around(p, Built)
		if err != nil {
			b.Fatal(err)
		}
		x := explorer{setup: s, space: around, seen: map[place]Option{}}
		best, err := x.shortlist(b.Context(), 0.95)
		if err == nil {
			err = x.simulate(b.Context(), best)
		}
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(x.foreseen), "foreseen")
		b.ReportMetric(float64(len(x.seen)), "simulated")
	}
}
