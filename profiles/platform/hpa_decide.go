package platform

import (
	"math"
	"strings"
	"time"

	"headroom/profiles"
)

// The words of the controller: reasons of its conditions AbleToScale,
// ScalingActive and ScalingLimited, and of its events.
const (
	hpaWithinRange    profiles.Reason = "DesiredWithinRange"
	hpaTooFew         profiles.Reason = "TooFewReplicas"
	hpaTooMany        profiles.Reason = "TooManyReplicas"
	hpaUpLimit        profiles.Reason = "ScaleUpLimit"
	hpaDownLimit      profiles.Reason = "ScaleDownLimit"
	hpaUpStabilized   profiles.Reason = "ScaleUpStabilized"
	hpaDownStabilized profiles.Reason = "ScaleDownStabilized"
	hpaDisabled       profiles.Reason = "ScalingDisabled"
	hpaAllBelow       profiles.Reason = "All metrics below target"
	hpaBelowMin       profiles.Reason = "Current number of replicas below Spec.MinReplicas"
	hpaAboveMax       profiles.Reason = "Current number of replicas above Spec.MaxReplicas"
)

// hpaSignal is a metric at work.
type hpaSignal struct {
	calculate calculator
	target    int64 // percent for utilization, else milli-units
	unit      int64 // what a reading counts in, in those of the target
	metric    profiles.Metric

	above, failed profiles.Reason
}

// calculator is one of the functions of hpa_calculator.go.
type calculator int

const (
	byUtilization calculator = iota
	byAverage
	byPod
	byLevel
)

// hpaDecider is the controller of one autoscaler
// (pkg/controller/podautoscaler/horizontal.go of Kubernetes):
//
//	bounds at once -> highest metric -> stabilisation -> rate limit and bounds
//
// It should be called every 15 seconds, as the controller looks. Replicas that
// are not ready are taken for pods that are still pending: without a sample,
// and not yet to be counted on.
type hpaDecider struct {
	low, high int
	signals   []hpaSignal
	tolerance tolerances
	legacy    bool // no behavior: at most double, and no other limits
	up, down  hpaRules

	recent    []hpaMark // of the longer of the two windows, oldest first
	ups       []hpaMark // replicas added, and when
	downs     []hpaMark // replicas taken away
	initiated bool
}

// hpaMark is a number of replicas at a time.
type hpaMark struct {
	at time.Time
	n  int
}

func (f hpaFile) decider() (profiles.Decider, error) {
	d := newHPA(f.min(), int(f.Spec.Max), f.Spec.Behavior)
	for _, m := range f.metrics() {
		if s, ok := m.signal(); ok {
			d.signals = append(d.signals, s)
		}
	}
	return d, nil
}

func newHPA(low, high int, b *hpaBehavior) *hpaDecider {
	d := &hpaDecider{low: low, high: high, legacy: b == nil}
	d.up, d.down = b.rules()
	d.tolerance = tolerances{up: d.up.share().Float(), down: d.down.share().Float()}
	return d
}

// signal is the metric at work; ok is false where there will be no reading,
// as a policy does not say it.
func (m *hpaMetric) signal() (s hpaSignal, ok bool) {
	metric, _, ok := m.metric()
	if !ok {
		return s, false
	}
	_, source := m.source()
	s = hpaSignal{metric: metric, unit: 1, failed: profiles.Reason("FailedGet" + m.Type + "Metric")}
	above := strings.ToLower(m.Type) + " metric " + source.Metric.Name
	switch t := source.Target; {
	case t.Utilization != nil:
		s.calculate, s.target = byUtilization, int64(*t.Utilization)
		above = source.Name + " resource utilization (percentage of request)"
	case t.Value != nil:
		s.calculate, s.target = byLevel, int64(*t.Value)
	case m.external():
		s.calculate, s.target = byPod, int64(*t.Average)
	default:
		s.calculate, s.target = byAverage, int64(*t.Average)
		if m.Type != "Pods" {
			above = source.Name + " resource"
		}
		if metric.Kind == profiles.Memory {
			s.unit = mebibyte
		}
	}
	s.above = profiles.Reason(above + " above target")
	return s, true
}

