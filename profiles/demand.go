package profiles

import (
	"math"
	"time"
)

// proposal is what one metric asks for, stage by stage.
type proposal struct {
	raw, tolerance Step
	trend          Step // without a reason where the metric has none
	floor          int  // what is idle for long enough reaches down to; 0 where the metric does not look at single replicas
}

// size is what is left of the proposal, and why.
func (p proposal) size() (int, Reason) {
	n, reason := p.raw.Replicas, p.raw.Reason
	for _, s := range [...]Step{p.tolerance, p.trend} {
		if s.Reason != "" && s.Reason != Unchanged {
			n, reason = s.Replicas, s.Reason
		}
	}
	return n, reason
}

// propose sets Raw to the highest demand of all metrics, and returns the size
// below which no replica is idle for long enough.
func (d *decider) propose(p *Policy, m Metrics, out *Decision) (floor int) {
	best, failed := -1, false
	for i := range p.Metrics {
		metric := &p.Metrics[i]
		if i >= len(m.Readings) || !m.Readings[i].Valid {
			failed = true
			continue
		}
		total := m.Readings[i].Total
		demand := d.demand(p, metric, total, m)
		floor = max(floor, demand.floor)
		if n, reason := demand.size(); n > best {
			best = n
			out.Raw, out.Reason, out.Kind, out.Total, out.Target = n, reason, metric.Kind, total, metric.Target
			out.Trail[StageRaw], out.Trail[StageTolerance], out.Trail[StageTrend] = demand.raw, demand.tolerance, demand.trend
		}
	}
	switch {
	case best < 0 && p.OnMetricError != Hold:
		out.Raw, out.Reason = max(m.Replicas, int(p.OnMetricError)), Unreadable
		out.pass(StageMetrics, out.Raw, Unreadable)
	case best < 0:
		out.Reason, out.Valid = NoData, false
		out.pass(StageMetrics, m.Replicas, NoData)
	case failed && best < m.Replicas:
		out.Raw, out.Reason = m.Replicas, MetricFailed
		out.pass(StageMetrics, m.Replicas, MetricFailed)
	default:
		out.pass(StageMetrics, m.Replicas, Measured)
	}
	return floor
}

// demand is what one metric asks for.
func (d *decider) demand(p *Policy, metric *Metric, total Milli, m Metrics) proposal {
	switch {
	case metric.stepwise():
		return p.stepwise(metric, total, m)
	case metric.PerReplica():
		demand := p.proportional(total, metric.Target, int64(metric.Target)*int64(m.Replicas), m.Replicas, 1)
		if metric.Trend != nil {
			demand.trend = metric.heading(demand, m)
		}
		return demand
	}
	return p.proportional(total, metric.Target, int64(metric.Target), m.Replicas, int64(m.Replicas))
}

// proportional is ceil(factor x total/target), or the present size while the
// total is within the tolerance of what is planned for it. The factor is 1
// where the total is that of the fleet, and the size where it is a level that
// falls as replicas are added.
func (p *Policy) proportional(total, target Milli, planned int64, size int, factor int64) (out proposal) {
	off := int64(total) - planned
	out.raw = Step{int(CeilDiv(factor*int64(total), int64(target))), BelowTarget}
	switch {
	case off > 0:
		out.raw.Reason = AboveTarget
	case off == 0:
		out.raw.Reason = AtTarget
	}
	out.tolerance = Step{out.raw.Replicas, Unchanged}
	if abs(off)*1000 <= int64(p.Tolerance)*planned {
		out.tolerance = Step{size, AtTarget}
	}
	return out
}

// stepwise reports whether the metric adds a step at a time and looks at which
// replicas are idle, as EverAI's autoscalers do.
func (m *Metric) stepwise() bool {
	return m.Kind == FreeWorkers || m.Kind == Queue && !m.PerReplica()
}

// stepwise is EverAI's way: one step up while too few replicas are free, or
// too many requests wait, but not while others are starting; down by those
// that are idle, once they have been so for long enough. A busy replica never
// counts as one that may go, also while more are in service than are wanted:
// those beyond go anyway, and leave as few to choose from. Unlike there, as many
// stay free as are to be: they would be started again at once.
func (p *Policy) stepwise(metric *Metric, level Milli, m Metrics) (out proposal) {
	short, spare := level > metric.Target, 0
	if metric.Kind == FreeWorkers {
		short, spare = level < metric.Target, int(CeilDiv(int64(metric.Target), 1000))
	}
	if short {
		out.raw = Step{m.Replicas + max(1, p.Up.Step), AboveTarget}
		out.tolerance = Step{out.raw.Replicas, Unchanged}
		if m.Ready < m.Replicas {
			out.tolerance = Step{m.Replicas, Starting}
		}
		return out
	}
	rested := 0
	for _, since := range m.Idle {
		if since >= p.Down.Idle.Std() {
			rested++
		}
	}
	busy := max(0, m.Ready-len(m.Idle))
	removable := max(0, min(len(m.Idle)-spare, m.Replicas-busy-spare))
	out.raw = Step{m.Replicas - removable, AtTarget}
	if removable > 0 {
		out.raw.Reason = BelowTarget
	}
	out.tolerance = Step{out.raw.Replicas, Unchanged}
	rested = max(0, rested-max(0, m.Ready-m.Replicas))
	out.floor = m.Replicas - min(removable, rested)
	return out
}

// heading is what is left of a demand with a look at where the requests are
// heading.
func (m *Metric) heading(demand proposal, now Metrics) Step {
	n, _ := demand.size()
	line, ok := lineOf(now.InFlight, m.Window.Std(), now.Resized)
	if change := n - now.Replicas; ok {
		switch goal := m.Target.Float() * float64(now.Replicas); {
		case m.Trend.waits(change, line, goal, now.Oldest) && change > 0:
			return Step{now.Replicas, Draining}
		case m.Trend.waits(change, line, goal, now.Oldest):
			return Step{now.Replicas, Growing}
		case m.Trend.Ahead && change > 0 && line.Slope > 0:
			most := float64(math.MaxInt32) // a line may lead anywhere
			ahead := math.Ceil(min(line.In(now.StartUp)/m.Target.Float(), most))
			if int(ahead) > n {
				return Step{int(ahead), Rising}
			}
		}
	}
	return Step{n, Unchanged}
}

// panic lets the shorter windows decide while one of them shows several times
// of what the fleet is meant to carry, and for a window afterwards; meanwhile
// nothing is taken away (as in Knative's autoscaler).
func (d *decider) panic(now time.Time, p *Policy, m Metrics, out *Decision) {
	looks := false
	for i := range p.Metrics {
		metric := &p.Metrics[i]
		if metric.Panic == nil || i >= len(m.Readings) || !m.Readings[i].Valid {
			continue
		}
		looks = true
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
	if now.Before(d.burst.until) {
		d.burst.most = max(d.burst.most, out.Raw, m.Replicas)
		if out.Raw < d.burst.most {
			out.Raw, out.Reason = d.burst.most, Burst
		}
	} else {
		d.burst = burst{}
	}
	switch {
	case out.Reason == Burst:
		out.pass(StagePanic, out.Raw, Burst)
	case looks:
		out.pass(StagePanic, out.Raw, Unchanged)
	}
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
