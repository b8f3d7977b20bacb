package platform

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

const kedaPlatform = "keda"

// keda is the ScaledObject of KEDA, keda.sh/v1alpha1
// (apis/keda/v1alpha1/scaledobject_types.go): triggers of the kinds
// prometheus, cpu, memory and cron. KEDA itself wakes and puts to rest; between
// 1 and max an HPA decides that it makes from the triggers.
var keda = Platform{
	Name: kedaPlatform, Title: "KEDA ScaledObject", File: "scaledobject.yaml",
	begin: beginKEDA, write: writeKEDA, read: readKEDA,
	recognise: func(text []byte) bool {
		_, addOn := findObject(text, func(o object) bool { return o.is(kedaHTTPGroup, "InterceptorRoute", "HTTPScaledObject") })
		_, ok := findObject(text, func(o object) bool { return o.is("keda.sh", "ScaledObject") })
		return ok && !addOn
	},
}

// kedaFile is what a ScaledObject says about scaling.
type kedaFile struct {
	APIVersion string `yaml:"apiVersion"`
	Metadata   struct {
		Annotations kedaAnnotations `yaml:"annotations"`
	} `yaml:"metadata"`
	Spec struct {
		Polling         *int32        `yaml:"pollingInterval"`       // seconds, default 30
		Cooldown        *int32        `yaml:"cooldownPeriod"`        // seconds, default 300; only to zero
		InitialCooldown int32         `yaml:"initialCooldownPeriod"` // seconds since creation
		Idle            *int32        `yaml:"idleReplicaCount"`
		Min             int32         `yaml:"minReplicaCount"`
		Max             *int32        `yaml:"maxReplicaCount"` // default 100
		Fallback        *kedaFallback `yaml:"fallback"`
		Advanced        struct {
			HPA struct {
				Behavior *hpaBehavior `yaml:"behavior"`
			} `yaml:"horizontalPodAutoscalerConfig"`
			Modifiers struct {
				Formula string `yaml:"formula"`
			} `yaml:"scalingModifiers"`
		} `yaml:"advanced"`
		Triggers []kedaTrigger `yaml:"triggers"`
	} `yaml:"spec"`

	unknown []Loss
}

// kedaOthers are what else a ScaledObject has. What a trigger has in its
// metadata is for its type to know.
var kedaOthers = []string{
	"spec.scaleTargetRef", "spec.advanced.restoreToOriginalReplicaCount", "spec.advanced.horizontalPodAutoscalerConfig.name",
	"spec.advanced.scalingModifiers.target", "spec.advanced.scalingModifiers.activationTarget", "spec.advanced.scalingModifiers.metricType",
	"spec.triggers.authenticationRef", "spec.triggers.useCachedMetrics",
}

// kedaAnnotations stop a ScaledObject, or a part of it.
type kedaAnnotations struct {
	Paused         string `yaml:"autoscaling.keda.sh/paused"`
	PausedReplicas *int32 `yaml:"autoscaling.keda.sh/paused-replicas"`
	PausedIn       string `yaml:"autoscaling.keda.sh/paused-scale-in"`
	PausedOut      string `yaml:"autoscaling.keda.sh/paused-scale-out"`
	Force          string `yaml:"autoscaling.keda.sh/force-activation"`
}

// kedaFallback is what to do when a trigger has failed more than so many times
// in a row.
type kedaFallback struct {
	Threshold *int32 `yaml:"failureThreshold"`
	Replicas  *int32 `yaml:"replicas"`
	Behavior  string `yaml:"behavior"` // default static
}

// The behaviors of a fallback.
const (
	fallbackStatic  = "static"
	fallbackCurrent = "currentReplicas"
	fallbackHigher  = "currentReplicasIfHigher"
	fallbackLower   = "currentReplicasIfLower"
	fallbackFormula = "scalingModifiers"
)

func beginKEDA(w *writer) string {
	return newObject("keda.sh/v1alpha1", "ScaledObject", fields(
		"metadata", w.metadata(),
		"spec", fields("scaleTargetRef", fields("name", w.name())),
	))
}

