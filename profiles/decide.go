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
	InFlight []Sample        // over the fleet, about one a second, oldest first
	StartUp  time.Duration   // that a replica takes until it is ready; 0: not known
}

// Decider is a policy at work: it holds the windows and the history that the
// policy needs. It is not safe for concurrent use. Calls must not go back in
// time.
type Decider interface {
	Decide(now time.Time, m Metrics) Decision
}

// Decider returns a decider for a valid policy, with an empty history. It acts
// on averages only.
func (p Policy) Decider() (Decider, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	for i, m := range p.Metrics {
		if m.Aggregation != "" && m.Aggregation != Average {
			return nil, fmt.Errorf("metrics[%d].aggregation: got %s, want %s: the built-in scaler has no other", i, m.Aggregation, Average)
		}
	}
	d := &decider{policy: p}
	for _, s := range p.Schedules {
		w, err := s.parse()
		if err != nil {
			return nil, err
		}
		d.periods = append(d.periods, w)
	}
	return d, nil
}

// decider is the pipeline
//
//	bounds at once -> rest -> metrics -> tolerance -> panic -> step and factor -> bounds -> stabilisation
//
// with the clamp form of stabilisation that Kubernetes uses since 1.18: the
// present size is moved only as far as every recommendation of the window
// allows.
type decider struct {
	policy  Policy
	periods []period
	began   time.Time
	active  time.Time        // when something arrived last, as far as is known
	recent  []recommendation // of the longer of the two stabilisation windows, oldest first
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
		d.began, d.active = now, now
	}
	low, high := d.bounds(now)
	out := Decision{At: now, Current: m.Replicas, Raw: m.Replicas, Desired: m.Replicas, Valid: true}

	if d.rest(now, m, &out) {
		return out
	}
	switch {
	case m.Replicas < low:
		out.Raw, out.Desired, out.Reason = low, low, UnderMin
		return out
	case high != Unlimited && m.Replicas > int(high):
		out.Raw, out.Desired, out.Reason = int(high), int(high), OverMax
		return out
	case len(d.policy.Metrics) == 0:
		out.Reason = FixedSize
		return out
	}

	d.propose(m, &out)
	d.panic(now, m, &out)
	if !out.Valid || out.Reason == MetricFailed {
		d.remember(now, m.Replicas) // a gap is no evidence of a lull
		return out
	}
	out.Desired = out.Raw
	d.limitStep(&out)
	switch {
	case out.Desired < low:
		out.Desired, out.LimitedBy = low, MinLimit
	case high != Unlimited && out.Desired > int(high):
		out.Desired, out.LimitedBy = int(high), MaxLimit
	}
	d.stabilise(now, &out)
	return out
}