// Decide takes the step of one sync.
func (d *hpaDecider) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	cur := m.Replicas
	out := profiles.Decision{At: now, Current: cur, Raw: cur, Desired: cur, Valid: true}
	if !d.initiated { // a controller that has just started takes nothing away
		d.initiated = true
		d.recent = append(d.recent, hpaMark{now, cur})
	}
	switch {
	case cur == 0 && d.low > 0:
		out.Reason = hpaDisabled
	case cur > d.high:
		out.Raw, out.Desired, out.Reason = d.high, d.high, hpaAboveMax
	case cur < d.low:
		out.Raw, out.Desired, out.Reason = d.low, d.low, hpaBelowMin
	case d.propose(m, &out):
		d.settle(now, &out)
	}
	if out.Desired != cur {
		d.remember(now, out.Desired-cur)
	}
	return out
}

// propose sets Raw to the highest of the metrics. It reports false where
// nothing may change: no metric could be read, or one could not and the others
// ask for fewer.
func (d *hpaDecider) propose(m profiles.Metrics, out *profiles.Decision) bool {
	best, failed := -1, profiles.Reason("")
	for i := range d.signals {
		s := &d.signals[i]
		n, ok := 0, false
		if i < len(m.Readings) && m.Readings[i].Valid {
			n, ok = s.replicas(m.Readings[i].Total, m, d.tolerance)
		}
		if !ok {
			failed = s.failed
			continue
		}
		if n > best {
			best = n
			out.Raw, out.Reason = n, s.above
			out.Kind, out.Total, out.Target = s.metric.Kind, m.Readings[i].Total, s.metric.Target
		}
	}
	switch {
	case best < 0 || failed != "" && best < out.Current:
		out.Raw, out.Reason, out.Valid = out.Current, failed, best >= 0
		return false
	case best == out.Current:
		out.Reason = hpaWithinRange
	case best < out.Current:
		out.Reason = hpaAllBelow
	}
	return true
}

// replicas is what one metric asks for.
func (s *hpaSignal) replicas(total profiles.Milli, m profiles.Metrics, t tolerances) (n int, ok bool) {
	level := int64(total) * s.unit
	f := hpaFleet{level: level, measured: m.Ready, unready: max(0, m.Replicas-m.Ready)}
	switch s.calculate {
	case byUtilization: // of a request of 100 % each
		const request = 100_000
		f.request, f.unreadyRequest = int64(f.measured)*request, int64(f.unready)*request
		return f.utilization(m.Replicas, s.target, t)
	case byAverage:
		return f.average(m.Replicas, s.target, t)
	case byPod:
		return hpaPerPod(m.Replicas, level, s.target, t), true
	}
	return hpaLevel(m.Replicas, m.Ready, level, s.target, t), true
}

// settle turns what the metrics ask for into what is done.
func (d *hpaDecider) settle(now time.Time, out *profiles.Decision) {
	want := d.stabilise(now, out.Current, out.Raw)
	if want != out.Raw {
		out.LimitedBy = hpaDownStabilized
		if out.Raw >= out.Current && !d.legacy {
			out.LimitedBy = hpaUpStabilized
		}
	}
	n, limit := d.limit(now, out.Current, want)
	if n != want {
		out.LimitedBy = limit
	}
	out.Desired = n
}