// openKEDA reads the ScaledObject of a file.
func openKEDA(text []byte) (f kedaFile, doc document.Document, err error) {
	doc, err = theObject(text, "keda.sh", "ScaledObject")
	if err != nil {
		return f, doc, err
	}
	lines, err := doc.Decode(&f, document.Lax)
	f.findUnknown(doc)
	return f, doc, lines.Check(err, f.problemsIn(doc, nil))
}

// findUnknown looks for keys that a ScaledObject does not have.
func (f *kedaFile) findUnknown(doc document.Document) {
	for _, l := range unknownKeys(doc, new(kedaFile), "spec", kedaOthers...) {
		if !strings.Contains(l.Field, "].metadata.") {
			f.unknown = append(f.unknown, l)
		}
	}
}

// problemsIn are the problems, with those of how the document writes them.
func (f kedaFile) problemsIn(doc document.Document, pushed []profiles.Metric) problems {
	bad := f.problems(pushed)
	refuseText(doc, &bad, "pollingInterval", "cooldownPeriod", "minReplicaCount", "maxReplicaCount")
	return bad
}

func readKEDA(text []byte) (settings, error) {
	f, _, err := openKEDA(text)
	return kedaSettings{kedaFile: f}, err
}

// problems are those that KEDA's webhook would find
// (apis/keda/v1alpha1/scaledobject_webhook.go). Triggers of the kinds in pushed
// are readable although they are none of KEDA's own.
func (f kedaFile) problems(pushed []profiles.Metric) (bad problems) {
	s := f.Spec
	if f.APIVersion != "keda.sh/v1alpha1" {
		bad.bad("apiVersion", "got %s, want keda.sh/v1alpha1", f.APIVersion)
	}
	if s.Polling != nil && *s.Polling < 1 {
		bad.bad("spec.pollingInterval", "got %d, want 1 or more seconds", *s.Polling)
	}
	if s.Cooldown != nil && *s.Cooldown < 0 {
		bad.bad("spec.cooldownPeriod", "got %d, want 0 or more seconds", *s.Cooldown)
	}
	if s.InitialCooldown < 0 {
		bad.bad("spec.initialCooldownPeriod", "got %d, want 0 or more seconds", s.InitialCooldown)
	}
	if s.Min < 0 {
		bad.bad("spec.minReplicaCount", "got %d, want 0 or more", s.Min)
	}
	if high := f.max(); high < 1 || high < int(s.Min) {
		bad.bad("spec.maxReplicaCount", "got %d, want 1 or more, and not less than minReplicaCount (%d)", high, s.Min)
	}
	if s.Idle != nil && (*s.Idle != 0 || s.Min < 1) {
		bad.bad("spec.idleReplicaCount", "got %d with minReplicaCount %d, want 0 with 1 or more: with any other size the HPA goes back to minReplicaCount at once", *s.Idle, s.Min)
	}
	s.Fallback.check("spec.fallback", &bad)
	s.Advanced.HPA.Behavior.check("spec.advanced.horizontalPodAutoscalerConfig.behavior", &bad)
	f.checkTriggers(pushed, &bad)
	return bad
}

func (b *kedaFallback) check(key string, bad *problems) {
	if b == nil {
		return
	}
	for _, v := range []struct {
		key string
		n   *int32
	}{{"failureThreshold", b.Threshold}, {"replicas", b.Replicas}} {
		switch {
		case v.n == nil:
			bad.bad(key+"."+v.key, "got nothing, want 0 or more")
		case *v.n < 0:
			bad.bad(key+"."+v.key, "got %d, want 0 or more", *v.n)
		}
	}
	switch b.Behavior {
	case "", fallbackStatic, fallbackCurrent, fallbackHigher, fallbackLower, fallbackFormula:
	default:
		bad.bad(key+".behavior", "got %q, want %s, %s, %s, %s or %s", b.Behavior, fallbackStatic, fallbackCurrent, fallbackHigher, fallbackLower, fallbackFormula)
	}
}

