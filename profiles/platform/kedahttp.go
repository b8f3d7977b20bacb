package platform

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

const (
	kedaHTTPPlatform = "keda-http"
	kedaHTTPGroup    = "http.keda.sh"
)

// kedaHTTP is the HTTP add-on of KEDA (operator/apis/http/v1beta1, and
// scaler/handlers.go): an InterceptorRoute, by which an interceptor counts the
// requests, and a ScaledObject, which the add-on does not make. On import it
// understands the HTTPScaledObject before them too, which is deprecated.
var kedaHTTP = Platform{
	Name: kedaHTTPPlatform, Title: "KEDA HTTP add-on, InterceptorRoute and ScaledObject", File: "interceptorroute.yaml",
	begin: beginKEDAHTTP, write: writeKEDAHTTP, read: readKEDAHTTP,
	recognise: func(text []byte) bool {
		_, ok := findObject(text, func(o object) bool { return o.is(kedaHTTPGroup, "InterceptorRoute", "HTTPScaledObject") })
		return ok
	},
}

// addOnKinds are what the interceptor counts.
var addOnKinds = []profiles.Kind{profiles.RPS, profiles.InFlight}

// interceptorRoute is what an InterceptorRoute says about scaling.
type interceptorRoute struct {
	APIVersion string `yaml:"apiVersion"`
	Metadata   struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec struct {
		Metric addOnMetric `yaml:"scalingMetric"`
	} `yaml:"spec"`
}

// addOnMetric is what is counted, both or one of them.
type addOnMetric struct {
	Concurrency *struct {
		Target *int32 `yaml:"targetValue"` // for each replica, waiting ones included
	} `yaml:"concurrency"`
	Rate *addOnRate `yaml:"requestRate"`
}

// addOnRate is a rate, averaged over the window in steps of the granularity.
type addOnRate struct {
	Target      *int32            `yaml:"targetValue"` // a second, for each replica
	Window      profiles.Duration `yaml:"window"`      // default 1m
	Granularity profiles.Duration `yaml:"granularity"` // default 1s
}

func (r addOnRate) window() profiles.Duration {
	if r.Window == 0 {
		return profiles.Duration(time.Minute)
	}
	return r.Window
}

// addOnTarget is the target of an HTTPScaledObject that does not say.
const addOnTarget = 100

func beginKEDAHTTP(w *writer) string {
	name := w.name()
	return newObject(kedaHTTPGroup+"/v1beta1", "InterceptorRoute", fields(
		"metadata", w.metadata(),
		"spec", fields(
			"target", fields("service", name, "port", 80),
			"rules", []any{fields("hosts", []any{"*"})},
		),
	)) + "---\n" + newObject("keda.sh/v1alpha1", "ScaledObject", fields(
		"metadata", w.metadata(),
		"spec", fields("scaleTargetRef", fields("apiVersion", "apps/v1", "kind", "Deployment", "name", name)),
	))
}

// pushTrigger is how a ScaledObject refers to a route.
func pushTrigger(route string) any {
	return fields("type", "external-push", "metadata", fields(
		"scalerAddress", "keda-add-ons-http-external-scaler.keda:9090", "interceptorRoute", route))
}

// addOnFile is a route and the ScaledObject of it.
type addOnFile struct {
	route     interceptorRoute
	scaled    kedaSettings
	routeDoc  document.Document
	scaledDoc document.Document
}

func openKEDAHTTP(text []byte) (f addOnFile, err error) {
	if f.routeDoc, err = theObject(text, kedaHTTPGroup, "InterceptorRoute"); err != nil {
		return f, err
	}
	if f.scaledDoc, err = theObject(text, "keda.sh", "ScaledObject"); err != nil {
		return f, fmt.Errorf("%w next to the InterceptorRoute: the add-on makes none", err)
	}
	lines, err := f.routeDoc.Decode(&f.route, document.Lax)
	err = lines.Check(err, f.route.problems())
	scaledLines, scaledErr := f.scaledDoc.Decode(&f.scaled.kedaFile, document.Lax)
	f.scaled.pushed = f.route.Spec.Metric.metrics(f.scaled.interval(), lines)
	f.scaled.findUnknown(f.scaledDoc)
	problems := f.scaled.problemsIn(f.scaledDoc, f.scaled.pushed)
	if !f.linked() {
		problems.bad("spec.triggers", "got none with interceptorRoute %q, want one of type external-push", f.route.Metadata.Name)
	}
	return f, errors.Join(err, scaledLines.Check(scaledErr, problems))
}

