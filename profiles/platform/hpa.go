package platform

import (
	"fmt"
	"slices"

	"headroom/profiles"
	"headroom/profiles/document"
)

const hpaPlatform = "hpa"

// hpa is the HorizontalPodAutoscaler of Kubernetes, autoscaling/v2
// (k8s.io/api/autoscaling/v2, and pkg/apis/autoscaling/validation for its
// limits). Its interval and default tolerance are flags of the controller, the
// windows of its metrics a matter of whoever serves them.
var hpa = Platform{
	Name: hpaPlatform, Title: "Kubernetes HorizontalPodAutoscaler, autoscaling/v2", File: "hpa.yaml",
	begin: beginHPA, write: writeHPA, read: readHPA,
	recognise: func(text []byte) bool {
		_, ok := findObject(text, func(o object) bool { return o.is("autoscaling", "HorizontalPodAutoscaler") })
		return ok
	},
}

// hpaFile is what an HPA says about scaling.
type hpaFile struct {
	APIVersion string `yaml:"apiVersion"`
	Metadata   struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec struct {
		Min      *int32       `yaml:"minReplicas"` // default 1
		Max      int32        `yaml:"maxReplicas"`
		Metrics  []hpaMetric  `yaml:"metrics"` // default cpu at 80 %
		Behavior *hpaBehavior `yaml:"behavior"`
	} `yaml:"spec"`

	unknown []Loss
}

// hpaOthers are what else an HPA has.
var hpaOthers = []string{
	"spec.scaleTargetRef",
	"spec.metrics.pods.metric.selector", "spec.metrics.object.metric.selector", "spec.metrics.external.metric.selector",
	"spec.metrics.object.describedObject",
}

func beginHPA(w *writer) string {
	return newObject("autoscaling/v2", "HorizontalPodAutoscaler", fields(
		"metadata", w.metadata(),
		"spec", fields("scaleTargetRef", fields("apiVersion", "apps/v1", "kind", "Deployment", "name", w.name())),
	))
}

// openHPA reads the HPA of a file. One that was begun just now has no bounds
// yet.
func openHPA(text []byte) (f hpaFile, doc document.Document, err error) {
	doc, err = theObject(text, "autoscaling", "HorizontalPodAutoscaler")
	if err != nil {
		return f, doc, err
	}
	lines, err := doc.Decode(&f, document.Lax)
	bad := f.problems()
	refuseText(doc, &bad, "minReplicas", "maxReplicas")
	f.unknown = unknownKeys(doc, new(hpaFile), "spec", hpaOthers...)
	return f, doc, lines.Check(err, bad)
}

func readHPA(text []byte) (settings, error) {
	f, _, err := openHPA(text)
	return f, err
}

func (f hpaFile) problems() (bad problems) {
	s := f.Spec
	if f.APIVersion != "autoscaling/v2" {
		bad.bad("apiVersion", "got %s, want autoscaling/v2: kubectl get hpa.v2.autoscaling %s -o yaml shows it so", f.APIVersion, f.Metadata.Name)
		return bad
	}
	for i := range s.Metrics {
		s.Metrics[i].check(fmt.Sprintf("spec.metrics[%d]", i), &bad)
	}
	low := f.min()
	if low < 0 || low == 0 && !f.external() {
		bad.bad("spec.minReplicas", "got %d, want 1 or more, or 0 with an Object or External metric and the gate HPAScaleToZero", low)
	}
	if s.Max < 1 || int(s.Max) < low {
		bad.bad("spec.maxReplicas", "got %d, want 1 or more, and not less than minReplicas (%d)", s.Max, low)
	}
	s.Behavior.check("spec.behavior", &bad)
	return bad
}

func (f hpaFile) min() int {
	if f.Spec.Min == nil {
		return 1
	}
	return int(*f.Spec.Min)
}

// external reports whether any metric is there without pods.
func (f hpaFile) external() bool {
	return slices.ContainsFunc(f.Spec.Metrics, func(m hpaMetric) bool { return m.external() })
}

// keepsOne is why cpu and memory do not go with zero.
const keepsOne = "as long as the pods use any of it, one stays"

// metrics are those of the document, or the one that the API puts in where
// there is none.
func (f hpaFile) metrics() []hpaMetric {
	if len(f.Spec.Metrics) > 0 {
		return f.Spec.Metrics
	}
	eighty := int32(80)
	return []hpaMetric{{Type: "Resource", Resource: &hpaSource{Name: "cpu", Target: hpaTarget{Type: targetUtilization, Utilization: &eighty}}}}
}

