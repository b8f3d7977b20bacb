package advisor

import (
	"fmt"
	"math"

	"headroom/advisor/model"
	"headroom/profiles"
)

// tester collects the tests of a metric.
type tester []MetricTest

func (t *tester) atLeast(name string, v, want float64) {
	*t = append(*t, MetricTest{Name: name, Value: v, Want: fmt.Sprintf("%g or more", want), Passed: v >= want})
}

func (t *tester) atMost(name string, v, want float64) {
	*t = append(*t, MetricTest{Name: name, Value: v, Want: fmt.Sprintf("%g or less", want), Passed: v <= want})
}

// nature is a test that no measurement decides.
func (t *tester) nature(name string, passed bool, why string) {
	*t = append(*t, MetricTest{Name: name, Passed: passed, Instead: "by its nature: " + why})
}

// missing is one that the steps do not allow.
func (t *tester) missing(name, why string) {
	*t = append(*t, MetricTest{Name: name, Instead: why, Missing: true})
}

const fewSteps = "not enough steps"

// tests are what may be said of a metric by the steps, and by what it is.
func (c *Capacity) tests(s signals, now circumstances) []MetricTest {
	var out tester
	line, ok := model.FitLine(s.load, s.value)
	at, quarter := line.At(s.capacity), line.At(s.capacity/4)
	if ok {
		out.atLeast("linear", line.R2, leastFit)
	} else {
		out.missing("linear", fewSteps)
	}
	switch {
	case s.kind == profiles.Queue || s.kind == profiles.FreeWorkers:
		out.nature("range", true, "it is compared with its target, not divided by it")
	case !ok:
		out.missing("range", fewSteps)
	case quarter <= 0:
		out.missing("range", "the steps do not reach so low: their line is below 0 at a quarter of the capacity")
	default:
		out.atLeast("range", at/quarter, leastRange)
	}
	if apart, ok := s.apart(); ok {
		out.atLeast("separates", apart, leastApart)
	} else {
		out.missing("separates", fewSteps)
	}
	switch {
	case s.kind == profiles.CPU && ok && at > 0: // it cannot show more than is served
		top := min(beyond*s.capacity, c.Saturation.Value/float64(max(1, c.Replicas)))
		out.atLeast("clips", line.At(top)/at, leastHeadroom)
	case s.kind == profiles.CPU:
		out.missing("clips", fewSteps)
	case s.kind == profiles.FreeWorkers:
		out.nature("clips", false, "it ends at none")
	default:
		out.nature("clips", true, "what arrives at the balancer, and what waits, has no end")
	}
	if s.kind == profiles.RPS {
		out.atMost("mix", c.variation(), mostMix)
	}
	if s.kind == profiles.Latency { // a request says how late it is when it is over
		out.atMost("fresh", now.limit.Seconds(), now.interval.Seconds())
	} else {
		out.nature("fresh", true, "it is of the moment")
	}
	if noise, ok := c.noise(s.kind, now); ok {
		out = append(out, MetricTest{Name: "quiet", Value: noise, Want: fmt.Sprintf("%g or less in the busy hours", mostNoise), Passed: noise <= mostNoise})
	}
	return out
}

// demote makes a metric that seemed good usable where it does not tell what
// meets the SLO from what misses it, or hardly grows.
func (m *MetricScore) demote() {
	if m.Fitness != Good {
		return
	}
	if t, no := failed(m.Tests, "range"); no {
		m.Fitness, m.Why = Usable, fmt.Sprintf("at the capacity it is only %.1f times what it is at a quarter of it: a fleet would be much larger, or smaller, than the load", t.Value)
	}
	if t, no := failed(m.Tests, "separates"); no {
		m.Fitness, m.Why = Usable, fmt.Sprintf("loads that missed the SLO show only %.1f standard deviations more of it than those that met it", t.Value)
	}
}

// apart is how many standard deviations lie between the lowest value of a step
// that failed and the highest of one that passed. The deviation is that of the
// steps from a line over the load.
func (s signals) apart() (float64, bool) {
	if len(s.passed) < 2 || len(s.failed) < 2 {
		return 0, false
	}
	line, ok := model.FitLine(s.load, s.value)
	if !ok {
		return 0, false
	}
	squares := 0.0
	for i, x := range s.load {
		squares += (s.value[i] - line.At(x)) * (s.value[i] - line.At(x))
	}
	deviation := math.Sqrt(squares / float64(len(s.load)))
	gap := math.Inf(1)
	for _, f := range s.failed {
		for _, p := range s.passed {
			more := f - p
			if s.kind == profiles.FreeWorkers { // of which there are fewer
				more = -more
			}
			gap = min(gap, more)
		}
	}
	if deviation == 0 {
		return math.Copysign(mostApart, gap), true
	}
	return max(-mostApart, min(mostApart, gap/deviation)), true
}

// noise is the relative standard error of the metric over its window, at the
// rate of the busy hours: √(I/(λW)) of a count of arrivals whose variance is I
// times their mean, 1 for Poisson ones, and √((I+C²)/(λW)) of the requests in flight.
func (c *Capacity) noise(kind profiles.Kind, now circumstances) (float64, bool) {
	arrivals, bursts := now.traffic.High.Float()*now.window.Seconds(), max(1, now.bursts)
	if arrivals <= 0 {
		return 0, false
	}
	switch kind {
	case profiles.RPS, profiles.CPU:
		return math.Sqrt(bursts / arrivals), true
	case profiles.InFlight:
		return math.Sqrt((bursts + c.variation()*c.variation()) / arrivals), true
	}
	return 0, false
}
