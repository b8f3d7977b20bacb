package advisor

import (
	"testing"
	"time"

	"headroom/advisor/sim"
	"headroom/profiles"
)

// carriesRise reports whether the fleet of a policy of rates holds what its
// traffic may have become until another replica answers, wherever it is when it
// begins to rise; rate is where not. A fleet is worst off just before the next
// replica is ordered.
func carriesRise(p profiles.Policy, n Needs, rise profiles.Milli) (rate profiles.Milli, ok bool) {
	x, target := roundDown(n.Capacity), p.Metrics[0].Target
	fleet := func(rate profiles.Milli) int {
		needed := int(profiles.CeilDiv(1000*int64(rate), int64(target)*int64(1000+p.Tolerance)))
		return min(int(p.Replicas.Max), max(p.Replicas.Min, needed))
	}
	rates := []profiles.Milli{n.Traffic.Low}
	for k := p.Replicas.Min; k <= p.Replicas.Min+200; k++ {
		rates = append(rates, profiles.Milli(k)*target*profiles.Milli(1000+p.Tolerance)/1000)
	}
	for _, rate := range append(rates, (n.Traffic.Low+n.Traffic.High)/2, n.Traffic.High) {
		if rate < n.Traffic.Low || rate > n.Traffic.High {
			continue
		}
		if holds := profiles.Milli(fleet(rate)) * x; holds < min(rate+rise, n.Traffic.High) {
			return rate, false
		}
	}
	return 0, true
}

func TestCarriesRise(t *testing.T) {
	n := Needs{Capacity: 10_000, Traffic: traffic(50, 200)}
	p := profiles.DefaultPolicy()
	p.Tolerance = 0
	for _, c := range []struct {
		min    int
		target profiles.Milli
		want   profiles.Milli // rate at which they are too few; 0: none
	}{{11, 7_000, 77_000}, {10, 5_000, 50_000}, {14, 5_714, 0}, {14, 5_720, 80_080}} {
		p.Replicas = profiles.Bounds{Min: c.min, Max: 20}
		p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: c.target}}
		if got, ok := carriesRise(p, n, 60_000); got != c.want || ok != (c.want == 0) {
			t.Errorf("carriesRise with min %d and a target of %s = %s, %v; want %s", c.min, c.target, got, ok, c.want)
		}
	}
}

// Simulated, the advice holds from the first request of a rise to the last,
// wherever it begins. What one gets who divides by high alone, 11 replicas and a
// target of 7, does not: up to 77 requests/s there are 11.
func TestRiseSimulated(t *testing.T) {
	n := Needs{
		Sizing: Sizing{Rise: 500, Interval: 60 * time.Second}, Capacity: 10_000, StartUp: 30 * time.Second,
		Traffic: traffic(50, 200), SLO: mustSLO(t, "p95<500ms"),
	}
	r, err := Recommend(n)
	if err != nil {
		t.Fatal(err)
	}
	naive := r.Policy
	naive.Replicas.Min, naive.Tolerance = 11, 100
	naive.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: 7_000, Window: naive.Metrics[0].Window}}
	s := sim.Default()
	s.Service, s.StartUp, s.SLO, s.Length = sim.Constant(95*time.Millisecond), []time.Duration{n.StartUp}, n.SLO, 20*time.Minute
	for _, c := range []struct {
		name   string
		policy profiles.Policy
		low    profiles.Milli
		holds  bool
	}{{"the advice", r.Policy, 50, true}, {"the advice, in the middle", r.Policy, 76, true}, {"one that divides by high alone, in the middle", naive, 76, false}} {
		course := n.Course(traffic(c.low, 200), s.Length)
		calm := profiles.Stage{For: 5*time.Minute + time.Second, To: course.From} // it begins just after a decision
		course.Stages = append([]profiles.Stage{calm}, course.Stages...)
		s.Load = course
		scaler, err := sim.Built(c.policy)
		if err != nil {
			t.Fatal(err)
		}
		result, err := sim.Run(t.Context(), s, scaler)
		if err != nil || (result.Worst.Attainment >= 0.95) != c.holds {
			t.Errorf("%s: %.2f %% within the SLO, %.2f %% in the worst minute, %v; want it to hold: %v", c.name, *result.Attainment*100, result.Worst.Attainment*100, err, c.holds)
		}
	}
}