func (f hpaFile) policy() (profiles.Policy, []Loss) {
	p := profiles.DefaultPolicy()
	p.Interval = hpaSync
	p.Replicas = profiles.Bounds{Min: f.min(), Max: profiles.Limit(f.Spec.Max)}
	losses := slices.Clip(f.unknown)
	for _, m := range f.metrics() {
		metric, lost, ok := m.metric()
		losses = append(losses, aboutMetric(lost, len(p.Metrics), ok)...)
		if ok {
			p.Metrics = append(p.Metrics, metric)
		}
	}
	losses = append(losses, f.Spec.Behavior.settle(&p, int(f.Spec.Max))...)
	for i, m := range p.Metrics {
		if p.Replicas.Min == 0 && (m.Kind == profiles.CPU || m.Kind == profiles.Memory) {
			losses = append(losses, Loss{Field: fmt.Sprintf("metrics[%d]", i), Reason: keepsOne + ", whatever minReplicas says", Severe: true})
		}
	}
	if p.Replicas.Min == 0 { // a size like any other, but for the one second that a policy wants at least
		p.ToZero = &profiles.ToZero{After: max(p.Down.Stabilization, 1e9)}
	}
	return p, losses
}

// aboutMetric names the metric that losses are about, where the policy has it.
func aboutMetric(losses []Loss, metric int, ok bool) []Loss {
	for i := range losses {
		if ok {
			losses[i].Field = fmt.Sprintf("metrics[%d]", metric)
		}
	}
	return losses
}

func writeHPA(w *writer, base []byte) ([]byte, error) {
	isNew := w.isNew(hpaPlatform)
	was, doc, err := openHPA(base)
	if err != nil && !isNew {
		return nil, err
	}
	p := w.policy
	w.hpaReasons()
	if p.Replicas.Idle != nil {
		w.refuse("replicas.idle", "got %d, want none: an HPA has no size below minReplicas (keda has); set replicas.min to it", *p.Replicas.Idle)
	}
	var edits []document.Edit
	if isNew || was.min() != p.Replicas.Min {
		edits = append(edits, document.Edit{Path: "spec/minReplicas", Value: p.Replicas.Min})
	}
	high := w.max()
	if isNew || int(was.Spec.Max) != high {
		edits = append(edits, document.Edit{Path: "spec/maxReplicas", Value: high})
	}
	if p.Replicas.Min == 0 {
		w.scaleToZero(was.Spec.Behavior, isNew)
	}
	edits = append(edits, w.hpaMetrics(was, isNew)...)
	edits = append(edits, w.behavior("spec/behavior", was.Spec.Behavior, isNew, high)...)
	w.warnOfReplicas(base)
	return document.Apply(base, doc.Index, edits...)
}

// hpaReasons are what an HPA has no words for.
func (w *writer) hpaReasons() {
	w.because("", "an HPA has no such setting")
	pace := "step and factor keep their pace"
	if w.policy.Interval < hpaSync {
		pace = "step and factor hold for each look"
	}
	w.because("interval", "the controller looks every 15s by default, at all HPAs of the cluster; %s", pace)
	w.because("metrics", "an HPA without metrics has cpu at 80 %%")
	for i, m := range w.policy.Metrics {
		key := fmt.Sprintf("metrics[%d]", i)
		w.because(key, "an HPA names a metric and no more")
		w.hidden(key+".window", "how long a sample looks back is up to what serves the metrics")
		if m.Kind == profiles.Custom {
			w.because(key+".query", "an HPA names a metric; what it is stands in the configuration of the metrics adapter")
		}
	}
	w.hidden("replicas.initial", "an HPA begins with spec.replicas of its Deployment, which may be set once")
	w.because("schedules", "an HPA has none; keda has, as cron triggers")
	w.because("onMetricError", "the controller keeps the size while no metric can be read; keda has a fallback")
	w.because("toZero.after", "zero is a size like any other: it is reached after scaleDown.stabilizationWindowSeconds")
	w.because("up.step", "no more than max fit in anyway")
	w.because("down.step", "no more than max can go anyway")
	w.because("down.order", "the ReplicaSet chooses: those not ready first, then the newer ones")
}

// scaleToZero says what an HPA needs for that.
func (w *writer) scaleToZero(was *hpaBehavior, isNew bool) {
	w.note("minReplicas 0 needs the alpha feature gate HPAScaleToZero: without it the API server refuses this object; keda needs none")
	var before profiles.Policy
	was.settle(&before, int(w.policy.Replicas.Max))
	if f := w.policy.Up.Factor; f > 0 && (isNew || f != before.Up.Factor) {
		w.refuse("up.factor", "got %s next to replicas.min 0, want none: a percentage of zero replicas is none; up.step can be said", f)
	}
}

