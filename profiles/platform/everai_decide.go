package platform

import (
	"time"

	"headroom/profiles"
)

// What limits a decision, in EverAI's words.
const (
	everaiInFlight profiles.Reason = "IN_FLIGHT" // a worker that is starting
	everaiMin      profiles.Reason = "min_workers"
	everaiMax      profiles.Reason = "max_workers"
	everaiIdle     profiles.Reason = "max_idle_time"
	everaiHistory  profiles.Reason = "used_histories" // average has not seen enough
)

// everaiFactors are the numbers that EverAI decides from.
type everaiFactors struct {
	workers  int            // of any status
	inFlight bool           // one of them is starting
	level    profiles.Milli // free workers, or requests that wait for one
	known    bool           // the level is
	idle     int            // free workers that have been so for max_idle_time
}

// decide is how many workers are started, or with a sign stopped
// (free_worker.py and simple.py of everai-autoscaler/builtin): first up to
// min; then by the step, up to max, while too few are free or too many
// requests wait, but one batch at a time; or else down by those that are idle.
//
// Two mistakes of theirs are not made: 0.1.47 counts only free workers as
// running and 0.1.52 all but those that start, and with a negative difference
// to min both stop some anyway, so that fewer than min are left.
func (a everaiArguments) decide(scaler string, f everaiFactors) (change int, reason, limit profiles.Reason) {
	if f.workers < a[argMin] {
		return a[argMin] - f.workers, profiles.UnderMin, ""
	}
	reason = profiles.AtTarget
	if a.short(scaler, f) {
		reason = profiles.AboveTarget
		n := min(a[argMax]-f.workers, a[argStep])
		switch {
		case f.inFlight:
			reason, limit = profiles.Starting, everaiInFlight
		case n > 0 && n < a[argStep]:
			return n, reason, everaiMax
		case n > 0:
			return n, reason, ""
		default:
			limit = everaiMax
		}
	}
	n := min(f.workers-a[argMin], f.idle)
	switch {
	case n > 0:
		return -n, profiles.BelowTarget, everaiIdle
	case f.idle > 0 && limit == "":
		return 0, profiles.BelowTarget, everaiMin
	}
	return 0, reason, limit
}

// short reports whether there should be more. Both comparisons are strict.
func (a everaiArguments) short(scaler string, f everaiFactors) bool {
	if scaler == freeWorker {
		return f.known && f.level < profiles.Milli(a[argFree])*1000
	}
	return f.known && f.level > profiles.Milli(a[argQueue])*1000
}

// everaiDecider keeps the samples that the average decorator looks back at. The
// platform has some from 10, 30 and 60 seconds before, and does not say which
// others; here they are those of the decisions before.
type everaiDecider struct {
	s       everaiSettings
	kind    profiles.Kind
	samples []everaiSample // ring
	next    int
	seen    int
}

type everaiSample struct {
	level    profiles.Milli
	inFlight bool
}

func newEverAIDecider(s everaiSettings) *everaiDecider {
	d := &everaiDecider{s: s, kind: profiles.FreeWorkers, samples: make([]everaiSample, s.decorators.histories)}
	if s.scaler == simpleQueue {
		d.kind = profiles.Queue
	}
	return d
}

// Decide applies the decorators, and decides. What it calls idle is the time
// without a request; EverAI looks at sessions too, which are not known here.
func (d *everaiDecider) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	cur := m.Replicas
	out := profiles.Decision{At: now, Current: cur, Raw: cur, Desired: cur, Kind: d.kind, Valid: true}
	if len(m.Readings) == 0 || !m.Readings[0].Valid {
		out.Reason, out.Valid = profiles.NoData, false
		return out
	}
	args := d.arguments(now)
	f := everaiFactors{workers: cur, inFlight: m.Ready < cur, level: m.Readings[0].Total, known: true}
	for _, since := range m.Idle {
		if since >= time.Duration(args[argIdle])*time.Second {
			f.idle++
		}
	}
	d.average(&f)

	change, reason, limit := args.decide(d.s.scaler, f)
	out.Total, out.Target = f.level, profiles.Milli(args[argFree])*1000
	if d.kind == profiles.Queue {
		out.Target = profiles.Milli(args[argQueue]) * 1000
	}
	out.Desired, out.Reason, out.LimitedBy = cur+change, reason, limit
	out.Raw = out.Desired
	switch {
	case reason == profiles.AboveTarget:
		out.Raw = cur + args[argStep]
	case reason == profiles.BelowTarget:
		out.Raw = cur - f.idle
	case !f.known:
		out.LimitedBy = everaiHistory
	}
	return out
}

// arguments are those that hold now.
func (d *everaiDecider) arguments(now time.Time) everaiArguments {
	args := d.s.args
	for i := range d.s.decorators.matches {
		m := &d.s.decorators.matches[i]
		if !m.when.match(now.In(m.at)) {
			continue
		}
		for _, o := range m.set {
			args[o.arg] = o.value
		}
	}
	return args
}

// average replaces the level by its mean with the samples before, as a whole
// number, and takes a worker as starting if one was in any of them. Without
// enough samples nothing is known.
func (d *everaiDecider) average(f *everaiFactors) {
	n := len(d.samples)
	if n == 0 {
		return
	}
	now := everaiSample{f.level, f.inFlight}
	if d.seen < n {
		f.known, f.inFlight, f.level = false, false, 0
	} else {
		f.level, f.inFlight = averaged(now, d.samples)
	}
	d.samples[d.next] = now
	d.next, d.seen = (d.next+1)%n, d.seen+1
}

// averaged is the mean of the present sample and those before, cut off to a
// whole number.
func averaged(now everaiSample, before []everaiSample) (level profiles.Milli, inFlight bool) {
	sum := now.level
	inFlight = now.inFlight
	for _, s := range before {
		sum += s.level
		inFlight = inFlight || s.inFlight
	}
	return sum / profiles.Milli(len(before)+1) / 1000 * 1000, inFlight
}
