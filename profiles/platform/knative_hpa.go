package platform

import (
	"math"
	"time"

	"headroom/profiles"
)

// hpa is the HorizontalPodAutoscaler that Knative makes of the HPA class
// (pkg/reconciler/autoscaling/hpa/resources/hpa.go): whole targets, cpu rounded
// up and all others down, memory in MiB, and the window, where it is given, as
// both stabilisation windows.
func (t knativeTerms) hpa() (f hpaFile) {
	low := int32(max(1, t.min))
	f.Spec.Min, f.Spec.Max = &low, int32(t.max)
	if t.max == 0 {
		f.Spec.Max = math.MaxInt32
	}
	if t.windowed {
		seconds := int32(t.window.Seconds())
		f.Spec.Behavior = &hpaBehavior{ScaleUp: &hpaRules{Window: &seconds}, ScaleDown: &hpaRules{Window: &seconds}}
	}
	if t.target == 0 || t.metric != "" && t.metric != "cpu" && t.target < 1 {
		return f // without any metric: the API puts in one
	}
	floor := int64(t.target)
	switch t.metric {
	case "", "cpu":
		percent := int32(math.Ceil(t.target))
		f.Spec.Metrics = []hpaMetric{{Type: "Resource", Resource: &hpaSource{Name: "cpu", Target: hpaTarget{Type: targetUtilization, Utilization: &percent}}}}
	case "memory":
		bytes := quantity(floor * mebibyte * 1000)
		f.Spec.Metrics = []hpaMetric{{Type: "Resource", Resource: &hpaSource{Name: "memory", Target: hpaTarget{Type: targetAverage, Average: &bytes}}}}
	default:
		level := quantity(floor * 1000)
		source := &hpaSource{Target: hpaTarget{Type: targetAverage, Average: &level}}
		source.Metric.Name = t.metric
		f.Spec.Metrics = []hpaMetric{{Type: "Pods", Pods: source}}
	}
	return f
}

// hpaPolicy is policy for the HPA class.
func (t knativeTerms) hpaPolicy() (profiles.Policy, []Loss) {
	f := t.hpa()
	p, losses := f.policy()
	p.Replicas.Max = t.limit()
	if len(f.Spec.Metrics) == 0 && (t.target > 0 || t.metric != "" && t.metric != "cpu") {
		losses = append(losses, Loss{Field: "metrics[0].kind", From: t.metric, To: "cpu", Reason: "without a target of 1 or more Kubernetes keeps 80 % of the CPU", Severe: true})
	}
	return p, append(losses, t.start(&p)...)
}

// followHPA is follow for the HPA class.
func (t knativeTerms) followHPA(w *writer, m profiles.Metric, ok bool, was profiles.Policy) knativeTerms {
	p := w.policy
	w.atLeastOne()
	w.hpaClassReasons()
	if now := was.Metrics[0]; ok && !(sameSignal(m, now) && m.Target == now.Target) {
		t.aimHPA(w, m, now)
	}
	if up, down := p.Up.Stabilization, p.Down.Stabilization; up != was.Up.Stabilization || down != was.Down.Stabilization {
		t.windowed = up == down && up >= profiles.Duration(knativeShortest)
		t.window = usualKnative().window
		if t.windowed {
			t.window = roundUp(up, time.Second)
		}
	}
	t.bound(p, was)
	return t
}

// hpaClassReasons are what the HPA class has no words for.
func (w *writer) hpaClassReasons() {
	if w.policy.Fixed() {
		w.because("", "the size is fixed, so that it makes no difference")
		return
	}
	const windows = "Knative gives Kubernetes its window (6s to 1h) for both directions, else Kubernetes has 0s up and 5m down"
	w.because("", "Kubernetes decides as it usually does, and Knative has no setting for that")
	w.because("interval", "Kubernetes decides every %s", hpaSync)
	w.because("metrics[0].window", "Kubernetes asks its metrics server for the present level")
	w.because("up.stabilization", windows)
	w.because("down.stabilization", windows)
	w.because("up.factor", "Kubernetes at most doubles the size every 15 s")
	w.commonReasons()
}

// aimHPA sets the metric and its target. A metric of the pods keeps its name,
// whatever it is in our words.
func (t *knativeTerms) aimHPA(w *writer, m, was profiles.Metric) {
	switch {
	case sameSignal(m, was) && t.target > 0:
	case m.Kind != profiles.Custom:
		t.metric = string(m.Kind)
	default:
		t.metric = m.Name
	}
	switch {
	case m.Kind == profiles.CPU && !m.In("%"):
		w.refuse("metrics[0].unit", "got %s, want %%: the HPA class has no other", m.Unit)
	case m.Kind == profiles.Memory && !m.In("MiB"):
		w.refuse("metrics[0].unit", "got %s, want MiB: the HPA class has no other", m.Unit)
	case m.Kind == profiles.Custom && (m.Name == "" || m.Name == "cpu" || m.Name == "memory"):
		w.refuse("metrics[0].name", "got %q, want the name of a metric of the pods, as the metrics adapter serves it", m.Name)
	}
	t.target, t.utilization = float64(w.whole("metrics[0].target", m.Target)), 0
	w.note("%s is for the HPA class: Kubernetes scales on it, not Knative", m.Kind)
}
