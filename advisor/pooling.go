package advisor

import (
	"fmt"
	"math"

	"headroom/advisor/sim"
	"headroom/load"
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
// Scalability Law with σ 1/n and no κ). A shared queue loses nothing. Where each of
// several holds more within the SLO than one alone, that tells, and random is 0.
func (c *Capacity) dispatchClass() (d dispatch, random float64) {
	if gain, ok := c.Gain(); ok && gain.Low > 1 {
		return shared, 0
	}
	m := c.Scaling
	if m == nil || m.HostLimited || c.Concurrency() > 1 {
		return untold, 0
	}
	for _, o := range c.Steps {
		if o.Trial.Replicas == m.Replicas && o.Trial.Users > 0 {
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
// in one queue before all of them than when each has its own: as it was measured,
// with what theory says of it, or by theory alone. The target does not count on
// it; ok is false where neither says anything.
func (s sized) pooling(p profiles.Policy) (v Value, ok bool) {
	n := max(2, p.Replicas.Min)
	if s.Evidence == nil || int(p.Replicas.Max) < n {
		return v, false
	}
	theory := s.inTheory()
	if gain, ok := s.Evidence.Gain(); ok {
		v = s.pooled(gain, theory)
	} else if theory != nil {
		v = s.wouldPool(n, theory)
	} else {
		return v, false
	}
	if theory != nil {
		c := s.Evidence
		v.Inputs = append(v.Inputs, fmt.Sprintf("theory: %s/s each of %d with one queue (Allen-Cunneen); c = %d x %d servers; service %s, C² %.2f; Poisson arrivals",
			profiles.FormatRate(theory.Capacity(n)/float64(n)), n, n, c.Concurrency(), latency(c.Service), c.ServiceTimes().Variation()))
	}
	v.Inputs = append(v.Inputs, s.Evidence.dispatchText())
	return v, true
}

// inTheory is what replicas with one queue hold by Allen and Cunneen, each of so
// many servers as it works on requests at once; nil where the SLO says nothing of
// latency, or theory does not reach it.
func (s sized) inTheory() *sim.Demand {
	if _, latency := s.SLO.Latency(); !latency {
		return nil
	}
	theory, err := sim.InTheory(s.Evidence.ServiceTimes(), s.Evidence.Concurrency(), s.SLO)
	if err != nil {
		return nil
	}
	return theory
}

// pooled is the gain that was measured, and whether theory agrees; nil: there is
// none.
func (s sized) pooled(gain Ratio, theory *sim.Demand) Value {
	m, one := s.Evidence.Scaling, s.Evidence.SLO.each(s.Evidence.Replicas)
	each := m.SLO.each(m.Replicas)
	more := func(f load.Figure) float64 { return math.Round((float64(f) - 1) * 100) }
	v := Value{Name: "pooling", Value: more(gain.Value), Low: more(gain.Low), High: more(gain.High), Unit: fmt.Sprintf("%% more per replica, of %d together", m.Replicas),
		Formula:  fmt.Sprintf("%s each of %d together / %s of one alone (both measured)", each, m.Replicas, one),
		Why:      "the target does not count on it",
		Rejected: []Rejection{s.pooledTarget(each.Value)}}
	if s.Evidence.less() {
		v.Why, v.Rejected = "each holds less than one alone, so that they share something: the target counts on the less",
			[]Rejection{{fmt.Sprintf("%s/s, what one alone holds", profiles.FormatRate(one.Value)), "several do not hold so much each"}}
	}
	if theory == nil {
		return v
	}
	said := theory.Capacity(m.Replicas) / float64(m.Replicas)
	text := fmt.Sprintf("theory says %s/s each with one queue", profiles.FormatRate(said))
	switch {
	case said > each.High*(1+closeBracket):
		text += ", more than was measured: they have no such queue, or share something"
	case said < each.Low*(1-closeBracket):
		text += ", less than was measured: what one request alone takes does not tell how several are served"
	default:
		text += ", as was measured"
	}
	v.Why = text + "; " + v.Why
	return v
}

// wouldPool is the gain of n replicas by theory, over what was measured of one.
func (s sized) wouldPool(n int, theory *sim.Demand) Value {
	alone := s.Capacity.Float()
	together := max(alone, theory.Capacity(n)/float64(n))
	return exact(Value{Name: "pooling", Value: math.Round((together/alone - 1) * 100), Unit: "% more per replica, with one queue",
		Formula:  fmt.Sprintf("%s/s each of %d with one queue (Allen-Cunneen), %s/s each with its own (measured)", profiles.FormatRate(together), n, profiles.FormatRate(alone)),
		Why:      "with one queue a request waits only while all are busy; the target does not count on it",
		Rejected: []Rejection{s.pooledTarget(together)}})
}

// pooledTarget is what the target would be if each held so much.
func (s sized) pooledTarget(each float64) Rejection {
	return Rejection{fmt.Sprintf("a target of %s/s", profiles.FormatRate(s.target.Float()*each/s.Capacity.Float())),
		"a balancer that chooses at random has none of it, and one replica alone neither"}
}

// dispatchText says how requests find a replica, and what tells.
func (c *Capacity) dispatchText() string {
	switch d, random := c.dispatchClass(); {
	case d == shared && random == 0:
		gain, _ := c.Gain()
		return fmt.Sprintf("dispatch: shared, as each of %d replicas holds %s of what one alone does within the SLO", c.Scaling.Replicas, gain.Share())
	case d == shared:
		return fmt.Sprintf("dispatch: shared, as %d replicas reached %.0f %% of so many; chosen at random they would reach %.0f %%", c.Scaling.Replicas, c.Scaling.Efficiency.Value*100, random*100)
	case d == split:
		return fmt.Sprintf("dispatch: split, as %d replicas reached %.0f %% of so many, and chosen at random they would reach %.0f %%; or they share what limits them", c.Scaling.Replicas, c.Scaling.Efficiency.Value*100, random*100)
	}
	return "dispatch: the steps do not tell whether requests wait in one queue"
}
