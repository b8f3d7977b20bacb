package platform

import (
	"fmt"

	"headroom/profiles"
	"headroom/profiles/document"
)

// The mode Standard: a Deployment and a HorizontalPodAutoscaler, which KServe
// makes of the predictor (reconcilers/hpa/hpa_reconciler.go).

// checkStandard finds what KServe refuses, and what we cannot say.
func (f *kserveFile) checkStandard(class string) {
	c, bad := f.service.Spec.Predictor, &f.annotations.problems
	if class != "" && class != "hpa" {
		bad.bad(kserveNotes+".serving.kserve.io/autoscalerClass", "got %q, want hpa: what scales instead (a ScaledObject for keda) can be imported itself", class)
		return
	}
	switch c.Metric {
	case "", "cpu", "memory":
	default:
		bad.bad(kservePredictor+".scaleMetric", "got %q, want cpu or memory in the mode Standard", c.Metric)
	}
	if t := c.Target; t != nil && (*t < 1 || *t > kserveMost) {
		bad.bad(kservePredictor+".scaleTarget", "got %d, want 1 to %d", *t, kserveMost)
	}
	if c.AutoScaling == nil {
		return
	}
	for i := range c.AutoScaling.Metrics {
		key := fmt.Sprintf("%s.autoScaling.metrics[%d]", kservePredictor, i)
		if m := &c.AutoScaling.Metrics[i]; m.Type != "Resource" {
			bad.bad(key+".type", "got %q, want Resource for the class hpa", m.Type)
		} else {
			m.check(key, bad)
		}
	}
	c.AutoScaling.Behavior.check(kservePredictor+".autoScaling.behavior", bad)
}

// standardHPA is the autoscaler that KServe makes: at least 1 replica, a maximum of at
// least the minimum, and a memory target in percent of the request, although
// its validation says MiB.
func (f kserveFile) standardHPA() (out hpaFile) {
	c := f.service.Spec.Predictor
	low := int32(max(1, f.lowest()))
	out.Spec.Min, out.Spec.Max = &low, max(low, c.Max)
	if c.AutoScaling != nil {
		out.Spec.Metrics, out.Spec.Behavior = c.AutoScaling.Metrics, c.AutoScaling.Behavior
		return out
	}
	name, percent := c.Metric, c.Target
	if name == "" {
		name = "cpu"
	}
	if percent == nil {
		return out // without a metric the API puts in cpu at 80 %, which is KServe's own default too
	}
	out.Spec.Metrics = []hpaMetric{{Type: "Resource", Resource: &hpaSource{Name: name, Target: hpaTarget{Type: targetUtilization, Utilization: percent}}}}
	return out
}

// standardEdits changes the bounds and the metrics.
func (f kserveFile) standardEdits(w *writer) (edits []document.Edit) {
	w.hpaClassReasons()
	w.because("up.stabilization", "KServe sets none of an InferenceService")
	w.because("down.stabilization", "KServe sets none of an InferenceService")
	w.because("replicas.initial", "a Deployment starts with minReplicas")
	w.atLeastOne()
	c := f.service.Spec.Predictor
	was, _ := f.standardHPA().policy()
	set := func(field string, value any) {
		edits = append(edits, document.Edit{Path: "spec/predictor/" + field, Value: value})
	}
	if low := w.policy.Replicas.Min; low != was.Replicas.Min {
		set("minReplicas", low)
	}
	if high := w.max(); high != int(was.Replicas.Max) {
		set("maxReplicas", high)
	}
	if w.sameMetrics(was.Metrics) {
		return edits
	}
	if c.AutoScaling == nil {
		if m, ok := w.only(profiles.CPU, profiles.Memory); ok {
			set("scaleMetric", string(m.Kind))
			set("scaleTarget", w.standardTarget(0))
		}
		return edits
	}
	var list []any
	for i, m := range w.policy.Metrics {
		if _, ok := w.convert(i, profiles.CPU, profiles.Memory); ok {
			target := fields("type", targetUtilization, "averageUtilization", w.standardTarget(i))
			list = append(list, fields("type", "Resource", "resource", fields("name", string(m.Kind), "target", target)))
		}
	}
	set("autoScaling/metrics", list)
	return edits
}

// sameMetrics reports whether the metrics of the policy are these, or do not
// matter.
func (w *writer) sameMetrics(was []profiles.Metric) bool {
	now := w.policy.Metrics
	if len(now) == 0 {
		return true
	}
	if len(now) != len(was) {
		return false
	}
	for i := range now {
		if !sameSignal(now[i], was[i]) || now[i].Target != was[i].Target {
			return false
		}
	}
	return true
}

// standardTarget is a whole percentage.
func (w *writer) standardTarget(i int) int {
	m, key := w.policy.Metrics[i], fmt.Sprintf("metrics[%d]", i)
	switch {
	case m.In("MiB"):
		w.refuse(key+".unit", "got MiB, want %%: KServe makes a percentage of every target in the mode Standard")
	case !m.In("%"):
		w.refuse(key+".unit", "got %s, want %%", m.Unit)
	case m.Target > kserveMost*1000:
		w.refuse(key+".target", "got %s, want at most %d", m.Target, kserveMost)
	}
	return w.whole(key+".target", m.Target)
}
