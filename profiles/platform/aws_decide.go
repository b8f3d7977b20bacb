package platform

import (
	"time"

	"github.com/robfig/cron/v3"

	"headroom/profiles"
)

// What AWS calls its decisions in its documentation.
const (
	awsOut       profiles.Reason = "scale out: the metric is above the target"
	awsIn        profiles.Reason = "scale in: all policies agree"
	awsHold      profiles.Reason = "the metric is at the target"
	awsDisagree  profiles.Reason = "not all policies agree to scale in"
	awsNoData    profiles.Reason = "insufficient data"
	awsBelow     profiles.Reason = "below MinCapacity"
	awsAbove     profiles.Reason = "above MaxCapacity"
	awsAtMin     profiles.Reason = "MinCapacity"
	awsAtMax     profiles.Reason = "MaxCapacity"
	awsInCools   profiles.Reason = "ScaleInCooldown"
	awsOutCools  profiles.Reason = "ScaleOutCooldown"
	awsDisableIn profiles.Reason = "DisableScaleIn"
)

// awsDecider decides as target tracking does, as far as that is documented
// (Application Auto Scaling User Guide, How target tracking scaling works):
// each policy proposes capacity x metric/target, rounded up; the highest goes
// out, and in it goes only if all policies that may scale in agree, to the
// highest of what they propose. How many minutes the alarms take to notice,
// and how far below the target they count as below, is not documented: here
// they notice at once, and any capacity too many counts.
//
// During ScaleOutCooldown what was added is part of the next proposal, which
// is why that starts from the capacity before and acts only if it is larger.
// Without data a policy does not agree to anything. MinCapacity 0 is taken for
// 1, since nothing would ever start the first.
type awsDecider struct {
	s       awsSettings
	metrics []profiles.Metric

	low, high int          // the bounds of the present hour
	actions   []awsInstant // that change them
	begun     bool

	outUntil time.Time // the end of the cooldown
	outFrom  int       // the capacity before what started it
	inUntil  time.Time
}

// awsInstant is a recurring action.
type awsInstant struct {
	cron      cron.Schedule
	zone      *time.Location
	next      time.Time
	low, high *int
}

func (s awsSettings) decider() (profiles.Decider, error) {
	p, _ := s.policy()
	d := &awsDecider{s: s, metrics: p.Metrics, low: max(1, s.min), high: max(1, s.max)}
	for _, a := range s.actions {
		five, err := fromAWSCron(a.Schedule)
		if err != nil || a.From != nil || a.To != nil {
			continue // an import says that a policy has no such thing
		}
		schedule, err := profiles.ParseCron(five)
		if err != nil {
			return nil, err
		}
		zone, err := time.LoadLocation(a.Timezone)
		if err != nil {
			return nil, err
		}
		d.actions = append(d.actions, awsInstant{cron: schedule, zone: zone, low: a.Action.Min, high: a.Action.Max})
	}
	return d, nil
}

func (d *awsDecider) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	d.schedule(now)
	out := profiles.Decision{At: now, Current: m.Replicas, Raw: m.Replicas, Desired: m.Replicas, Valid: true}
	switch {
	case m.Replicas < d.low:
		out.Raw, out.Desired, out.Reason = d.low, d.low, awsBelow
		return out
	case m.Replicas > d.high:
		out.Raw, out.Desired, out.Reason = d.high, d.high, awsAbove
		return out
	case len(d.metrics) == 0:
		out.Reason = profiles.FixedSize
		return out
	}
	if !d.scaleOut(now, m, &out) {
		d.scaleIn(now, m, &out)
	}
	return out
}

// value is the metric of one policy, in AWS' unit; ok is false without data.
func (d *awsDecider) value(i int, m profiles.Metrics) (x float64, ok bool) {
	if i >= len(m.Readings) || !m.Readings[i].Valid || m.Ready == 0 {
		return 0, false
	}
	x = mean(d.metrics[i], m.Readings[i], m.Ready)
	if d.metrics[i].Kind == profiles.RPS {
		x *= awsMinute
	}
	return x, true
}

