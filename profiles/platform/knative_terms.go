package platform

import (
	"fmt"
	"math"
	"time"

	"headroom/profiles"
)

// The classes of autoscalers that Knative has itself.
const (
	knativeKPA = "kpa.autoscaling.knative.dev"
	knativeHPA = "hpa.autoscaling.knative.dev"
)

// Limits of the annotations (knative/serving,
// pkg/apis/autoscaling/annotation_validation.go) and what our own policies
// can hold.
const (
	knativeLongest   = time.Hour
	knativeShortest  = 6 * time.Second // of a window
	knativeLeast     = 0.01            // of a target
	knativeMost      = 1e9             // of a target; ours
	knativeScaleMost = 1000            // where the rate of scaling up begins to matter
)

// What config-autoscaler, the ConfigMap of the cluster, sets where nobody
// changed it. A document does not tell.
const (
	knativeUpRate   = 1000.0
	knativeDownRate = 2.0
	knativeGrace    = 30 * time.Second
)

// knativeCluster is the part of config-autoscaler that targets depend on.
type knativeCluster struct {
	concurrencyFraction float64 // container-concurrency-target-percentage
	concurrency, rps    float64 // container-concurrency-target-default, requests-per-second-target-default
}

var usualCluster = knativeCluster{concurrencyFraction: 0.7, concurrency: 100, rps: 200}

// knativeRPSFraction is the share of a target in requests per second that is
// aimed at; no cluster can change it.
const knativeRPSFraction = 0.7

// knativeTerms are what annotations and a few fields say about scaling.
type knativeTerms struct {
	class             string
	metric            string  // as written; empty: the usual one of the class
	target            float64 // 0: not given
	utilization       float64 // percent of the target; 0: not given
	hard              int     // containerConcurrency, 0: no limit
	min, max          int     // max 0: unlimited
	initial           int
	activation        int // 0: none
	window            time.Duration
	delay             time.Duration
	retention         time.Duration
	panicWindow       float64 // percent of the window
	panicThreshold    float64 // percent of the ready replicas
	burst             float64
	weighted          bool
	windowed, bursted bool // window and burst are given
}

// usualKnative is what counts where nothing is said.
func usualKnative() knativeTerms {
	return knativeTerms{
		class: knativeKPA, initial: 1, window: time.Minute, panicWindow: 10, panicThreshold: 200, burst: 211,
	}
}

// terms reads the annotations.
func (a *annotated) terms() knativeTerms {
	t := usualKnative()
	t.class = a.oneOf("class", t.class, knativeKPA, knativeHPA)
	if t.class == knativeHPA {
		_, t.metric, _ = a.text("metric")
	} else {
		t.metric = a.oneOf("metric", "", "concurrency", "rps")
	}
	t.target = a.number("target", 0, knativeLeast, knativeMost)
	t.utilization = a.number("target-utilization-percentage", 0, 1, 100)
	t.min = a.whole("min-scale", t.min, 0)
	t.max = a.whole("max-scale", t.max, 0)
	t.initial = a.whole("initial-scale", t.initial, 0)
	t.activation = a.whole("activation-scale", t.activation, 2)
	t.window = a.duration("window", t.window, knativeShortest, time.Second)
	t.delay = a.duration("scale-down-delay", t.delay, 0, time.Second)
	t.retention = a.duration("scale-to-zero-pod-retention-period", t.retention, 0, 1)
	t.panicWindow = a.number("panic-window-percentage", t.panicWindow, 1, 100)
	t.panicThreshold = a.number("panic-threshold-percentage", t.panicThreshold, 110, 1000)
	t.burst = a.number("target-burst-capacity", t.burst, -1, math.MaxInt32)
	_, _, t.windowed = a.text("window")
	key, value, bursted := a.text("target-burst-capacity")
	t.bursted = bursted
	if t.burst < 0 && t.burst != -1 {
		a.problems.bad(key, "got %q, want 0 or more, or -1", value)
	}
	t.weighted = a.oneOf("metric-aggregation-algorithm", "linear", "linear", "weighted-exponential", "weightedExponential") != "linear"
	return t
}

// check finds what is wrong with the bounds as one.
func (a *annotated) check(t knativeTerms) {
	if key, value, found := a.text("max-scale"); found && t.max > 0 && t.max < t.min {
		a.problems.bad(key, "got %q, want min-scale (%d) or more, or 0 for no limit", value, t.min)
	}
	if key, value, found := a.text("activation-scale"); found && t.activation > 0 && (t.activation < t.min || t.max > 0 && t.activation > t.max) {
		a.problems.bad(key, "got %q, want between the lower bound (%d) and the upper one (%s)", value, t.min, t.limit())
	}
}

// limit is max-scale as a policy says it.
func (t knativeTerms) limit() profiles.Limit {
	if t.max == 0 {
		return profiles.Unlimited
	}
	return profiles.Limit(t.max)
}

// resolve is the level that each replica is kept at, and the total that it is
// a share of (pkg/reconciler/autoscaling/resources/target.go).
func (t knativeTerms) resolve(c knativeCluster) (target, total float64) {
	share := knativeRPSFraction
	if t.metric == "rps" {
		total = c.rps
		if t.target > 0 {
			total = t.target
		}
	} else {
		total, share = c.concurrency, c.concurrencyFraction
		if t.target > 0 {
			total = t.target
		}
		if t.hard > 0 && (t.target == 0 || float64(t.hard) < total) {
			total = float64(t.hard)
		}
	}
	if t.utilization > 0 {
		share = t.utilization / 100
	}
	return math.Max(knativeLeast, total*share), total
}

