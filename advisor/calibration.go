package advisor

import (
	"context"
	"fmt"
	"math"
	"time"

	"headroom/advisor/sim"
	"headroom/profiles"
)

// Calibration is how near the simulator comes to the measurement that it is
// told of.
type Calibration struct {
	Stretch   float64       // of the service times; 1: as they were measured
	Rate      float64       // arrivals per second, of the step nearest to the SLO capacity
	Measured  time.Duration // p95 of that
	Simulated time.Duration // p95 of the same load in the simulator
}

// Limits of a calibration.
const (
	muchStretched = 0.10   // share from which on it is worth a word
	mostOff       = 3      // times the measured p95, or its part: beyond, the simulator is of another service
	calibrated    = 20_000 // arrivals, which say p95 well enough
)

// stretch is by how much longer the simulated service times are than those of one
// request alone: so that a replica, which works on a whole number of requests at
// once, saturates where it did. It is 1 where it does so by itself, as far as the
// saturation is known.
func (c Capacity) stretch(mean time.Duration) float64 {
	unstretched := float64(c.Concurrency()*max(1, c.Replicas)) / mean.Seconds()
	if c.Saturation.Value <= 0 || c.Saturation.Low <= unstretched && unstretched <= c.Saturation.High {
		return 1
	}
	return unstretched / c.Saturation.Value
}

// Calibrate simulates the measured replicas under the load of the step nearest to
// the SLO capacity; ok is false where no step or no simulation has a p95.
func (m Measurement) Calibrate() (out Calibration, ok bool) {
	c, nearest := m.Capacity, math.Inf(1)
	for _, o := range arrivals(c.Steps) {
		if off := math.Abs(o.Offered - c.SLO.Value); o.P95 > 0 && o.P95 != infinite && off < nearest {
			nearest, out.Rate, out.Measured = off, o.Offered, o.P95
		}
	}
	s, err := m.Simulation()
	if err != nil || out.Rate <= 0 {
		return out, false
	}
	out.Stretch = c.stretch(c.timesAlone().Mean())
	s.Load, s.Length = profiles.Constant(out.Rate), fromSeconds(calibrated/out.Rate)
	if c.Even {
		s.Arrivals = profiles.Even
	}
	fixed, err := sim.Built(profiles.FixedPolicy(max(1, c.Replicas)))
	if err != nil {
		return out, false
	}
	r, err := sim.Run(context.Background(), s, fixed)
	if err != nil || r.Latency == nil {
		return out, false
	}
	out.Simulated = r.Latency.P95
	return out, true
}

// Off reports whether the simulator is so far from the measurement that nothing
// should be decided by it.
func (c Calibration) Off() bool {
	ratio := float64(c.Simulated) / float64(c.Measured)
	return ratio > mostOff || ratio < 1./mostOff
}

// String says it in a sentence.
func (c Calibration) String() string {
	text := fmt.Sprintf("at %s requests/s, the measured replicas have a p95 of %s in the simulator, and had one of %s (%+.0f %%)",
		profiles.FormatRate(c.Rate), latency(c.Simulated), latency(c.Measured), (float64(c.Simulated)/float64(c.Measured)-1)*100)
	if math.Abs(c.Stretch-1) > muchStretched {
		text += fmt.Sprintf("; it has each request take %.2f times as long as one alone took, so that they saturate where they did", c.Stretch)
	}
	return text
}