func (f kedaFile) checkTriggers(pushed []profiles.Metric, bad *problems) {
	s := f.Spec
	wakes, readable := false, len(pushed) > 0
	kind := ""
	for i := range s.Triggers {
		t := &s.Triggers[i]
		t.check(fmt.Sprintf("spec.triggers[%d]", i), bad)
		wakes = wakes || t.wakes()
		readable = readable || t.readable()
		kind = t.Type
	}
	switch {
	case len(s.Triggers) == 0:
		bad.bad("spec.triggers", "got none, want at least one")
	case !readable:
		bad.bad("spec.triggers", "got %s, want at least one of prometheus, cpu, memory and cron: there is nothing else that a policy could say", kind)
	case s.Min == 0 && !wakes:
		bad.bad("spec.minReplicaCount", "got 0, want 1 or more: cpu and memory alone wake nothing")
	}
}

func (f kedaFile) max() int { return orUsual(f.Spec.Max, 100) }

// orUsual is a number, or what it is where it is left out.
func orUsual(n *int32, usual int) int {
	if n == nil {
		return usual
	}
	return int(*n)
}

func (f kedaFile) interval() profiles.Duration {
	return profiles.Duration(time.Duration(orUsual(f.Spec.Polling, 30)) * time.Second)
}

func (f kedaFile) cooldown() profiles.Duration {
	return profiles.Duration(time.Duration(orUsual(f.Spec.Cooldown, 300)) * time.Second)
}

// kedaSettings are a ScaledObject, and the metrics that the trigger of the
// HTTP add-on stands for, if it has one.
type kedaSettings struct {
	kedaFile
	pushed []profiles.Metric
}

func (f kedaSettings) policy() (profiles.Policy, []Loss) {
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: int(f.Spec.Min), Max: profiles.Limit(f.max())}
	p.Interval = hpaSync // pollingInterval is for waking up
	losses := slices.Clip(f.unknown)
	for i := range f.Spec.Triggers {
		losses = append(losses, f.add(&p, &f.Spec.Triggers[i])...)
	}
	losses = append(losses, f.Spec.Advanced.HPA.Behavior.settle(&p, f.max())...)
	losses = append(losses, f.rest(&p)...)
	losses = append(losses, f.fallback(&p)...)
	losses = append(losses, f.Metadata.Annotations.losses()...)
	if f.Spec.Advanced.Modifiers.Formula != "" {
		losses = append(losses, Loss{Field: "metrics", Severe: true, Reason: "scalingModifiers make one number of the triggers by a formula; a policy has the highest of them"})
	}
	if len(p.Metrics) == 0 { // only schedules change the size
		if was := p.Replicas.Max; f.unsaid() && was != profiles.Limit(p.Replicas.Min) {
			losses = append(losses, Loss{Field: "replicas.max", From: was.String(), To: fmt.Sprint(p.Replicas.Min), Severe: true, Reason: "none of the metrics can be said, and without any a policy has a fixed size that only schedules change"})
		}
		p.Replicas.Max = profiles.Limit(p.Replicas.Min)
	}
	return p, losses
}

// unsaid reports whether there are triggers that a policy has no words for.
func (f kedaSettings) unsaid() bool {
	return slices.ContainsFunc(f.Spec.Triggers, func(t kedaTrigger) bool { return t.Type != "cron" })
}

// add puts a trigger into a policy.
func (f kedaSettings) add(p *profiles.Policy, t *kedaTrigger) []Loss {
	if t.pushes() && len(f.pushed) > 0 {
		p.Metrics = append(p.Metrics, f.pushed...)
		return nil
	}
	if t.Type == "cron" {
		schedule, losses, ok := t.schedule(int(f.Spec.Min), f.max())
		if ok {
			p.Schedules = append(p.Schedules, schedule)
		}
		return losses
	}
	m, losses, ok := t.metric(f.interval())
	losses = aboutMetric(losses, len(p.Metrics), ok)
	if ok {
		p.Metrics = append(p.Metrics, m)
	}
	return losses
}

