package platform

import (
	"cmp"
	"time"

	"headroom/profiles"
)

// What the Nomad Autoscaler says about its decisions in its log.
const (
	nomadUp       profiles.Reason = "scaling up because of the factor"
	nomadDown     profiles.Reason = "scaling down because of the factor"
	nomadNone     profiles.Reason = "no action needed"
	nomadFixed    profiles.Reason = "fixed value"
	nomadOutside  profiles.Reason = "outside of the schedule"
	nomadBelow    profiles.Reason = "current count is lower than policy min value"
	nomadAbove    profiles.Reason = "current count is greater than policy max value"
	nomadNoData   profiles.Reason = "no metrics available"
	nomadDisabled profiles.Reason = "scaling is not enabled"
	nomadCapped   profiles.Reason = "capped count to stay within limits"
	nomadLimited  profiles.Reason = "max_scale_up or max_scale_down"
	nomadCooling  profiles.Reason = "policy still on cooldown"
)

// nomadDecider decides as the Nomad Autoscaler does: bounds first, then all
// checks, of which the safest wins (sdk/strategy.go, PreemptScalingAction;
// grouped checks as policy/handler.go has them), unless the last action is
// too recent. Other strategies than target-value and fixed-value are left out:
// there are no readings for what a policy does not have.
//
// A check without a value stops the evaluation, or is left out where it says
// on_error = "ignore".
type nomadDecider struct {
	s       nomadSettings
	checks  []nomadCheck // the tracked ones, in the order of the readings
	metrics []profiles.Metric
	fixed   []nomadCheck // those with a fixed value
	until   time.Time    // the end of the cooldown
	actions []nomadAction
}

// nomadAction is what a check wants.
type nomadAction struct {
	direction int // 1, 0 or -1
	raw       int
	count     int  // within max_scale_up and max_scale_down
	left      bool // out, as it has no value or is not of this hour
}

func (s nomadSettings) decider() (profiles.Decider, error) {
	p, _ := s.policy()
	if len(p.Metrics) == 0 {
		return p.Decider()
	}
	d := &nomadDecider{s: s, checks: s.tracked(), metrics: p.Metrics}
	d.actions = make([]nomadAction, len(d.checks))
	for _, c := range s.checks {
		if c.kind == "fixed-value" {
			d.fixed = append(d.fixed, c)
		}
	}
	return d, nil
}

func (d *nomadDecider) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	out := profiles.Decision{At: now, Current: m.Replicas, Raw: m.Replicas, Desired: m.Replicas, Valid: true}
	switch {
	case !d.s.enabled:
		out.Reason = nomadDisabled
		return out
	case !d.s.hours.active(now):
		out.Reason = nomadOutside
		return out
	case m.Replicas < d.s.min:
		out.Raw, out.Reason = d.s.min, nomadBelow
		d.act(now, 1, d.s.min, &out)
		return out
	case m.Replicas > d.s.max:
		out.Raw, out.Reason = d.s.max, nomadAbove
		d.act(now, -1, d.s.max, &out)
		return out
	}
	known := 0
	for i, c := range d.checks {
		d.actions[i] = nomadAction{}
		value, ok := d.value(i, m)
		switch {
		case !c.hours.active(now):
			d.actions[i].left = true
			known++
		case ok:
			known++
			direction, raw := nomadCount(m.Replicas, value, c.target, c.threshold)
			d.actions[i] = nomadAction{direction: direction, raw: raw, count: stepped(m.Replicas, raw, direction, c.maxUp, c.maxDown)}
		case c.ignore:
			d.actions[i].left = true
		default:
			out.Reason, out.Valid = nomadNoData, false
			return out
		}
	}
	if known == 0 {
		out.Reason, out.Valid = nomadNoData, false
		return out
	}
	if direction, count := d.safest(now, m, &out); direction != 0 {
		d.act(now, direction, count, &out)
	}
	return out
}

// value is what the query of a check yields: the average of the replicas that
// run, or the total where none does and something still says it.
func (d *nomadDecider) value(i int, m profiles.Metrics) (float64, bool) {
	if i >= len(m.Readings) || !m.Readings[i].Valid {
		return 0, false
	}
	if m.Ready == 0 && m.Replicas > 0 && d.metrics[i].PerReplica() {
		return 0, false // the first has yet to come up
	}
	return mean(d.metrics[i], m.Readings[i], m.Ready), true
}

