package platform

import (
	"math"
	"time"

	"headroom/profiles"
)

// What set a number, in the words of Knative's log, conditions and settings.
const (
	kpaStable     profiles.Reason = "stable mode"
	kpaPanicking  profiles.Reason = "panic mode"
	kpaNoDecrease profiles.Reason = "no decrease in panic mode"
	kpaUpRate     profiles.Reason = "max-scale-up-rate"
	kpaDownRate   profiles.Reason = "max-scale-down-rate"
	kpaActivation profiles.Reason = "activation-scale"
	kpaDelay      profiles.Reason = "scale-down-delay"
	kpaMin        profiles.Reason = "min-scale"
	kpaMax        profiles.Reason = "max-scale"
	kpaInitial    profiles.Reason = "initial-scale"
	kpaQueued     profiles.Reason = "Queued"                             // still activating
	kpaActive     profiles.Reason = "active for less than the window"    // so one is kept
	kpaNoTraffic  profiles.Reason = "NoTraffic"                          // marked inactive, still running
	kpaGrace      profiles.Reason = "scale-to-zero-grace-period"         // the same
	kpaRetention  profiles.Reason = "scale-to-zero-pod-retention-period" // the same
)

// activationTimeout is how long a revision may try to become ready before it
// is given up: the progress deadline, 600 s unless the cluster says otherwise,
// and 30 s.
const activationTimeout = 630 * time.Second

// kpaSpec is what a KPA decides by.
type kpaSpec struct {
	kind             profiles.Kind
	target, total    float64       // per replica: the level to keep, and that which it is a share of
	upRate, downRate float64       // size relative to the ready replicas, per decision
	threshold        float64       // times the ready replicas that the panic window must ask for
	window           time.Duration // stable
	delay            time.Duration // before a decrease; 0: none
	activation       int           // the least size above 0; 0: none
	burst            float64       // target burst capacity; -1: the activator always stays in the path
	reachable        bool          // by a route
	min, max         int           // max 0: unlimited
	initial          int
	grace, retention time.Duration
}

// kpa decides as Knative's Pod Autoscaler does (knative/serving,
// pkg/autoscaler/scaling/autoscaler.go and, for bounds and the way to zero,
// pkg/reconciler/autoscaling/kpa), in float64 as there.
type kpa struct {
	spec        kpaSpec
	target      profiles.Milli // as decisions show it
	began       bool
	panicked    time.Time // when last over the threshold; zero: stable
	most        int       // asked for in this panic
	delayed     *maxWindow
	initialised bool // initial-scale was reached
	status      kpaStatus
	since       time.Time // of the status
	proxied     time.Time // since when the activator has been in the path; zero: it is not
}

func newKPA(s kpaSpec) *kpa {
	k := &kpa{spec: s, target: profiles.MilliOf(s.target)}
	if s.delay > 0 {
		k.delayed = newMaxWindow(s.delay, knativeTick)
	}
	return k
}

// Decide takes the averages over the two windows: Total is that of the stable
// one, Burst that of the panic window.
func (k *kpa) Decide(now time.Time, m profiles.Metrics) profiles.Decision {
	if !k.began {
		k.begin(now, m)
	}
	out := profiles.Decision{At: now, Current: m.Replicas, Raw: m.Replicas, Desired: m.Replicas, Reason: profiles.NoData}
	if len(m.Readings) == 0 || !m.Readings[0].Valid {
		return out
	}
	r := m.Readings[0]
	s := k.scale(now, r.Total.Float(), r.Burst.Float(), m.Ready)
	out.Raw, out.Desired, out.LimitedBy = s.stable, s.want, s.limit
	out.Reason, out.Valid = kpaStable, true
	out.Kind, out.Total, out.Target = k.spec.kind, r.Total, k.target
	if !k.panicked.IsZero() {
		out.Reason, out.Raw = kpaPanicking, max(s.stable, s.panic)
		if s.panic > s.stable {
			out.Total = r.Burst
		}
	}
	k.bound(m.Ready, &out)
	k.rest(now, m, s.excess, &out)
	if out.Desired == out.Raw {
		out.LimitedBy = ""
	}
	return out
}

// begin starts in panic mode where there is more than one replica, because an
// autoscaler that has just started knows too little to take any away.
func (k *kpa) begin(now time.Time, m profiles.Metrics) {
	k.began = true
	if m.Ready > 1 {
		k.panicked, k.most = now, m.Ready
	}
	k.become(k.ready(m), now)
	if m.Replicas == 0 { // at rest, so it was at its initial scale before
		k.initialised = true
		k.become(kpaInactive, now)
	}
}

// kpaScale is the outcome of scale.
type kpaScale struct {
	stable, panic int // what the two windows ask for, unlimited
	want          int
	limit         profiles.Reason
	excess        int // burst capacity; below 0 the activator stays in the request path
}

