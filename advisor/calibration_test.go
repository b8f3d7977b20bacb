package advisor

import (
	"math"
	"strings"
	"testing"
	"time"

	"headroom/advisor/sim"
)

// A replica of the simulator saturates where the measured ones did, though it
// works on a whole number of requests at once.
func TestServiceTimesReachTheMeasuredSaturation(t *testing.T) {
	alone := Observation{P50: 100 * time.Millisecond, P95: 100 * time.Millisecond}
	for _, c := range []struct {
		name       string
		saturation Interval
		replicas   int
		mean       time.Duration
	}{
		{"one at a time", Interval{Value: 10, Low: 10, High: 10}, 1, 100 * time.Millisecond},
		{"as far as the saturation is known", Interval{Value: 9.4, Low: 8.9, High: 10.1}, 1, 100 * time.Millisecond},
		{"one and a half: two that take a third longer", Interval{Value: 15, Low: 14.5, High: 15.5}, 1, 133333333},
		{"of three replicas", Interval{Value: 45, Low: 44, High: 46}, 3, 133333333},
		{"1.2: one that takes less", Interval{Value: 12, Low: 11.9, High: 12.1}, 1, 83333333},
		{"a saturation that is not known", Interval{}, 1, 100 * time.Millisecond},
	} {
		got := Capacity{Saturation: c.saturation, Service: 100 * time.Millisecond, Replicas: c.replicas, Baseline: alone}.ServiceTimes()
		if (got.Mean() - c.mean).Abs() > time.Microsecond {
			t.Errorf("%s: mean %v, want %v", c.name, got.Mean(), c.mean)
		}
	}
}

// Service times are drawn from those that were measured, where there are enough.
func TestServiceTimesAreThoseMeasured(t *testing.T) {
	var first, last Observation
	for i := range 57 { // two kinds of requests, which no lognormal has
		d := 20 * time.Millisecond
		if i%2 == 1 {
			d = 100 * time.Millisecond
		}
		first.Times, last.Times = append(first.Times, d), append(last.Times, d)
	}
	first.P50, first.P95 = 20*time.Millisecond, 100*time.Millisecond
	c := Capacity{Baseline: first, Control: &last, Service: 60 * time.Millisecond}
	if got, want := c.ServiceTimes(), sim.Samples(append(first.Times, last.Times...)); got.Mean() != want.Mean() || got.Variation() != want.Variation() {
		t.Errorf("mean %v, variation %.2f; want those of the samples, %v and %.2f", got.Mean(), got.Variation(), want.Mean(), want.Variation())
	}
	c.Baseline.Times, c.Control.Times = first.Times[:9], nil
	if got := c.ServiceTimes().Mean(); got != 60*time.Millisecond {
		t.Errorf("of nine times: mean %v, want the 60ms that was saved", got)
	}
}

// The simulator is held against the step nearest to the capacity.
func TestCalibrate(t *testing.T) {
	slo := mustSLO(t, "p95<100ms,errors<1%")
	found, err := Search(t.Context(), &simulated{service: 20 * time.Millisecond, servers: 1, slo: slo}, SearchOptions{SLO: slo, Budget: 5 * time.Minute})
	if err != nil || found.Refusal != nil {
		t.Fatalf("Search = %v, refusal %v", err, found.Refusal)
	}
	m := Measurement{SLO: slo.String(), Capacity: found}
	c, ok := m.Calibrate()
	if ratio := float64(c.Simulated) / float64(c.Measured); !ok || ratio < 0.7 || ratio > 1.4 || c.Off() || math.Abs(c.Rate/found.SLO.Value-1) > 0.1 {
		t.Errorf("Calibrate = %s, %v; want the p95 that was measured near %v", c, ok, found.SLO)
	}
	m.Capacity.Saturation = Interval{Value: 75, Low: 74, High: 76} // 1.5 at once
	if c, ok := m.Calibrate(); !ok || math.Abs(c.Stretch-4./3) > 0.01 || !strings.Contains(c.String(), "1.33 times as long as one alone") {
		t.Errorf("Calibrate = %s, %v; want the service times stretched by a third", c, ok)
	}
	m.Capacity.Saturation = Interval{Value: 400, Low: 390, High: 410} // it hardly queues
	if c, ok := m.Calibrate(); !ok || !c.Off() {
		t.Errorf("Calibrate = %s, %v; want that it is off", c, ok)
	}
	m.Capacity.Steps = nil
	if c, ok := m.Calibrate(); ok {
		t.Errorf("Calibrate = %s without a step, want none", c)
	}
}
