package advisor

import (
	"context"
	"fmt"
	"math"
	"time"

	"headroom/advisor/model"
	"headroom/load"
)

// step performs one trial, with arrivals of its own unless it says which. One
// that the generator or a change of the fleet spoiled is repeated once, then
// marked.
func (s *search) step(ctx context.Context, t Trial) (Observation, error) {
	if t.Seed == 0 {
		t.Seed = s.Seed + uint64(len(s.steps))
	}
	var o Observation
	for attempt := range 2 {
		var err error
		if o, err = s.runner.Run(ctx, t); err != nil {
			return o, err
		}
		s.spent += o.Took
		why := s.spoiled(o)
		if why == "" {
			break
		}
		if o.Replicas == Changing && t.Replicas == 0 { // it reacts: be done before it does
			s.brief = max(minStep, t.Length/2)
			t.Length = s.briefly(t.Length, s.shortest(s.enoughToPass(), t.Rate))
		}
		if attempt > 0 || s.left() < t.Length {
			o.Spoiled, o.Verdict, o.Why = true, model.Unsure, why
			break
		}
	}
	grown := s.grew(o)
	s.steps = append(s.steps, o)
	if s.Progress != nil {
		s.Progress(s.steps, s.left())
	}
	if grown {
		return o, errGrown
	}
	return o, nil
}

// spoiled says what distorted a step, or "".
func (s *search) spoiled(o Observation) string {
	switch {
	case o.Health.Verdict == load.Limited:
		return "the load generator, not the service, was the limit: " + o.Health.Reason
	case o.Full:
		return fmt.Sprintf("there were more than %d requests, all that are kept of a step", maxSamples)
	case o.unsteady():
		return fmt.Sprintf("the time of one request alone was still changing: the second half took %+.0f %%, besides what may be chance", o.Drift*100)
	case o.Replicas == Changing:
		return "the number of replicas changed during the step"
	case o.Trial.Replicas > 0:
		if o.Replicas != o.Trial.Replicas {
			return fmt.Sprintf("there were %d replicas instead of %d", o.Replicas, o.Trial.Replicas)
		}
	case len(s.steps) > 0 && o.Replicas != s.steps[0].Replicas:
		return fmt.Sprintf("there were %d replicas, and %d in the first step", o.Replicas, s.steps[0].Replicas)
	}
	return ""
}

// briefly is how long a step should be that was to take length, and takes least
// to say enough, where the fleet reacts to the load.
func (s *search) briefly(length, least time.Duration) time.Duration {
	if s.brief == 0 {
		return length
	}
	return min(length, max(least, s.brief))
}

func (s *search) left() time.Duration { return s.Budget - s.spent }

func (s *search) share(of float64) time.Duration {
	return max(minStep, time.Duration(of*float64(s.Budget)))
}

// stepLength is how long a step at that rate should be: its share of the time
// that is left, but long enough for so many requests to be judged, and short
// enough for all of them to be kept. It is not enough when the budget has no
// room for so many.
func (s *search) stepLength(requests int, rate, low, high float64) (length time.Duration, enough bool) {
	least := s.shortest(requests, rate)
	left := s.left() - s.reserve
	if low == 0 && left < least {
		left = s.left() // while nothing has met the SLO there is nothing to be controlled
	}
	if left < least {
		return 0, false
	}
	coming := 2.0 // this one and a confirmation
	if high > low {
		coming += math.Log2(max(1, (high-low)/(0.05*high)))
	}
	share := s.briefly(time.Duration(float64(left)/coming), least)
	return min(left, max(least, share), fromSeconds(keptShare*maxSamples/rate)), true
}

// shortest is how long a step at that rate takes to judge so many requests.
func (s *search) shortest(requests int, rate float64) time.Duration {
	if rate == 0 { // the closed model
		return minStep
	}
	return max(minStep, fromSeconds(float64(requests)/rate/(1-warmUp)))
}

// enoughToPass is the least number of requests that can prove every percentile
// of the SLO, and say anything at all. Of a percentile that speaks of some of
// the requests, such as those of a task, it takes as many more.
func (s *search) enoughToPass() int {
	var blocks []Block
	for _, o := range s.steps {
		blocks = append(blocks, o.Blocks...)
	}
	requests := enoughForRate
	for k, objective := range s.SLO.Percentiles() {
		if share := shareOf(k, blocks); share > 0 {
			requests = max(requests, int(math.Ceil(float64(model.EnoughToPass(1-objective.Quantile))/share)))
		}
	}
	return requests
}

func fromSeconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
