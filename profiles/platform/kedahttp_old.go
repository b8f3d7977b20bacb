package platform

import (
	"headroom/profiles"
	"headroom/profiles/document"
)

// httpScaledObject is the deprecated HTTPScaledObject (http.keda.sh/v1alpha1),
// from which the add-on makes a ScaledObject.
type httpScaledObject struct {
	APIVersion string `yaml:"apiVersion"`
	Metadata   struct {
		Annotations struct {
			Skip string `yaml:"httpscaledobject.keda.sh/skip-scaledobject-creation"`
		} `yaml:"annotations"`
	} `yaml:"metadata"`
	Spec struct {
		Replicas struct {
			Min int32  `yaml:"min"`
			Max *int32 `yaml:"max"` // default 100
		} `yaml:"replicas"`
		Metric          *addOnMetric `yaml:"scalingMetric"`
		Pending         *int32       `yaml:"targetPendingRequests"` // what concurrency was called before
		ScaledownPeriod *int32       `yaml:"scaledownPeriod"`       // seconds, default 300
		InitialCooldown int32        `yaml:"initialCooldownPeriod"`
	} `yaml:"spec"`
}

func isHTTPScaledObject(text []byte) bool {
	_, ok := findObject(text, func(o object) bool { return o.is(kedaHTTPGroup, "HTTPScaledObject") })
	return ok
}

func openHTTPScaledObject(text []byte) (f httpScaledObject, doc document.Document, err error) {
	doc, err = theObject(text, kedaHTTPGroup, "HTTPScaledObject")
	if err != nil {
		return f, doc, err
	}
	lines, err := doc.Decode(&f, document.Lax)
	return f, doc, lines.Check(err, f.problems())
}

func (f httpScaledObject) problems() (bad problems) {
	s := f.Spec
	if f.APIVersion != kedaHTTPGroup+"/v1alpha1" {
		bad.bad("apiVersion", "got %s, want %s/v1alpha1", f.APIVersion, kedaHTTPGroup)
	}
	if s.Replicas.Min < 0 {
		bad.bad("spec.replicas.min", "got %d, want 0 or more", s.Replicas.Min)
	}
	if high := orUsual(s.Replicas.Max, 100); high < 1 || high < int(s.Replicas.Min) {
		bad.bad("spec.replicas.max", "got %d, want 1 or more, and not less than min (%d)", high, s.Replicas.Min)
	}
	if s.Metric != nil {
		s.Metric.check("spec.scalingMetric", addOnTarget, &bad)
	}
	if orUsual(s.Pending, 1) < 1 {
		bad.bad("spec.targetPendingRequests", "got %d, want 1 or more", *s.Pending)
	}
	if orUsual(s.ScaledownPeriod, 0) < 0 {
		bad.bad("spec.scaledownPeriod", "got %d, want 0 or more seconds", *s.ScaledownPeriod)
	}
	if s.InitialCooldown < 0 {
		bad.bad("spec.initialCooldownPeriod", "got %d, want 0 or more seconds", s.InitialCooldown)
	}
	return bad
}

// scaled is the ScaledObject that the add-on makes. Where both metrics are
// given only the rate counts.
func (f httpScaledObject) scaled() kedaSettings {
	var out kedaSettings
	s := &out.Spec
	s.Min, s.Max = f.Spec.Replicas.Min, f.Spec.Replicas.Max
	s.Cooldown, s.InitialCooldown = f.Spec.ScaledownPeriod, f.Spec.InitialCooldown
	s.Triggers = []kedaTrigger{{Type: "external-push", Metadata: kedaMetadata{Route: "its own"}}}
	if m := f.Spec.Metric; m != nil && (m.Rate != nil || m.Concurrency != nil) {
		out.pushed = m.metrics(out.interval(), nil)[:1]
		return out
	}
	out.pushed = []profiles.Metric{{
		Kind: profiles.InFlight, Target: profiles.Milli(orUsual(f.Spec.Pending, addOnTarget)) * 1000, Window: out.interval(),
	}}
	return out
}

