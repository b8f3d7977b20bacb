package platform

import (
	"math"
	"slices"
	"strconv"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// knativeFields are the annotations in the order in which they are written,
// each as it says the terms; empty where it is left out.
var knativeFields = []struct {
	name string
	text func(knativeTerms) string
}{
	{"class", func(t knativeTerms) string { return t.class }},
	{"metric", func(t knativeTerms) string { return t.metric }},
	{"target", func(t knativeTerms) string { return numberOrNone(t.target) }},
	{"target-utilization-percentage", func(t knativeTerms) string { return numberOrNone(t.utilization) }},
	{"min-scale", func(t knativeTerms) string { return strconv.Itoa(t.min) }},
	{"max-scale", func(t knativeTerms) string { return strconv.Itoa(t.max) }},
	{"initial-scale", func(t knativeTerms) string { return strconv.Itoa(t.initial) }},
	{"activation-scale", func(t knativeTerms) string { return numberOrNone(float64(t.activation)) }},
	{"window", func(t knativeTerms) string {
		if t.class == knativeHPA && !t.windowed {
			return ""
		}
		return profiles.Duration(t.window).String()
	}},
	{"scale-down-delay", func(t knativeTerms) string { return profiles.Duration(t.delay).String() }},
	{"scale-to-zero-pod-retention-period", func(t knativeTerms) string { return profiles.Duration(t.retention).String() }},
	{"panic-window-percentage", func(t knativeTerms) string { return plainNumber(t.panicWindow) }},
	{"panic-threshold-percentage", func(t knativeTerms) string { return plainNumber(t.panicThreshold) }},
	{"metric-aggregation-algorithm", func(t knativeTerms) string {
		if t.weighted {
			return "weighted-exponential"
		}
		return "linear"
	}},
}

// numberOrNone is a number of which 0 stands for none.
func numberOrNone(n float64) string {
	if n == 0 {
		return ""
	}
	return plainNumber(n)
}

// changes are the edits that lead from some terms to others, but for the
// fields that the format says elsewhere. What is usual is left out, but for
// the bounds, of which everybody wants to know.
func (a *annotated) changes(key string, from, to knativeTerms, except ...string) (out []document.Edit) {
	for _, f := range knativeFields {
		text, usual := f.text(to), usualKnative()
		if text == f.text(from) || slices.Contains(except, f.name) {
			continue
		}
		if f.name != "class" {
			usual.class = to.class
		}
		if text == f.text(usual) && f.name != "min-scale" && f.name != "max-scale" {
			text = ""
		}
		out = append(out, a.edits(key, f.name, text)...)
	}
	return out
}

// follow changes the terms to what the policy says. What means the same
// already stays as it is written, however that is. A target is a whole number
// where the format has no other, and its kind one of those that it has.
func (t knativeTerms) follow(w *writer, whole bool, kinds ...profiles.Kind) knativeTerms {
	p := w.policy
	was, _ := t.policy()
	m, ok := w.only(kinds...)
	if ok && !m.PerReplica() {
		w.refuse("metrics[0].scope", "got %s, want %s", m.Scope, profiles.PerReplica)
		ok = false
	}
	if ok && m.Kind != was.Metrics[0].Kind {
		class := knativeHPA
		if m.Kind == profiles.RPS || m.Kind == profiles.InFlight {
			class = knativeKPA
		}
		if class != t.class {
			t.class, t.metric, t.target, t.utilization = class, "", 0, 0
			was, _ = t.policy()
		}
	}
	if t.class == knativeHPA {
		return t.followHPA(w, m, ok, was)
	}
	w.knativeReasons()
	if ok {
		t.aim(w, m, was.Metrics[0], whole)
		t.look(w, m, was.Metrics[0])
	}
	if p.Down.Stabilization != was.Down.Stabilization && !p.Fixed() {
		t.delay = roundUp(p.Down.Stabilization, time.Second)
	}
	t.spread(w, was)
	return t
}

// knativeReasons are what a KPA has no words for.
func (w *writer) knativeReasons() {
	if w.policy.Fixed() {
		w.because("", "the size is fixed, so that it makes no difference")
		return
	}
	w.because("interval", "Knative decides every %s", profiles.Duration(knativeTick))
	w.because("tolerance", "Knative has none: it acts on every difference")
	w.because("up", "Knative goes up at once, to at most %g times the ready replicas", knativeUpRate)
	w.because("down.step", "Knative has no steps")
	w.because("down.factor", "Knative goes down to half of the ready replicas at a time")
	w.because("down.stabilization", "scale-down-delay has whole seconds")
	w.commonReasons()
}

// commonReasons are those of both classes.
func (w *writer) commonReasons() {
	w.because("schedules", "Knative has no hours")
	w.because("onMetricError", "Knative keeps the size while nothing can be read")
	w.because("down.order", "Kubernetes chooses which replicas go")
	w.because("down.idle", "Kubernetes chooses which replicas go")
}

// aim sets the metric and its target.
func (t *knativeTerms) aim(w *writer, m, was profiles.Metric, whole bool) {
	if m.Kind != was.Kind || m.Target != was.Target {
		t.metric, t.target, t.utilization = "rps", m.Target.Float(), 100
		if m.Kind == profiles.InFlight {
			t.metric = "concurrency"
		}
		if whole {
			t.target = float64(w.wholeTarget(m))
		}
		switch {
		case t.target < knativeLeast && !whole:
			w.refuse("metrics[0].target", "got %s, want %g or more", m.Target, knativeLeast)
		case m.Kind == profiles.InFlight && t.hard > 0 && t.target > float64(t.hard):
			w.refuse("metrics[0].target", "got %s, want %d or less: containerConcurrency of the document lets no more into a replica", m.Target, t.hard)
		}
	}
	target, total := t.resolve(usualCluster)
	switch {
	case t.utilization == 100:
		w.note("Knative acts at %g %% of a target unless it is told otherwise: target-utilization-percentage 100 makes it act at %s", 100*knativeRPSFraction, plainNumber(total))
	default:
		w.note("Knative acts at %s %% of the target of %s, which is %s", plainNumber(math.Round(1e4*target/total)/100), plainNumber(total), plainNumber(math.Round(1000*target)/1000))
	}
}

// look sets the windows.
func (t *knativeTerms) look(w *writer, m, was profiles.Metric) {
	switch m.Aggregation {
	case was.Aggregation:
	case "", profiles.Weighted:
		t.weighted = m.Aggregation == profiles.Weighted
	default:
		w.refuse("metrics[0].aggregation", "got %s, want %s or %s", m.Aggregation, profiles.Average, profiles.Weighted)
	}
	if m.Window != was.Window {
		t.window = max(roundUp(m.Window, time.Second), knativeShortest)
		w.because("metrics[0].window", "a window of Knative is %s or longer, in whole seconds", profiles.Duration(knativeShortest))
	}
	w.because("metrics[0].panic", "Knative always looks at a second window too, of %s %% of the first one in whole seconds", plainNumber(t.panicWindow))
	p := m.Panic
	if p == nil || was.Panic != nil && *p == *was.Panic && m.Window == was.Window {
		return
	}
	w.because("metrics[0].panic", "the panic window is 1 to 100 %% of the window in whole seconds, and the threshold 110 to 1000 %%")
	t.panicThreshold = min(max(float64(p.Threshold)/10, 110), 1000)
	t.panicWindow = panicShare(p.Window.Std(), t.window)
}

// panicShare is the percentage of a window that makes the panic window as long
// as it should be, with as few decimals as that takes.
func panicShare(panic, window time.Duration) float64 {
	share := min(max(100*float64(panic)/float64(window), 1), 100)
	for scale := 1.0; scale <= 1e4; scale *= 10 {
		rounded := math.Round(share*scale) / scale
		if (knativeTerms{window: window, panicWindow: rounded}).panicSpan() == panic {
			return rounded
		}
	}
	return math.Round(share*1e4) / 1e4
}

// spread sets the bounds, and when the fleet is at rest.
func (t *knativeTerms) spread(w *writer, was profiles.Policy) {
	p := w.policy
	t.bound(p, was)
	if t.activation == 1 {
		t.activation = 0
		w.because("replicas", "Knative says the same by min-scale 0: without any load none, else one or more")
	}
	now, _ := t.policy()
	if p.ToZero == nil || now.ToZero == nil || now.ToZero.After == p.ToZero.After {
		return
	}
	t.retention = 0
	if t.min == 0 {
		rest := min(max(p.ToZero.After.Std()-t.window-t.delay, 0), knativeLongest)
		if t.quietFor() < t.window+t.delay+rest {
			t.retention = rest
		}
	}
	w.because("toZero.after", "Knative is at rest when the window (%s) is empty, scale-down-delay (%s) is over and, before the last one goes, so is scale-to-zero-pod-retention-period (%s, at most %s)",
		profiles.Duration(t.window), profiles.Duration(t.delay), profiles.Duration(t.retention), profiles.Duration(knativeLongest))
}

// bound sets the bounds and the size to start with, where they are not the
// same already.
func (t *knativeTerms) bound(p, was profiles.Policy) {
	to, from := p.Replicas, was.Replicas
	same := to.Min == from.Min && to.Max == from.Max && idleOf(to) == idleOf(from)
	if !same {
		t.min, t.activation, t.max = to.Min, 0, 0
		if to.Idle != nil {
			t.min, t.activation = *to.Idle, to.Min
		}
		if to.Max != profiles.Unlimited {
			t.max = int(to.Max)
		}
	}
	if n := p.Initial(); max(t.initial, t.min) != n && !(same && was.Initial() == n) {
		t.initial = n
		if n == max(1, t.min) {
			t.initial = usualKnative().initial
		}
	}
}

// idleOf is the size at rest, or that of the minimum where there is none.
func idleOf(b profiles.Bounds) int {
	if b.Idle != nil {
		return *b.Idle
	}
	return b.Min
}
