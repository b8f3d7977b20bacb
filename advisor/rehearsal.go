package advisor

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"headroom/advisor/sim"
	"headroom/profiles"
)

// Simulation is a setup in which a service behaves as it was measured, and is
// held to the same SLO. Its load is still to be said. The error is that the
// measurement has no capacity, or no SLO that can be read.
func (m Measurement) Simulation() (sim.Setup, error) {
	c, s := m.Capacity, sim.Default()
	if c.Refusal != nil || c.Service <= 0 || c.PerReplica() <= 0 {
		return s, fmt.Errorf("the measurement has no capacity, want one that was not refused")
	}
	var err error
	s.SLO, err = profiles.ParseSLO(m.SLO)
	s.Service, s.CPU, s.Concurrency, s.StartUp = c.ServiceTimes(), c.CPU, c.Concurrency(), m.StartUp
	s.CPULimit = cmp.Or(c.CPULimit, s.CPULimit)
	s.Demand = sim.Linear(c.PerReplica().Float())
	return s, err
}

// fewestTimes are as many service times as stand for their distribution.
const fewestTimes = 20

// ServiceTimes are those of one request alone, stretched to the saturation that
// was measured.
func (c Capacity) ServiceTimes() sim.Service {
	alone := c.timesAlone()
	return alone.Stretched(c.stretch(alone.Mean()))
}

// timesAlone are the service times of one request alone, at the beginning and at
// the end. Of a measurement that has few of them they are the lognormal ones
// through the p50 and p95 of the beginning, with its mean: nothing else is in
// that latency.
func (c Capacity) timesAlone() sim.Service {
	times := slices.Clone(c.Baseline.Times)
	if c.Control != nil {
		times = append(times, c.Control.Times...)
	}
	low, high := c.Baseline.P50, c.Baseline.P95
	switch {
	case len(times) >= fewestTimes:
		return sim.Samples(times)
	case low <= 0 || high == math.MaxInt64:
		return sim.Constant(c.Service)
	}
	return sim.Percentiles(sim.Percentile{Share: 0.5, Value: low}, sim.Percentile{Share: 0.95, Value: high}, c.Service)
}

// How much is rehearsed: an hour of a traffic, a day of a trace, or as long as
// it takes about a second.
const (
	rehearsedTraffic  = time.Hour
	rehearsedTrace    = 24 * time.Hour
	leastRehearsed    = 10 * time.Minute
	rehearsedArrivals = 4e6
)

// Rehearsal is a Simulation of what advice is for: the course of its traffic, or
// of a recorded one the part around its steepest rise, as it was recorded; load
// says which. The error is as of Simulation, or that these are too many requests,
// or what is wrong with the setup.
func (m Measurement) Rehearsal(t profiles.Traffic, of Sizing) (s sim.Setup, load string, err error) {
	if s, err = m.Simulation(); err != nil {
		return s, "", err
	}
	if of.Starts > 0 {
		s.StartUp = []time.Duration{of.Starts}
	}
	s.Dispatch, s.CPULimit = of.Dispatch, cmp.Or(of.CPULimit, s.CPULimit)
	longest, rate := rehearsedTraffic, t.High.Float()
	if h := of.History; h != nil {
		longest, rate = min(rehearsedTrace, h.length), h.rate(h.length, h.length)
	}
	affordable := fromSeconds(rehearsedArrivals / rate)
	if affordable < min(leastRehearsed, longest) {
		return s, "", fmt.Errorf("%s requests/s are too many to simulate", profiles.FormatRate(rate))
	}
	s.Length = longest
	if affordable < longest {
		s.Length = affordable.Truncate(time.Minute)
	}
	if of.History == nil {
		s.Load, load = of.Course(t, s.Length), profiles.Duration(s.Length).String()+" of this traffic"
		return s, load, s.Validate()
	}
	part, start, load := of.History.steepest(s.Length)
	if s.Load = part; !start.IsZero() {
		s.Start = start
	}
	return s, load, s.Validate()
}
