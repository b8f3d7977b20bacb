package advisor

import (
	"context"
	"fmt"

	"headroom/profiles"
)

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

func rateName(rate float64) string { return profiles.FormatRate(rate) + "/s" }
