package advisor

import (
	"context"
	"fmt"
	"math"
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
	baseShare   = 0.10 // at most, for the step with a single user
	ladderShare = 0.35 // at most, for finding saturation
	stepShare   = 0.05 // at most, for one rung of the ladder
	minStep     = 2 * time.Second
	maxUsers    = 512  // of the ladder
	plateauGain = 0.05 // a rung that gains less is on the plateau
	bracketGoal = 1.05 // highest failing over lowest passing load that is close enough
	firstShare  = 0.7  // of saturation, where the bisection starts
	baseErrors  = 0.01 // share of failures from which on the baseline is worthless
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
	if c.Refusal = refuseBaseline(base, s.SLO); c.Refusal != nil {
		return c, nil
	}
	if err := s.saturate(ctx, &c); err != nil || c.Refusal != nil {
		return c, err
	}
	if err := s.bisect(ctx, &c); err != nil || c.Refusal != nil {
		return c, err
	}
	c.grade()
	return c, nil
}

// step performs one trial. One that the generator or a change of the fleet
// spoiled is repeated once.
func (s *search) step(ctx context.Context, t Trial) (Observation, error) {
	t.Seed = s.Seed + uint64(len(s.steps))
	var o Observation
	for attempt := range 2 {
		var err error
		if o, err = s.runner.Run(ctx, t); err != nil {
			return o, err
		}
		s.spent += o.Took
		if o.Usable() || attempt > 0 || s.left() < t.Length {
			break
		}
	}
	s.steps = append(s.steps, o)
	if s.Progress != nil {
		s.Progress(s.steps, s.left())
	}
	return o, nil
}

func (s *search) left() time.Duration { return s.Budget - s.spent }

func (s *search) share(of float64) time.Duration {
	return max(minStep, time.Duration(of*float64(s.Budget)))
}

// saturate doubles the users of the closed model until the throughput has
// stopped growing twice, or until failures replace answers.
func (s *search) saturate(ctx context.Context, c *Capacity) error {
	best := c.Baseline.Rate
	flat := 0
	limit := s.spent + s.share(ladderShare)
	for users := 2; users <= maxUsers && flat < 2; users *= 2 {
		// Thirty answers a user, but no more than its share of the budget.
		length := time.Duration(30 * float64(users) / max(best, 1e-3) * float64(time.Second))
		length = min(max(length, minStep/2), s.share(stepShare))
		if s.spent+length > limit && users > 4 {
			break
		}
		o, err := s.step(ctx, Trial{Name: fmt.Sprintf("%d users", users), Users: users, Length: length})
		if err != nil {
			return err
		}
		if !o.Usable() {
			c.Refusal = refuseGenerator(o)
			return nil
		}
		if o.Rate < best*(1+plateauGain) || o.Failed*2 > o.Requests {
			flat++
		} else {
			flat = 0
		}
		best = max(best, o.Rate)
	}
	c.Saturation = Interval{Value: best, Low: best, High: best, Unit: "/s"}
	if flat < 2 {
		c.Refusal = refuseUnsaturated(best, s.steps[len(s.steps)-1])
		return nil
	}
	// The plateau: every rung within the gain that ended it.
	low := best
	for _, o := range s.steps[1:] {
		if o.Rate >= best*(1-2*plateauGain) {
			low = min(low, o.Rate)
		}
		c.HostLimited = c.HostLimited || o.Rate >= best*(1-2*plateauGain) && o.Host.Saturated()
	}
	c.Saturation.Low = low
	return nil
}

// bisect narrows the highest load that meets the SLO down between 0 and
// saturation. A step that proves nothing counts by its figures.
func (s *search) bisect(ctx context.Context, c *Capacity) error {
	low, high := 0.0, c.Saturation.Value
	rate := firstShare * high
	tried := 0
	for {
		length, enough := s.stepLength(rate, low, high)
		if !enough {
			break
		}
		o, err := s.step(ctx, Trial{Name: rateName(rate), Rate: rate, Length: length})
		if err != nil {
			return err
		}
		if !o.Usable() {
			c.Refusal = refuseGenerator(o)
			return nil
		}
		tried++
		c.note(o, rate)
		if o.Met {
			low = rate
		} else {
			high = rate
		}
		if low > 0 && high/low <= bracketGoal {
			break
		}
		rate = next(low, high, c.Saturation.Value)
	}
	if low == 0 {
		c.Refusal = refuseThin(tried, high, s.Budget)
		return nil
	}
	c.SLO = Interval{Value: low, Low: max(c.passed, low/2), High: high, Unit: "/s"}
	return s.confirm(ctx, c)
}

// confirm repeats the winning load with other arrivals while there is time
// for it, and steps back when it does not hold.
func (s *search) confirm(ctx context.Context, c *Capacity) error {
	for range 3 {
		length, enough := s.stepLength(c.SLO.Value, c.SLO.Value, c.SLO.Value)
		if !enough {
			return nil
		}
		o, err := s.step(ctx, Trial{Name: "confirm " + rateName(c.SLO.Value), Rate: c.SLO.Value, Length: length})
		if err != nil {
			return err
		}
		if !o.Usable() {
			return nil
		}
		c.note(o, c.SLO.Value)
		if o.Met {
			c.Confirmed = true
			c.SLO.Low = min(c.SLO.Value, max(c.SLO.Low, c.passed))
			return nil
		}
		c.SLO.High = c.SLO.Value
		c.SLO.Value *= 0.93
		c.SLO.Low = min(c.SLO.Low, c.SLO.Value)
	}
	return nil
}

// stepLength is how long a step at that rate should be: long enough to tell
// 3 % from 5 % over the limit (321 requests for a p95), short enough to leave
// time for the steps that are still to come. It is not enough when even the
// shortest conclusive step does not fit the budget.
func (s *search) stepLength(rate, low, high float64) (length time.Duration, enough bool) {
	objective, _ := s.SLO.Latency()
	least := float64(model.EnoughToPass(1 - objective.Quantile))
	seconds := func(requests float64) time.Duration {
		return max(minStep, time.Duration(requests/rate/0.9*float64(time.Second)))
	}
	if s.left() < seconds(least) {
		return 0, false
	}
	coming := 2.0 // this one and a confirmation
	if high > low {
		coming += math.Log2(max(1, (high-low)/(0.05*high)))
	}
	share := time.Duration(float64(s.left()) / coming)
	return min(s.left(), max(seconds(least), min(seconds(5.4*least), share))), true
}

// next halves the bracket; below the first share, where nothing has passed
// yet, it halves the load.
func next(low, high, saturation float64) float64 {
	if low == 0 {
		return high / 2
	}
	return (low + min(high, saturation)) / 2
}

func rateName(rate float64) string { return profiles.MilliOf(math.Round(rate*100)/100).String() + "/s" }

// healthy is the note that goes with a refusal for the generator's sake.
func healthy(h load.Health) string {
	if h.Reason != "" {
		return h.Reason
	}
	return string(h.Verdict)
}
