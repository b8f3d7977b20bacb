package advisor

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// The few short steps find what two replicas hold within the SLO: in eight of ten
// searches the interval covers the truth, and on average it is within 10 % of it.
// No step with them is among those of one.
func TestTwoReplicasWithinTheSLO(t *testing.T) {
	for _, c := range []struct {
		name    string
		service simulated
		limit   string
		gain    float64 // on average, within 0.1
		less    bool    // most searches know that each holds less than one alone
	}{
		{"M/D/1", simulated{service: 20 * time.Millisecond, servers: 1}, "100ms", 1.22, false},
		{"M/M/1", simulated{service: 20 * time.Millisecond, servers: 1, exponential: true}, "200ms", 1.22, false},
		{"two thirds are shared", simulated{service: 40 * time.Millisecond, servers: 3, shared: 4}, "120ms", 0.73, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.service.slo = mustSLO(t, "p95<"+c.limit+",errors<1%")
			two := c.service
			two.servers *= 2
			if two.shared > 0 {
				two.servers = two.shared
			}
			want, n := truth(two), float64(*seeds)
			measured, covered, less, value, gain := 0., 0., 0., 0., 0.
			for seed := range uint64(*seeds) {
				s := c.service
				s.seed = seed
				got, err := Search(t.Context(), &s, SearchOptions{SLO: s.slo, Budget: 5 * time.Minute, Seed: seed, Second: 2})
				if err != nil || got.Refusal != nil {
					t.Fatalf("seed %d: Search = %v, refusal %v", seed, err, got.Refusal)
				}
				if got.Spent > got.Budget+time.Second {
					t.Errorf("seed %d: spent %v of %v", seed, got.Spent, got.Budget)
				}
				if m := got.Scaling.SLO; m != nil && m.Low <= want && want <= m.High {
					covered++
				}
				if r, ok := got.Gain(); ok {
					measured, value, gain = measured+1, value+got.Scaling.SLO.Value, gain+float64(r.Value)
				}
				if got.less() {
					less++
				}
				for _, o := range arrivals(got.Steps) {
					if o.Replicas != 1 {
						t.Errorf("seed %d: step %q of %d replicas is among those of one", seed, o.Trial.Name, o.Replicas)
					}
				}
			}
			value, gain = value/measured, gain/measured
			t.Logf("%.0f searches, %.0f of which measured it: %.1f/s on average, the truth is %.1f/s, %.0f intervals cover it; a gain of %.2f, %.0f know that it is a loss", n, measured, value, want, covered, gain, less)
			if measured < 0.9*n || covered < 0.8*n || math.Abs(value/want-1) > 0.1 {
				t.Errorf("%.0f of %.0f searches measured it, %.0f intervals cover %.1f/s, and on average it is %.1f/s; want nine and eight of ten, and within 10 %%", measured, n, covered, want, value)
			}
			if math.Abs(gain-c.gain) > 0.1 || c.less && less < 0.8*n || !c.less && less > 0.1*n {
				t.Errorf("a gain of %.2f, and %.0f of %.0f know that it is a loss; want %.2f, and that they know: %v", gain, less, n, c.gain, c.less)
			}
		})
	}
}

// hindered does something else with arrivals at two replicas.
type hindered struct {
	simulated
	how func(*Observation) error
}

func (h *hindered) Run(ctx context.Context, t Trial) (Observation, error) {
	o, err := h.simulated.Run(ctx, t)
	if err == nil && t.Rate > 0 && t.Replicas > 1 {
		err = h.how(&o)
	}
	return o, err
}

