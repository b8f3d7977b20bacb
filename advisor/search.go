package advisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"headroom/profiles"
)

// SearchOptions bound a capacity search.
type SearchOptions struct {
	SLO      profiles.SLO  // with at least one latency percentile
	Budget   time.Duration // of load; starting and pinning replicas comes on top
	Seed     uint64
	Second   int                                           // number of replicas to measure as well, where the runner can change it; 0: none
	Arrivals profiles.Arrivals                             // how those of the open model are spread; empty: Poisson
	Prior    *Capacity                                     // of the same service under the same SLO, to be continued; nil: none
	Progress func(steps []Observation, left time.Duration) // optional; called after each step
	Warn     func(string)                                  // optional; told what may make the search useless, while it can still be ended
}

// Shares of the budget, and limits of the search.
const (
	baseShare     = 0.10 // at most, for the step with a single user
	ladderShare   = 0.35 // at most, for finding saturation
	sureShare     = 0.20 // from which on no rung is lengthened
	rungShare     = 0.05 // at most, for one rung of the ladder
	minStep       = 2 * time.Second
	maxUsers      = 512  // of the ladder
	plateauGain   = 0.05 // a rung that gains less is on the plateau
	sureOfRate    = 0.04 // half the interval of saturation, for which a rung is lengthened
	plateauShare  = 0.80 // of the best rung, from which on one belongs to the plateau
	enoughForRate = 30   // requests of a rung that say anything about its throughput
	bracketGoal   = 1.05 // lowest load that missed over the highest that met, close enough
	firstShare    = 0.7  // of saturation, where the bisection starts
	leastLonger   = 2    // times the requests of a step that was too short to tell
	mostLonger    = 4    // times them, where it would take even more
	shortBack     = 0.8  // of a load about which no step could tell: where to look next
	stepBack      = 0.93 // of a load that was not confirmed
	strayed       = 0.05 // of its rate that the arrivals of a confirmation may be off by
	queueShare    = 0.15 // of saturation: a service that misses the SLO at less holds it only while nobody waits
	keptShare     = 0.8  // of the samples kept, that the arrivals of a step are planned to fill
	baseErrors    = 0.01 // share of failures from which on the baseline is worthless
)

// Validate names what a search cannot work with.
func (o SearchOptions) Validate() error {
	percentiles := o.SLO.Percentiles()
	if len(percentiles) == 0 {
		return fmt.Errorf("--slo: got %s, want at least one latency percentile such as p95<300ms, or ttft.p95<500ms of streams", cmp.Or(o.SLO.String(), "nothing"))
	}
	for _, objective := range o.SLO {
		bounds := objective.Op == profiles.Less || objective.Op == profiles.LessEqual
		if !bounds || objective.Measure != profiles.Errors && !slices.Contains(percentiles, objective) {
			return fmt.Errorf("--slo: got %s, want only upper limits of latency percentiles, ttft percentiles and errors where a capacity is measured", objective)
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
	brief  time.Duration // a step lasts no longer, where fewer requests say enough; 0: any time

	reserve time.Duration // of what is left, for the control and a second number of replicas
}

// Search finds the highest load that meets the SLO, with as many replicas as
// there are: one user alone, then more and more users until the throughput
// stops growing (saturation), then Poisson arrivals at a bisected share of it
// (the SLO capacity), a confirming step, the first step once more, and some of
// both kinds with a second number of replicas. A refusal is a result, not an
// error. Where ctx ends the search the error comes with what was found until then.
func Search(ctx context.Context, r Runner, o SearchOptions) (Capacity, error) {
	if err := o.Validate(); err != nil {
		return Capacity{}, err
	}
	s := &search{SearchOptions: o, runner: r}
	c, err := s.run(ctx)
	c.Steps, c.Budget, c.Spent = s.steps, o.Budget, s.spent
	if o.Prior != nil {
		c.Budget, c.Spent = c.Budget+o.Prior.Budget, c.Spent+o.Prior.Spent
	}
	c.Even = o.Arrivals == profiles.Even
	c.Refusal = c.blameGrowth()
	switch c.Interrupted = ctx.Err() != nil; {
	case !c.Interrupted || c.Refusal != nil || c.SLO.Value > 0:
	case o.Prior != nil:
		return *o.Prior, err // nothing was learned
	default:
		c.Refusal = refuseInterrupted()
	}
	if (err == nil || c.Interrupted) && c.Refusal == nil {
		c.estimate(o.SLO, o.Seed)
		c.estimateTogether(o.SLO, o.Seed, o.Budget)
		c.Assessment = assess(c.flaws())
	}
	return c, err
}

func (s *search) run(ctx context.Context) (Capacity, error) {
	if s.Prior != nil {
		return s.resume(ctx)
	}
	base, err := s.step(ctx, Trial{Name: "baseline", Users: 1, Requests: aloneRequests, Length: s.share(baseShare)})
	if err != nil {
		return Capacity{}, err
	}
	s.reserve = s.controlTime(base) + s.loadedTime() + s.secondTime(nil)
	c := Capacity{Baseline: base, Service: base.Service, Replicas: base.Replicas}
	return s.phases(ctx, c, s.checkBaseline, s.saturate, s.bisect, s.confirm, s.control, s.second, s.together)
}

// phases goes through the parts of a search, until one refuses. Where the fleet
// has grown it begins anew, but for the first part, which loads one replica.
func (s *search) phases(ctx context.Context, c Capacity, all ...func(context.Context, *Capacity) error) (Capacity, error) {
	for i := 0; i < len(all); i++ {
		switch err := all[i](ctx, &c); {
		case errors.Is(err, errGrown):
			c, i = s.afresh(c), 0
		case err != nil || c.Refusal != nil:
			return c, err
		}
	}
	return c, nil
}

func (s *search) checkBaseline(_ context.Context, c *Capacity) error {
	c.Refusal = refuseBaseline(c.Baseline, s.SLO)
	if text := s.tight(c.Baseline); text != "" && c.Refusal == nil && s.Warn != nil {
		s.Warn(text)
	}
	return nil
}

// arrivals are the steps of the open model that say what the fleet holds as it
// was found.
func arrivals(steps []Observation) []Observation { return arrivalsAt(steps, 0) }

// arrivalsAt are those with so many replicas; 0: as many as were found. Those of
// a control had the same arrivals as another one.
func arrivalsAt(steps []Observation, replicas int) (out []Observation) {
	for _, o := range steps {
		if o.Trial.Rate > 0 && o.Trial.Replicas == replicas && o.Trial.Name != loadedName && !o.Spoiled {
			out = append(out, o)
		}
	}
	return out
}
