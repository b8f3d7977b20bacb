package advisor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"headroom/profiles"
)

const (
	controlShare  = 0.05 // of the budget, at most, for repeating the first step
	controlName   = "control"
	aloneRequests = 60 // requests of a step with a single user
	loadedName    = "control under load"
	fewestLoaded  = 100 // requests of that
	chances       = 3   // standard errors of a difference that are left to chance
)

// enoughForLoaded is the budget from which on the control is repeated under load.
const enoughForLoaded = 2 * time.Minute

// control repeats the first step, one user alone: what it says now that it did
// not say then has nothing to do with the load. There is none where the time
// is over.
func (s *search) control(ctx context.Context, c *Capacity) error {
	s.reserve = s.secondTime(c.Scaling) + s.loadedTime()
	length := min(s.left()-s.reserve, s.share(controlShare))
	if length < minStep {
		return nil
	}
	o, err := s.alone(ctx, length)
	if err != nil || o.Spoiled || o.Requests == o.Failed {
		return err
	}
	c.Control = &o
	if c.Refusal = refuseDrift(c); c.Refusal != nil {
		return nil
	}
	return s.controlLoaded(ctx, c)
}

// controlLoaded repeats the first load that met the SLO, with the same arrivals:
// what fills up or gets lost shows under load before it shows to one user alone.
// There is none where the budget has no room for it.
func (s *search) controlLoaded(ctx context.Context, c *Capacity) error {
	s.reserve = s.secondTime(c.Scaling)
	alike := arrivals(s.steps)
	i := slices.IndexFunc(alike, func(o Observation) bool { return o.Met })
	if i < 0 || s.loadedTime() == 0 {
		return nil
	}
	t := alike[i].Trial
	t.Name, t.Length = loadedName, min(t.Length, s.left()-s.reserve, s.share(controlShare))
	if t.Length < s.shortest(fewestLoaded, t.Rate) {
		return nil
	}
	_, err := s.step(ctx, t)
	if err == nil {
		c.Refusal = refuseLoadedDrift(s.steps)
	}
	return err
}

// loadedDrift is how much p50 has changed between the first step under a load and
// its repetition, as drift says it; 0 where it was not repeated.
func loadedDrift(steps []Observation) (what string, share float64) {
	var last Observation
	for _, o := range steps {
		if o.Trial.Name == loadedName && !o.Spoiled {
			last = o
		}
	}
	i := slices.IndexFunc(steps, func(o Observation) bool { return o.Trial.Rate > 0 && o.Trial.Seed == last.Trial.Seed })
	if i < 0 || last.Requests == 0 || steps[i].P50 <= 0 {
		return "", 0
	}
	first := steps[i]
	return fmt.Sprintf("at %s requests/s half of them took %s at first and %s at the end", profiles.FormatRate(first.Trial.Rate), latency(first.P50), latency(last.P50)),
		changed(first.P50.Seconds(), last.P50.Seconds(), first.P50Error.Seconds(), last.P50Error.Seconds())
}

// changed is the share by which a figure is another at last than it was at first,
// less what may be chance by the standard errors of the two.
func changed(first, last, firstError, lastError float64) float64 {
	return max(0, math.Abs(last-first)-chances*math.Hypot(firstError, lastError)) / first
}

// alone is a repetition of the first step.
func (s *search) alone(ctx context.Context, length time.Duration) (Observation, error) {
	return s.step(ctx, Trial{Name: controlName, Users: 1, Requests: aloneRequests, Length: length})
}

// drift is how much the mean service time of one user alone has changed
// between the first step and its repetition, as a share, less what chance may
// have done: three standard errors of the difference. what says it in words.
func (c *Capacity) drift() (what string, share float64, ok bool) {
	if c.Control == nil || c.Baseline.Service <= 0 {
		return "", 0, false
	}
	first, last := c.Baseline, c.Control
	return fmt.Sprintf("one request alone took %s at first and %s at the end", latency(first.Service), latency(last.Service)),
		changed(first.Service.Seconds(), last.Service.Seconds(), first.serviceError(), last.serviceError()), true
}

// serviceError is the standard error of the mean service time, in seconds.
func (o Observation) serviceError() float64 {
	return o.Deviation.Seconds() / math.Sqrt(float64(max(1, o.Requests-o.Failed)))
}

// controlTime is what the control is expected to take.
func (s *search) controlTime(base Observation) time.Duration {
	return min(s.share(controlShare), max(minStep, aloneRequests*base.Service))
}

// loadedTime is what its repetition under load is expected to take.
func (s *search) loadedTime() time.Duration {
	if s.Budget < enoughForLoaded {
		return 0
	}
	return s.share(controlShare)
}
