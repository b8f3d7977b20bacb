package platform

import (
	"time"

	"headroom/profiles"
)

// What the documentation of the Fly proxy calls its decisions.
const (
	flyStart   profiles.Reason = "all machines are at their soft limit"
	flyWake    profiles.Reason = "a request and no machine that runs"
	flyStop    profiles.Reason = "excess capacity"
	flySleep   profiles.Reason = "no traffic"
	flyKeep    profiles.Reason = "no excess capacity"
	flyUnder   profiles.Reason = "fewer than min_machines_running"
	flyOver    profiles.Reason = "more than there are machines"
	flyNoStart profiles.Reason = "auto_start_machines is false"
	flyNoStop  profiles.Reason = `auto_stop_machines is "off"`
	flyMin     profiles.Reason = "min_machines_running"
	flyMost    profiles.Reason = "no more machines"
	flyWaits   profiles.Reason = "one machine every few minutes"
)

// flyCheck is how often the proxy looks for excess capacity. It is documented
// as every few minutes; the five are our reading.
const flyCheck = 5 * time.Minute

// flyDecider decides as the proxy does for one region, the primary one
// (superfly/docs reference/fly-proxy-autostop-autostart). It starts machines
// when requests come, and looks for excess capacity from time to time.
//
// The proxy prefers machines below their limit, but how it spreads requests
// among them is not documented. Here it fills one before the next, so that
// in-flight/soft_limit machines, rounded down, are at their limit: the reading
// under which starting and stopping agree on a number.
type flyDecider struct {
	s    flySettings
	last time.Time // when excess capacity was looked for
}

func (d *flyDecider) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	if d.last.IsZero() {
		d.last = now
	}
	n := m.Replicas
	out := profiles.Decision{At: now, Current: n, Raw: n, Desired: n, Kind: profiles.InFlight, Target: profiles.Milli(d.s.soft) * 1000, Valid: true}
	switch {
	case n < d.s.running:
		out.Raw, out.Desired, out.Reason = d.s.running, d.s.running, flyUnder
		return out
	case d.s.machines > 0 && n > d.s.machines:
		out.Raw, out.Desired, out.Reason = d.s.machines, d.s.machines, flyOver
		return out
	case len(m.Readings) == 0 || !m.Readings[0].Valid:
		out.Reason, out.Valid = profiles.NoData, false
		return out
	}
	out.Total = m.Readings[0].Total
	full := flyFull(out.Total, d.s.soft, n)
	switch {
	case out.Total > 0 && full == n:
		d.start(&out)
	default:
		d.stop(now, full, &out)
	}
	return out
}

// start is for requests that find all machines at their limit: each of them
// starts one, until one is below.
func (d *flyDecider) start(out *profiles.Decision) {
	out.Reason = flyStart
	if out.Current == 0 {
		out.Reason = flyWake
	}
	out.Raw = int(out.Total/(profiles.Milli(d.s.soft)*1000)) + 1
	switch {
	case !d.s.start:
		out.LimitedBy = flyNoStart
	case d.s.machines > 0 && out.Raw > d.s.machines:
		out.Desired, out.LimitedBy = d.s.machines, flyMost
	default:
		out.Desired = out.Raw
	}
}

// stop takes one machine away where there is excess capacity.
func (d *flyDecider) stop(now time.Time, full int, out *profiles.Decision) {
	out.Reason = flyKeep
	if flyExcess(out.Current, full) >= 1 {
		out.Raw, out.Reason = out.Current-1, flyStop
	} else if out.Current == 1 && out.Total == 0 {
		out.Raw, out.Reason = 0, flySleep
	}
	due := now.Sub(d.last) >= flyCheck
	if due {
		d.last = now
	}
	switch {
	case out.Raw == out.Current:
	case d.s.stop == "off":
		out.LimitedBy = flyNoStop
	case out.Raw < d.s.running:
		out.LimitedBy = flyMin
	case !due:
		out.LimitedBy = flyWaits
	default:
		out.Desired = out.Raw
	}
}

// flyFull is how many of n machines are at their soft limit.
func flyFull(total profiles.Milli, soft, n int) int {
	return int(min(int64(n), int64(total)/(int64(soft)*1000)))
}

// flyExcess is how many machines run beyond those at their limit and one.
func flyExcess(running, full int) int { return running - (full + 1) }
