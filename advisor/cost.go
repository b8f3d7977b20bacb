package advisor

import (
	"fmt"
	"math"

	"headroom/profiles"
)

// hoursOfMonth is the mean month: 365 x 24 / 12.
const hoursOfMonth = 730

// replicasAt is how many the policy comes to at a rate, once it has settled;
// one replica is given target requests/s.
func (s sized) replicasAt(p profiles.Policy, rate, target profiles.Milli) float64 {
	n := ceilDiv(rate, target)
	if m := p.Metrics[0]; m.Kind == profiles.FreeWorkers {
		n = ceilProduct(rate, s.Service) + int(m.Target.Float())
	}
	return float64(min(max(n, p.Replicas.Min), int(p.Replicas.Max)))
}

// replicasText says how that is derived.
func (s sized) replicasText(p profiles.Policy) string {
	how := fmt.Sprintf("ceil(rate / %s)", s.target)
	if m := p.Metrics[0]; m.Kind == profiles.FreeWorkers {
		how = fmt.Sprintf("ceil(rate x %s) busy + %s free", latency(s.Service), m.Target)
	}
	return fmt.Sprintf("at a rate %s replicas, %d to %s", how, p.Replicas.Min, p.Replicas.Max)
}

// costs are what the recommendation costs at the price of a replica-hour: at
// both ends of the traffic or, by a trace, in the mean.
func (s sized) costs(p profiles.Policy) []Value {
	if s.Price == 0 {
		return nil
	}
	if s.History != nil {
		return []Value{s.cost(p, "cost", s.History.rates, "in the mean of the traffic of the trace, without what a schedule keeps beyond it")}
	}
	return []Value{
		s.cost(p, "cost, least", []float64{s.Traffic.Low.Float()}, "in the quiet hours"),
		s.cost(p, "cost, most", []float64{s.Traffic.High.Float()}, "in the busy hours"),
	}
}

// cost is the mean over rates, per hour.
func (s sized) cost(p profiles.Policy, name string, rates []float64, when string) Value {
	replicas := func(target profiles.Milli) float64 {
		sum := 0.0
		for _, rate := range rates {
			sum += s.replicasAt(p, profiles.MilliOf(rate), target)
		}
		return sum / float64(len(rates))
	}
	n := replicas(s.target)
	v := Value{Name: name, Value: n * s.Price, Unit: "an hour",
		Formula: fmt.Sprintf("%s %s x %g; x %d h = %.2f a month", profiles.MilliOf(n), plural(int(math.Ceil(n))), s.Price, hoursOfMonth, n*s.Price*hoursOfMonth),
		Inputs:  []string{fmt.Sprintf("price %g of a replica-hour", s.Price), s.replicasText(p)},
		Why:     "what the settled fleet costs " + when,
		Rejected: []Rejection{{fmt.Sprintf("%.2f, max replicas at all times", float64(p.Replicas.Max)*s.Price),
			"that is what a fixed fleet for the busiest hour would cost"}}}
	return s.between(v, func(capacity profiles.Milli) float64 {
		target, _ := s.given(capacity)
		return replicas(target) * s.Price
	})
}
