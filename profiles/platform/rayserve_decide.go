package platform

import (
	"time"

	"headroom/profiles"
)

// What Ray Serve calls its decisions, and what holds them back.
const (
	rayUpscale   profiles.Reason = "upscaling"
	rayDownscale profiles.Reason = "downscaling"
	rayKeep      profiles.Reason = "no change needed"
	rayColdStart profiles.Reason = "cold start"
	rayWaitsUp   profiles.Reason = "waits for upscale_delay_s"
	rayWaitsDown profiles.Reason = "waits for downscale_delay_s"
	rayWaitsZero profiles.Reason = "waits for downscale_to_zero_delay_s"
	rayLastOne   profiles.Reason = "to 0 only from 1"
	rayAtMin     profiles.Reason = "min_replicas"
	rayAtMax     profiles.Reason = "max_replicas"
)

// rayDecider decides as replica_queue_length_autoscaling_policy of
// python/ray/serve/autoscaling_policy.py does, in its newer form that goes to
// zero only from one replica, within the bounds that
// python/ray/serve/_private/autoscaling_state.py puts around it.
//
// Ray takes missing metrics for no requests. Here they are no reason for
// anything, and interrupt a delay: a simulator knows the difference.
type rayDecider struct {
	s         raySettings
	direction int // of the decisions since; 0: none
	since     time.Time
}

func (d *rayDecider) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	out := profiles.Decision{At: now, Current: m.Replicas, Raw: m.Replicas, Desired: m.Replicas, Kind: profiles.InFlight, Valid: true}
	if len(m.Readings) == 0 || !m.Readings[0].Valid {
		d.direction = 0
		out.Reason, out.Valid = profiles.NoData, false
		return out
	}
	out.Total, out.Target = m.Readings[0].Total, profiles.MilliOf(d.s.target)
	total := out.Total.Float()
	if m.Ready == 0 {
		out.Raw = rayCold(total, m.Replicas, d.s.upFactor)
		out.Desired, out.Reason = out.Raw, rayColdStart
	} else {
		out.Raw = rayScaled(rayDesired(total, m.Ready, d.s.target), m.Ready, d.s.upFactor, d.s.downFactor)
		bounded := max(d.s.min, min(d.s.max, out.Raw))
		switch {
		case bounded > m.Replicas:
			out.Reason = rayUpscale
		case bounded < m.Replicas:
			out.Reason = rayDownscale
		default:
			out.Reason = rayKeep
		}
		out.LimitedBy = d.bound(out.Raw)
		d.delay(now, bounded, &out)
	}
	if n := max(d.s.min, min(d.s.max, out.Desired)); n != out.Desired {
		out.LimitedBy = d.bound(out.Desired)
		out.Desired = n
	}
	return out
}

func (d *rayDecider) bound(n int) profiles.Reason {
	switch {
	case n > d.s.max:
		return rayAtMax
	case n < d.s.min:
		return rayAtMin
	}
	return ""
}

// delay acts on a wish only when it has been in the same direction without a
// break for the delay. Ray counts the decisions of its control loop, one each
// 0.1 s, and needs one more than delay/0.1 s of them: that many lie the delay
// apart, whatever the interval is.
func (d *rayDecider) delay(now time.Time, want int, out *profiles.Decision) {
	direction, wait, waits := 0, d.s.up, rayWaitsUp
	switch {
	case want > out.Current:
		direction = 1
	case want < out.Current && out.Current == 1:
		direction, wait, waits = -1, d.s.toZero, rayWaitsZero
	case want < out.Current:
		direction, wait, waits = -1, d.s.down, rayWaitsDown
		if want < 1 {
			want, out.LimitedBy = 1, rayLastOne
		}
	}
	if direction != d.direction {
		d.direction, d.since = direction, now
	}
	switch {
	case direction == 0:
	case now.Sub(d.since) < wait:
		out.LimitedBy = waits
	default:
		d.direction = 0
		out.Desired = want
	}
}

// rayCold is what a deployment without a running replica gets at once: the
// first ones when there is a request, else what is wanted already.
func rayCold(total float64, wanted int, upFactor float64) int {
	if total > 0 {
		return max(ceil(1*upFactor), wanted)
	}
	return wanted
}

// rayDesired is the unrounded number of replicas that total requests need, in
// the order of operations of the source: the error ratio first.
func rayDesired(total float64, running int, target float64) float64 {
	errorRatio := total / (target * float64(running))
	return float64(running) * errorRatio
}

// rayScaled goes the factor's share of the way from the running replicas to
// the desired ones, rounded up; one replica fewer where that would stick.
func rayScaled(desired float64, running int, upFactor, downFactor float64) int {
	delta := desired - float64(running)
	factor := downFactor
	if delta > 0 {
		factor = upFactor
	}
	scaled := ceil(float64(running) + factor*delta)
	if ceil(desired) < running && scaled == running {
		scaled--
	}
	return scaled
}