// Where it is not measured what two hold, it is said why, and what one holds stands.
func TestTwoReplicasAreLeftOut(t *testing.T) {
	fine := func(*Observation) error { return nil }
	for _, c := range []struct {
		name   string
		budget time.Duration
		host   HostUse
		how    func(*Observation) error
		why    string
		steps  int // of arrivals at two replicas
	}{
		{"a short budget", 2 * time.Minute, HostUse{}, fine, "it takes a --budget of 3m or more", 0},
		{"a full machine", 5 * time.Minute, HostUse{Known: true, Cores: 2, Busy: 2}, fine, "they share a machine that was full", 0},
		{"a machine that is full then", 5 * time.Minute, HostUse{}, func(o *Observation) error {
			o.Host = HostUse{Known: true, Cores: 2, Busy: 2}
			return nil
		}, "they share a machine that was full", 3},
		{"the scaler goes away", 5 * time.Minute, HostUse{}, func(*Observation) error { return errors.New("no machine is free") }, "no machine is free", 0},
		{"the generator is the limit", 5 * time.Minute, HostUse{}, func(o *Observation) error {
			o.Health.Verdict, o.Health.Reason = load.Limited, "requests leave 40ms late (p99)"
			return nil
		}, "requests leave 40ms late", 1},
		{"errors", 5 * time.Minute, HostUse{}, func(o *Observation) error { o.Failing, o.Met = true, false; return nil }, "requests failed", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			slo := mustSLO(t, "p95<100ms,errors<1%")
			s := &hindered{simulated{service: 20 * time.Millisecond, servers: 1, slo: slo, host: c.host}, c.how}
			got, err := Search(t.Context(), s, SearchOptions{SLO: slo, Budget: c.budget, Second: 2})
			if err != nil || got.Refusal != nil || got.SLO.Value <= 0 || got.Scaling == nil {
				t.Fatalf("Search = %v, %v, refusal %v, scaling %v; want a capacity of one", got.SLO, err, got.Refusal, got.Scaling)
			}
			if m := got.Scaling; m.SLO != nil || !strings.Contains(m.Skipped, c.why) {
				t.Errorf("two hold %v, skipped as %q; want nothing, as %q", m.SLO, m.Skipped, c.why)
			}
			if n := len(arrivalsIn(got.Steps, 2)); n != c.steps {
				t.Errorf("%d steps with arrivals at two, want %d", n, c.steps)
			}
			if got.Grade == GradeA {
				t.Errorf("grade A (%s), want less", got.GradeWhy)
			}
			if got.PerReplica() != profiles.Milli(got.SLO.Value*1000) {
				t.Errorf("PerReplica() = %s, want what one holds, %v", got.PerReplica(), got.SLO)
			}
		})
	}
}

// arrivalsIn are the steps of the open model with so many replicas, spoiled or not.
func arrivalsIn(steps []Observation, replicas int) (out []Observation) {
	for _, o := range steps {
		if o.Trial.Rate > 0 && o.Trial.Replicas == replicas {
			out = append(out, o)
		}
	}
	return out
}

// A search that goes on measures what the one before had no time for, and leaves
// that as it was.
func TestTwoReplicasWhereASearchGoesOn(t *testing.T) {
	slo := mustSLO(t, "p95<100ms")
	s := &simulated{service: 20 * time.Millisecond, servers: 1, slo: slo}
	options := SearchOptions{SLO: slo, Budget: 2 * time.Minute, Second: 2}
	first, err := Search(t.Context(), s, options)
	if err != nil || first.Scaling == nil || first.Scaling.SLO != nil {
		t.Fatalf("Search = %v, scaling %+v; want none within the SLO", err, first.Scaling)
	}
	options.Prior, options.Budget, options.Seed = saved(t, first), 4*time.Minute, 100
	second, err := Search(t.Context(), s, options)
	if err != nil || second.Scaling == nil || second.Scaling.SLO == nil || second.Scaling.Skipped != "" {
		t.Fatalf("Search = %v, scaling %+v; want what two hold", err, second.Scaling)
	}
	if options.Prior.Scaling.SLO != nil || options.Prior.Scaling.Skipped == "" || second.Scaling.Efficiency != first.Scaling.Efficiency {
		t.Errorf("scaling of before %+v became %+v, want it left alone and taken over", options.Prior.Scaling, second.Scaling)
	}
	options.Prior, options.Seed = saved(t, second), 200
	third, err := Search(t.Context(), s, options)
	if err != nil || third.Scaling.SLO == nil || len(arrivalsIn(third.Steps, 2)) != len(arrivalsIn(second.Steps, 2)) {
		t.Errorf("Search = %v, scaling %+v after %d steps with arrivals at two; want no more of them", err, third.Scaling, len(arrivalsIn(third.Steps, 2)))
	}
}