// linked reports whether the ScaledObject has a trigger for the route.
func (f addOnFile) linked() bool {
	for _, t := range f.scaled.Spec.Triggers {
		if t.pushes() && t.Metadata.Route == f.route.Metadata.Name {
			return true
		}
	}
	return false
}

func readKEDAHTTP(text []byte) (settings, error) {
	if isHTTPScaledObject(text) {
		f, _, err := openHTTPScaledObject(text)
		return f, err
	}
	f, err := openKEDAHTTP(text)
	return f.scaled, err
}

func (r interceptorRoute) problems() (bad problems) {
	if r.APIVersion != kedaHTTPGroup+"/v1beta1" {
		bad.bad("apiVersion", "got %s, want %s/v1beta1", r.APIVersion, kedaHTTPGroup)
	}
	m := r.Spec.Metric
	if m.Concurrency == nil && m.Rate == nil {
		bad.bad("spec.scalingMetric", "got nothing, want concurrency, requestRate or both")
	}
	m.check("spec.scalingMetric", 0, &bad)
	return bad
}

// check expects a target of 1 or more, and takes one that is left out for
// usual.
func (m addOnMetric) check(key string, usual int, bad *problems) {
	if c := m.Concurrency; c != nil && orUsual(c.Target, usual) < 1 {
		bad.bad(key+".concurrency.targetValue", "got %d, want 1 or more", orUsual(c.Target, usual))
	}
	r := m.Rate
	if r == nil {
		return
	}
	if orUsual(r.Target, usual) < 1 {
		bad.bad(key+".requestRate.targetValue", "got %d, want 1 or more", orUsual(r.Target, usual))
	}
	if w := r.window(); w < 1e9 {
		bad.bad(key+".requestRate.window", "got %s, want 1s or more", w)
	} else if r.Granularity > w {
		bad.bad(key+".requestRate.granularity", "got %s, want the window (%s) or less", r.Granularity, w)
	}
}

// metrics are those of a policy, in the order in which they stand.
func (m addOnMetric) metrics(interval profiles.Duration, lines document.Lines) (out []profiles.Metric) {
	if r := m.Rate; r != nil {
		out = append(out, profiles.Metric{
			Kind: profiles.RPS, Target: profiles.Milli(orUsual(r.Target, addOnTarget)) * 1000,
			Window: min(m.Rate.window(), profiles.Duration(profiles.MaxWindow)),
		})
	}
	if c := m.Concurrency; c != nil {
		concurrency := profiles.Metric{
			Kind: profiles.InFlight, Target: profiles.Milli(orUsual(c.Target, addOnTarget)) * 1000,
			Window: min(max(interval, 1e9), profiles.Duration(profiles.MaxWindow)),
		}
		if m.Rate != nil && lines["spec.scalingMetric.concurrency"] < lines["spec.scalingMetric.requestRate"] {
			return append([]profiles.Metric{concurrency}, out...)
		}
		out = append(out, concurrency)
	}
	return out
}

func writeKEDAHTTP(w *writer, base []byte) ([]byte, error) {
	isNew := w.isNew(kedaHTTPPlatform)
	if !isNew && isHTTPScaledObject(base) {
		return writeHTTPScaledObject(w, base)
	}
	f, err := openKEDAHTTP(base)
	if err != nil && !isNew {
		return nil, err
	}
	scaled := w.scaledObject(f.scaled, isNew, f.route.Metadata.Name)
	text, err := document.Apply(base, f.routeDoc.Index, w.scalingMetric(f, isNew)...)
	if err != nil {
		return nil, err
	}
	if isNew {
		w.note("the route takes the requests for every host (*) to port 80 of the Service: name yours, and send the traffic through the interceptor")
	}
	w.warnOfReplicas(base)
	w.sideBySide()
	return document.Apply(text, f.scaledDoc.Index, scaled...)
}

