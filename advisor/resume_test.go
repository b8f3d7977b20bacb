package advisor

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

// stopping is a service whose measurement is interrupted after some steps.
type stopping struct {
	simulated
	after  int
	cancel context.CancelFunc
}

func (s *stopping) Run(ctx context.Context, t Trial) (Observation, error) {
	if s.after--; s.after < 0 {
		s.cancel()
		return Observation{}, ctx.Err()
	}
	return s.simulated.Run(ctx, t)
}

// saved is a capacity as a file gives it back.
func saved(t *testing.T, c Capacity) *Capacity {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var out Capacity
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

// Wherever a search is interrupted, it keeps what it has found, and one that
// goes on with it finds the capacity.
func TestInterruptedSearchGoesOn(t *testing.T) {
	service := simulated{service: 20 * time.Millisecond, servers: 1, slo: mustSLO(t, "p95<100ms,errors<1%")}
	const want = 34.62 // M/D/1
	options := SearchOptions{SLO: service.slo, Budget: 2 * time.Minute, Second: 2}
	for after := range 12 {
		ctx, cancel := context.WithCancel(t.Context())
		part, err := Search(ctx, &stopping{service, after, cancel}, options)
		cancel()
		if !errors.Is(err, context.Canceled) || !part.Interrupted || len(part.Steps) != after {
			t.Fatalf("after %d steps: Search = %v, interrupted %v with %d steps", after, err, part.Interrupted, len(part.Steps))
		}
		found := part.Refusal == nil
		if found && (part.Grade != GradeD || part.SLO.Value <= 0 || part.SLO.Value > 50) || !found && part.Refusal.Code != "R10" {
			t.Errorf("after %d steps: %v at grade %s, refusal %v; want grade D or R10", after, part.SLO, part.Grade, part.Refusal)
		}
		if after == 0 {
			continue
		}
		rest := service
		going := options
		going.Prior, going.Seed = saved(t, part), 100
		whole, err := Search(t.Context(), &rest, going)
		if err != nil || whole.Refusal != nil || math.Abs(whole.SLO.Value/want-1) > 0.15 || whole.Interrupted || whole.Grade == GradeD {
			t.Errorf("after %d steps and a rest: %v at grade %s, %v, refusal %v; want %.1f/s", after, whole.SLO, whole.Grade, err, whole.Refusal, want)
		}
		if len(whole.Steps) != after+len(rest.trials) || whole.Budget != 4*time.Minute || whole.Spent < part.Spent {
			t.Errorf("after %d steps and a rest: %d steps, %v of %v used", after, len(whole.Steps), whole.Spent, whole.Budget)
		}
		if whole.Steps[after].Trial.Name != controlName {
			t.Errorf("after %d steps the rest began with %q, want the control", after, whole.Steps[after].Trial.Name)
		}
	}
}

// What was confirmed was the load of before: with too little time to confirm
// what comes of more steps, it is not.
func TestContinuingConfirmsAnew(t *testing.T) {
	slo := mustSLO(t, "p95<100ms")
	first, err := Search(t.Context(), &simulated{service: 20 * time.Millisecond, servers: 1, slo: slo}, SearchOptions{SLO: slo, Budget: 5 * time.Minute})
	if err != nil || !first.Confirmed {
		t.Fatalf("Search = %v, confirmed %v; want a capacity that was confirmed", err, first.Confirmed)
	}
	ctx, cancel := context.WithCancel(t.Context())
	rest := &stopping{simulated{service: 20 * time.Millisecond, servers: 1, slo: slo}, 1, cancel} // the control
	c, err := Search(ctx, rest, SearchOptions{SLO: slo, Budget: 5 * time.Minute, Prior: saved(t, first), Seed: 100})
	if !errors.Is(err, context.Canceled) || c.Confirmed {
		t.Errorf("Search = %v, confirmed %v; want one that was cut off before it confirmed", err, c.Confirmed)
	}
}

// What is measured later must be of the same service.
func TestContinuingAnotherServiceIsRefused(t *testing.T) {
	slo := mustSLO(t, "p95<100ms")
	first, err := Search(t.Context(), &simulated{service: 20 * time.Millisecond, servers: 1, slo: slo}, SearchOptions{SLO: slo, Budget: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	slower := &simulated{service: 30 * time.Millisecond, servers: 1, slo: slo}
	c, err := Search(t.Context(), slower, SearchOptions{SLO: slo, Budget: time.Minute, Prior: saved(t, first)})
	if err != nil || c.Refusal == nil || c.Refusal.Code != "R6" || len(slower.trials) != 1 {
		t.Errorf("Search = %v, refusal %v after %d steps; want R6 after the first", err, c.Refusal, len(slower.trials))
	}
}

func TestContinuedBy(t *testing.T) {
	config := Config{Plan: profiles.DefaultPlan(), SLO: mustSLO(t, "p95<100ms")}
	config.Plan.Target = "http://127.0.0.1:1/"
	good := Measurement{Target: config.Plan.Target, SLO: "p95<100ms", Machine: ThisMachine(), Capacity: Capacity{Steps: []Observation{{}}}}
	for _, c := range []struct {
		name string
		with func(*Measurement)
		want string
	}{
		{"the same", func(*Measurement) {}, ""},
		{"another target", func(m *Measurement) { m.Target = "http://127.0.0.1:2/" }, "--continue: got a measurement of a target that is http://127.0.0.1:2/, want http://127.0.0.1:1/"},
		{"another SLO", func(m *Measurement) { m.SLO = "p99<1s" }, "under the SLO p99<1s, want p95<100ms"},
		{"other tasks", func(m *Measurement) { m.Tasks = []string{"chat"} }, "of the tasks [chat], want []"},
		{"another machine", func(m *Measurement) { m.Machine.Cores++ }, "from a machine that is"},
		{"no step", func(m *Measurement) { m.Capacity.Steps = nil }, "without a step"},
	} {
		m := good
		c.with(&m)
		if err := m.continuedBy(config); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: continuedBy = %v, want %q", c.name, err, c.want)
		}
	}
}

// Arrivals at equal distances are measured where they are asked for, and held
// against the capacity.
func workedPacing(t *testing.T) {
	s := &simulated{service: 20 * time.Millisecond, servers: 1, slo: mustSLO(t, "p95<100ms")}
	c, err := Search(t.Context(), s, SearchOptions{SLO: s.slo, Budget: time.Minute, Arrivals: profiles.Even})
	if err != nil || !c.Even || c.Grade < GradeC || !strings.Contains(c.GradeWhy, "at equal distances") {
		t.Errorf("Search = %v at grade %s (%s), want C at best", err, c.Grade, c.GradeWhy)
	}
	for _, trial := range s.trials {
		if (trial.Arrivals == profiles.Even) != (trial.Rate > 0) {
			t.Errorf("step %q has arrivals %q", trial.Name, trial.Arrivals)
		}
	}
}