// scaleOut goes for the highest proposal of the policies above their target.
// It reports whether there was any.
func (d *awsDecider) scaleOut(now time.Time, m profiles.Metrics, out *profiles.Decision) bool {
	from, cooling := m.Replicas, now.Before(d.outUntil)
	if cooling {
		from = d.outFrom
	}
	best := -1
	for i, p := range d.s.policies {
		x, ok := d.value(i, m)
		if !ok || x <= p.target {
			continue
		}
		if n := tracked(from, x, p.target); best < 0 || n > out.Raw {
			best, out.Raw = i, n
		}
	}
	if best < 0 {
		return false
	}
	d.about(best, m, out)
	out.Reason = awsOut
	n := out.Raw
	if n > d.high {
		n, out.LimitedBy = d.high, awsAtMax
	}
	switch {
	case n > m.Replicas:
		if !cooling {
			d.outFrom = m.Replicas
		}
		out.Desired = n
		d.outUntil = now.Add(d.s.policies[best].out)
		d.inUntil = time.Time{} // going out ends the pause in the other direction
	case cooling:
		out.LimitedBy = awsOutCools
	}
	return true
}

// scaleIn goes for the highest proposal if every policy that may scale in has
// one below the present capacity.
func (d *awsDecider) scaleIn(now time.Time, m profiles.Metrics, out *profiles.Decision) {
	best, known, agree, may := -1, 0, true, false
	cooldown := time.Duration(0)
	n := 0
	for i, p := range d.s.policies {
		x, ok := d.value(i, m)
		if !ok {
			agree = agree && p.disableIn
			continue
		}
		known++
		if p.disableIn {
			continue
		}
		may = true
		proposal := tracked(m.Replicas, x, p.target)
		agree = agree && proposal < m.Replicas
		if best < 0 || proposal > n {
			best, n = i, proposal
		}
		cooldown = max(cooldown, p.in)
	}
	switch {
	case known == 0:
		out.Reason, out.Valid = awsNoData, false
		return
	case !may:
		out.Reason = awsDisableIn
		return
	}
	d.about(best, m, out)
	switch {
	case n >= m.Replicas:
		out.Reason = awsHold
		return
	case !agree:
		out.Reason = awsDisagree
		return
	}
	out.Raw, out.Reason = n, awsIn
	if n < d.low {
		n, out.LimitedBy = d.low, awsAtMin
	}
	switch {
	case n == m.Replicas:
	case now.Before(d.inUntil):
		out.LimitedBy = awsInCools
	default:
		out.Desired = n
		d.inUntil = now.Add(cooldown)
	}
}

func (d *awsDecider) about(i int, m profiles.Metrics, out *profiles.Decision) {
	out.Kind, out.Total, out.Target = d.metrics[i].Kind, m.Readings[i].Total, d.metrics[i].Target
}

// tracked is what a policy proposes.
func tracked(capacity int, metric, target float64) int {
	return ceil(float64(capacity) * metric / target)
}

// schedule lets the actions that are due set the bounds, in the order of their
// moments. The first time the last of each counts, as if the service had been
// there all along.
func (d *awsDecider) schedule(now time.Time) {
	if !d.begun {
		d.begun = true
		d.catchUp(now)
	}
	for {
		due := -1
		for i, a := range d.actions {
			if !a.next.IsZero() && !a.next.After(now) && (due < 0 || a.next.Before(d.actions[due].next)) {
				due = i
			}
		}
		if due < 0 {
			return
		}
		a := &d.actions[due]
		d.low, d.high = max(1, or(a.low, d.low)), max(1, or(a.high, d.high))
		a.next = a.cron.Next(a.next)
	}
}

// catchUp puts each action at its last moment before now, of this year.
func (d *awsDecider) catchUp(now time.Time) {
	for i := range d.actions {
		a := &d.actions[i]
		a.next = a.cron.Next(now.In(a.zone))
		for _, back := range []time.Duration{time.Hour, 24 * time.Hour, 32 * 24 * time.Hour, 366 * 24 * time.Hour} {
			last := a.cron.Next(now.Add(-back).In(a.zone))
			if last.IsZero() || last.After(now) {
				continue
			}
			for next := last; !next.After(now) && !next.IsZero(); next = a.cron.Next(next) {
				last = next
			}
			a.next = last
			break
		}
	}
}
