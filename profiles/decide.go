package profiles

import (
	"fmt"
	"time"
)

// Reading is the level of one metric over the whole fleet. A reading that is
// not Valid says nothing, which is not the same as zero.
type Reading struct {
	Total Milli
	Valid bool
}

// Metrics is what a decision is made from.
type Metrics struct {
	Replicas int       // wanted at present; those still starting count, or every tick would order them again
	Readings []Reading // one for each metric of the policy, in its order
}

// Decider is a policy at work: it holds the windows and the history that the
// policy needs. It is not safe for concurrent use. Calls must not go back in
// time.
type Decider interface {
	Decide(now time.Time, m Metrics) Decision
}

// Reason is a code that says which stage of the pipeline set a number.
type Reason string

// The reasons of a decision.
const (
	AtTarget       Reason = "at_target"       // within the tolerance of the target
	AboveTarget    Reason = "above_target"    // the metric asks for more
	BelowTarget    Reason = "below_target"    // the metric asks for fewer
	FixedSize      Reason = "fixed"           // the policy has no metric
	NoData         Reason = "no_data"         // no metric could be read
	MetricFailed   Reason = "metric_failed"   // one metric could not be read, so nothing is taken away
	UnderMin       Reason = "under_min"       // the fleet is smaller than min; acted on at once
	OverMax        Reason = "over_max"        // the fleet is larger than max; acted on at once
	StepLimit      Reason = "step_limit"      // up or down step or factor
	MinLimit       Reason = "min"             // replicas.min
	MaxLimit       Reason = "max"             // replicas.max
	UpStabilized   Reason = "up_stabilized"   // higher demand has not lasted long enough
	DownStabilized Reason = "down_stabilized" // lower demand has not lasted long enough
	Pinned         Reason = "pinned"          // held by hand or by a measurement
)

// Decision is how many replicas there should be, and why.
type Decision struct {
	At        time.Time `json:"at"`
	Current   int       `json:"current"`             // wanted before
	Raw       int       `json:"raw"`                 // what the metric alone asks for
	Desired   int       `json:"desired"`             // wanted from now on
	Reason    Reason    `json:"reason"`              // where Raw comes from
	LimitedBy Reason    `json:"limitedBy,omitempty"` // what kept Desired from Raw
	Kind      Kind      `json:"metric,omitempty"`    // the metric that won
	Total     Milli     `json:"total,omitempty"`     // its level over the fleet
	Target    Milli     `json:"target,omitempty"`    // its target per replica
	Valid     bool      `json:"valid"`               // false: nothing was known, Desired is Current
}

// Control is what governs a fleet: the policy in force and the latest decision
// under it.
type Control struct {
	Policy   Policy
	Decision Decision
}

// String is the decision as one sentence, such as
// "1 -> 3: rps 28.4 over a target of 10 per replica asks for 3".
func (d Decision) String() string {
	move := fmt.Sprintf("%d -> %d", d.Current, d.Desired)
	if d.Current == d.Desired {
		move = fmt.Sprintf("stays at %d", d.Desired)
	}
	why := ""
	switch d.Reason {
	case AboveTarget, BelowTarget:
		why = fmt.Sprintf("%s %.1f with a target of %s per replica asks for %d", d.Kind, d.Total.Float(), d.Target, d.Raw)
	case AtTarget:
		why = fmt.Sprintf("%s %.1f is within tolerance of %d x %s", d.Kind, d.Total.Float(), d.Current, d.Target)
	case FixedSize:
		why = "the size is fixed"
	case NoData:
		why = "no metric could be read"
	case MetricFailed:
		why = "a metric could not be read, so nothing is taken away"
	case UnderMin:
		why = "below min"
	case OverMax:
		why = "above max"
	case Pinned:
		why = "pinned"
	}
	switch d.LimitedBy {
	case StepLimit:
		why += ", limited by the step"
	case MinLimit:
		why += ", limited by min"
	case MaxLimit:
		why += ", limited by max"
	case UpStabilized, DownStabilized:
		why += ", waits for it to last"
	}
	return move + ": " + why
}

// Decider returns a decider for a valid policy, with an empty history.
func (p Policy) Decider() (Decider, error) {
	if err := p.Validate(); err != nil {
		return nil, err
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
//	bounds at once -> metrics -> tolerance -> step and factor -> bounds -> stabilisation
//
// with the clamp form of stabilisation that Kubernetes uses since 1.18: the
// present size is moved only as far as every recommendation of the window
// allows.
type decider struct {
	policy  Policy
	periods []period
	began   time.Time
	recent  []recommendation // of the longer of the two stabilisation windows, oldest first
}

type recommendation struct {
	at time.Time
	n  int
}

func (d *decider) Decide(now time.Time, m Metrics) Decision {
	if d.began.IsZero() {
		d.began = now
	}
	low, high := d.bounds(now)
	out := Decision{At: now, Current: m.Replicas, Raw: m.Replicas, Desired: m.Replicas, Valid: true}

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

// bounds are those of the policy, replaced by the schedules that are active;
// of several the last one wins.
func (d *decider) bounds(now time.Time) (low int, high Limit) {
	low, high = d.policy.Replicas.Min, d.policy.Replicas.Max
	for _, p := range d.periods {
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

// propose sets Raw to the highest demand of all metrics: ceil(total/target),
// or the present size while the total is within the tolerance of it.
func (d *decider) propose(m Metrics, out *Decision) {
	best, failed := -1, false
	for i, metric := range d.policy.Metrics {
		if i >= len(m.Readings) || !m.Readings[i].Valid {
			failed = true
			continue
		}
		total := m.Readings[i].Total
		n, reason := int(CeilDiv(int64(total), int64(metric.Target))), AtTarget
		planned := int64(metric.Target) * int64(m.Replicas)
		switch off := int64(total) - planned; {
		case abs(off)*1000 <= int64(d.policy.Tolerance)*planned:
			n = m.Replicas
		case off > 0:
			reason = AboveTarget
		default:
			reason = BelowTarget
		}
		if n > best {
			best = n
			out.Raw, out.Reason, out.Kind, out.Total, out.Target = n, reason, metric.Kind, total, metric.Target
		}
	}
	switch {
	case best < 0:
		out.Raw, out.Reason, out.Valid = m.Replicas, NoData, false
	case failed && best < m.Replicas:
		out.Raw, out.Reason = m.Replicas, MetricFailed
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
	for _, r := range d.recent {
		age := now.Sub(r.at)
		if age < up {
			lowest = min(lowest, r.n)
		}
		if age < down {
			highest = max(highest, r.n)
		}
	}

	cur := out.Current
	held := now.Sub(d.began)
	switch {
	case want > cur && (lowest < want || held < up):
		if held < up {
			lowest = cur
		}
		out.Desired, out.LimitedBy = max(cur, lowest), UpStabilized
	case want < cur && (highest > want || held < down):
		if held < down {
			highest = cur
		}
		out.Desired, out.LimitedBy = min(cur, highest), DownStabilized
	}
}

// remember adds a recommendation and forgets those that no window reaches
// back to.
func (d *decider) remember(now time.Time, n int) {
	longest := max(d.policy.Up.Stabilization.Std(), d.policy.Down.Stabilization.Std())
	keep := d.recent[:0]
	for _, r := range d.recent {
		if now.Sub(r.at) < longest {
			keep = append(keep, r)
		}
	}
	d.recent = append(keep, recommendation{now, n})
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
