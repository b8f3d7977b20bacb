package advisor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"headroom/advisor/model"
	"headroom/load"
	"headroom/profiles"
)

// SearchOptions bound a capacity search.
type SearchOptions struct {
	SLO      profiles.SLO  // with at least one latency percentile
	Budget   time.Duration // of load; starting and pinning replicas comes on top
	Seed     uint64
	Progress func(steps []Observation, left time.Duration) // optional; called after each step
}

// MinBudget is the shortest search that can answer anything.
const MinBudget = 10 * time.Second

// Shares of the budget, and limits of the search.
const (
	baseShare     = 0.10 // at most, for the step with a single user
	ladderShare   = 0.35 // at most, for finding saturation
	rungShare     = 0.05 // at most, for one rung of the ladder
	minStep       = 2 * time.Second
	maxUsers      = 512  // of the ladder
	plateauGain   = 0.05 // a rung that gains less is on the plateau
	plateauShare  = 0.80 // of the best rung, from which on one belongs to the plateau
	enoughForRate = 30   // requests of a rung that say anything about its throughput
	bracketGoal   = 1.05 // lowest load that missed over the highest that met, close enough
	firstShare    = 0.7  // of saturation, where the bisection starts
	stepBack      = 0.93 // of a load that was not confirmed
	baseErrors    = 0.01 // share of failures from which on the baseline is worthless
)

// Validate names what a search cannot work with.
func (o SearchOptions) Validate() error {
	if _, ok := o.SLO.Latency(); !ok {
		return fmt.Errorf("--slo: got %q, want at least one latency percentile such as p95<300ms", o.SLO)
	}
	for _, objective := range o.SLO {
		if m := objective.Measure; m != profiles.Percentile && m != profiles.Errors {
			return fmt.Errorf("--slo: got %s, want only latency percentiles and errors where a capacity is measured", objective)
		}
	}
	if o.Budget < MinBudget {
		return fmt.Errorf("--budget: got %v, want %v or more", o.Budget, MinBudget)
	}
	return nil
}

// search is a capacity search at work. It keeps no time of its own: the
// observations say how long they took.
type search struct {
	SearchOptions
	runner Runner
	steps  []Observation
	spent  time.Duration
}

// Search finds the highest load that meets the SLO, with as many replicas as
// there are: one user alone, then more and more users until the throughput
// stops growing (saturation), then Poisson arrivals at a bisected share of it
// (the SLO capacity), and a confirming step. A refusal is a result, not an
// error.
func Search(ctx context.Context, r Runner, o SearchOptions) (Capacity, error) {
	if err := o.Validate(); err != nil {
		return Capacity{}, err
	}
	s := &search{SearchOptions: o, runner: r}
	c, err := s.run(ctx)
	c.Steps, c.Budget, c.Spent = s.steps, o.Budget, s.spent
	return c, err
}

func (s *search) run(ctx context.Context) (Capacity, error) {
	base, err := s.step(ctx, Trial{Name: "baseline", Users: 1, Requests: 60, Length: s.share(baseShare)})
	if err != nil {
		return Capacity{}, err
	}
	c := Capacity{Baseline: base, Service: base.Service, Replicas: base.Replicas}
	for _, phase := range []func(context.Context, *Capacity) error{s.checkBaseline, s.saturate, s.bisect, s.confirm} {
		if err := phase(ctx, &c); err != nil || c.Refusal != nil {
			return c, err
		}
	}
	c.grade()
	return c, nil
}

func (s *search) checkBaseline(_ context.Context, c *Capacity) error {
	c.Refusal = refuseBaseline(c.Baseline, s.SLO)
	return nil
}

// step performs one trial. One that the generator or a change of the fleet
// spoiled is repeated once, then marked.
func (s *search) step(ctx context.Context, t Trial) (Observation, error) {
	t.Seed = s.Seed + uint64(len(s.steps))
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
		if attempt > 0 || s.left() < t.Length {
			o.Spoiled, o.Verdict, o.Why = true, model.Unsure, why
		}
	}
	s.steps = append(s.steps, o)
	if s.Progress != nil {
		s.Progress(s.steps, s.left())
	}
	return o, nil
}

// spoiled says what distorted a step, or "".
func (s *search) spoiled(o Observation) string {
	switch {
	case o.Health.Verdict == load.Limited:
		return "the load generator, not the service, was the limit: " + o.Health.Reason
	case o.Replicas == Changing:
		return "the number of replicas changed during the step"
	case len(s.steps) > 0 && o.Replicas != s.steps[0].Replicas:
		return fmt.Sprintf("there were %d replicas, and %d in the first step", o.Replicas, s.steps[0].Replicas)
	}
	return ""
}

func (s *search) left() time.Duration { return s.Budget - s.spent }

func (s *search) share(of float64) time.Duration {
	return max(minStep, time.Duration(of*float64(s.Budget)))
}