// stabilise moves the present size only as far as all recommendations of the
// windows allow, and remembers what was asked for. Without behavior there is
// only the window for scaling down, whose end belongs to it.
func (d *hpaDecider) stabilise(now time.Time, cur, want int) int {
	up := time.Duration(*d.up.Window) * time.Second
	down := time.Duration(*d.down.Window) * time.Second
	least, most := want, want
	keep := d.recent[:0]
	for _, r := range d.recent {
		age := now.Sub(r.at)
		if age < up {
			least = min(least, r.n)
		}
		if age < down || d.legacy && age == down {
			most = max(most, r.n)
		}
		if age <= max(up, down) {
			keep = append(keep, r)
		}
	}
	d.recent = append(keep, hpaMark{now, want})
	if d.legacy {
		return most
	}
	return min(max(cur, least), most)
}

// limit applies the rate limits and the bounds.
func (d *hpaDecider) limit(now time.Time, cur, want int) (n int, reason profiles.Reason) {
	if d.legacy {
		return d.legacyLimit(cur, want)
	}
	added, removed := d.ups, d.downs
	switch {
	case want > cur:
		limit := max(cur, d.up.upLimit(now, cur, added, removed))
		if want > min(limit, d.high) {
			if d.high > limit {
				return limit, hpaUpLimit
			}
			return d.high, hpaTooMany
		}
	case want < cur:
		limit := min(cur, d.down.downLimit(now, cur, added, removed))
		if want < max(limit, d.low) {
			if d.low < limit {
				return limit, hpaDownLimit
			}
			return d.low, hpaTooFew
		}
	}
	return want, hpaWithinRange
}

// legacyLimit is that without behavior: at most double, but 4 always.
func (d *hpaDecider) legacyLimit(cur, want int) (n int, reason profiles.Reason) {
	double := max(2*cur, 4)
	switch {
	case want < d.low:
		return d.low, hpaTooFew
	case want > double && d.high > double:
		return double, hpaUpLimit
	case want > d.high:
		return d.high, hpaTooMany
	}
	return want, hpaWithinRange
}

// upLimit is the selectMax size that the policies allow: each counts from the
// size at the beginning of its period.
func (r *hpaRules) upLimit(now time.Time, cur int, added, removed []hpaMark) int {
	if r.Select == selectDisabled {
		return cur
	}
	best := -1
	for _, p := range r.Policies {
		start := p.start(now, cur, added, removed)
		n := start + int(p.Value)
		if p.Type == policyPercent {
			n = int(math.Ceil(float64(start) * (1 + float64(p.Value)/100)))
		}
		if best < 0 || (n > best) == (r.Select != selectMin) {
			best = n
		}
	}
	return best
}

// downLimit is the selectMin size that the policies allow.
func (r *hpaRules) downLimit(now time.Time, cur int, added, removed []hpaMark) int {
	if r.Select == selectDisabled {
		return cur
	}
	best := math.MaxInt
	for _, p := range r.Policies {
		start := p.start(now, cur, added, removed)
		n := start - int(p.Value)
		if p.Type == policyPercent {
			n = int(float64(start) * (1 - float64(p.Value)/100))
		}
		if best == math.MaxInt || (n < best) == (r.Select != selectMin) {
			best = n
		}
	}
	return best
}

// start is the size at the beginning of the period.
func (p hpaPolicy) start(now time.Time, cur int, added, removed []hpaMark) int {
	period := time.Duration(p.Period) * time.Second
	return cur - changed(added, now, period) + changed(removed, now, period)
}

// changed is the sum of what is younger than the period.
func changed(changes []hpaMark, now time.Time, period time.Duration) (sum int) {
	for _, c := range changes {
		if now.Sub(c.at) < period {
			sum += c.n
		}
	}
	return sum
}

// remember keeps a change for the longest period that there is.
func (d *hpaDecider) remember(now time.Time, change int) {
	if d.legacy {
		return
	}
	of := &d.ups
	if change < 0 {
		of, change = &d.downs, -change
	}
	keep := (*of)[:0]
	for _, c := range *of {
		if now.Sub(c.at) < 1800*time.Second {
			keep = append(keep, c)
		}
	}
	*of = append(keep, hpaMark{now, change})
}