// scale is the algorithm of the autoscaler, where stable and burst are the
// levels over the two windows. With r = max(1, ready):
//
//	limits    floor(r/downRate), or 0 if not reachable, to ceil(upRate r)
//	demand    ceil(level/target) of each window, limited; if above 0, at least the activation scale
//	panic     while demand(burst)/r >= threshold, before the limits, and for one stable window after it
//	want      demand(stable); in panic the higher of both, and never less than before in this panic
//	          then the highest of the scale-down delay
//	excess    floor(ready total - target burst capacity - burst)
func (k *kpa) scale(now time.Time, stable, burst float64, ready int) kpaScale {
	s := &k.spec
	r := math.Max(1, float64(ready))
	most, least := math.Ceil(s.upRate*r), 0.0
	if s.reachable {
		least = math.Floor(r / s.downRate)
	}
	dspc, dppc := math.Ceil(stable/s.target), math.Ceil(burst/s.target)
	out := kpaScale{stable: int(dspc), panic: int(dppc), excess: s.excess(ready, burst)}
	out.want, out.limit = s.limited(dspc, least, most)

	switch {
	case dppc/r >= s.threshold:
		k.panicked = now
	case !k.panicked.IsZero() && k.panicked.Add(s.window).Before(now):
		k.panicked, k.most = time.Time{}, 0
	}
	if !k.panicked.IsZero() {
		if n, limit := s.limited(dppc, least, most); n > out.want {
			out.want, out.limit = n, limit
		}
		if out.want < k.most {
			out.want, out.limit = k.most, kpaNoDecrease
		}
		k.most = out.want
	}
	if s.reachable && k.delayed != nil {
		if n := k.delayed.record(now, out.want); n > out.want {
			out.want, out.limit = n, kpaDelay
		}
	}
	return out
}

// limited keeps a demand within what one decision may do.
func (s *kpaSpec) limited(demand, least, most float64) (int, profiles.Reason) {
	n := math.Min(math.Max(demand, least), most)
	switch {
	case demand > 0 && s.activation > 1 && float64(s.activation) > n:
		return s.activation, kpaActivation
	case n > demand:
		return int(n), kpaDownRate
	case n < demand:
		return int(n), kpaUpRate
	}
	return int(n), ""
}

// excess is the capacity that the ready replicas have left for a burst.
func (s *kpaSpec) excess(ready int, burst float64) int {
	switch {
	case s.burst == 0:
		return 0
	case s.burst < 0:
		return -1
	}
	return int(math.Floor(float64(ready)*s.total - s.burst - burst))
}

// bound keeps the size within the bounds. Until it has been reached once, the
// initial scale is the lower one, even where it is above the upper one.
func (k *kpa) bound(ready int, out *profiles.Decision) {
	low, why := k.spec.min, kpaMin
	if !k.initialised && k.spec.initial > low {
		low, why = k.spec.initial, kpaInitial
	}
	switch {
	case out.Desired < low:
		out.Desired, out.LimitedBy = low, why
	case k.spec.max > 0 && out.Desired > k.spec.max:
		out.Desired, out.LimitedBy = k.spec.max, kpaMax
	}
	k.initialised = k.initialised || ready >= max(1, low)
}

// kpaStatus is the condition Active of a PodAutoscaler.
type kpaStatus int

const (
	kpaInactive   kpaStatus = iota // False
	kpaActivating                  // Unknown
	kpaIsActive                    // True
)

// rest is the way to zero, and from it:
//
//	status      nothing wanted                                     something wanted
//	activating  for 630 s: inactive, 0; else no change             ready >= min: active; else activating
//	active      for a window: inactive, no change yet; else 1      the same
//	inactive    for longer than grace and retention: 0; for
//	            longer than retention, with the activator in
//	            the path for longer than grace: 0; else no change  the same
//
// That the activator answers its probe is taken for granted.
func (k *kpa) rest(now time.Time, m profiles.Metrics, excess int, out *profiles.Decision) {
	wanted := out.Desired > 0
	if wanted {
		k.become(k.ready(m), now)
	} else if m.Replicas == 0 {
		k.become(kpaInactive, now)
	} else {
		wanted = k.hold(now, m, out)
	}
	switch {
	case wanted && excess >= 0:
		k.proxied = time.Time{}
	case k.proxied.IsZero():
		k.proxied = now
	}
}

// hold says how many of the replicas stay while nothing is wanted, and whether
// the platform goes on as if something were.
func (k *kpa) hold(now time.Time, m profiles.Metrics, out *profiles.Decision) bool {
	lasted := now.Sub(k.since)
	keep := func(n int, why profiles.Reason) { out.Desired, out.LimitedBy = n, why }
	switch k.status {
	case kpaActivating:
		if lasted < activationTimeout {
			keep(m.Replicas, kpaQueued)
			return true
		}
		k.become(kpaInactive, now)
	case kpaIsActive:
		if lasted < k.spec.window {
			keep(1, kpaActive)
			return true
		}
		k.become(kpaInactive, now)
		keep(m.Replicas, kpaNoTraffic)
	case kpaInactive:
		inPath := !k.proxied.IsZero() && now.Sub(k.proxied) >= k.spec.grace
		switch {
		case lasted < k.spec.retention:
			keep(m.Replicas, kpaRetention)
		case lasted < k.spec.grace && !inPath:
			keep(m.Replicas, kpaGrace)
		}
	}
	return false
}

// ready is the status while something is wanted.
func (k *kpa) ready(m profiles.Metrics) kpaStatus {
	if m.Ready >= max(1, k.spec.min) {
		return kpaIsActive
	}
	return kpaActivating
}

func (k *kpa) become(s kpaStatus, now time.Time) {
	if k.since.IsZero() || k.status != s {
		k.status, k.since = s, now
	}
}