// saturate doubles the users of the closed model until the throughput has
// stopped growing twice, or until failures replace answers.
func (s *search) saturate(ctx context.Context, c *Capacity) error {
	best, flat, users := c.Baseline.Rate, 0, 2
	limit := s.spent + s.share(ladderShare)
	for ; users <= maxUsers && flat < 2; users *= 2 {
		// Thirty answers a user and 200 in all, but no more than its share of
		// the budget.
		answers := max(200, 30*float64(users)) / best
		length := min(max(time.Duration(answers*float64(time.Second)), minStep), s.share(rungShare))
		if s.spent+length > limit && users > 4 {
			break
		}
		o, err := s.step(ctx, Trial{Name: fmt.Sprintf("%d users", users), Users: users, Length: length})
		if err != nil {
			return err
		}
		if o.Spoiled {
			c.Refusal = refuseSpoiled(o)
			return nil
		}
		failing := o.Failed*2 > o.Requests
		if failing && users == 2 {
			c.Refusal = refuseErrors(o)
			return nil
		}
		if failing || o.Rate < best*(1+plateauGain) {
			flat++
		} else {
			flat = 0
		}
		best = max(best, o.Rate)
	}
	last := s.steps[len(s.steps)-1]
	if last.Requests == 0 || flat < 2 && last.Requests < enoughForRate {
		c.Refusal = refuseShort(s.Budget)
		return nil
	}
	c.Saturation = s.plateau()
	for _, o := range s.steps[1:] {
		c.HostLimited = c.HostLimited || o.Rate >= c.Saturation.Low && o.Host.Saturated()
	}
	if flat < 2 {
		c.Refusal = refuseUnsaturated(best, last, users > maxUsers)
	}
	return nil
}

// plateau is the median throughput of the rungs that came near the best one.
// The best one alone would be too high: it is the luckiest of several.
func (s *search) plateau() Interval {
	best := 0.0
	for _, o := range s.steps[1:] {
		best = max(best, o.Rate)
	}
	var rates []float64
	for _, o := range s.steps[1:] {
		if o.Rate >= best*plateauShare {
			rates = append(rates, o.Rate)
		}
	}
	slices.Sort(rates)
	return Interval{Value: rates[len(rates)/2], Low: rates[0], High: rates[len(rates)-1], Unit: "/s"}
}

// bisect narrows the highest load that meets the SLO down between 0 and
// saturation. A step counts at the rate at which its arrivals really came.
func (s *search) bisect(ctx context.Context, c *Capacity) error {
	low, high := 0.0, c.Saturation.High
	c.failed, c.missed = high, high
	rate := firstShare * c.Saturation.Value
	tried := 0
	for low == 0 || high/low > bracketGoal {
		o, ok, err := s.atRate(ctx, c, rateName(rate), rate, low, high)
		if err != nil {
			return err
		}
		if !ok {
			if o.Spoiled && low == 0 {
				c.Refusal = refuseSpoiled(o)
				return nil
			}
			break // what the steps before have shown still stands
		}
		tried++
		if o.Met {
			low = max(low, min(o.Offered, high))
		} else {
			high = min(high, max(o.Offered, low))
		}
		rate = (low + high) / 2
	}
	switch last := s.steps[len(s.steps)-1]; {
	case low > 0:
		c.settle(low)
	case tried == 0:
		c.Refusal = refuseShort(s.Budget)
	case last.Failed*2 > last.Requests:
		c.Refusal = refuseErrors(last)
	default:
		c.Refusal = refuseQueues(high)
	}
	return nil
}

// confirm repeats the winning load with other arrivals while there is time
// for it, and steps back when it does not hold.
func (s *search) confirm(ctx context.Context, c *Capacity) error {
	for rate := c.SLO.Value; ; rate *= stepBack {
		o, ok, err := s.atRate(ctx, c, "confirm "+rateName(rate), rate, rate, rate)
		if err != nil || !ok {
			return err
		}
		if o.Failed*2 > o.Requests { // at a load that was met before
			c.Refusal = refuseErrors(o)
			return nil
		}
		if o.Met {
			c.Confirmed = true
			c.settle(rate)
			return nil
		}
		c.settle(rate * stepBack)
	}
}

// atRate performs one open-loop step. ok is false when the budget has no room
// for a conclusive one, or when it was spoiled.
func (s *search) atRate(ctx context.Context, c *Capacity, name string, rate, low, high float64) (o Observation, ok bool, err error) {
	length, enough := s.stepLength(rate, low, high)
	if !enough {
		return o, false, nil
	}
	o, err = s.step(ctx, Trial{Name: name, Rate: rate, Length: length})
	switch {
	case err != nil:
		return o, false, err
	case o.Spoiled:
		c.Doubt = fmt.Sprintf("step %q could not be used: %s", name, o.Why)
		return o, false, nil
	}
	c.note(o)
	return o, o.Requests > 0, nil
}

// stepLength is how long a step at that rate should be: its share of the time
// that is left, but at least long enough to be conclusive at all. It is not
// enough when not even the shortest conclusive step fits the budget.
func (s *search) stepLength(rate, low, high float64) (length time.Duration, enough bool) {
	objective, _ := s.SLO.Latency()
	requests := float64(model.EnoughToPass(1 - objective.Quantile))
	least := max(minStep, time.Duration(requests/rate/(1-warmUp)*float64(time.Second)))
	if s.left() < least {
		return 0, false
	}
	coming := 2.0 // this one and a confirmation
	if high > low {
		coming += math.Log2(max(1, (high-low)/(0.05*high)))
	}
	share := time.Duration(float64(s.left()) / coming)
	return min(s.left(), max(least, share)), true
}

func rateName(rate float64) string { return profiles.FormatRate(rate) + "/s" }
