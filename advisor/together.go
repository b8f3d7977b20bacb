package advisor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"headroom/profiles"
)

const (
	togetherShare = 0.03 // of the budget, at least, for arrivals at the second number of replicas
	togetherSteps = 3    // at most
)

// enoughForTogether is the budget from which on there are any.
const enoughForTogether = 3 * time.Minute

// together narrows down what the second number of replicas hold within the SLO:
// first so many times what one holds, then half way to what is known to be too
// much, or to little. What the steps say is for the estimate.
func (s *search) together(ctx context.Context, c *Capacity) error {
	m := c.Scaling
	if m == nil || s.togetherTime(m) == 0 {
		return nil
	}
	for n := togetherSteps; n > 0; n-- {
		rate := c.nextTogether(s.steps)
		least := s.shortest(s.enoughToPass(), rate)
		if s.left() < least {
			return nil
		}
		length := min(max(least, s.left()/time.Duration(n)), fromSeconds(keptShare*maxSamples/rate))
		o, err := s.step(ctx, Trial{Name: fmt.Sprintf("%d replicas, %s", m.Replicas, rateName(rate)), Rate: rate, Arrivals: s.Arrivals, Replicas: m.Replicas, Length: length})
		switch {
		case ctx.Err() != nil:
			return err
		case err != nil:
			m.Skipped = err.Error()
			return nil
		case o.Spoiled:
			m.Skipped = o.Why
			return nil
		}
	}
	return nil
}

// togetherTime is what that is expected to take, where so much is known.
func (s *search) togetherTime(known *Scaling) time.Duration {
	if s.Second == 0 || s.Budget < enoughForTogether || known != nil && (known.HostLimited || known.SLO != nil) {
		return 0
	}
	return s.share(togetherShare)
}

// nextTogether is the load of the next step at the second number of replicas.
func (c *Capacity) nextTogether(steps []Observation) float64 {
	done := c.Scaling.arrivals(steps)
	if len(done) == 0 {
		return c.times() * c.SLO.Value
	}
	low, top := c.SLO.Value, c.times()*c.Saturation.High
	for _, o := range done {
		if o.Met || o.Short {
			low = max(low, o.Offered)
		} else {
			top = min(top, o.Offered)
		}
	}
	return (low + top) / 2
}

// times is how many times the first number of replicas the second one is.
func (c *Capacity) times() float64 {
	return float64(c.Scaling.Replicas) / float64(max(1, c.Replicas))
}

// arrivals are the steps of the open model that say what so many replicas hold.
func (m *Scaling) arrivals(steps []Observation) []Observation {
	return slices.DeleteFunc(arrivalsAt(steps, m.Replicas), func(o Observation) bool { return o.Host.Saturated() })
}

// estimateTogether says what the second number of replicas hold within the SLO,
// as estimate does of the first, or why that is not known. Where the few steps
// give no estimate, because chance has them contradict each other, it is the
// highest load that met the SLO, within what was proven. budget is that of the
// search that was to measure it.
func (c *Capacity) estimateTogether(slo profiles.SLO, seed uint64, budget time.Duration) {
	m := c.Scaling
	if m == nil {
		return
	}
	steps, top := m.arrivals(c.Steps), c.times()*c.Saturation.High
	held := Capacity{failed: top}
	for _, o := range steps {
		held.note(o)
	}
	held.settle(held.met)
	if found, ok := crossing(steps, slo, held.met, top, seed); ok {
		held.SLO = found
	}
	m.SLO = nil
	switch {
	case slices.ContainsFunc(steps, func(o Observation) bool { return o.Failing }):
		m.Skipped = "requests failed"
	case len(steps) > 1 && held.SLO.Value > 0:
		m.SLO, m.Skipped = new(held.SLO), ""
	case m.HostLimited || len(steps) < len(arrivalsAt(c.Steps, m.Replicas)):
		m.Skipped = "they share a machine that was full"
	case m.Skipped != "":
	case c.Interrupted:
		m.Skipped = "it was interrupted"
	case budget < enoughForTogether:
		m.Skipped = fmt.Sprintf("it takes a --budget of %v or more", profiles.Duration(enoughForTogether))
	default:
		m.Skipped = "the budget had no room for enough requests"
	}
}

// Gain is what the second number of replicas hold within the SLO over so many
// times what the first ones do; ok is false where that was not measured, or
// nothing was proven of these. Above 1 requests wait in one queue, below the
// replicas share something.
func (c *Capacity) Gain() (r Ratio, ok bool) {
	if c.Scaling == nil || c.Scaling.SLO == nil || c.SLO.Low <= 0 {
		return r, false
	}
	return ratioOf(c.Scaling.SLO.each(c.Scaling.Replicas), c.SLO.each(c.Replicas)), true
}

// each is the part of one of so many replicas; 0: their number is not known.
func (i Interval) each(replicas int) Interval {
	n := float64(max(1, replicas))
	return Interval{Value: i.Value / n, Low: i.Low / n, High: i.High / n, Unit: i.Unit}
}

// Each is the SLO capacity of one replica that advice may count on: its part of
// what the first ones hold, or of what the second number do where that is less
// for certain.
func (c *Capacity) Each() Interval {
	if c.less() {
		return c.Scaling.SLO.each(c.Scaling.Replicas)
	}
	return c.SLO.each(c.Replicas)
}

// less reports whether each of several replicas holds less than one alone.
func (c *Capacity) less() bool {
	gain, ok := c.Gain()
	return ok && gain.High < 1
}
