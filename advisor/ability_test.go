package advisor

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"headroom/advisor/sim"
	"headroom/profiles"
)

// computingService is a measurement of a service that computes for 70 ms a request.
func computingService(slo string) Measurement {
	c := service{takes: 70 * time.Millisecond, slope: 0.07}.measured()
	c.SLO, c.CPU = Interval{Value: 10, Low: 10, High: 10}, 70*time.Millisecond
	return Measurement{SLO: slo, Local: true, StartUp: []time.Duration{10 * time.Second}, Capacity: *c}
}

// With a platform the advice keeps to its metrics, and says what that costs.
func TestAdviseWithin(t *testing.T) {
	refuses := func(profiles.Policy) (sim.Scaler, error) { return sim.Scaler{}, errors.New("it cannot say that") }
	for _, c := range []struct {
		name    string
		slo     string
		within  Ability
		metric  profiles.Kind // empty: refused
		costs   bool
		says    string // in the notes, or the refusal
		traffic profiles.Traffic
	}{
		{"everything", "p95<300ms", Ability{Name: "all", Metrics: Metrics(), Follow: sim.Built}, profiles.RPS, true, "", traffic(5, 40)},
		{"CPU alone", "p95<300ms", Ability{Name: "hpa", Metrics: []profiles.Kind{profiles.CPU, profiles.Memory}, Follow: sim.Built}, profiles.CPU, true, "", traffic(5, 40)},
		{"nothing that was measured", "p95<300ms", Ability{Name: "hpa", Metrics: []profiles.Kind{profiles.Memory}, Follow: sim.Built}, "", false, "keep 5 replicas at all times, which takes 5.00 replica-hours instead of", traffic(5, 40)},
		{"the same, and nobody asks what it costs", "p95<300ms", Ability{Name: "hpa", Metrics: []profiles.Kind{profiles.Memory}}, "", false, "keep a fixed number of replicas, or give it another metric", traffic(5, 40)},
		{"too much to simulate", "p95<300ms", Ability{Name: "all", Metrics: Metrics(), Follow: sim.Built}, profiles.RPS, false, "what all (rps, in_flight, queue, free_workers, cpu, latency) costs could not be simulated: 100000 requests/s are too many", traffic(5, 100_000)},
		{"a platform that refuses", "p95<300ms", Ability{Name: "all", Metrics: Metrics(), Follow: refuses}, profiles.RPS, false, "it cannot say that", traffic(5, 40)},
		{"an SLO that is not simulated", "p95<300ms,ttft.p95<1s", Ability{Name: "all", Metrics: Metrics(), Follow: sim.Built}, profiles.RPS, false, "single tasks and streams are not simulated", traffic(5, 40)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := computingService(c.slo).Advise(c.traffic, Sizing{Headroom: 200, Within: &c.within})
			if c.metric == "" {
				var refusal *Refusal
				if !errors.As(err, &refusal) || refusal.Code != "R8" || !strings.Contains(refusal.Error(), c.says) {
					t.Errorf("Advise = %v, want R8 with %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Policy.Metrics[0].Kind; got != c.metric || (r.Restriction != nil) != c.costs {
				t.Errorf("Advise = %s, restriction %v; want %s, %v", got, r.Restriction, c.metric, c.costs)
			}
			if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, c.says) {
				t.Errorf("notes %q, want %q", notes, c.says)
			}
			if x := r.Restriction; x != nil && (x.Free.ReplicaHours < 1 || x.Bound.ReplicaHours < 1 || x.Bound.ReplicaHours > 6 || x.Free.Attainment == nil || x.Length != time.Hour) {
				t.Errorf("restriction %+v, want an hour of 1 to 6 replicas, and how many met the SLO", x)
			}
		})
	}
}

// Free to choose, and by the same scaler, a restriction costs nothing.
func TestRestrictionOfNothing(t *testing.T) {
	all := Ability{Name: "all", Metrics: Metrics(), Follow: sim.Built}
	r, err := computingService("p95<300ms").Advise(traffic(5, 40), Sizing{Headroom: 200, Within: &all})
	if err != nil {
		t.Fatal(err)
	}
	x := r.Restriction
	if x == nil || math.Abs(x.Free.ReplicaHours-x.Bound.ReplicaHours) > 1e-9 || !strings.Contains(x.String(), "(+0 %)") {
		t.Errorf("restriction %v, want one of nothing", x)
	}
}