// rest is how the fleet goes to zero.
func (f kedaSettings) rest(p *profiles.Policy) (losses []Loss) {
	arrives := false
	for _, m := range p.Metrics {
		switch m.Kind {
		case profiles.RPS, profiles.InFlight, profiles.Queue, profiles.Custom:
			arrives = true
		}
	}
	zero := f.Spec.Min == 0
	switch {
	case !zero && f.Spec.Idle == nil:
		return nil
	case !arrives && zero:
		p.Replicas.Min = 1
		return []Loss{{Field: "replicas.min", From: "0", To: "1", Severe: true, Reason: "a policy goes to zero only with a metric that shows whether anything arrives"}}
	case !arrives:
		return []Loss{{Field: "replicas.idle", From: "0", Severe: true, Reason: "a policy goes to zero only with a metric that shows whether anything arrives"}}
	}
	if !zero {
		p.Replicas.Idle = new(int)
	}
	if n := f.Spec.InitialCooldown; n > 0 {
		losses = append(losses, Loss{Field: "toZero", Reason: fmt.Sprintf("in its first %ds the fleet does not go to zero (initialCooldownPeriod); a policy has no such time", n)})
	}
	after := f.cooldown()
	if after < 1e9 {
		losses = append(losses, Loss{Field: "toZero.after", From: after.String(), To: "1s", Reason: "a policy waits for a second at least"})
	}
	p.ToZero = &profiles.ToZero{After: max(after, 1e9)}
	return losses
}

// fallback is the size while triggers fail.
func (f kedaSettings) fallback(p *profiles.Policy) (losses []Loss) {
	b := f.Spec.Fallback
	if b == nil || b.Replicas == nil || !f.canFallBack() {
		return nil
	}
	n := *b.Replicas
	switch b.Behavior {
	case fallbackCurrent: // that is hold
		return nil
	case "", fallbackStatic:
		if n > 0 {
			p.OnMetricError = profiles.Fallback(n)
			return []Loss{{Field: "onMetricError", Reason: fmt.Sprintf("only after more than %d failures in a row, and for each trigger; a policy falls back at once, when none can be read", orUsual(b.Threshold, 0))}}
		}
		return []Loss{{Field: "onMetricError", From: "0", To: "hold", Severe: true, Reason: "a policy cannot fall back to no replicas"}}
	}
	if n > 0 {
		p.OnMetricError = profiles.Fallback(n)
	}
	return []Loss{{Field: "onMetricError", Severe: true, Reason: fmt.Sprintf("the fallback depends on more than its number (%s), which a policy cannot say", b.Behavior)}}
}

// canFallBack reports whether a fallback can be in force: KEDA has it only for
// triggers of its own that are compared as an average.
func (f kedaSettings) canFallBack() bool {
	for _, t := range f.Spec.Triggers {
		if t.external() && t.MetricType != targetValue {
			return true
		}
	}
	return false
}

func (a kedaAnnotations) losses() (losses []Loss) {
	lose := func(format string, args ...any) {
		losses = append(losses, Loss{Field: "replicas", Severe: true, Reason: fmt.Sprintf(format, args...)})
	}
	switch {
	case a.PausedReplicas != nil:
		lose("the object is paused at %d replicas (autoscaling.keda.sh/paused-replicas); a policy cannot say so", *a.PausedReplicas)
	case a.Paused == "true":
		lose("the object is paused (autoscaling.keda.sh/paused); a policy cannot say so")
	}
	if a.PausedIn == "true" {
		lose("the object never shrinks (autoscaling.keda.sh/paused-scale-in); a policy cannot say so")
	}
	if a.PausedOut == "true" {
		lose("the object never grows (autoscaling.keda.sh/paused-scale-out); a policy cannot say so")
	}
	if a.Force == "true" {
		lose("the object counts as active at all times (autoscaling.keda.sh/force-activation); a policy cannot say so")
	}
	return losses
}
