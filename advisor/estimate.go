package advisor

import (
	"math"
	"slices"

	"headroom/advisor/model"
	"headroom/profiles"
)

// estimate replaces the figures that the search ended on by those that all of
// its steps together say, with the interval of each.
//
// The search ends on a load that met the SLO: the interval of the estimate
// reaches down to it.
func (c *Capacity) estimate(slo profiles.SLO, seed uint64) {
	c.fitCurves()
	if low, high, ok := saturationSpread(c.Steps, seed); ok {
		c.Saturation.Low, c.Saturation.High = min(low, c.Saturation.Value), max(high, c.Saturation.Value)
	}
	if c.failing() {
		return
	}
	if found, ok := crossing(arrivals(c.Steps), slo, c.settled, c.Saturation.High, seed); ok {
		c.SLO = found
	}
}

// crossing is the load at which the share of requests over their limit crosses
// what is allowed, the lowest of all percentiles of the SLO, by what steps of the
// open model say together. Its interval reaches down to a load that is known to be
// met; 0 where none is. ok is false where the steps are too few.
func crossing(steps []Observation, slo profiles.SLO, met, saturation float64, seed uint64) (found Interval, ok bool) {
	steps = slices.DeleteFunc(steps, func(o Observation) bool { return len(o.Blocks) == 0 })
	if len(steps) < 2 {
		return found, false
	}
	found = Interval{Value: math.Inf(1), Low: met, High: math.Inf(1), Unit: "/s"}
	for k, objective := range slo.Percentiles() {
		var blocks []model.Blocks
		var totals []model.Tally
		for _, o := range steps {
			if b := o.overs(k); b.Total().All > 0 {
				blocks, totals = append(blocks, b), append(totals, b.Total())
			}
		}
		cross := func(totals []model.Tally) (float64, bool) {
			return model.Crossing(totals, saturation, 1-objective.Quantile)
		}
		value, ok := cross(totals)
		if !ok {
			return found, false
		}
		low, high, ok := model.Spread(blocks, seed, cross)
		if !ok {
			return found, false
		}
		found.Value, found.Low, found.High = min(found.Value, value), min(found.Low, low), min(found.High, high)
	}
	found.Low, found.High = min(found.Low, found.Value), max(found.High, found.Value)
	return found, true
}

// fitCurves models how the throughput grows with the users of the closed model.
func (c *Capacity) fitCurves() {
	c.Knee = c.Saturation.Value * c.Service.Seconds()
	var points []model.Throughput
	for _, o := range rungs(c.Steps) {
		if o.Rate > 0 && 2*o.Failed <= o.Requests {
			points = append(points, model.Throughput{N: float64(o.Trial.Users), X: o.Rate})
		}
	}
	c.Curves = model.FitCurves(points)
}

// failing reports whether errors, not latencies, ended what the SLO allows.
func (c *Capacity) failing() bool {
	return slices.ContainsFunc(arrivals(c.Steps), func(o Observation) bool { return o.Failing })
}

// saturationSpread is how sure the saturation is, from the rungs of the ladder.
func saturationSpread(steps []Observation, seed uint64) (low, high float64, ok bool) {
	var ladder []model.Blocks
	for _, o := range crowds(steps) {
		if len(o.Blocks) > 0 {
			ladder = append(ladder, o.answers())
		}
	}
	if len(ladder) == 0 {
		return 0, 0, false
	}
	return model.Spread(ladder, seed, func(totals []model.Tally) (float64, bool) { return throughput(totals), true })
}
