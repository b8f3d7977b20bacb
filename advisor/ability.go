package advisor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"headroom/advisor/sim"
	"headroom/profiles"
)

// Ability is what a platform can follow, as far as advice depends on it.
type Ability struct {
	Name    string
	Metrics []profiles.Kind // that it can scale on, in our terms or in its own
	Hours   bool            // it takes a schedule beside a metric

	// Follow decides about a policy as the platform does; nil: what the
	// restriction costs is not asked.
	Follow func(profiles.Policy) (sim.Scaler, error)
}

// takes reports whether a platform can scale on a metric; without one all do.
func (a *Ability) takes(kind profiles.Kind) bool {
	return a == nil || slices.Contains(a.Metrics, kind)
}

// String writes "hpa (rps, cpu)".
func (a *Ability) String() string {
	names := make([]string, len(a.Metrics))
	for i, kind := range a.Metrics {
		names[i] = string(kind)
	}
	return fmt.Sprintf("%s (%s)", a.Name, strings.Join(names, ", "))
}

// Forecast is what came of a policy in the simulator.
type Forecast struct {
	Policy       string   `json:"policy"` // in a line
	ReplicaHours float64  `json:"replicaHours"`
	Attainment   *float64 `json:"attainment,omitempty"` // requests within the SLO of all, 0..1
}

// Restriction is what it costs that a platform can follow only some policies:
// the same traffic under the best policy and the built-in scaler, and under the
// best one that the platform takes, decided about as it does.
type Restriction struct {
	Platform string        `json:"platform"`
	Length   time.Duration `json:"length"` // of the traffic, nanoseconds
	Free     Forecast      `json:"free"`
	Bound    Forecast      `json:"bound"`
}

// String says it in a sentence.
func (r Restriction) String() string {
	text := fmt.Sprintf("%s takes %.2f replica-hours instead of %.2f (%+.0f %%) for %s of this traffic",
		r.Platform, r.Bound.ReplicaHours, r.Free.ReplicaHours, (r.Bound.ReplicaHours/r.Free.ReplicaHours-1)*100, profiles.Duration(r.Length))
	if r.Free.Attainment != nil && r.Bound.Attainment != nil {
		text += fmt.Sprintf(" and answers %.2f %% within the SLO instead of %.2f %%", *r.Bound.Attainment*100, *r.Free.Attainment*100)
	}
	return text + fmt.Sprintf(", both simulated; free to choose, the advice would be %s", r.Free.Policy)
}

// simulation is a setup that stands for what was measured, for traffic that
// rises from low to high and falls again.
func (m Measurement) simulation(n Needs) (sim.Setup, error) {
	c := m.Capacity
	s := sim.Default()
	s.Service, s.CPU, s.Concurrency, s.SLO = c.ServiceTimes(), c.CPU, c.Concurrency(), n.SLO
	s.Demand = sim.Linear(c.PerReplica().Float())
	if n.StartUp > 0 {
		s.StartUp = []time.Duration{n.StartUp}
	}
	s.Length = min(simulatedFor, fromSeconds(simulatedArrivals/n.Traffic.High.Float())).Truncate(time.Minute)
	if s.Length < leastSimulated {
		return s, fmt.Errorf("%s requests/s are too many to simulate", n.Traffic.High)
	}
	s.Load = ReplayPlan(profiles.Plan{}, n.Traffic, s.Length).Shape
	return s, s.Validate()
}

// How much is simulated: an hour, or as long as it takes about a second.
const (
	simulatedFor      = time.Hour
	leastSimulated    = 10 * time.Minute
	simulatedArrivals = 4e6
)

// ServiceTimes are those of one request alone, whose latency is nothing else:
// the lognormal ones through its p50 and p95, with its mean.
func (c Capacity) ServiceTimes() sim.Service {
	low, high := c.Baseline.P50, c.Baseline.P95
	if low <= 0 || high == math.MaxInt64 {
		return sim.Constant(c.Service)
	}
	return sim.Percentiles(sim.Percentile{Share: 0.5, Value: low}, sim.Percentile{Share: 0.95, Value: high}, c.Service)
}

// forecast simulates a scaler. It waits for nothing, and computes for no longer
// than simulatedArrivals take.
func forecast(s sim.Setup, by sim.Scaler) (Forecast, error) {
	if err := s.Simulable(by.Policy); err != nil {
		return Forecast{}, err
	}
	r, err := sim.Run(context.Background(), s, by)
	return Forecast{Policy: by.Policy.Summary(), ReplicaHours: r.ReplicaSeconds / 3600, Attainment: r.Attainment}, err
}

// unbound is the best policy of all, and what comes of it under the built-in
// scaler.
type unbound struct {
	policy   profiles.Policy
	setup    sim.Setup
	forecast Forecast
}

func (m Measurement) unbound(n Needs) (u unbound, err error) {
	n.Within = nil
	free, err := Recommend(n)
	if err != nil {
		return u, err
	}
	u.policy = free.Policy
	if u.setup, err = m.simulation(n); err != nil {
		return u, err
	}
	ours, err := sim.Built(u.policy)
	if err != nil {
		return u, err
	}
	u.forecast, err = forecast(u.setup, ours)
	return u, err
}

// restrict says what a platform costs that takes only such policies as r; a
// note says why that is not known.
func (m Measurement) restrict(n Needs, r *Recommendation) {
	if n.Within == nil || n.Within.Follow == nil {
		return
	}
	var err error
	if r.Restriction, err = m.restriction(n, r.Policy); err != nil {
		r.Notes = append(r.Notes, fmt.Sprintf("what %s costs could not be simulated: %s", n.Within, strings.ReplaceAll(err.Error(), "\n", "; ")))
	}
}

func (m Measurement) restriction(n Needs, bound profiles.Policy) (*Restriction, error) {
	free, err := m.unbound(n)
	if err != nil {
		return nil, err
	}
	theirs, err := n.Within.Follow(bound)
	if err != nil {
		return nil, err
	}
	left, err := forecast(free.setup, theirs)
	if err != nil {
		return nil, err
	}
	return &Restriction{
		Platform: n.Within.Name + " on " + string(bound.Metrics[0].Kind), Length: free.setup.Length, Free: free.forecast, Bound: left,
	}, nil
}

// refuseWithin is for a platform that can follow no metric which would do here,
// with what a fixed number of replicas takes instead, where that can be told.
func (m Measurement) refuseWithin(n Needs, refusal *Refusal) *Refusal {
	if n.Within == nil || n.Within.Follow == nil || n.Metric != "" || refusal.Code != "R8" {
		return refusal
	}
	free, err := m.unbound(n)
	if err != nil {
		return refusal
	}
	out, fixed, length := *refusal, int(free.policy.Replicas.Max), free.setup.Length
	all, best := float64(fixed)*length.Hours(), free.forecast.ReplicaHours
	out.Do = fmt.Sprintf("keep %s at all times, which takes %.2f replica-hours instead of %.2f (%+.0f %%) for %s of this traffic, or give %s another metric: %s is best here",
		profiles.Plural(fixed, "replica", "replicas"), all, best, (all/best-1)*100, profiles.Duration(length), n.Within.Name, free.policy.Metrics[0].Kind)
	return &out
}
