package platform

import (
	"time"

	"headroom/profiles"
)

// What set a number, in the words of Cloud Run's documentation.
const (
	runByConcurrency profiles.Reason = "request concurrency"
	runByCPU         profiles.Reason = "CPU utilization"
	runOnDemand      profiles.Reason = "pending requests"
	runByHand        profiles.Reason = "manual scaling"
	runMinInstances  profiles.Reason = "minimum instances"
	runMaxInstances  profiles.Reason = "maximum instances"
	runIdleInstance  profiles.Reason = "idle instance"
	runUnknown       profiles.Reason = "a driver without data"
)

// runDecider decides as Cloud Run documents it: for each driver
//
//	ceil(usage over all instances, averaged over a minute / (limit x share))
//
// and the highest of them; more at once while requests wait for a place; all
// within the bounds. How Cloud Run rounds is not documented: here it is exact.
// The last instance goes when nothing has come for 15 minutes, which is the
// longest that Cloud Run may keep one. While a driver has no data nothing is
// taken away; that too is not documented.
type runDecider struct {
	terms runTerms
	busy  time.Time // when something was last in flight
}

func (t runTerms) decider() (profiles.Decider, error) { return &runDecider{terms: t}, nil }

// Decide takes the readings of the drivers that are not disabled, the
// requests in flight first; their Burst is how many there are now.
func (d *runDecider) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	t := &d.terms
	out := profiles.Decision{At: now, Current: m.Replicas, Raw: m.Replicas, Desired: m.Replicas, Reason: profiles.NoData}
	if t.manual > 0 {
		out.Raw, out.Desired, out.Reason, out.Valid = t.manual, t.manual, runByHand, true
		return out
	}
	if d.busy.IsZero() {
		d.busy = now
	}
	next, failed := 0, false
	take := func() (r profiles.Reading) {
		if next < len(m.Readings) {
			r = m.Readings[next]
		}
		next++
		failed = failed || !r.Valid
		return r
	}
	ask := func(n int64, why profiles.Reason, kind profiles.Kind, total, target profiles.Milli) {
		if !out.Valid || int(n) > out.Raw {
			out.Raw, out.Reason, out.Valid = int(n), why, true
			out.Kind, out.Total, out.Target = kind, total, target
		}
	}
	if t.concurrency > 0 {
		if r := take(); r.Valid {
			ask(profiles.CeilDiv(int64(r.Total), int64(t.target())), runByConcurrency, profiles.InFlight, r.Total, t.target())
			limit := profiles.Milli(t.limit()) * 1000
			if n := profiles.CeilDiv(int64(r.Burst), int64(limit)); int(n) > m.Replicas {
				ask(n, runOnDemand, profiles.InFlight, r.Burst, limit)
			}
			if r.Total > 0 || r.Burst > 0 {
				d.busy = now
			}
		}
	}
	if t.cpu > 0 {
		if r := take(); r.Valid {
			target := profiles.Milli(t.cpu) * 1000
			ask(profiles.CeilDiv(int64(r.Total), int64(target)), runByCPU, profiles.CPU, r.Total, target)
		}
	}
	if !out.Valid {
		return out
	}
	d.bound(now, failed, &out)
	return out
}

func (d *runDecider) bound(now time.Time, failed bool, out *profiles.Decision) {
	t := &d.terms
	out.Desired = out.Raw
	limit := func(n int, why profiles.Reason) { out.Desired, out.LimitedBy = n, why }
	if failed && out.Desired < out.Current {
		limit(out.Current, runUnknown)
	}
	switch idle := t.concurrency == 0 || now.Sub(d.busy) < runIdle.Std(); {
	case out.Desired == 0 && t.min == 0 && out.Current > 0 && idle:
		limit(1, runIdleInstance)
	case out.Desired < t.min:
		limit(t.min, runMinInstances)
	case out.Desired > t.max:
		limit(t.max, runMaxInstances)
	}
}
