package advisor

import (
	"cmp"
	"context"
	"slices"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// saturate doubles the users of the closed model until the throughput has
// stopped growing twice, or until failures replace answers.
func (s *search) saturate(ctx context.Context, c *Capacity) error {
	if c.Saturation.Value > 0 {
		return nil // known from the search that is continued
	}
	best, flat, users := c.Baseline, 0, 2
	for _, o := range rungs(s.steps) { // of a search that is continued
		if o.Trial.Users > 1 && o.Rate > best.Rate {
			best = o
		}
		users = max(users, 2*o.Trial.Users)
	}
	limit := s.spent + s.share(ladderShare)
	for ; users <= maxUsers && flat < 2; users *= 2 {
		// Thirty answers a user and 200 in all, but no more than its share of
		// the budget.
		answers := max(200, 30*float64(users)) / best.Rate
		length := s.briefly(min(max(time.Duration(answers*float64(time.Second)), minStep), s.share(rungShare)), minStep)
		if s.spent+length > limit && users > 4 || length > s.left() {
			break
		}
		o, err := s.step(ctx, Trial{Name: profiles.Plural(users, "user", "users"), Users: users, Length: length})
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
		if failing || o.Rate < best.Rate*(1+plateauGain) {
			flat++
		} else {
			flat = 0
		}
		if o.Rate > best.Rate {
			best = o
		}
	}
	climbed := rungs(s.steps)
	last := climbed[len(climbed)-1]
	if last.Requests == 0 || flat < 2 && last.Requests < enoughForRate {
		c.Refusal = refuseShort(s.Budget, s.moreTime(best.Rate))
		return nil
	}
	on := onPlateau(s.steps)
	if len(on) == 0 {
		c.Refusal = refuseShort(s.Budget, s.moreTime(best.Rate))
		return nil
	}
	if flat == 2 {
		if err := s.lengthen(ctx, on); err != nil {
			return err
		}
		on = onPlateau(s.steps)
	}
	c.Saturation = Interval{Value: throughput(answersOf(on)), Low: on[0].Rate, High: on[len(on)-1].Rate, Unit: "/s"}
	for _, o := range on {
		c.HostLimited = c.HostLimited || o.Host.Saturated()
	}
	if flat < 2 {
		c.Refusal = refuseUnsaturated(best, users > maxUsers, s.moreTime(best.Rate))
	}
	return nil
}

// lengthen repeats the best rung for as long as those on the plateau lack to be
// sure of saturation: the interval of a rate narrows with the root of its time.
func (s *search) lengthen(ctx context.Context, on []Observation) error {
	low, high, ok := saturationSpread(s.steps, s.Seed)
	if !ok {
		return nil
	}
	var had time.Duration
	for _, o := range on {
		had += o.Over
	}
	unsure := (high - low) / 2 / throughput(answersOf(on)) / sureOfRate
	lacks := time.Duration((unsure*unsure - 1) * float64(had))
	length := s.briefly(min(lacks, s.share(sureShare)-s.spent, s.left()), minStep)
	if length < minStep {
		return nil
	}
	best := on[len(on)-1].Trial
	_, err := s.step(ctx, Trial{Name: best.Name + ", longer", Users: best.Users, Length: length})
	return err
}

// crowds are the rungs of several users.
func crowds(steps []Observation) []Observation {
	return slices.DeleteFunc(rungs(steps), func(o Observation) bool { return o.Trial.Users == 1 })
}

// onPlateau are those on the plateau, rising.
func onPlateau(steps []Observation) []Observation {
	on := plateau(crowds(steps), func(o Observation) float64 { return o.Rate })
	slices.SortFunc(on, func(a, b Observation) int { return cmp.Compare(a.Rate, b.Rate) })
	return on
}

// plateau are the steps whose throughput comes near that of the best one.
func plateau[T any](steps []T, rate func(T) float64) []T {
	best := 0.0
	for _, t := range steps {
		best = max(best, rate(t))
	}
	return slices.DeleteFunc(slices.Clone(steps), func(t T) bool { return rate(t) < best*plateauShare })
}

// answersOf are the successful answers of each step.
func answersOf(steps []Observation) (out []model.Tally) {
	for _, o := range steps {
		out = append(out, model.Tally{All: o.Rate * o.Over.Seconds(), Seconds: o.Over.Seconds()})
	}
	return out
}

// throughput is that of all steps on the plateau together. The best one alone
// would be too high: it is the luckiest of several.
func throughput(steps []model.Tally) float64 {
	return model.Blocks(plateau(steps, model.Tally.Rate)).Total().Rate()
}
