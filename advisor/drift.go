package advisor

import (
	"context"
	"math"
	"time"
)

const (
	controlShare  = 0.05 // of the budget, at most, for repeating the first step
	controlName   = "control"
	aloneRequests = 60 // requests of a step with a single user
)

// control repeats the first step, one user alone: what it says now that it did
// not say then has nothing to do with the load. There is none where the time
// is over.
func (s *search) control(ctx context.Context, c *Capacity) error {
	s.reserve = s.secondTime()
	length := min(s.left()-s.reserve, s.share(controlShare))
	if length < minStep {
		return nil
	}
	o, err := s.alone(ctx, length)
	if err != nil || o.Spoiled || o.Requests == o.Failed {
		return err
	}
	c.Control = &o
	c.Refusal = refuseDrift(c)
	return nil
}

// alone is a repetition of the first step.
func (s *search) alone(ctx context.Context, length time.Duration) (Observation, error) {
	return s.step(ctx, Trial{Name: controlName, Users: 1, Requests: aloneRequests, Length: length})
}

// drift is how much the mean service time of one user alone has changed
// between the first step and its repetition, as a share, less what chance may
// have done: three standard errors of the difference.
func (c *Capacity) drift() (share float64, ok bool) {
	if c.Control == nil || c.Baseline.Service <= 0 {
		return 0, false
	}
	first, last := c.Baseline.Service.Seconds(), c.Control.Service.Seconds()
	chance := 3 * math.Hypot(c.Baseline.serviceError(), c.Control.serviceError())
	return max(0, math.Abs(last-first)-chance) / first, true
}

// serviceError is the standard error of the mean service time, in seconds.
func (o Observation) serviceError() float64 {
	return o.Deviation.Seconds() / math.Sqrt(float64(max(1, o.Requests-o.Failed)))
}

// controlTime is what the control is expected to take.
func (s *search) controlTime(base Observation) time.Duration {
	return min(s.share(controlShare), max(minStep, aloneRequests*base.Service))
}