// sideBySide moves what the route counts together in the policy, and with it
// what was said about it, as the document has it so. The order of metrics means
// nothing.
func (w *writer) sideBySide() {
	was := w.policy.Metrics
	rank := func(i int) int { // before the first that is counted, counted, after it
		first := slices.IndexFunc(was, func(m profiles.Metric) bool { return slices.Contains(addOnKinds, m.Kind) })
		switch {
		case i < first:
			return 0
		case w.pushed(i, "any"):
			return 1
		}
		return 2
	}
	order := make([]int, len(was))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return rank(a) - rank(b) })
	metrics, reasons := make([]profiles.Metric, len(was)), slices.Clone(w.reasons)
	for is, was := range order {
		metrics[is] = w.policy.Metrics[was]
		for i, r := range w.reasons {
			if rest, ok := strings.CutPrefix(r.prefix, fmt.Sprintf("metrics[%d]", was)); ok {
				reasons[i].prefix = fmt.Sprintf("metrics[%d]", is) + rest
			}
		}
	}
	w.policy.Metrics, w.reasons = metrics, reasons
}

// scalingMetric writes what the route counts.
func (w *writer) scalingMetric(f addOnFile, isNew bool) []document.Edit {
	const path = "spec/scalingMetric"
	wanted := w.counted()
	switch {
	case len(wanted) > 0:
	case len(w.policy.Metrics) > 0:
		w.refuse("metrics", "got none of %s, want one: the add-on counts requests, those that wait as in flight; without it, keda has the others", oneOf(addOnKinds))
		return nil
	case len(w.policy.Schedules) > 0:
		w.refuse("metrics", "got none of %s, want one: the add-on counts requests; without it, keda has schedules of a size that is fixed otherwise", oneOf(addOnKinds))
		return nil
	case isNew:
		w.note("a route needs a metric: one of %d requests/s decides nothing while minReplicaCount is maxReplicaCount", addOnTarget)
		return []document.Edit{{Path: path, Value: fields("requestRate", fields("targetValue", addOnTarget))}}
	default:
		return nil
	}
	was := f.scaled.pushed
	same := len(was) == len(wanted)
	for i := range was {
		same = same && was[i].Kind == w.policy.Metrics[wanted[i]].Kind
	}
	all := fields()
	var edits []document.Edit
	for at, i := range wanted {
		m := w.policy.Metrics[i]
		target := w.whole(fmt.Sprintf("metrics[%d].target", i), m.Target)
		key, value := "concurrency", fields("targetValue", target)
		if m.Kind == profiles.RPS {
			key, value = "requestRate", fields("targetValue", target, "window", m.Window.String(), "granularity", "1s")
		}
		all = append(all, fields(key, value)...)
		if same && m.Target != was[at].Target {
			edits = append(edits, document.Edit{Path: path + "/" + key + "/targetValue", Value: target})
		}
		if same && m.Kind == profiles.RPS && m.Window != was[at].Window {
			edits = append(edits, document.Edit{Path: path + "/" + key + "/window", Value: m.Window.String()})
		}
	}
	if !same {
		return []document.Edit{{Path: path, Value: all}}
	}
	return edits
}

// counted are the metrics that the route counts: each kind once, for each
// replica.
func (w *writer) counted() (out []int) {
	seen := map[profiles.Kind]bool{}
	for i, m := range w.policy.Metrics {
		if !w.pushed(i, "any") {
			continue
		}
		key := fmt.Sprintf("metrics[%d]", i)
		switch {
		case seen[m.Kind]:
			w.refuse(key+".kind", "got a second %s, want one: a route counts it once", m.Kind)
			continue
		case !m.PerReplica():
			w.refuse(key+".scope", "got fleet, want replica: the target is what each should carry")
		}
		if m.Kind == profiles.RPS {
			w.note("the add-on reports the rate in whole requests/s, rounded up")
		} else {
			w.hidden(key+".window", "how long the interceptor looks back for concurrency is not documented")
		}
		seen[m.Kind] = true
		out = append(out, i)
	}
	return out
}