// hpaMetrics writes spec.metrics. Entries that mean the same stay as they are,
// and so do those that a policy has no words for.
func (w *writer) hpaMetrics(was hpaFile, isNew bool) []document.Edit {
	if len(w.policy.Metrics) == 0 {
		if isNew {
			w.note("without metrics an HPA has cpu at 80 %%, which decides nothing while minReplicas is maxReplicas")
		}
		return nil
	}
	if usual, _, _ := was.metrics()[0].metric(); !isNew && len(was.Spec.Metrics) == 0 && len(w.policy.Metrics) == 1 && w.policy.Metrics[0] == usual {
		return nil // what the API puts in
	}
	list := listEdit{path: "spec/metrics", length: len(was.Spec.Metrics)}
	next, same := 0, true
	for at := range was.Spec.Metrics {
		m := &was.Spec.Metrics[at]
		before, _, ok := m.metric()
		if !ok {
			continue
		}
		var now profiles.Metric
		if next < len(w.policy.Metrics) {
			now = w.policy.Metrics[next]
		}
		same = same && sameSignal(before, now) && (m.Type != "Pods" || w.policy.Replicas.Min > 0 || was.external())
		if !same {
			list.drop(at)
			continue
		}
		if before.Target != now.Target {
			block, _ := m.source()
			w.retarget(&list, at, block, next, m, now)
		}
		next++
	}
	for i := next; i < len(w.policy.Metrics); i++ {
		if entry := w.hpaMetric(i); entry != nil {
			list.add(entry)
		}
	}
	w.adapterNote()
	return list.edits()
}

// sameSignal reports whether two metrics differ in nothing but the target and
// what the platform has no words for.
func sameSignal(a, b profiles.Metric) bool {
	return a.Kind == b.Kind && a.Name == b.Name && a.Unit == b.Unit && a.PerReplica() == b.PerReplica()
}

// retarget changes the target of an entry.
func (w *writer) retarget(list *listEdit, at int, block string, i int, m *hpaMetric, now profiles.Metric) {
	_, s := m.source()
	key, text := "averageValue", targetText(now)
	switch {
	case s.Target.Utilization != nil:
		list.set(at, block+"/target/averageUtilization", w.whole(fmt.Sprintf("metrics[%d].target", i), now.Target))
		return
	case s.Target.Value != nil:
		key = "value"
	}
	list.set(at, block+"/target/"+key, text)
}

// targetText is a target as a quantity.
func targetText(m profiles.Metric) string {
	if m.Kind == profiles.Memory && m.In("MiB") {
		return m.Target.String() + "Mi"
	}
	return quantityText(m.Target)
}

// hpaMetric is a new entry for a metric of the policy, or nil where it was
// refused.
func (w *writer) hpaMetric(i int) any {
	m := w.policy.Metrics[i]
	key := fmt.Sprintf("metrics[%d]", i)
	if !w.fleetTarget(key, m) {
		return nil
	}
	target := fields("type", targetAverage, "averageValue", targetText(m))
	switch {
	case m.In("%"):
		target = fields("type", targetUtilization, "averageUtilization", w.whole(key+".target", m.Target))
		w.noteOnce("%s in %% is of what the pods request, cut to whole percents: they need a request of it", m.Kind)
	case !m.PerReplica():
		target = fields("type", targetValue, "value", targetText(m))
		if m.Kind != profiles.Latency && m.Kind != profiles.Custom {
			w.note("%s is compared as a whole: the size is multiplied by %s/target, and a total does not fall as replicas are added", m.Kind, m.Kind)
		}
	}
	name := m.Name
	if m.Kind != profiles.Custom {
		name = hpaName(m.Kind)
	} else if name == "" {
		w.refuse(key+".name", "got none, want the name under which the metrics adapter serves it")
		return nil
	}
	switch {
	case m.Kind == profiles.CPU || m.Kind == profiles.Memory:
		if w.policy.Replicas.Min == 0 {
			w.refuse(key+".kind", "got %s next to replicas.min 0, want none of cpu and memory: %s", m.Kind, keepsOne)
		}
		return fields("type", "Resource", "resource", fields("name", string(m.Kind), "target", target))
	case m.PerReplica() && w.policy.Replicas.Min > 0 && (m.Kind == profiles.RPS || m.Kind == profiles.InFlight):
		return fields("type", "Pods", "pods", fields("metric", fields("name", name), "target", target))
	}
	return fields("type", "External", "external", fields("metric", fields("name", name), "target", target))
}

// adapterNote says what the metrics need beside the document.
func (w *writer) adapterNote() {
	for _, m := range w.policy.Metrics {
		if m.Kind != profiles.CPU && m.Kind != profiles.Memory {
			w.note("a metrics adapter, such as prometheus-adapter, must serve what stands under name; an HPA computes no rates")
			return
		}
	}
}

// warnOfReplicas looks for the size in a Deployment of the same file, which
// would be set again at each apply.
func (w *writer) warnOfReplicas(base []byte) {
	docs, err := document.Split(base)
	if err != nil {
		return
	}
	for _, d := range docs {
		var o struct {
			Kind string `yaml:"kind"`
			Spec struct {
				Replicas *int `yaml:"replicas"`
			} `yaml:"spec"`
		}
		if _, err := d.Decode(&o, document.Lax); err == nil && o.Kind == "Deployment" && o.Spec.Replicas != nil {
			w.note("the Deployment in this file says replicas: %d, and each apply of it undoes what the autoscaler did: leave it out", *o.Spec.Replicas)
		}
	}
}
