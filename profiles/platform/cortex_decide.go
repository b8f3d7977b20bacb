package platform

import (
	"math"
	"time"

	"headroom/profiles"
)

// What limits a decision, in Cortex's words.
const (
	cortexDownTolerance profiles.Reason = "downscale_tolerance"
	cortexUpTolerance   profiles.Reason = "upscale_tolerance"
	cortexDownFactor    profiles.Reason = "max_downscale_factor"
	cortexUpFactor      profiles.Reason = "max_upscale_factor"
	cortexMin           profiles.Reason = "min_replicas"
	cortexMax           profiles.Reason = "max_replicas"
	cortexDownPeriod    profiles.Reason = "downscale_stabilization_period"
	cortexUpPeriod      profiles.Reason = "upscale_stabilization_period"
	cortexAwaken        profiles.Reason = "awaken"
)

// cortexDecider is the autoscaler of Cortex (pkg/autoscaler/autoscaler.go),
// which looks every 10 s at the requests in flight, averaged over the window.
type cortexDecider struct {
	s      cortexSettings
	target profiles.Milli
	began  time.Time
	recs   []cortexRecommendation // oldest first, none older than both periods
}

type cortexRecommendation struct {
	at time.Time
	n  int
}

func newCortexDecider(s cortexSettings) *cortexDecider {
	return &cortexDecider{s: s, target: profiles.MilliOf(s.target)}
}

// Decide holds while there is no metric, leaves zero at once when something
// comes, and else recommends a size and stabilises it.
func (d *cortexDecider) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	if d.began.IsZero() {
		d.began = now
	}
	cur := m.Replicas
	out := profiles.Decision{At: now, Current: cur, Raw: cur, Desired: cur, Kind: profiles.InFlight, Target: d.target, Valid: true}
	if len(m.Readings) == 0 || !m.Readings[0].Valid {
		out.Reason, out.Valid = profiles.NoData, false
		return out
	}
	out.Total = m.Readings[0].Total
	inFlight := out.Total.Float()
	if cur == 0 && inFlight > 0 {
		d.record(now, 1)
		out.Raw, out.Desired, out.Reason, out.LimitedBy = 1, 1, profiles.Activated, cortexAwaken
		return out
	}
	out.Raw, out.Desired, out.Reason, out.LimitedBy = d.s.recommend(inFlight, cur)
	d.record(now, out.Desired)
	d.stabilise(now, &out)
	return out
}

// recommend is the size for so many requests in flight, from the present one.
// The tolerances are compared with what is asked for before it is rounded up,
// and reach up to their edge but not onto it: with 0.1, 18.0 of 20 is acted
// on, although the documentation says otherwise. One replica may always move,
// whatever the factors say; min and max come last and may break them. The
// order of the operations is that of Cortex, as in float64 it matters.
func (s cortexSettings) recommend(inFlight float64, cur int) (raw, rec int, reason, limit profiles.Reason) {
	asked, present := inFlight/s.target, float64(cur)
	raw = int(math.Min(math.Ceil(asked), math.MaxInt32))
	rec, reason = raw, profiles.AtTarget
	switch {
	case asked < present:
		reason = profiles.BelowTarget
		if asked > present*(1-s.downTol) {
			rec, reason, limit = cur, profiles.AtTarget, cortexDownTolerance
		}
	case asked > present:
		reason = profiles.AboveTarget
		if asked < present*(1+s.upTol) {
			rec, reason, limit = cur, profiles.AtTarget, cortexUpTolerance
		}
	}
	if floor := min(cur-1, int(math.Ceil(present*s.downFactor))); rec < floor {
		rec, limit = floor, cortexDownFactor
	}
	if ceiling := max(cur+1, int(math.Min(math.Ceil(present*s.upFactor), math.MaxInt32))); rec > ceiling {
		rec, limit = ceiling, cortexUpFactor
	}
	if rec < s.min {
		rec, limit = s.min, cortexMin
	}
	if rec > s.max {
		rec, limit = s.max, cortexMax
	}
	return raw, rec, reason, limit
}

// record adds a recommendation and forgets those that no period reaches back
// to.
func (d *cortexDecider) record(now time.Time, n int) {
	longest := max(d.s.down, d.s.up)
	old := 0
	for old < len(d.recs) && now.Sub(d.recs[old].at) > longest {
		old++
	}
	d.recs = append(d.recs[:copy(d.recs, d.recs[old:])], cortexRecommendation{now, n})
}

// stabilise lets the fleet shrink only to the highest recommendation of one
// period, and grow only to the lowest of the other; both include what is just
// as old as they are long. Until a period has passed since the start there is
// no such move at all.
func (d *cortexDecider) stabilise(now time.Time, out *profiles.Decision) {
	cur, up := out.Current, now.Sub(d.began)
	switch {
	case out.Desired < cur:
		floor := cur
		if up >= d.s.down {
			_, floor = d.extremes(now, d.s.down)
		}
		if floor = min(floor, cur); out.Desired < floor {
			out.Desired, out.LimitedBy = floor, cortexDownPeriod
		}
	case out.Desired > cur:
		ceiling := cur
		if up >= d.s.up {
			ceiling, _ = d.extremes(now, d.s.up)
		}
		if ceiling = max(ceiling, cur); out.Desired > ceiling {
			out.Desired, out.LimitedBy = ceiling, cortexUpPeriod
		}
	}
}

// extremes are the lowest and the highest recommendation of a period, the
// present one included.
func (d *cortexDecider) extremes(now time.Time, period time.Duration) (lowest, highest int) {
	lowest, highest = math.MaxInt, math.MinInt
	for _, r := range d.recs {
		if now.Sub(r.at) <= period {
			lowest, highest = min(lowest, r.n), max(highest, r.n)
		}
	}
	return lowest, highest
}
