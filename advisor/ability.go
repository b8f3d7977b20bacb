package advisor

import (
	"context"
	"fmt"
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
	Cores   bool            // it takes a target of CPU in cores; else in percent of what a replica has there
	Whole   []profiles.Kind // metrics of which it takes whole targets only

	// Hidden are, of a policy of a metric, the fields that the platform keeps to
	// itself, and why.
	Hidden map[profiles.Kind]map[string]string
	// Keep is what becomes of a policy there, and by its fields why that is not
	// the same; nil: it stays as it is. The error is for one that it refuses.
	Keep func(profiles.Policy) (kept profiles.Policy, why map[string]string, err error)

	// Follow decides about a policy as the platform does; nil: what the
	// restriction costs is not asked.
	Follow sim.Follow
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
	Load     string        `json:"load"`   // that both were simulated under
	Length   time.Duration `json:"length"` // of it, nanoseconds
	Free     Forecast      `json:"free"`
	Bound    Forecast      `json:"bound"`
}

// String says it in a sentence.
func (r Restriction) String() string {
	text := fmt.Sprintf("%s takes %.2f replica-hours instead of %.2f (%+.0f %%) for %s",
		r.Platform, r.Bound.ReplicaHours, r.Free.ReplicaHours, (r.Bound.ReplicaHours/r.Free.ReplicaHours-1)*100, r.Load)
	if r.Free.Attainment != nil && r.Bound.Attainment != nil {
		text += fmt.Sprintf(" and answers %.2f %% within the SLO instead of %.2f %%", *r.Bound.Attainment*100, *r.Free.Attainment*100)
	}
	return text + fmt.Sprintf(", both simulated; free to choose, the advice would be %s", r.Free.Policy)
}

// forecast simulates a scaler. It waits for nothing, and computes for no longer
// than rehearsedArrivals take.
func forecast(s sim.Setup, by sim.Scaler) (Forecast, error) {
	if err := s.Simulable(by.Policy); err != nil {
		return Forecast{}, err
	}
	r, err := sim.Run(context.Background(), s, by)
	return Forecast{Policy: by.Policy.Summary(), ReplicaHours: r.ReplicaSeconds / 3600, Attainment: r.Attainment}, err
}

// unbound is the best policy of all, and what comes of it under the built-in
// scaler with some balancer before the replicas.
type unbound struct {
	policy   profiles.Policy
	setup    sim.Setup
	load     string
	forecast Forecast
}

func (m Measurement) unbound(n Needs, before profiles.Balancer) (u unbound, err error) {
	n.Within = nil
	free, err := Recommend(n)
	if err != nil {
		return u, err
	}
	u.policy = free.Policy
	if u.setup, u.load, err = m.Rehearsal(n.Traffic, n.Sizing); err != nil {
		return u, err
	}
	ours, err := sim.Built(u.policy)
	if err != nil {
		return u, err
	}
	ours.Balancer = before
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
	theirs, err := n.Within.Follow(bound)
	if err != nil {
		return nil, err
	}
	free, err := m.unbound(n, theirs.Balancer) // or the difference would be that of the balancers
	if err != nil {
		return nil, err
	}
	left, err := forecast(free.setup, theirs)
	if err != nil {
		return nil, err
	}
	return &Restriction{
		Platform: n.Within.Name + " on " + string(bound.Metrics[0].Kind), Load: free.load, Length: free.setup.Length, Free: free.forecast, Bound: left,
	}, nil
}

// refuseWithin is for a platform that can follow no metric which would do here,
// or that is too slow for the rise, with what a fixed number of replicas takes
// instead, where that can be told.
func (m Measurement) refuseWithin(n Needs, refusal *Refusal) *Refusal {
	slow := refusal.Code == tooSlow
	if n.Within == nil || n.Within.Follow == nil || !slow && (n.Metric != "" || refusal.Code != "R8") {
		return refusal
	}
	free, err := m.unbound(n, profiles.Balancer{})
	if err != nil {
		return refusal
	}
	out, fixed := *refusal, int(free.policy.Replicas.Max)
	all, best := float64(fixed)*free.setup.Length.Hours(), free.forecast.ReplicaHours
	other := fmt.Sprintf("give %s another metric: %s is best here", n.Within.Name, free.policy.Metrics[0].Kind)
	if slow {
		other = fmt.Sprintf("take a scaler that looks every %s over %s: free to choose, the advice would be %s", free.policy.Interval, free.policy.Metrics[0].Window, free.forecast.Policy)
	}
	out.Do = fmt.Sprintf("keep %s at all times, which takes %.2f replica-hours instead of %.2f (%+.0f %%) for %s, or %s",
		profiles.Plural(fixed, "replica", "replicas"), all, best, (all/best-1)*100, free.load, other)
	return &out
}
