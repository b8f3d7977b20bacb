package advisor

import (
	"errors"
	"fmt"
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

// What a platform makes of a policy is what is advised: a time of its own counts
// for the lag, a whole number for min, and what it hides is no value.
func TestAdviseWhatAPlatformKeeps(t *testing.T) {
	const secret = "it sets its own timing"
	own := func(p profiles.Policy) (profiles.Policy, map[string]string, error) {
		metric := p.Metrics[0]
		metric.Target, metric.Window = metric.Target/1000*1000, p.Interval
		p.Interval, p.Tolerance, p.Metrics = profiles.Duration(20*time.Second), 0, []profiles.Metric{metric}
		return p, map[string]string{"interval": "it looks every 20s", "tolerance": "it has none"}, nil
	}
	refuses := func(profiles.Policy) (profiles.Policy, map[string]string, error) {
		return profiles.Policy{}, nil, errors.New("it cannot say that")
	}
	hides := map[profiles.Kind]map[string]string{profiles.RPS: {"metrics[0].window": secret, "down.stabilization": secret}}
	for _, c := range []struct {
		name   string
		within Ability
		values string // of the policy, each with its formula
		note   string
	}{
		{"all of ours", Ability{}, "min 1: ceil(5 / 7.5) = 1, target 7.5: 10 x (100% - 25%) = 7.5, tolerance 10: min(10%, 25% / 75% / 2, (100% - 0%) / 75% - 1) = 10%, interval 3: start-up 10 s / 4, between 2.0 s and 30 s = 3.0 s, window 3: max(min(96 / 40, 60 s), interval 3.0 s) = 3.0 s, up after 0: up after = 0 s, down after 60: 2 x (start-up 10 s + interval 3.0 s), between 60 s and 1 h = 60 s", ""},
		{"its own", Ability{Keep: own, Whole: []profiles.Kind{profiles.RPS}, Hidden: hides}, "min 1: ceil(5 / 7) = 1, target 7: floor(10 x (100% - 25%) = 7.5) = 7, tolerance 0: x has 0 %, interval 20: x has 20 s, window 20: not in x: 20 s is counted on, up after 0: up after = 0 s", "no down after can be set on x: " + secret},
		{"one that refuses", Ability{Keep: refuses}, "interval 3: start-up 10 s / 4, between 2.0 s and 30 s = 3.0 s", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.within.Name, c.within.Metrics = "x", Metrics()
			r, err := computingService("p95<300ms").Advise(traffic(5, 40), Sizing{Headroom: 250, Within: &c.within})
			if err != nil {
				t.Fatal(err)
			}
			var values []string
			for _, v := range r.Values {
				if v.Name != "max" && v.Name != "pooling" {
					values = append(values, fmt.Sprintf("%s %g: %s", v.Name, v.Value, v.Formula))
				}
			}
			if got := strings.Join(values, ", "); !strings.Contains(got, c.values) {
				t.Errorf("values\n%s, want\n%s", got, c.values)
			}
			if got := strings.Join(r.Notes, "\n"); strings.Contains(got, "can be set") != (c.note != "") || !strings.Contains(got, c.note) {
				t.Errorf("notes %q, want %q", got, c.note)
			}
			if p := r.Policy; p.Metrics[0].Target != profiles.MilliOf(r.Values[2].Value) || float64(p.Tolerance) != 10*r.Values[3].Value {
				t.Errorf("policy %s with a tolerance of %s, want the values", p.Summary(), p.Tolerance)
			}
		})
	}
}
