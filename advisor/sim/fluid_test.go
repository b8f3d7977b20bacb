package sim

import (
	"math"
	"sync"
	"testing"
	"time"

	"headroom/profiles"
)

// What flows is near to what single requests do, for every kind of metric: a
// day's curve, compressed, and a jump that no scaler can follow.
func TestFluidIsNearToRequests(t *testing.T) {
	s := steady(1, 30*time.Minute, Exponential(200*time.Millisecond))
	s.StartUp = []time.Duration{30 * time.Second}
	s.SLO = slo(t, "p95<1s")
	s.MaxQueue, s.MaxWait = 1000, 2*time.Minute
	s.CPU = 100 * time.Millisecond
	slow := profiles.Sine{Low: 5, High: 50, Period: 30 * time.Minute}
	jump := profiles.Spike(5, 50, 10*time.Minute, 10*time.Minute)
	for _, load := range []profiles.Shape{slow, jump} {
		s.Load = load
		for _, tt := range []struct {
			kind   profiles.Kind
			target profiles.Milli
		}{{profiles.RPS, 3000}, {profiles.InFlight, 600}, {profiles.CPU, 30_000}, {profiles.FreeWorkers, 6000}} {
			p := proportional(tt.kind, tt.target, 60)
			p.Replicas.Min, p.Up.Step = 3, 10
			p.Tolerance = 100
			scaler, err := Built(p)
			if err != nil {
				t.Fatal(err)
			}
			got, err := foresee(t.Context(), s, scaler, &sync.Map{})
			if err != nil {
				t.Fatal(err)
			}
			want := scaled(t, s, p)
			if math.Abs(got.attainment-*want.Attainment) > 0.06 {
				t.Errorf("%T, %s: %.3f good, want %.3f ± 0.06", load, tt.kind, got.attainment, *want.Attainment)
			}
			if off := got.replicaSeconds/want.ReplicaSeconds - 1; math.Abs(off) > 0.2 {
				t.Errorf("%T, %s: %.0f replica seconds, want %.0f ± 20 %%", load, tt.kind, got.replicaSeconds, want.ReplicaSeconds)
			}
		}
	}
}

// Where requests wait at a replica the fluid foresees it too: by chance far more
// are late than in turn or where the fewest are.
func TestFluidOfQueuesApart(t *testing.T) {
	s := steady(18, 30*time.Minute, Exponential(200*time.Millisecond))
	s.SLO = slo(t, "p95<1s")
	for _, order := range profiles.Dispatches {
		p := profiles.FixedPolicy(5)
		b := profiles.Balancer{Dispatch: order, Apart: true}
		scaler, err := Built(p)
		if err != nil {
			t.Fatal(err)
		}
		scaler.Balancer = b
		got, err := foresee(t.Context(), s, scaler, &sync.Map{})
		if want := behind(t, b, s, p); err != nil || math.Abs(got.attainment-*want.Attainment) > 0.1 {
			t.Errorf("%s: %.3f good, %v; want %.3f ± 0.1", b, got.attainment, err, *want.Attainment)
		}
	}
}

// A fleet of none is woken, and one that is too small for ever loses what it
// cannot hold.
func TestFluidExtremes(t *testing.T) {
	s := steady(10, time.Hour, Constant(quarter))
	s.MaxQueue = 100
	one, err := foresee(t.Context(), s, Scaler{Policy: profiles.FixedPolicy(1), Decider: at{0, 1}}, &sync.Map{})
	if err != nil || math.Abs(one.attainment-0.4) > 0.02 || one.replicaSeconds != 3600 {
		t.Errorf("one replica of 4/s at 10/s: got %+v, %v; want 0.4 good for 3600 replica seconds", one, err)
	}
	p := proportional(profiles.InFlight, 700, 10)
	p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: profiles.Duration(time.Minute)}
	p.Down.Stabilization, p.Tolerance = 0, 100
	s.Load = profiles.Ramp{Stages: []profiles.Stage{{For: 30 * time.Minute, To: 0}, {To: 12}, {For: 30 * time.Minute, To: 12}}}
	scaler, err := Built(p)
	if err != nil {
		t.Fatal(err)
	}
	got, err := foresee(t.Context(), s, scaler, &sync.Map{})
	if want := scaled(t, s, p); err != nil || got.attainment < 0.95 || math.Abs(got.replicaSeconds/want.ReplicaSeconds-1) > 0.2 {
		t.Errorf("at rest for half of the time: got %+v, %v; want nearly all good, and %.0f replica seconds", got, err, want.ReplicaSeconds)
	}
}

// A day at 50/s of 250 ms, as in BenchmarkRun.
func BenchmarkForesee(b *testing.B) {
	s := steady(50, 24*time.Hour, Exponential(quarter))
	s.SLO = slo(b, "p95<1s")
	p := proportional(profiles.InFlight, 700, 40)
	for b.Loop() {
		scaler, err := Built(p)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := foresee(b.Context(), s, scaler, &sync.Map{}); err != nil {
			b.Fatal(err)
		}
	}
}
