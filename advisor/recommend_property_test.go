package advisor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headroom/profiles"
)

// Whatever is asked for: a policy that a scaler takes, whose bounds carry the
// traffic and whose values lie in their intervals, or one clear refusal.
func TestRecommendProperties(t *testing.T) {
	slo := mustSLO(t, "p95<20s")
	rapid.Check(t, func(t *rapid.T) {
		low := profiles.Milli(rapid.Int64Range(1, 500_000).Draw(t, "low"))
		n := Needs{
			SLO: slo, Managed: rapid.Bool().Draw(t, "managed"),
			Traffic: profiles.Traffic{Low: low, High: low + profiles.Milli(rapid.Int64Range(0, 2_000_000).Draw(t, "more"))},
			StartUp: time.Duration(rapid.Int64Range(1, int64(5*time.Minute)).Draw(t, "startUp")),
			Sizing: Sizing{
				Headroom: profiles.Ratio(rapid.IntRange(0, 900).Draw(t, "headroom")), Growth: profiles.Ratio(rapid.IntRange(0, 2000).Draw(t, "growth")),
				Rise: profiles.Milli(rapid.IntRange(0, 5_000).Draw(t, "rise")), Jump: profiles.Milli(rapid.IntRange(0, 100_000).Draw(t, "jump")),
				Spare: rapid.Bool().Draw(t, "spare"), Metric: rapid.SampledFrom(append(Metrics(), "")).Draw(t, "metric"),
			},
		}
		takes := time.Duration(rapid.Int64Range(int64(5*time.Millisecond), int64(8*time.Second)).Draw(t, "takes"))
		c := service{
			takes: takes, varies: rapid.Float64Range(0, 3).Draw(t, "varies"),
			base: rapid.Float64Range(0, 1).Draw(t, "base"), slope: takes.Seconds() * rapid.Float64Range(0, 4).Draw(t, "computes"),
		}.measured()
		n.Evidence, n.Service, n.Capacity = c, takes, c.PerReplica()

		r, err := Recommend(n)
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
			if refusal.Code == "" || refusal.Why == "" || refusal.Do == "" {
				t.Fatalf("refusal %+v without its words", refusal)
			}
			return
		}
		if err != nil {
			t.Fatalf("Recommend = %v", err)
		}
		p := r.Policy
		if err := p.Validate(); err != nil {
			t.Fatalf("policy %+v: %v", p, err)
		}
		if float64(p.Replicas.Max)*n.Capacity.Float() < n.Traffic.High.Float()*0.99 {
			t.Errorf("max %s of %s requests/s each for %s", p.Replicas.Max, n.Capacity, n.Traffic)
		}
		if n.Metric != "" && p.Metrics[0].Kind != n.Metric {
			t.Errorf("scales on %s, want %s", p.Metrics[0].Kind, n.Metric)
		}
		if min, max := r.Values[0], r.Values[1]; int(min.Value) != p.Replicas.Min || int(max.Value) != int(p.Replicas.Max) {
			t.Errorf("says min %g and max %g, the policy %+v", min.Value, max.Value, p.Replicas)
		}
		if rise := n.risesIn(n.timing(profiles.RPS).lag); rise > 0 && p.Metrics[0].Kind == profiles.RPS {
			if rate, ok := carriesRise(p, n, rise); !ok {
				t.Errorf("%+v, target %s, tolerance %s: at %s/s of %s %s more are not carried by replicas of %s", p.Replicas, p.Metrics[0].Target, p.Tolerance, rate, n.Traffic, rise, n.Capacity)
			}
		}
		for i, v := range r.Values {
			if figures := strings.ContainsAny(v.Formula, "0123456789") && strings.Contains(v.Formula, "="); i < 3 && !figures {
				t.Errorf("%s: formula %q without a figure and what it comes to", v.Name, v.Formula)
			}
			if v.Low > v.Value || v.High < v.Value || v.Formula == "" || v.Why == "" || v.Unit == "" || len(v.Inputs) == 0 || len(v.Rejected) == 0 {
				t.Errorf("value %+v lacks its formula, unit, inputs, reason, interval, or what it is not", v)
			}
		}
	})
}