// panicSpan is the panic window: its share of the stable one in whole seconds,
// at least one.
func (t knativeTerms) panicSpan() time.Duration {
	share := time.Duration(float64(t.window) * t.panicWindow / 100)
	return max(share.Round(time.Second), time.Second)
}

// quietFor is how long nothing arrives before the fleet is at rest: the
// average must fall to 0, outlast the delay and, on the way to none, the
// retention, and the grace period too unless the activator is in the path
// already. It is where the last replica alone cannot take the target burst
// capacity, which is nearly always; the decider knows for sure.
func (t knativeTerms) quietFor() time.Duration {
	after := t.window + t.delay
	switch _, total := t.resolve(usualCluster); {
	case t.min > 0:
		return after
	case t.burst == 0 || t.burst > 0 && total >= t.burst:
		return after + max(knativeGrace, t.retention)
	}
	return after + t.retention
}

func (t knativeTerms) policy() (profiles.Policy, []Loss) {
	if t.class == knativeHPA {
		return t.hpaPolicy()
	}
	p := profiles.DefaultPolicy()
	p.Interval, p.Tolerance = profiles.Duration(knativeTick), 0
	p.Down.Factor, p.Down.Stabilization = profiles.MilliOf(1/knativeDownRate), profiles.Duration(t.delay)
	if t.max == 0 || t.max > knativeScaleMost {
		p.Up.Factor = profiles.MilliOf(knativeUpRate)
	}
	var losses []Loss
	target, total := t.resolve(usualCluster)
	m := profiles.Metric{Kind: profiles.InFlight, Target: profiles.MilliOf(target), Window: profiles.Duration(t.window)}
	if t.metric == "rps" {
		m.Kind = profiles.RPS
	}
	if t.weighted {
		m.Aggregation = profiles.Weighted
	}
	if t.utilization == 0 {
		from, to, percent := plainNumber(total), m.Target.String(), math.Round(100*target/total)
		losses = append(losses, Loss{Field: "metrics[0].target", From: from, To: to, Reason: fmt.Sprintf("Knative acts at %g %% of a target: %s is %s", percent, from, to)})
	}
	if exact := m.Target.Float(); math.Abs(exact-target) > 1e-6 {
		losses = append(losses, Loss{Field: "metrics[0].target", From: plainNumber(math.Round(target*1e6) / 1e6), To: m.Target.String(), Reason: "a policy has three decimals"})
	}
	if m.Window > profiles.Duration(profiles.MaxWindow) {
		losses = append(losses, Loss{Field: "metrics[0].window", From: m.Window.String(), To: profiles.Duration(profiles.MaxWindow).String(), Reason: "a policy has no longer windows"})
		m.Window = profiles.Duration(profiles.MaxWindow)
	}
	m.Panic = &profiles.Panic{Window: min(profiles.Duration(t.panicSpan()), m.Window), Threshold: profiles.MilliOf(t.panicThreshold / 100)}
	p.Metrics = []profiles.Metric{m}

	losses = append(losses, t.bounds(&p)...)
	if t.bursted {
		losses = append(losses, Loss{Field: "target-burst-capacity", Reason: "a policy does not say where requests wait; the document keeps it"})
	}
	if t.hard > 0 {
		losses = append(losses, Loss{Field: "containerConcurrency", Reason: fmt.Sprintf("a policy has no hard limit of %d requests in a replica; the document keeps it", t.hard)})
	}
	return p, losses
}

// bounds sets those of the policy, with what only KPAs have: a fleet that rests
// below its activation scale.
func (t knativeTerms) bounds(p *profiles.Policy) (losses []Loss) {
	p.Replicas = profiles.Bounds{Min: t.min, Max: t.limit()}
	if t.activation > t.min {
		idle := t.min
		p.Replicas.Min, p.Replicas.Idle = t.activation, &idle
	}
	if t.min == 0 || p.Replicas.Idle != nil {
		p.ToZero = &profiles.ToZero{After: profiles.Duration(t.quietFor())}
	}
	return t.start(p)
}

// start sets the initial size of the policy: the initial scale, if it is not
// below the bounds.
func (t knativeTerms) start(p *profiles.Policy) (losses []Loss) {
	start := max(t.initial, t.min)
	lose := func(to int, severe bool, reason string) {
		losses = append(losses, Loss{Field: "replicas.initial", From: fmt.Sprint(start), To: fmt.Sprint(to), Reason: reason, Severe: severe})
	}
	switch usual := p.Initial(); {
	case start < usual:
		lose(usual, false, "a policy starts with 1 or more, and with replicas.min or more")
	case t.max > 0 && start > t.max:
		lose(t.max, true, "a policy starts with replicas.max or fewer")
		start = t.max
	}
	if start > p.Initial() {
		p.Replicas.Initial = start
	}
	return losses
}

func (t knativeTerms) decider() (profiles.Decider, error) {
	if t.class == knativeHPA {
		return t.hpa().decider()
	}
	p, _ := t.policy()
	target, total := t.resolve(usualCluster)
	return newKPA(kpaSpec{
		kind: p.Metrics[0].Kind, target: target, total: total,
		upRate: knativeUpRate, downRate: knativeDownRate, threshold: t.panicThreshold / 100,
		window: t.window, delay: t.delay, activation: t.activation, burst: t.burst, reachable: true,
		min: t.min, max: t.max, initial: t.initial, grace: knativeGrace, retention: t.retention,
	}), nil
}
