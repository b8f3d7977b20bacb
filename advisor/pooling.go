package advisor

import (
	"fmt"
	"math"

	"headroom/advisor/sim"
	"headroom/profiles"
)

// dispatch is how requests find a replica, as far as it was measured.
type dispatch string

// The values of a dispatch.
const (
	shared dispatch = "shared" // one queue before all, or what comes close: the replica with fewest
	split  dispatch = "split"  // any replica, whatever waits there
	untold dispatch = "untold" // the evidence fits both, or neither
)

// dispatchClass compares what several replicas reached with so many users with
// what they would if each request went to any of them. n single servers of which
// one is chosen at random for each of N users are a balanced closed network, whose
// throughput is N/(n+N-1) of what n servers hold (product form; the Universal
// Scalability Law with σ 1/n and no κ). A shared queue loses nothing.
func (c *Capacity) dispatchClass() (d dispatch, random float64) {
	m := c.Scaling
	if m == nil || m.HostLimited || c.Concurrency() > 1 {
		return untold, 0
	}
	for _, o := range c.Steps {
		if o.Trial.Replicas == m.Replicas {
			random = float64(o.Trial.Users) / float64(m.Replicas+o.Trial.Users-1)
		}
	}
	switch e := m.Efficiency; {
	case random == 0 || random >= 1:
		return untold, random
	case e.Low > random:
		return shared, random
	case e.High < 1 && e.High >= random:
		return split, random
	}
	return untold, random
}

// Ceiling is the most requests per second that one replica should be given where
// nothing else was measured: what it holds alone within the SLO, with the interval
// of that. Several hold more each only while their requests wait in one queue; ok
// is false where that was measured.
func (m Measurement) Ceiling() (most sim.Estimate, ok bool) {
	c := m.Capacity
	if d, _ := c.dispatchClass(); d == shared {
		return most, false
	}
	low, high := Needs{Evidence: &c}.capacityAt()
	return sim.Estimate{Value: c.PerReplica().Float(), Low: low.Float(), High: high.Float()}, true
}

// pooling is how much more each replica holds within the SLO when requests wait
// in one queue before all of them than when each has its own: what Allen and
// Cunneen say of c = replicas x concurrency servers, over what was measured of
// one. The target does not count on it; ok is false where the SLO says nothing of
// latency, or theory does not reach it.
func (s sized) pooling(p profiles.Policy) (v Value, ok bool) {
	n := max(2, p.Replicas.Min)
	if s.Evidence == nil || int(p.Replicas.Max) < n {
		return v, false
	}
	if _, latency := s.SLO.Latency(); !latency {
		return v, false
	}
	c := s.Evidence
	theory, err := sim.InTheory(c.ServiceTimes(), c.Concurrency(), s.SLO)
	if err != nil {
		return v, false
	}
	alone := s.Capacity.Float()
	together := max(alone, theory.Capacity(n)/float64(n))
	v = Value{Name: "pooling", Value: math.Round((together/alone - 1) * 100), Unit: "% more per replica, with one queue",
		Formula: fmt.Sprintf("%s/s each of %d with one queue (Allen-Cunneen), %s/s each with its own (measured)", profiles.FormatRate(together), n, profiles.FormatRate(alone)),
		Inputs:  []string{fmt.Sprintf("c = %d x %d servers; service %s, C² %.2f; Poisson arrivals", n, c.Concurrency(), latency(c.Service), c.ServiceTimes().Variation())},
		Why:     "with one queue a request waits only while all are busy; the target does not count on it",
		Rejected: []Rejection{{fmt.Sprintf("a target of %s/s", profiles.FormatRate(s.target.Float()*together/alone)),
			"a balancer that chooses at random has none of it, and one replica alone neither"}}}
	switch d, random := c.dispatchClass(); d {
	case shared:
		v.Inputs = append(v.Inputs, fmt.Sprintf("dispatch: shared, as %d replicas reached %.0f %% of so many; chosen at random they would reach %.0f %%", c.Scaling.Replicas, c.Scaling.Efficiency.Value*100, random*100))
	case split:
		v.Inputs = append(v.Inputs, fmt.Sprintf("dispatch: split, as %d replicas reached %.0f %% of so many, and chosen at random they would reach %.0f %%; or they share what limits them", c.Scaling.Replicas, c.Scaling.Efficiency.Value*100, random*100))
	default:
		v.Inputs = append(v.Inputs, "dispatch: the steps do not tell whether requests wait in one queue")
	}
	return exact(v), true
}
