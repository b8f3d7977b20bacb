package profiles

import (
	"fmt"
	"time"
)

// Reading is the level of one metric over the whole fleet: the sum over all
// replicas where the target is for each of them, else the level itself. A
// reading that is not Valid says nothing, which is not the same as zero.
type Reading struct {
	Total Milli
	Burst Milli // the same over the shorter window of Panic, where the metric has one
	Valid bool
}

// Metrics is what a decision is made from.
type Metrics struct {
	Replicas int             // wanted at present; those still starting count, or every tick would order them again
	Ready    int             // of them
	Readings []Reading       // one for each metric of the policy, in its order
	Idle     []time.Duration // how long each free replica has been so, in any order
	Waiting  int             // requests that wait for a replica at this moment
	Oldest   time.Duration   // how long the first of them has waited
	Active   time.Time       // when a request came last, or this moment while one is in flight; zero: not known
	InFlight []Sample        // over the fleet, about one a second, oldest first
	Resized  time.Time       // when a replica came into service or was to go last; zero: not that we know
	StartUp  time.Duration   // that a replica takes until it is ready; 0: not known
}

// Decider is a policy at work: it holds the windows and the history that the
// policy needs. It is not safe for concurrent use. Calls must not go back in
// time.
type Decider interface {
	Decide(now time.Time, m Metrics) Decision
}

// Decider returns a decider for a valid policy, as that of its timetable.
func (p Policy) Decider() (Decider, error) {
	times, err := NewTimetable(p)
	if err != nil {
		return nil, err
	}
	return times.Decider()
}

// Decider returns a decider for the policy of the timetable, with an empty
// history. It acts on averages only. The windows of the readings that it is
// given are those of the policy at that moment, which the timetable says; the
// two are used by one goroutine at a time.
func (t *Timetable) Decider() (Decider, error) {
	p := t.base
	for i, m := range p.Metrics {
		if m.Aggregation != "" && m.Aggregation != Average {
			return nil, fmt.Errorf("metrics[%d].aggregation: got %s, want %s: the built-in scaler has no other", i, m.Aggregation, Average)
		}
	}
	d := &decider{times: t, longest: longestWindow(p)}
	for _, s := range p.Schedules {
		if during, err := p.during(s); err == nil {
			d.longest = max(d.longest, longestWindow(during))
		}
	}
	return d, nil
}

func longestWindow(p Policy) time.Duration {
	return max(p.Up.Stabilization.Std(), p.Down.Stabilization.Std())
}

// decider is the pipeline
//
//	rest -> bounds at once -> metrics -> raw -> tolerance -> trend -> panic -> step and factor -> bounds
//	     -> stabilisation -> cooldown -> act
//
// with the clamp form of stabilisation that Kubernetes uses since 1.18: the
// present size is moved only as far as every recommendation of the window
// allows.
type decider struct {
	times   *Timetable
	longest time.Duration // of all stabilisation windows
	began   time.Time
	active  time.Time        // when there was something to do last, as far as is known
	seen    time.Time        // when it decided last
	recent  []recommendation // of the longest, oldest first
	burst   burst
}

type recommendation struct {
	at time.Duration // since the decider began
	n  int
}

// burst is the state of a panic: until when it lasts, and the most replicas
// that it asked for.
type burst struct {
	until time.Time
	most  int
}

func (d *decider) Decide(now time.Time, m Metrics) Decision {
	if d.began.IsZero() {
		d.began, d.active, d.seen = now, now, now
	}
	out := Decision{At: now, Current: m.Replicas, Raw: m.Replicas, Desired: m.Replicas, Valid: true}
	d.decide(now, d.times.At(now), m, &out)
	out.act()
	d.seen = now
	return out
}

func (d *decider) decide(now time.Time, p *Policy, m Metrics, out *Decision) {
	if d.rest(now, p, m, out) {
		out.pass(StageRest, out.Desired, out.Reason)
		return
	}
	low, high := max(1, p.Replicas.Min), p.Replicas.Max // fewer than 1 is for rest to say
	switch {
	case m.Replicas < low:
		out.Raw, out.Desired, out.Reason = low, low, UnderMin
	case high != Unlimited && m.Replicas > int(high):
		out.Raw, out.Desired, out.Reason = int(high), int(high), OverMax
	case len(p.Metrics) == 0:
		out.Reason = FixedSize
	}
	if out.Reason != "" {
		out.pass(StageBounds, out.Desired, out.Reason)
		return
	}

	floor := d.propose(p, m, out)
	if out.Valid {
		d.panic(now, p, m, out) // also past a metric that could not be read: a burst only adds
	}
	if !out.Valid || out.Reason == MetricFailed {
		d.remember(now, m.Replicas) // a gap is no evidence of a lull
		return
	}
	out.Desired = out.Raw
	p.limitStep(out)
	p.limitSize(low, out)
	d.stabilise(now, p, out)
	out.cool(floor)
}

// rest takes the fleet below its usual minimum when nothing has arrived for
// long enough, keeps it there, and ends that at once when something comes. It
// reports whether it decided.
func (d *decider) rest(now time.Time, p *Policy, m Metrics, out *Decision) bool {
	arrived, known := arrivals(p.Metrics, m.Readings)
	if arrived >= 0 || m.Waiting > 0 || !known {
		d.active = now // what is not known may be load
	}
	// A metric may show nothing of requests that are served: those of a queue in
	// which nobody waits, or one that takes longer than any window.
	if m.Active.After(d.active) {
		d.active = m.Active
	}
	came := !m.Active.IsZero() && !m.Active.Before(d.seen)
	arrives := arrived >= 0 || m.Waiting > 0 || came
	if p.ToZero == nil {
		return false
	}
	idle := 0
	if p.Replicas.Idle != nil {
		idle = *p.Replicas.Idle
	}
	switch low := max(1, p.Replicas.Min); {
	case m.Replicas == idle && arrives:
		out.Raw, out.Desired, out.Reason = low, low, Activated
		if m.Waiting > 0 {
			out.Kind, out.Total = Queue, Milli(m.Waiting)*1000
		}
		if arrived >= 0 {
			metric := p.Metrics[arrived]
			out.Kind, out.Total, out.Target = metric.Kind, m.Readings[arrived].Total, metric.Target
		}
		d.recent, d.burst = d.recent[:0], burst{} // what was before the rest holds nothing back
	case m.Replicas == idle && !known:
		out.Reason, out.Valid = NoData, false
	case m.Replicas == idle, now.Sub(d.active) >= p.ToZero.After.Std():
		out.Raw, out.Desired, out.Reason = idle, idle, Quiet
	default:
		return false
	}
	return true
}

// arrivals is the index of the first metric that shows load, or -1; known is
// false where nothing shows any and not all that would could be read.
func arrivals(metrics []Metric, readings []Reading) (arrived int, known bool) {
	known = true
	for i := range metrics {
		switch {
		case !metrics[i].Kind.arrives():
		case i >= len(readings) || !readings[i].Valid:
			known = false
		case readings[i].Total > 0:
			return i, true
		}
	}
	return -1, known
}