func (f httpScaledObject) policy() (profiles.Policy, []Loss) {
	p, losses := f.scaled().policy()
	if m := f.Spec.Metric; m != nil && m.Rate != nil && m.Concurrency != nil {
		losses = append(losses, Loss{Field: "metrics", Severe: true, Reason: "an HTTPScaledObject with both metrics takes the rate only, and so does the policy; an InterceptorRoute takes the higher"})
	}
	if f.Metadata.Annotations.Skip == "true" {
		losses = append(losses, Loss{Field: "replicas", Severe: true, Reason: "no ScaledObject is made of it (skip-scaledobject-creation): one of your own decides, which is not read"})
	}
	return p, losses
}

func (f httpScaledObject) decider() (profiles.Decider, error) { return f.scaled().decider() }

func writeHTTPScaledObject(w *writer, base []byte) ([]byte, error) {
	f, doc, err := openHTTPScaledObject(base)
	if err != nil {
		return nil, err
	}
	p := w.policy
	before, _ := f.policy()
	w.because("", "an HTTPScaledObject has no such setting; an InterceptorRoute with a ScaledObject of its own has")
	w.hidden("replicas.initial", "the fleet begins with spec.replicas of its Deployment, which may be set once")
	w.note("HTTPScaledObject is deprecated: an export without it makes an InterceptorRoute and a ScaledObject")
	if p.Replicas.Idle != nil {
		w.refuse("replicas.idle", "got %d, want none: an HTTPScaledObject has no size below min; set replicas.min to 0", *p.Replicas.Idle)
	}
	var edits []document.Edit
	set := func(changed bool, key string, value any) {
		if changed {
			edits = append(edits, document.Edit{Path: "spec/" + key, Value: value})
		}
	}
	set(p.Replicas.Min != before.Replicas.Min, "replicas/min", p.Replicas.Min)
	set(p.Replicas.Max != before.Replicas.Max, "replicas/max", w.max())
	if p.ToZero != nil {
		set(before.ToZero == nil || p.ToZero.After != before.ToZero.After, "scaledownPeriod", w.wholeSeconds("toZero.after", p.ToZero.After))
	}
	if m, ok := w.only(addOnKinds...); ok {
		if !m.PerReplica() {
			w.refuse("metrics[0].scope", "got fleet, want replica: the target is what each should carry")
		}
		edits = append(edits, f.metricEdits(w, before.Metrics[0], m)...)
	}
	return document.Apply(base, doc.Index, edits...)
}

// metricEdits change the one metric.
func (f httpScaledObject) metricEdits(w *writer, was, m profiles.Metric) (edits []document.Edit) {
	const path = "spec/scalingMetric"
	rate := m.Kind == profiles.RPS
	if was.Kind == m.Kind && was.Target == m.Target && (!rate || was.Window == m.Window) {
		return nil
	}
	target := w.whole("metrics[0].target", m.Target)
	switch {
	case was.Kind == m.Kind && f.Spec.Metric == nil && f.Spec.Pending != nil:
		return []document.Edit{{Path: "spec/targetPendingRequests", Value: target}}
	case was.Kind == m.Kind && rate:
		return []document.Edit{{Path: path + "/requestRate/targetValue", Value: target}, {Path: path + "/requestRate/window", Value: m.Window.String()}}
	case was.Kind == m.Kind:
		return []document.Edit{{Path: path + "/concurrency/targetValue", Value: target}}
	case rate:
		edits = append(edits, document.Edit{Path: path, Value: fields("requestRate", fields("targetValue", target, "window", m.Window.String()))})
	default:
		edits = append(edits, document.Edit{Path: path, Value: fields("concurrency", fields("targetValue", target))})
	}
	return append(edits, document.Edit{Path: "spec/targetPendingRequests"})
}
