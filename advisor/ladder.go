package advisor

import (
	"context"
	"slices"
	"time"

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
	var rates []float64
	for _, o := range climbed[1:] {
		rates = append(rates, o.Rate)
	}
	if len(rates) == 0 {
		c.Refusal = refuseShort(s.Budget, s.moreTime(best.Rate))
		return nil
	}
	on := plateau(rates)
	c.Saturation = Interval{Value: on[len(on)/2], Low: on[0], High: on[len(on)-1], Unit: "/s"}
	for _, o := range climbed[1:] {
		c.HostLimited = c.HostLimited || o.Rate >= c.Saturation.Low && o.Host.Saturated()
	}
	if flat < 2 {
		c.Refusal = refuseUnsaturated(best, users > maxUsers, s.moreTime(best.Rate))
	}
	return nil
}

// plateau are the rates that come near the best one, sorted. Saturation is
// their median: the best one alone would be too high, it is the luckiest of
// several.
func plateau(rates []float64) []float64 {
	sorted := slices.Sorted(slices.Values(rates))
	best := sorted[len(sorted)-1]
	return slices.DeleteFunc(sorted, func(rate float64) bool { return rate < best*plateauShare })
}
