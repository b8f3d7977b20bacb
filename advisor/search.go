package advisor

import (
	"cmp"
	"context"
	"errors"
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
		c.estimateTogether(o.SLO, o.Seed)
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

// bracket is the highest load that met the SLO and the lowest that did not, by
// the rate at which the arrivals really came.
type bracket struct{ low, top float64 }

func (b *bracket) take(o Observation) {
	if o.Met {
		b.low = max(b.low, min(o.Offered, b.top))
	} else {
		b.top = min(b.top, max(o.Offered, b.low))
	}
}

// bisect narrows the highest load that meets the SLO down between 0 and
// saturation.
func (s *search) bisect(ctx context.Context, c *Capacity) error {
	b := bracket{top: c.Saturation.High}
	c.failed, c.missed = b.top, b.top
	rate := firstShare * c.Saturation.Value
	var last Observation
	for _, o := range arrivals(s.steps) { // of a search that is continued
		if !o.Short {
			c.note(o)
			b.take(o)
			last, rate = o, (b.low+b.top)/2
		}
	}
	for b.low == 0 || b.top/b.low > bracketGoal {
		o, ok, err := s.atRate(ctx, c, rateName(rate), rate, b.low, b.top)
		if err != nil {
			if b.low > 0 { // what was found until then
				c.settle(b.low)
			}
			return err
		}
		if o.Spoiled && b.low == 0 {
			c.Refusal = refuseSpoiled(o)
			return nil
		}
		if !ok {
			break // what the steps before have shown still stands
		}
		last = o
		b.take(o)
		rate = (b.low + b.top) / 2
		if o.Short {
			// It may well be met: a little below, where requests depend less
			// on each other, the same number says more.
			rate = max(rate, shortBack*b.top)
		}
	}
	switch {
	case b.low > 0:
		c.settle(b.low)
	case last.Requests == 0:
		c.Refusal = refuseClosed(c.Saturation, s.shortest(s.enoughToPass(), rate), s.moreTime(c.Saturation.Value))
	case last.Short:
		c.Refusal = refuseTooLittle(last, s.moreTime(c.Saturation.Value))
	case last.Failed*2 > last.Requests:
		c.Refusal = refuseErrors(last)
	case c.missed > queueShare*c.Saturation.Value:
		c.Refusal = refuseUnfinished(c.missed, rate, s.shortest(s.enoughToPass(), rate), s.left(), s.moreTime(c.Saturation.Value))
	default:
		c.Refusal = refuseQueues(c.missed)
	}
	return nil
}

// confirm repeats the winning load with other arrivals while there is time
// for it, and steps back when it does not hold. A step is evidence of the load
// that really came. Where by chance fewer came and were served well, or more
// and were not, nothing is said of the load in question, and the step is
// repeated; to settle on the lower of the two instead would pick the unluckier
// of two draws each time and come out too low.
func (s *search) confirm(ctx context.Context, c *Capacity) error {
	for rate := c.SLO.Value; ; {
		o, ok, err := s.atRate(ctx, c, "confirm "+rateName(rate), rate, rate, rate)
		switch {
		case err != nil || !ok || o.Short:
			return err
		case o.Failed*2 > o.Requests: // at a load that was met before
			c.Refusal = refuseErrors(o)
			return nil
		case o.Met && o.Offered >= rate*(1-strayed):
			c.Confirmed = true
			c.settle(rate)
			return nil
		case !o.Met && o.Offered <= rate*(1+strayed):
			rate *= stepBack
			c.Confirmed = false
			c.settle(rate)
		}
	}
}

// atRate performs one open-loop step, and longer ones while they turn out too
// short to tell and the budget has room; one that met the SLO but did not settle
// is lengthened once. ok is false when it has no room for one that may be
// conclusive, or when it was spoiled.
func (s *search) atRate(ctx context.Context, c *Capacity, name string, rate, low, high float64) (o Observation, ok bool, err error) {
	requests := s.enoughToPass()
	for lengthened := false; ; {
		length, enough := s.stepLength(requests, rate, low, high)
		if !enough {
			if ok && !o.Short {
				c.note(o) // it stands, though it did not settle
			}
			return o, ok, nil
		}
		o, err = s.step(ctx, Trial{Name: name, Rate: rate, Arrivals: s.Arrivals, Length: length})
		switch {
		case err != nil:
			return o, false, err
		case o.Spoiled:
			c.Doubt = fmt.Sprintf("step %q could not be used: %s", name, o.Why)
			return o, false, nil
		case !o.Short && (!o.Unsettled || lengthened):
			c.note(o)
			return o, true, nil
		}
		ok, lengthened = o.Requests > 0, lengthened || o.Unsettled
		requests = max(requests, min(max(o.Needs, leastLonger*o.Requests), mostLonger*o.Requests))
	}
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

func rateName(rate float64) string { return profiles.FormatRate(rate) + "/s" }