// One that is interrupted says so, and what it has of two is enough where it is two steps.
func TestTwoReplicasInterrupted(t *testing.T) {
	slo := mustSLO(t, "p95<100ms")
	service := simulated{service: 20 * time.Millisecond, servers: 1, slo: slo}
	options := SearchOptions{SLO: slo, Budget: 5 * time.Minute, Second: 2}
	whole := service
	if _, err := Search(t.Context(), &whole, options); err != nil {
		t.Fatal(err)
	}
	for left, measured := range map[int]bool{3: false, 2: false, 1: true} {
		ctx, cancel := context.WithCancel(t.Context())
		got, err := Search(ctx, &stopping{service, len(whole.trials) - left, cancel}, options)
		cancel()
		if !errors.Is(err, context.Canceled) || got.Scaling == nil || (got.Scaling.SLO != nil) != measured || (got.Scaling.Skipped == "it was interrupted") == measured {
			t.Errorf("%d steps before the end: Search = %v, scaling %+v; want what two hold: %v", left, err, got.Scaling, measured)
		}
	}
}

// Replicas that share what limits them are refused again where the search goes on.
func TestSharedReplicasStayRefused(t *testing.T) {
	slo := mustSLO(t, "p95<100ms")
	s := &simulated{service: 20 * time.Millisecond, servers: 1, shared: 1, slo: slo}
	options := SearchOptions{SLO: slo, Budget: 2 * time.Minute, Second: 2}
	first, err := Search(t.Context(), s, options)
	if err != nil {
		t.Fatal(err)
	}
	options.Prior, options.Seed = saved(t, first), 100
	if second, err := Search(t.Context(), s, options); err != nil || second.Refusal == nil || second.Refusal.Code != "R7" {
		t.Errorf("Search = %v, refusal %v; want R7 as before", err, second.Refusal)
	}
}

// One replica holds 10 requests/s.
func TestEach(t *testing.T) {
	one := Interval{Value: 10, Low: 9.5, High: 10.5, Unit: "/s"}
	for _, c := range []struct {
		name    string
		scaling *Scaling
		want    profiles.Milli
		says    string
	}{
		{"nothing of two", nil, 10_000, "one replica holds p95<100ms up to 10/s [9.50 … 10.5]"},
		{"two not measured under the SLO", &Scaling{Replicas: 2, Skipped: "of time"}, 10_000, "one replica holds"},
		{"two hold more", &Scaling{Replicas: 2, SLO: &Interval{Value: 25, Low: 24, High: 26}}, 10_000, "one replica holds"},
		{"two may hold less", &Scaling{Replicas: 2, SLO: &Interval{Value: 18.5, Low: 16, High: 21}}, 10_000, "one replica holds"},
		{"two hold less", &Scaling{Replicas: 2, SLO: &Interval{Value: 16, Low: 15, High: 17}}, 8_000, "each of 2 replicas, which hold less than one alone, holds p95<100ms up to 8/s [7.50 … 8.50]"},
	} {
		m := Capacity{SLO: one, Saturation: Interval{Value: 20, Low: 20, High: 20}, Replicas: 1, Scaling: c.scaling}
		if c.scaling != nil {
			c.scaling.Efficiency = Interval{Value: 1, Low: 1, High: 1}
		}
		if got := m.PerReplica(); got != c.want {
			t.Errorf("%s: PerReplica() = %s, want %s", c.name, got, c.want)
		}
		r, err := Recommend(Needs{Capacity: m.PerReplica(), Evidence: &m, SLO: mustSLO(t, "p95<100ms"), Traffic: profiles.Traffic{Low: 10_000, High: 80_000}})
		if err != nil || !strings.Contains(r.Values[2].Why, c.says) || r.Policy.Metrics[0].Target != c.want {
			t.Errorf("%s: Recommend = target %+v, %v; want %s as %q", c.name, r.Values[2], err, c.want, c.says)
		}
	}
}