// safest is the action that wins: up before none before down, and of two in
// one direction that with the higher count. In a named group none does not
// count unless all of the group want none.
func (d *nomadDecider) safest(now time.Time, m profiles.Metrics, out *profiles.Decision) (direction, count int) {
	best := -1
	for i, a := range d.actions {
		switch {
		case a.left || a.direction == 0 && d.outvoted(i):
		case best < 0 || safer(a.direction, a.count, direction, count):
			best, direction, count = i, a.direction, a.count
		}
	}
	if best >= 0 {
		out.Kind, out.Total, out.Target = d.metrics[best].Kind, m.Readings[best].Total, d.metrics[best].Target
		out.Raw, out.Reason = d.actions[best].raw, nomadNone
		switch direction {
		case 1:
			out.Reason = nomadUp
		case -1:
			out.Reason = nomadDown
		}
		if count != out.Raw {
			out.LimitedBy = nomadLimited
		}
	}
	for _, c := range d.fixed {
		toward := cmp.Compare(c.value, m.Replicas)
		if c.hours.active(now) && (out.Reason == "" || safer(toward, c.value, direction, count)) {
			direction, count = toward, c.value
			out.Raw, out.Reason, out.LimitedBy = c.value, nomadFixed, ""
		}
	}
	if out.Reason == "" {
		out.Reason = nomadOutside
	}
	return direction, count
}

// safer reports whether one action wins over another.
func safer(direction, count, other, otherCount int) bool {
	return direction > other || direction == other && direction != 0 && count > otherCount
}

// outvoted reports whether another check of the same group wants something.
func (d *nomadDecider) outvoted(i int) bool {
	group := d.checks[i].group
	for j, a := range d.actions {
		if group != "" && d.checks[j].group == group && a.direction != 0 {
			return true
		}
	}
	return false
}

// active reports whether it is one of these hours, the start included and the
// end not.
func (h *nomadHours) active(now time.Time) bool {
	if h == nil {
		return true
	}
	now = now.UTC()
	if h.to == nil {
		start := h.from.Next(now.Add(-h.lasts))
		return !start.IsZero() && !start.After(now)
	}
	return !h.from.Next(now).Before(h.to.Next(now))
}

// act carries an action out, within the bounds and unless the last is too
// recent: its cooldown must be over, not just ending.
func (d *nomadDecider) act(now time.Time, direction, count int, out *profiles.Decision) {
	if n := max(d.s.min, min(d.s.max, count)); n != count {
		count, out.LimitedBy = n, nomadCapped
	}
	if count == out.Current {
		return
	}
	if !d.until.IsZero() && !now.After(d.until) {
		out.LimitedBy = nomadCooling
		return
	}
	out.Desired = count
	if direction > 0 {
		d.until = now.Add(d.s.cooldownUp)
	} else {
		d.until = now.Add(d.s.cooldown)
	}
}

// nomadCount is the strategy target-value
// (plugins/builtin/strategy/target-value/plugin/plugin.go): the count times
// factor, which is value/target, or the value itself for a target of 0. Within
// the threshold around 1 there is no direction. From a count of 0 the factor
// is the count.
func nomadCount(count int, value, target, threshold float64) (direction, newCount int) {
	factor := value
	if target != 0 {
		factor = value / target
	}
	switch {
	case count == 0 && factor > 0:
		direction, newCount = 1, ceil(factor)
	case count == 0:
	case factor < 1-threshold:
		direction, newCount = -1, ceil(float64(count)*factor)
	case factor > 1+threshold:
		direction, newCount = 1, ceil(float64(count)*factor)
	}
	if direction == 0 || newCount == count {
		return 0, count
	}
	return direction, newCount
}

// stepped is a count no further away than the limits allow; 0: no limit.
func stepped(current, count, direction, maxUp, maxDown int) int {
	switch {
	case direction > 0 && maxUp > 0:
		return min(count, current+maxUp)
	case direction < 0 && maxDown > 0:
		return max(count, current-maxDown)
	}
	return count
}
