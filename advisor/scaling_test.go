package advisor

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

// Two replicas are measured last; what they share shows.
func TestSecondNumberOfReplicas(t *testing.T) {
	slo := mustSLO(t, "p95<100ms")
	busy := HostUse{Known: true, Cores: 2, Busy: 2}
	for _, c := range []struct {
		name       string
		service    simulated
		budget     time.Duration
		efficiency float64 // 0: not measured
		refusal    string
		flaw       string
	}{
		{"nothing is shared", simulated{service: 20 * time.Millisecond, servers: 1}, 5 * time.Minute, 1, "", ""},
		{"all of it is", simulated{service: 20 * time.Millisecond, servers: 1, shared: 1}, 5 * time.Minute, 0.5, "R7", ""},
		{"the machine is", simulated{service: 20 * time.Millisecond, servers: 1, shared: 1, host: busy}, 5 * time.Minute, 0.5, "", "as much as their machine carries"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.service.slo = slo
			got, err := Search(t.Context(), &c.service, SearchOptions{SLO: slo, Budget: c.budget, Second: 2})
			if err != nil {
				t.Fatal(err)
			}
			if m := got.Scaling; m == nil || math.Abs(m.Efficiency.Value-c.efficiency) > 0.03 || m.Efficiency.Low > m.Efficiency.Value || m.Efficiency.High < m.Efficiency.Value {
				t.Errorf("scaling %+v, want an efficiency of %.2f within its interval", m, c.efficiency)
			}
			if (got.Refusal != nil) != (c.refusal != "") || got.Refusal != nil && got.Refusal.Code != c.refusal {
				t.Errorf("refusal %+v, want %q", got.Refusal, c.refusal)
			}
			flaws := ""
			for _, f := range got.flaws() {
				flaws += f.why + "\n"
			}
			if strings.Contains(flaws, "only one number") || !strings.Contains(flaws, c.flaw) {
				t.Errorf("flaws %q, want nothing of a single number of replicas, and %q", flaws, c.flaw)
			}
			if last := got.Steps[len(got.Steps)-1]; last.Trial.Replicas != 2 || got.Spent > got.Budget+time.Second {
				t.Errorf("last step %+v after %v of %v, want one with 2 replicas", last.Trial, got.Spent, got.Budget)
			}
		})
	}
}

// lonely is a fleet that does not get to a second replica.
type lonely struct{ simulated }

func (l *lonely) Run(ctx context.Context, t Trial) (Observation, error) {
	if t.Replicas > 1 {
		return Observation{}, errors.New("no machine is free")
	}
	return l.simulated.Run(ctx, t)
}

func TestSecondReplicaThatDoesNotCome(t *testing.T) {
	slo := mustSLO(t, "p95<100ms")
	l := &lonely{simulated{service: 20 * time.Millisecond, servers: 1, slo: slo}}
	got, err := Search(t.Context(), l, SearchOptions{SLO: slo, Budget: 5 * time.Minute, Second: 2})
	if err != nil || got.Refusal != nil || got.Scaling != nil || !strings.Contains(got.Doubt, "no machine is free") || got.SLO.Value == 0 {
		t.Errorf("Search = %v, refusal %v, scaling %v, doubt %q; want what one replica holds, and why there is no more", err, got.Refusal, got.Scaling, got.Doubt)
	}
}

// One replica holds 10 requests/s.
func workedEfficiency(t *testing.T) {
	for _, c := range []struct {
		two        float64
		efficiency float64
		refused    bool
		max        int
	}{{10.5, 0.525, true, 0}, {13, 0.65, false, 4}, {19, 0.95, false, 20}} {
		o := Observation{Trial: Trial{Users: 4, Replicas: 2}, Rate: c.two}
		m := scalingOf(o, Interval{Value: 10, Low: 10, High: 10}, 1, 1)
		if math.Abs(m.Efficiency.Value-c.efficiency) > 1e-9 || (refuseScaling(m) != nil) != c.refused {
			t.Errorf("two hold %g: efficiency %v, refusal %v; want %g, %v", c.two, m.Efficiency, refuseScaling(m), c.efficiency, c.refused)
		}
		if c.refused {
			continue
		}
		r, err := Recommend(Needs{
			Capacity: 10_000, Evidence: &Capacity{SLO: Interval{Value: 10, Low: 10, High: 10}, Replicas: 1, Scaling: m},
			Traffic: profiles.Traffic{Low: 10_000, High: 200_000},
		})
		if err != nil || int(r.Policy.Replicas.Max) != c.max || (len(r.Notes) > 0) != (c.max < 20) {
			t.Errorf("two hold %g: max %s with the notes %q, %v; want %d", c.two, r.Policy.Replicas.Max, r.Notes, err, c.max)
		}
		if c.max == 4 && !strings.Contains(r.Notes[0], "so many serve about 15.3 of the 200 requests/s") { // 4 x 10 / (1 + 0.54 x 3)
			t.Errorf("note %q, want what 4 replicas serve", r.Notes[0])
		}
	}
}