// rest takes the fleet below its usual minimum when nothing has arrived for
// long enough, keeps it there, and ends that at once when something comes. It
// reports whether it decided.
func (d *decider) rest(now time.Time, m Metrics, out *Decision) bool {
	if d.policy.ToZero == nil {
		return false
	}
	arrived, known := arrivals(d.policy.Metrics, m.Readings)
	if arrived >= 0 || !known {
		d.active = now // what is not known may be load
	}
	idle := 0
	if d.policy.Replicas.Idle != nil {
		idle = *d.policy.Replicas.Idle
	}
	switch low := max(1, d.policy.Replicas.Min); {
	case m.Replicas == idle && arrived >= 0:
		metric := d.policy.Metrics[arrived]
		out.Raw, out.Desired, out.Reason = low, low, Activated
		out.Kind, out.Total, out.Target = metric.Kind, m.Readings[arrived].Total, metric.Target
		return true
	case m.Replicas == idle && !known:
		out.Reason, out.Valid = NoData, false
		return true
	case now.Sub(d.active) >= d.policy.ToZero.After.Std():
		out.Raw, out.Desired, out.Reason = idle, idle, Quiet
		return true
	}
	return m.Replicas == idle
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

// bounds are those of the policy, replaced by the schedules that are active;
// of several the last one wins.
func (d *decider) bounds(now time.Time) (low int, high Limit) {
	low, high = max(1, d.policy.Replicas.Min), d.policy.Replicas.Max // fewer than 1 is for rest to say
	for i := range d.periods {
		p := &d.periods[i]
		if !p.active(now) {
			continue
		}
		if p.min > 0 {
			low = p.min
		}
		if p.max > 0 {
			high = Limit(p.max)
		}
	}
	if high != Unlimited && int(high) < low {
		high = Limit(low)
	}
	return low, high
}

// propose sets Raw to the highest demand of all metrics.
func (d *decider) propose(m Metrics, out *Decision) {
	best, failed := -1, false
	for i := range d.policy.Metrics {
		metric := &d.policy.Metrics[i]
		if i >= len(m.Readings) || !m.Readings[i].Valid {
			failed = true
			continue
		}
		total := m.Readings[i].Total
		n, reason := d.demand(metric, total, m)
		if n > best {
			best = n
			out.Raw, out.Reason, out.Kind, out.Total, out.Target = n, reason, metric.Kind, total, metric.Target
		}
	}
	switch {
	case best < 0 && d.policy.OnMetricError != Hold:
		out.Raw, out.Reason = int(d.policy.OnMetricError), Unreadable
	case best < 0:
		out.Raw, out.Reason, out.Valid = m.Replicas, NoData, false
	case failed && best < m.Replicas:
		out.Raw, out.Reason = m.Replicas, MetricFailed
	}
}

// demand is what one metric asks for.
func (d *decider) demand(metric *Metric, total Milli, m Metrics) (int, Reason) {
	switch {
	case metric.Kind == FreeWorkers || metric.Kind == Queue && !metric.PerReplica():
		return d.stepwise(metric, total, m)
	case metric.PerReplica():
		return d.proportional(total, metric.Target, int64(metric.Target)*int64(m.Replicas), m.Replicas, 1)
	}
	return d.proportional(total, metric.Target, int64(metric.Target), m.Replicas, int64(m.Replicas))
}

// proportional is ceil(factor x total/target), or the present size while the
// total is within the tolerance of what is planned for it. The factor is 1
// where the total is that of the fleet, and the size where it is a level that
// falls as replicas are added.
func (d *decider) proportional(total, target Milli, planned int64, size int, factor int64) (int, Reason) {
	off := int64(total) - planned
	switch {
	case abs(off)*1000 <= int64(d.policy.Tolerance)*planned:
		return size, AtTarget
	case off > 0:
		return int(CeilDiv(factor*int64(total), int64(target))), AboveTarget
	}
	return int(CeilDiv(factor*int64(total), int64(target))), BelowTarget
}

// stepwise is EverAI's way: one step up while too few replicas are free, or
// too many requests wait, but not while others are starting; down by those
// that have been idle for long enough.
func (d *decider) stepwise(metric *Metric, level Milli, m Metrics) (int, Reason) {
	short := level > metric.Target
	if metric.Kind == FreeWorkers {
		short = level < metric.Target
	}
	if short {
		if m.Ready < m.Replicas {
			return m.Replicas, Starting
		}
		return m.Replicas + max(1, d.policy.Up.Step), AboveTarget
	}
	idle := 0
	for _, since := range m.Idle {
		if since >= d.policy.Down.Idle.Std() {
			idle++
		}
	}
	if idle == 0 {
		return m.Replicas, AtTarget
	}
	return max(0, m.Replicas-idle), BelowTarget
}

// panic lets the shorter windows decide while one of them shows several times
// of what the fleet is meant to carry, and for a window afterwards; meanwhile
// nothing is taken away (as in Knative's autoscaler).
func (d *decider) panic(now time.Time, m Metrics, out *Decision) {
	for i := range d.policy.Metrics {
		metric := &d.policy.Metrics[i]
		if metric.Panic == nil || i >= len(m.Readings) || !m.Readings[i].Valid {
			continue
		}
		total := m.Readings[i].Burst
		n := int(CeilDiv(int64(total), int64(metric.Target)))
		planned := int64(metric.Target) * int64(max(1, m.Replicas))
		if int64(total)*1000 >= int64(metric.Panic.Threshold)*planned {
			d.burst.until = now.Add(metric.Window.Std())
		}
		if now.Before(d.burst.until) && n > out.Raw {
			out.Raw, out.Reason, out.Kind, out.Total, out.Target = n, Burst, metric.Kind, total, metric.Target
		}
	}
	if !now.Before(d.burst.until) {
		d.burst = burst{}
		return
	}
	d.burst.most = max(d.burst.most, out.Raw, m.Replicas)
	if out.Raw < d.burst.most {
		out.Raw, out.Reason = d.burst.most, Burst
	}
}

// limitStep keeps the change within step and factor; where both are given the
// tighter one holds. One replica may always move, or a factor could pin a
// small fleet for ever.
func (d *decider) limitStep(out *Decision) {
	cur := out.Current
	if up := d.policy.Up; out.Desired > cur {
		limit := out.Desired
		if up.Step > 0 {
			limit = min(limit, cur+up.Step)
		}
		if up.Factor > 0 {
			limit = min(limit, max(cur+1, int(CeilDiv(int64(cur)*int64(up.Factor), 1000))))
		}
		if limit < out.Desired {
			out.Desired, out.LimitedBy = limit, StepLimit
		}
	}
	if down := d.policy.Down; out.Desired < cur {
		limit := out.Desired
		if down.Step > 0 {
			limit = max(limit, cur-down.Step)
		}
		if down.Factor > 0 {
			limit = max(limit, min(cur-1, int(CeilDiv(int64(cur)*int64(down.Factor), 1000))))
		}
		if limit > out.Desired {
			out.Desired, out.LimitedBy = limit, StepLimit
		}
	}
}

// stabilise lets the fleet grow only to the lowest recommendation of the up
// window, and shrink only to the highest of the down window. During its first
// down window a decider has not seen enough to take anything away.
func (d *decider) stabilise(now time.Time, out *Decision) {
	d.remember(now, out.Desired)
	up, down := d.policy.Up.Stabilization.Std(), d.policy.Down.Stabilization.Std()
	want := out.Desired
	lowest, highest := want, want
	since := now.Sub(d.began)
	for _, r := range d.recent {
		age := since - r.at
		if age < up {
			lowest = min(lowest, r.n)
		}
		if age < down {
			highest = max(highest, r.n)
		}
	}

	cur := out.Current
	switch {
	case want > cur && (lowest < want || since < up):
		if since < up {
			lowest = cur
		}
		out.Desired, out.LimitedBy = max(cur, lowest), UpStabilized
	case want < cur && (highest > want || since < down):
		if since < down {
			highest = cur
		}
		out.Desired, out.LimitedBy = min(cur, highest), DownStabilized
	}
}

// remember adds a recommendation and forgets those that no window reaches
// back to.
func (d *decider) remember(now time.Time, n int) {
	longest := max(d.policy.Up.Stabilization.Std(), d.policy.Down.Stabilization.Std())
	since := now.Sub(d.began)
	gone := 0
	for gone < len(d.recent) && since-d.recent[gone].at >= longest {
		gone++
	}
	d.recent = append(d.recent[:copy(d.recent, d.recent[gone:])], recommendation{since, n})
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
